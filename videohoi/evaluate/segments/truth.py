"""Hand-made truth of a clip: who does what with which object, from when to when, and the boxes at keyframes.

One JSON file a clip. Times are ``frame / frame rate`` of the first and of the last frame in which a span holds, both
inclusive, so a span covers ``[begin_seconds, end_seconds + 1 / frame_rate_hz]``. The reader is strict: a malformed file
is a ``TruthError`` that names the file, the field and what was expected.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import TruthError
from videohoi.evaluate.segments.truth_record import TruthRecord
from videohoi.files import decoded_text
from videohoi.vocabulary import hico_det

STAMP_TOLERANCE_SECONDS = 0.011
"""times in the files are rounded to 0.01 s"""


@dataclass(frozen=True)
class TruthObject:
    """An object in the clip."""

    object_id: str
    object_class: str | None
    """name in the HICO-DET vocabulary (``sports_ball``); None where COCO has no such class"""
    name: str
    """the annotator's description"""


@dataclass(frozen=True)
class TruthSpan:
    """(person, verb, object) over a span of time."""

    person_id: str
    verb: str
    object_id: str
    object_class: str | None
    """class of the object, None where COCO has none"""
    begin_seconds: float
    """time of the first frame"""
    end_seconds: float
    """time of the last frame"""
    hico_verb: bool
    """the verb is one of HICO-DET's 117"""
    hico600: bool
    """the (verb, object) pair is one of HICO-DET's 600"""

    @property
    def in_scope(self) -> bool:
        """It can be scored: the object has a COCO class and the verb is one of HICO-DET's."""
        return self.hico_verb and self.object_class is not None


@dataclass(frozen=True)
class TruthSegment(TruthSpan):
    """An interaction that happens."""

    sure: bool
    """a careful viewer would not argue; otherwise the verb or the edges are debatable"""
    contact_seconds: float | None
    """moment of contact of an event (kick, catch); None for a state"""


@dataclass(frozen=True)
class OutOfView:
    """A person or object that cannot be seen for a while; interactions that go on are not cut there."""

    subject_id: str
    begin_seconds: float
    end_seconds: float


@dataclass(frozen=True)
class Keyframe:
    """One annotated picture."""

    frame_index: int
    seconds: float
    """frame_index / frame rate"""
    boxes_xyxy_px: Mapping[str, NDArray[np.float64]]
    """(4,) box in source pixels of what is visible of each person or object"""


@dataclass(frozen=True)
class ClipTruth:
    """Everything annotated in one clip."""

    clip: str
    """file name of the clip"""
    width_px: int
    height_px: int
    frame_rate_hz: float
    frame_count: int
    person_ids: tuple[str, ...]
    objects: tuple[TruthObject, ...]
    segments: tuple[TruthSegment, ...]
    negatives: tuple[TruthSpan, ...]
    """tempting and false over the whole of each span"""
    ignore: tuple[TruthSpan, ...]
    """a matter of taste: scored neither way"""
    out_of_view: tuple[OutOfView, ...]
    keyframes: tuple[Keyframe, ...]
    """in order of time"""

    @cached_property
    def stem(self) -> str:
        """Clip name without its extension: what a run is matched by."""
        return Path(self.clip).stem

    @cached_property
    def frame_seconds(self) -> float:
        """How long one frame is shown."""
        return 1.0 / self.frame_rate_hz

    @cached_property
    def duration_seconds(self) -> float:
        """First frame to the end of the last."""
        return self.frame_count / self.frame_rate_hz


