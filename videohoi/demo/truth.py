"""The truth of the demo clip, and its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.structures.checks import require_shape
from videohoi.vocabulary import hico_det

PERSON_ID, CUP_ID = "p1", "cup"
_KEYFRAME_SECONDS = 0.5
_SCOPE = (
    "Composed of two photographs: the person sways behind a table, the cup is brought to them, moves with them and is "
    "put back. hold = the cup is at the person and does not move against them. The helmet and the table are left out."
)


@dataclass(frozen=True, repr=False)
class DemoTruth:
    """The truth of one demo clip; times are frame / frame rate, F frames."""

    width_px: int
    height_px: int
    frame_rate_hz: float
    hold_begin_frame: int
    """first frame of (person, hold, cup)"""
    hold_end_frame: int
    """last frame of it"""
    person_boxes_xyxy_px: NDArray[np.float32]
    """(F, 4) of the visible part of the person"""
    cup_boxes_xyxy_px: NDArray[np.float32]
    """(F, 4) of cup and saucer"""

    def __post_init__(self) -> None:
        require_shape("DemoTruth", "person_boxes_xyxy_px", self.person_boxes_xyxy_px, (None, 4))
        require_shape("DemoTruth", "cup_boxes_xyxy_px", self.cup_boxes_xyxy_px, (self.frame_count, 4))

    def __repr__(self) -> str:
        begin, end = self.hold_begin_seconds, self.hold_end_seconds
        return f"DemoTruth(frames={self.frame_count}, hold={begin:.2f}-{end:.2f} s)"

    @property
    def frame_count(self) -> int:
        """F."""
        return len(self.person_boxes_xyxy_px)

    @property
    def hold_begin_seconds(self) -> float:
        """Time of the first frame in which the cup is held."""
        return self.hold_begin_frame / self.frame_rate_hz

    @property
    def hold_end_seconds(self) -> float:
        """Time of the last frame in which the cup is held."""
        return self.hold_end_frame / self.frame_rate_hz

    @property
    def touching(self) -> NDArray[np.bool_]:
        """(F,): the boxes of person and cup overlap."""
        person, cup = self.person_boxes_xyxy_px, self.cup_boxes_xyxy_px
        low, high = np.maximum(person[:, :2], cup[:, :2]), np.minimum(person[:, 2:], cup[:, 2:])
        return np.asarray((low < high).all(axis=1))

    def document(self, clip_name: str) -> dict[str, Any]:
        """The truth file for a clip of this file name: segments, negatives, spans scored neither way, keyframes."""
        return {
            "clip": clip_name,
            "width": self.width_px,
            "height": self.height_px,
            "fps": self.frame_rate_hz,
            "frames": self.frame_count,
            "duration_s": round(self.frame_count / self.frame_rate_hz, 3),
            "scope": _SCOPE,
            "persons": [{"id": PERSON_ID, "note": "astronaut in an orange suit, behind the table"}],
            "objects": [
                {
                    "id": CUP_ID,
                    "coco_name": "cup",
                    "coco": "cup",
                    "name": "coffee cup on its saucer",
                    "hico_name": "cup",
                }
            ],
            "segments": [self._segment()],
            "negatives": self._negatives(),
            "ignore": self._ignored(),
            "out_of_view": [],
            "keyframes": [self._keyframe(frame) for frame in self._keyframe_indices()],
        }

    def _segment(self) -> dict[str, Any]:
        begin, end = self.hold_begin_frame, self.hold_end_frame
        frames = {"begin_frame": begin, "end_frame": end, "certainty": "sure", "kind": "state"}
        return {**self._span("hold", begin, end), **frames, "note": "moves with the person; edges exact"}

    def _negatives(self) -> list[dict[str, Any]]:
        touching = np.flatnonzero(self.touching)
        before, after, last = int(touching[0]) - 1, int(touching[-1]) + 1, self.frame_count - 1
        return [
            {**self._span("hold", 0, before), "why": "the cup stands on the table or is not yet at the person"},
            {**self._span("hold", after, last), "why": "the cup is away from the person again"},
            {**self._span("drink_with", 0, last), "why": "the cup never comes near the mouth"},
        ]

    def _ignored(self) -> list[dict[str, Any]]:
        touching = np.flatnonzero(self.touching)
        begin, end = self.hold_begin_frame, self.hold_end_frame
        on_the_way = [(int(touching[0]), begin - 1), (end + 1, int(touching[-1]))]
        why = "the boxes overlap, but the cup is still on its way"
        # at a low frame rate there may be no frame on the way
        spans = [{**self._span("hold", first, last), "why": why} for first, last in on_the_way if first <= last]
        return [*spans, {**self._span("carry", begin, end), "why": "held by someone who sways but does not walk"}]

    def _span(self, verb: str, begin_frame: int, end_frame: int) -> dict[str, Any]:
        words = hico_det()
        return {
            "person": PERSON_ID,
            "verb": verb,
            "object": CUP_ID,
            "begin_s": round(begin_frame / self.frame_rate_hz, 3),
            "end_s": round(end_frame / self.frame_rate_hz, 3),
            "hico_verb": verb in words.verbs,
            "hico600": bool(words.valid[words.object_id("cup"), words.verb_id(verb)]),
        }

    def _keyframe_indices(self) -> list[int]:
        step = max(1, round(_KEYFRAME_SECONDS * self.frame_rate_hz))
        return sorted({*range(0, self.frame_count, step), self.hold_begin_frame, self.hold_end_frame})

    def _keyframe(self, frame: int) -> dict[str, Any]:
        person, cup = self.person_boxes_xyxy_px[frame], self.cup_boxes_xyxy_px[frame]
        boxes = [
            {"id": PERSON_ID, "xyxy": [round(float(v), 1) for v in person], "visible": "partial"},
            {"id": CUP_ID, "xyxy": [round(float(v), 1) for v in cup], "visible": "full"},
        ]
        return {"frame": frame, "time_s": round(frame / self.frame_rate_hz, 3), "boxes": boxes}
