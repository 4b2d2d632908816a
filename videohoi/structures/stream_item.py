"""All results for one frame: the value that moves through the graph and reaches the caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.structures import interop
from videohoi.structures.detections import Detections, Tracks
from videohoi.structures.events import InteractionEvent
from videohoi.structures.frame import Frame
from videohoi.structures.interactions import Interactions, TrackedInteractions

TABLES = ("detections", "interactions")
PLACE_COLUMNS = ("source_id", "frame_index", "pts_seconds")
DETECTION_COLUMNS = ("track_id", "object_class", "score", "x1", "y1", "x2", "y2")
INTERACTION_COLUMNS = (
    "human_id", "verb", "object_id", "object_class", "score", "observed",
    "human_x1", "human_y1", "human_x2", "human_y2", "object_x1", "object_y1", "object_x2", "object_y2",
)  # fmt: skip
_SHOWN = 3
"""interactions that a repr names"""


class Presenter(Protocol):
    """Names and draws a result; set by the pipeline that made it."""

    @property
    def objects(self) -> tuple[str, ...]:
        """Names of the object classes, by class id."""
        ...

    @property
    def verbs(self) -> tuple[str, ...]:
        """Names of the columns of verb scores."""
        ...

    def draw(self, result: FrameResult) -> NDArray[np.uint8]:
        """The picture (H, W, 3) RGB with boxes and interactions; a copy."""
        ...


@dataclass(frozen=True, repr=False)
class FrameResult:
    """A frame and all results for it. Stages add theirs with ``dataclasses.replace``."""

    frame: Frame
    detections: Detections = field(default_factory=Detections.empty)
    pair_scores: Interactions | None = None
    """per-frame verb scores before smoothing"""
    tracks: Tracks = field(default_factory=Tracks.empty)
    """row-aligned with ``detections``"""
    interactions: TrackedInteractions | None = None
    """smoothed verb scores per pair of tracks"""
    events: tuple[InteractionEvent, ...] = ()
    """decisions taken with this frame"""
    presenter: Presenter | None = field(default=None, compare=False)
    """set on results of ``Pipeline.run`` and ``videohoi.detect``"""

    @property
    def names(self) -> dict[int, str]:
        """Object class id -> name; ``UsageError`` for a result that no pipeline made."""
        return dict(enumerate(self._presented().objects))

    @property
    def verb_names(self) -> tuple[str, ...]:
        """Names of the columns of verb scores; errors as ``names``."""
        return self._presented().verbs

    def plot(self) -> NDArray[np.uint8]:
        """The picture with boxes and interactions drawn on, (H, W, 3) uint8 RGB; the frame itself stays as it is."""
        return self._presented().draw(self)

    def to_pandas(self, table: str = "detections") -> Any:
        """A ``pandas.DataFrame``; ``detections``: one row a box, ``interactions``: one row a verb that is on.

        Raises:
            UsageError: an unknown table, or pandas is not installed.
        """
        if table not in TABLES:
            raise UsageError(f"to_pandas({table!r}): expected {' or '.join(TABLES)}")
        rows = self._detection_rows() if table == "detections" else self._interaction_rows()
        columns = DETECTION_COLUMNS if table == "detections" else INTERACTION_COLUMNS
        place = (self.frame.source_id, self.frame.index, self.frame.pts_seconds)
        return interop.pandas().DataFrame([(*place, *row) for row in rows], columns=[*PLACE_COLUMNS, *columns])

    def to_supervision(self) -> Any:
        """``supervision.Detections`` of all boxes, with track ids (-1: unconfirmed), voted classes and class names.

        Raises:
            UsageError: supervision is not installed.
        """
        objects = None if self.presenter is None else self.presenter.objects
        if len(self.tracks) != len(self.detections):
            return self.detections.to_supervision(objects)
        return self.tracks.to_supervision(self.detections, objects)

    @staticmethod
    def from_supervision(frame: Frame, value: Any, objects: Sequence[str] | None = None) -> FrameResult:
        """A result with the boxes and track ids of ``supervision.Detections``; errors as ``Detections``."""
        detections = Detections.from_supervision(value, objects)
        return FrameResult(frame, detections, tracks=Tracks.from_supervision(value, objects))

    def __repr__(self) -> str:
        place = f"{self.frame.source_id!r}, frame {self.frame.index} at {self.frame.pts_seconds:.2f} s"
        counts = Counter(self._class_name(row) for row in self._class_ids().tolist())
        seen = ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "nothing"
        interactions = [
            f"human {human} {verb} {name} {object_id} ({score:.2f})"
            for human, verb, object_id, name, score, *_ in self._interaction_rows()
        ]
        more = [f"{len(interactions) - _SHOWN} more"] if len(interactions) > _SHOWN else []
        return f"FrameResult({place}: {'; '.join([seen, *interactions[:_SHOWN], *more])})"

    def _class_ids(self) -> NDArray[np.int64]:
        """(N,) classes that the tracks voted for, or the detector's own where nothing is tracked."""
        return self.tracks.class_ids if len(self.tracks) == len(self.detections) else self.detections.class_ids

    def _class_name(self, class_id: int) -> str:
        return f"class {class_id}" if self.presenter is None else self.presenter.objects[class_id]

    def _detection_rows(self) -> list[tuple[Any, ...]]:
        """Values of ``DETECTION_COLUMNS``."""
        tracked = len(self.tracks) == len(self.detections)
        ids = self.tracks.track_ids.tolist() if tracked else [-1] * len(self.detections)
        names = [self._class_name(row) for row in self._class_ids().tolist()]
        boxes, scores = self.detections.boxes_xyxy_px.tolist(), self.detections.scores.tolist()
        return [(row_id, name, score, *box) for row_id, name, score, box in zip(ids, names, scores, boxes, strict=True)]

    def _interaction_rows(self) -> list[tuple[Any, ...]]:
        """Values of ``INTERACTION_COLUMNS``; NaN for the boxes of tracks that are out of sight."""
        pairs = self.interactions
        if pairs is None:
            return []
        boxes = dict(zip(self.tracks.track_ids.tolist(), self.detections.boxes_xyxy_px.tolist(), strict=True))
        unseen = [float("nan")] * 4
        rows = []
        for pair, verb in np.argwhere(pairs.active).tolist():
            human, object_id = int(pairs.human_ids[pair]), int(pairs.object_ids[pair])
            name = f"verb {verb}" if self.presenter is None else self.presenter.verbs[verb]
            rows.append((
                human, name, object_id, self._class_name(int(pairs.object_class_ids[pair])),
                float(pairs.verb_scores[pair, verb]), bool(pairs.observed[pair]),
                *boxes.get(human, unseen), *boxes.get(object_id, unseen),
            ))  # fmt: skip
        return rows

    def _presented(self) -> Presenter:
        if self.presenter is None:
            raise UsageError("this result has no class names; results of Pipeline.run and videohoi.detect have them")
        return self.presenter
