"""Frames with predicted and annotated pairs, as the gaze transformer's result files hold them, read strictly.

A record: ``video_name``, ``frame_id``, ``bboxes``, ``pred_labels``, ``confidences``, ``pair_idxes`` (P, 2),
``interaction_distribution`` (P, V) and, annotated, ``bboxes_gt``, ``labels_gt``, ``pair_idxes_gt`` (G, 2),
``interactions_gt`` (G, V) of 0 and 1. For anticipation: ``exist_mask`` (G,), whether the pair is still there at the
horizon, and ``future_frame_id``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import TruthError
from videohoi.evaluate.dense import dense_predictions
from videohoi.evaluate.prediction_record import PredictionRecord, ReadingNotes, read_values
from videohoi.evaluate.triplet_sets import TripletPredictions, TripletTruth, joined
from videohoi.evaluate.vidhoi.scoring import VIDHOI, class_id

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class PairSide:
    """N boxes and the pairs among them, with one number for each of V predicates."""

    boxes_xyxy_px: Floats
    """(N, 4)"""
    labels: Ints
    """(N,) object classes"""
    pairs: Ints
    """(P, 2) rows of the human and of the object"""
    predicates: Floats
    """(P, V) scores in [0, 1], or 0 and 1 where annotated"""


@dataclass(frozen=True, repr=False)
class VidhoiFrame:
    """One frame: what was predicted and what is true."""

    name: str
    """``video_frame``"""
    found: PairSide
    confidences: Floats
    """(N,) detector scores of the predicted boxes"""
    true: PairSide
    exists: NDArray[np.bool_]
    """(G,) the annotated pair is still there at the horizon; all True without anticipation"""

    def triplet_scores(self) -> Floats:
        """(P, V) interaction x human x object, in the order of factors of the public code."""
        human, thing = (self.confidences[self.found.pairs[:, side], None] for side in (0, 1))
        return np.asarray(self.found.predicates * human * thing)


def read_vidhoi_frames(
    path: Path, object_count: int, predicate_count: int, *, only: Collection[str] | None = None,
    without: Collection[str] = (), person_id: int | None = None, notes: ReadingNotes | None = None,
) -> list[VidhoiFrame]:  # fmt: skip
    """Frames of a result file.

    Args:
        path: JSON or pickle.
        object_count: O, classes of the labels (78).
        predicate_count: V (50).
        only: names of the frames to keep, as the list of frames that every horizon has (their future frame counts).
        without: names of frames to leave out, as the 168 of the ST-HOI baseline.
        person_id: class that the human of every pair must have; None: any.
        notes: counts frames and names that were left out.

    Raises:
        TruthError: anything malformed; names file, record and field.
    """
    values = read_values(path)
    if not isinstance(values, (list, tuple)):
        raise TruthError(f"{path}: expected a list with a record for each frame, got {type(values).__name__}")
    frames: list[VidhoiFrame] = []
    names: set[str] = set()
    futures: set[str] = set()
    for number, value in enumerate(values):
        record = PredictionRecord(value, f"{path}: record {number}")
        name, future = _names(record)
        if name in names:
            raise record.wrong("frame_id", f"every frame once ({name} was there before)")
        names.add(name)
        futures.add(future)
        if name not in without and (only is None or future in only):
            frames.append(_frame(record, name, object_count, predicate_count, person_id))
    if notes is not None:
        notes.add("frames left out by the lists of frames", len(values) - len(frames))
        notes.add("frames to keep that the file does not have", len(set(only or ()) - futures))
        notes.add("annotated pairs that are gone at the horizon", sum(int((~frame.exists).sum()) for frame in frames))
    return frames


def _names(record: PredictionRecord) -> tuple[str, str]:
    video, frame = record.text("video_name"), str(record.value("frame_id"))
    future = str(record.value("future_frame_id")) if record.has("future_frame_id") else frame
    return f"{video}_{frame}", f"{video}_{future}"


def _frame(record: PredictionRecord, name: str, objects: int, predicates: int, person_id: int | None) -> VidhoiFrame:
    names = ("bboxes", "pred_labels", "pair_idxes", "interaction_distribution")
    found = _side(record, names, objects, predicates, person_id)
    true_names = ("bboxes_gt", "labels_gt", "pair_idxes_gt", "interactions_gt")
    true = _side(record, true_names, objects, predicates, person_id)
    confidences = record.numbers("confidences", (len(found.boxes_xyxy_px),))
    if not np.isin(true.predicates, (0, 1)).all():
        raise record.wrong("interactions_gt", "0 and 1")
    for field, values in (("interaction_distribution", found.predicates), ("confidences", confidences)):
        if values.size and not (values.min() >= 0 and values.max() <= 1):
            raise record.wrong(field, "scores in [0, 1]", f"{values.min():.4g} to {values.max():.4g}")
    exists = np.ones(len(true.pairs), np.bool_)
    if record.has("exist_mask") and record.value("exist_mask") is not None:
        exists = record.ids("exist_mask", (len(true.pairs),), 2, "flags") == 1
    return VidhoiFrame(name, found, confidences, true, exists)


def _side(
    record: PredictionRecord, names: Sequence[str], objects: int, predicates: int, person_id: int | None
) -> PairSide:
    boxes = record.checked_corners(names[0], record.numbers(names[0], (None, 4)))
    labels = record.ids(names[1], (len(boxes),), objects, "object classes")
    pairs = record.ids(names[2], (None, 2), len(boxes), f"rows of {names[0]}")
    strangers = np.flatnonzero(labels[pairs[:, 0]] != (labels[pairs[:, 0]] if person_id is None else person_id))
    if len(strangers):
        row = int(strangers[0])
        raise record.wrong(names[1], f"class {person_id}, a person, for the human of pair {row}",
                           str(labels[pairs[row, 0]]))  # fmt: skip
    return PairSide(boxes, labels, pairs, record.numbers(names[3], (len(pairs), predicates)))


def frame_triplets(frames: Sequence[VidhoiFrame], object_count: int) -> tuple[TripletTruth, TripletPredictions]:
    """The frames' triplets; annotated pairs that are gone at the horizon are no annotations."""
    parts: list[tuple[Ints, Floats, Floats]] = []
    found: list[TripletPredictions] = []
    predicates = frames[0].true.predicates.shape[1] if frames else 0
    for row, frame in enumerate(frames):
        pairs, verbs = np.nonzero(frame.true.predicates * frame.exists[:, None])
        parts.append(_corners(frame.true, pairs, verbs, object_count))
        found.append(_strongest(row, frame, object_count))
    truth = TripletTruth(
        image_names=tuple(frame.name for frame in frames),
        image_offsets=np.concatenate([[0], np.cumsum([len(part[0]) for part in parts])]).astype(np.int64),
        class_ids=np.concatenate([part[0] for part in parts]) if parts else np.zeros(0, np.int64),
        human_boxes_xyxy_px=np.concatenate([part[1] for part in parts]) if parts else np.zeros((0, 4)),
        object_boxes_xyxy_px=np.concatenate([part[2] for part in parts]) if parts else np.zeros((0, 4)),
        class_count=predicates * object_count,
    )
    return truth, joined(found)


def _strongest(row: int, frame: VidhoiFrame, object_count: int) -> TripletPredictions:
    """The triplets of one frame that count."""
    humans, things = frame.found.pairs[:, 0], frame.found.pairs[:, 1]
    verbs = np.arange(frame.found.predicates.shape[1], dtype=np.int64)
    classes = class_id(verbs[None], frame.found.labels[things, None], object_count)
    return dense_predictions(
        row, frame.found.boxes_xyxy_px, humans, things, frame.triplet_scores(), classes, VIDHOI.top_k
    )


def _corners(side: PairSide, pairs: Any, verbs: Any, object_count: int) -> tuple[Ints, Floats, Floats]:
    humans, things = side.pairs[pairs, 0], side.pairs[pairs, 1]
    classes = class_id(verbs.astype(np.int64), side.labels[things], object_count)
    return classes, side.boxes_xyxy_px[humans], side.boxes_xyxy_px[things]