def read_truths(path: Path) -> dict[str, ClipTruth]:
    """Truth of one file, or of every ``*.json`` of a folder, by clip name without extension, in order of name.

    Raises:
        TruthError: nothing to read at ``path``, a malformed file, or two files that speak of the same clip.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise TruthError(f"{path}: no truth file found; expected one *.json a clip")
    truths: dict[str, ClipTruth] = {}
    for file in files:
        truth = read_truth(file)
        if truth.stem in truths:
            raise TruthError(f"{file}: clip: {truth.clip!r} is already described by another file of {path}")
        truths[truth.stem] = truth
    return truths


def read_truth(file: Path) -> ClipTruth:
    """Truth of one clip.

    Raises:
        TruthError: the file cannot be read or a field is missing or wrong; the message names it.
    """
    try:
        values = json.loads(decoded_text(file.read_bytes()))
    except (OSError, ValueError) as cause:
        raise TruthError(f"{file}: cannot be read as a JSON truth file: {cause}") from cause
    return _clip(TruthRecord(values, file, ""))


@dataclass(frozen=True)
class _Cast:
    """Which humans may be named, and when."""

    persons: tuple[str, ...]
    classes: Mapping[str, str | None]
    frame_rate_hz: float
    last_seconds: float

    def times(self, record: TruthRecord) -> tuple[float, float]:
        begin, end = record.number("begin_s"), record.number("end_s")
        if not -STAMP_TOLERANCE_SECONDS <= begin <= end <= self.last_seconds + STAMP_TOLERANCE_SECONDS:
            raise record.wrong("end_s", f"begin_s <= end_s inside 0 .. {self.last_seconds:.2f} (begin_s is {begin})")
        return begin, end

    def span(self, record: TruthRecord) -> dict[str, Any]:
        begin, end = self.times(record)
        object_id = record.one_of("object", self.classes)
        verb, hico_verb = record.text("verb"), record.flag("hico_verb")
        if hico_verb != (verb in hico_det().verbs):
            raise record.wrong("hico_verb", f"{not hico_verb} for verb {verb!r}".lower())
        return {
            "person_id": record.one_of("person", self.persons),
            "verb": verb,
            "object_id": object_id,
            "object_class": self.classes[object_id],
            "begin_seconds": begin,
            "end_seconds": end,
            "hico_verb": hico_verb,
            "hico600": record.flag("hico600"),
        }

    def segment(self, record: TruthRecord) -> TruthSegment:
        span = self.span(record)
        sure = record.one_of("certainty", ("sure", "likely")) == "sure"
        event = record.one_of("kind", ("state", "event")) == "event"
        return TruthSegment(**span, sure=sure, contact_seconds=self._contact(record, span) if event else None)

    def _contact(self, record: TruthRecord, span: Mapping[str, Any]) -> float:
        """Time of the contact frame; an event without one is taken at its middle."""
        begin, end = span["begin_seconds"], span["end_seconds"]
        if not record.has("contact_frame"):
            return float(begin + end) / 2
        contact = record.count("contact_frame") / self.frame_rate_hz
        if not begin - STAMP_TOLERANCE_SECONDS <= contact <= end + STAMP_TOLERANCE_SECONDS:
            raise record.wrong("contact_frame", "a frame between begin_s and end_s")
        return contact


def _clip(record: TruthRecord) -> ClipTruth:
    width, height, frames = record.count("width"), record.count("height"), record.count("frames")
    rate = record.number("fps")
    for name, value in (("width", width), ("height", height), ("frames", frames), ("fps", rate)):
        if value <= 0:
            raise record.wrong(name, "a number above 0")
    persons = tuple(person.text("id") for person in record.records("persons"))
    objects = tuple(_object(entry) for entry in record.records("objects"))
    cast = _Cast(persons, {thing.object_id: thing.object_class for thing in objects}, rate, (frames - 1) / rate)
    if len({*persons, *cast.classes}) != len(persons) + len(objects):
        raise record.wrong("objects", "ids that are used once among persons and objects")
    return ClipTruth(
        clip=record.text("clip"),
        width_px=width,
        height_px=height,
        frame_rate_hz=rate,
        frame_count=frames,
        person_ids=persons,
        objects=objects,
        segments=tuple(cast.segment(entry) for entry in record.records("segments")),
        negatives=tuple(TruthSpan(**cast.span(entry)) for entry in record.records("negatives")),
        ignore=tuple(TruthSpan(**cast.span(entry)) for entry in record.records("ignore")),
        out_of_view=tuple(_out_of_view(entry, cast) for entry in record.records("out_of_view")),
        keyframes=_keyframes(record, cast, (width, height), frames),
    )


def _object(record: TruthRecord) -> TruthObject:
    coco_name = record.optional_text("coco_name")
    object_class = None if coco_name is None else coco_name.strip().lower().replace(" ", "_")
    if object_class is not None and object_class not in hico_det().objects:
        raise record.wrong("coco_name", "a COCO class name or null")
    return TruthObject(record.text("id"), object_class, record.text("name"))


def _out_of_view(record: TruthRecord, cast: _Cast) -> OutOfView:
    return OutOfView(record.one_of("id", (*cast.persons, *cast.classes)), *cast.times(record))


def _keyframes(record: TruthRecord, cast: _Cast, size_px: tuple[int, int], frames: int) -> tuple[Keyframe, ...]:
    keyframes: list[Keyframe] = []
    for entry in record.records("keyframes"):
        index = entry.count("frame")
        if index >= frames or (keyframes and index <= keyframes[-1].frame_index):
            raise entry.wrong("frame", f"frames in increasing order below {frames}")
        boxes: dict[str, NDArray[np.float64]] = {}
        for box in entry.records("boxes"):
            subject = box.one_of("id", (*cast.persons, *cast.classes))
            if subject in boxes:
                raise box.wrong("id", "an id that is boxed once in this keyframe")
            boxes[subject] = box.box("xyxy", *size_px)
        keyframes.append(Keyframe(index, index / cast.frame_rate_hz, boxes))
    if not keyframes:
        raise record.wrong("keyframes", "at least one keyframe")
    return tuple(keyframes)
