"""A result's detections and active interactions, with names: what the sinks write and draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import SinkError
from videohoi.structures import FrameResult
from videohoi.vocabulary import Vocabulary


@dataclass(frozen=True)
class DetectionRows:
    """N detections of one frame with identity, parallel arrays."""

    track_ids: NDArray[np.int64]
    """(N,) -1 = unconfirmed, or no tracker ran"""
    class_ids: NDArray[np.int64]
    """(N,) voted class where tracked"""
    boxes_xyxy_px: NDArray[np.float32]
    """(N, 4) source pixels"""
    scores: NDArray[np.float32]
    """(N,) in [0, 1]"""
    names: tuple[str, ...]
    """(N,) object class names"""

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class ActivePair:
    """A human and an object with the verbs that are on between them."""

    human_id: int
    object_id: int
    object_class: str
    observed: bool
    """both boxes were seen in this frame"""
    verbs: tuple[tuple[str, float], ...]
    """(verb, smoothed score), highest score first"""


def detection_rows(result: FrameResult, vocabulary: Vocabulary) -> DetectionRows:
    """The detections of ``result``; without a tracker all ids are -1 and classes are the detector's.

    Raises ``SinkError`` when tracks and detections differ in length or a class is not in ``vocabulary``.
    """
    detections, tracks = result.detections, result.tracks
    if len(tracks):
        track_ids, class_ids = tracks.track_ids, tracks.class_ids
    else:
        track_ids, class_ids = np.full(len(detections), -1, np.int64), detections.class_ids
    if len(track_ids) != len(detections):
        raise SinkError(
            f"{_where(result)}: {len(track_ids)} track rows for {len(detections)} detections; "
            "the tracker must keep the detector's rows"
        )
    names = tuple(_class_name(result, vocabulary, class_id) for class_id in class_ids.tolist())
    return DetectionRows(track_ids, class_ids, detections.boxes_xyxy_px, detections.scores, names)


def active_pairs(result: FrameResult, vocabulary: Vocabulary) -> list[ActivePair]:
    """The pairs of ``result`` with at least one verb on, in the order of its interactions.

    Raises ``SinkError`` when the scores have another number of verbs than ``vocabulary``.
    """
    interactions = result.interactions
    if interactions is None or not interactions.active.any():
        return []
    if interactions.active.shape[1] != len(vocabulary.verbs):
        raise SinkError(
            f"{_where(result)}: {interactions.active.shape[1]} verb scores for the {len(vocabulary.verbs)} verbs of "
            f"{vocabulary.name}; give the sink the vocabulary of the model"
        )
    pairs = []
    for row in np.flatnonzero(interactions.active.any(axis=1)).tolist():
        columns = np.flatnonzero(interactions.active[row]).tolist()
        verbs = [(vocabulary.verbs[column], float(interactions.verb_scores[row, column])) for column in columns]
        pairs.append(
            ActivePair(
                human_id=int(interactions.human_ids[row]),
                object_id=int(interactions.object_ids[row]),
                object_class=_class_name(result, vocabulary, int(interactions.object_class_ids[row])),
                observed=bool(interactions.observed[row]),
                verbs=tuple(sorted(verbs, key=lambda verb: (-verb[1], verb[0]))),
            )
        )
    return pairs


def _class_name(result: FrameResult, vocabulary: Vocabulary, class_id: int) -> str:
    if not 0 <= class_id < len(vocabulary.objects):
        raise SinkError(
            f"{_where(result)}: class id {class_id} is not one of the {len(vocabulary.objects)} objects of "
            f"{vocabulary.name}; give the sink the vocabulary of the detector"
        )
    return vocabulary.objects[class_id]


def _where(result: FrameResult) -> str:
    return f"frame {result.frame.index} of {result.frame.source_id}"
