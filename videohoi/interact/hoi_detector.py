"""Models that find humans, objects and their verbs at once: from their output to rows that a tracker can follow.

Such a model answers with pairs: a box of a human, a box of an object, scores. The same human comes with every thing it
touches, each time with a slightly different box. Boxes of one class that overlap are made one row here (class-wise NMS
with a map from every box to the row it became), so that detections, tracks and pairs share their rows as in the
two-stage path, and everything after is the same graph.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from videohoi.detect.protocol import DetectorInfo
from videohoi.errors import ModelError, UsageError
from videohoi.geometry.nms import class_aware_nms
from videohoi.geometry.overlaps import box_iou, warm_up
from videohoi.geometry.warming import warmed
from videohoi.interact.protocol import HeadInfo
from videohoi.interact.scoring import ScoredPairs, ScoreRule, score_pairs
from videohoi.structures import Detections, Frame, HumanObjectPairs, Interactions
from videohoi.structures.hoi_output import HOIOutput

MERGE_IOU = 0.6
"""boxes of one class that overlap more are one row: the house's overlap for detectors' NMS"""


class HOIRunner(Protocol):
    """A model with its weights: a frame in, one picture's ``HOIOutput`` of numpy arrays out."""

    @property
    def info(self) -> HeadInfo:
        """Known after ``open``."""
        ...

    @property
    def rule(self) -> ScoreRule:
        """How its logits become scores; known after ``open``."""
        ...

    @property
    def boxes_note(self) -> str:
        """Where the boxes come from, for the run report."""
        ...

    def open(self) -> None:
        """Load weights; raises ``ModelError`` naming the file and what to do."""
        ...

    def run(self, frame: Frame) -> HOIOutput[NDArray[Any]]:
        """B = 1."""
        ...

    def close(self) -> None:
        """Free the model; may be called twice."""
        ...


@dataclass(frozen=True)
class MergeSettings:
    """How pairs become rows."""

    box_score: float = 0.1
    """pairs less sure of their boxes are dropped"""
    merge_iou: float = MERGE_IOU
    pair_limit: int = 64
    """most pairs of a frame; the rest is counted"""

    def __post_init__(self) -> None:
        if not (0 <= self.box_score <= 1 and 0 <= self.merge_iou <= 1 and self.pair_limit >= 1):
            raise UsageError(
                f"merging pairs: expected scores and overlaps from 0 to 1 and a limit of 1 or more, got {self}"
            )


class HOIDetector:
    """Detections and interactions of a frame, row-aligned. One thread at a time."""

    def __init__(self, runner: HOIRunner, settings: MergeSettings | None = None) -> None:
        self._runner = runner
        self._settings = settings or MergeSettings()
        self._compiled = False

    @property
    def head_info(self) -> HeadInfo:
        """What the run report says of the verbs; known after ``open``."""
        return self._runner.info

    @property
    def info(self) -> DetectorInfo:
        """What the run report says of the boxes; known after ``open``."""
        head = self._runner.info
        return DetectorInfo(head.name, head.engine, head.weights_sha256, None, 0, self._runner.boxes_note)

    def open(self) -> None:
        """Load the weights and compile the kernels."""
        self._compiled = warmed(warm_up)
        self._runner.open()

    def find(self, frame: Frame) -> tuple[Detections, Interactions]:
        """Boxes in pixels of the frame and the pairs among them, best first; nothing found is an empty answer.

        Raises:
            ModelError: not open, or the model gave numbers that are not finite.
        """
        pairs = score_pairs(output := self._runner.run(frame), self._runner.rule)
        if not np.isfinite(pairs.verb_scores).all() or not np.isfinite(output.boxes_cxcywh).all():
            raise ModelError(f"{self._runner.info.name}: scores or boxes are not finite; check the weights")
        boxes = _corners(output.boxes_cxcywh[0], frame.width_px, frame.height_px)
        if output.scores is not None and output.class_ids is not None:
            found = Detections(boxes, output.scores[0].astype(np.float32), output.class_ids[0].astype(np.int64))
            return keep_rows(found, pairs, self._settings, truncated=_truncated(output))
        person_id = self._runner.rule.vocabulary.person_id
        return merge_pairs(boxes, pairs, person_id, self._settings, compiled=self._compiled)

    def close(self) -> None:
        """Free the model; may be called twice."""
        self._runner.close()


def merge_pairs(
    boxes_xyxy_px: NDArray[np.float32],
    pairs: ScoredPairs,
    person_id: int,
    settings: MergeSettings,
    *,
    compiled: bool = False,
) -> tuple[Detections, Interactions]:
    """Rows and pairs among them from (N, 4) boxes and the pairs that a model found.

    A row's score is the confidence of its surest pair; where two pairs become one, each verb keeps its better score. A
    pair whose human and object become one row is no pair. Pairs come by their best verb, then by rows.
    """
    kept = np.flatnonzero(pairs.confidence >= settings.box_score)
    rows, classes = pairs.rows[kept], pairs.object_class_ids[kept]
    ends = np.concatenate([rows[:, 0], rows[:, 1]])
    end_classes = np.concatenate([np.full(len(kept), person_id, np.int64), classes])
    scores = np.tile(pairs.confidence[kept], 2)
    detections, row_of = _merged(boxes_xyxy_px[ends], scores, end_classes, settings.merge_iou, compiled=compiled)
    humans, objects = row_of[: len(kept)], row_of[len(kept) :]
    apart = humans != objects
    return detections, _unique_pairs(humans[apart], objects[apart], pairs.verb_scores[kept][apart], settings.pair_limit)


def keep_rows(
    found: Detections, pairs: ScoredPairs, settings: MergeSettings, *, truncated: int = 0
) -> tuple[Detections, Interactions]:
    """Rows and pairs of a method whose own detector named the boxes, which are one row each already.

    Boxes below ``box_score`` go, and their pairs with them; ``truncated`` pairs were cut before.
    """
    kept = np.flatnonzero(found.scores >= settings.box_score)
    row_of = np.full(len(found), -1, np.int64)
    row_of[kept] = np.arange(len(kept))
    humans, objects = row_of[pairs.rows[:, 0]], row_of[pairs.rows[:, 1]]
    whole = (humans >= 0) & (objects >= 0)
    scored = _unique_pairs(humans[whole], objects[whole], pairs.verb_scores[whole], settings.pair_limit)
    cut = replace(scored.pairs, truncated=scored.pairs.truncated + truncated)
    return found.select(kept), Interactions(cut, scored.verb_scores)


def _truncated(output: HOIOutput[NDArray[Any]]) -> int:
    return 0 if output.truncated is None else int(output.truncated[0])


def _merged(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    classes: NDArray[np.int64],
    merge_iou: float,
    *,
    compiled: bool,
) -> tuple[Detections, NDArray[np.int64]]:
    """One row for boxes of a class that overlap, and the row that each box became."""
    if not len(boxes):
        return Detections.empty(), np.zeros(0, np.int64)
    chosen = class_aware_nms(boxes, scores, classes, iou_threshold=merge_iou, compiled=compiled)
    overlaps = np.where(classes[:, None] == classes[chosen][None], box_iou(boxes, boxes[chosen], compiled=compiled), -1)
    overlaps[chosen, np.arange(len(chosen))] = 2.0  # a box that stays is its own row, also where it has no area
    return Detections(boxes[chosen], scores[chosen], classes[chosen]), overlaps.argmax(axis=1)


def _unique_pairs(
    humans: NDArray[np.int64], objects: NDArray[np.int64], verb_scores: NDArray[np.float32], limit: int
) -> Interactions:
    keys, row_of = np.unique(np.stack([humans, objects], axis=1), axis=0, return_inverse=True)
    best = np.zeros((len(keys), verb_scores.shape[1]), np.float32)
    np.maximum.at(best, row_of.reshape(-1), verb_scores)
    order = np.argsort(-best.max(axis=1, initial=0), kind="stable")[:limit]
    chosen = HumanObjectPairs(keys[order, 0], keys[order, 1], truncated=max(0, len(keys) - limit))
    return Interactions(chosen, best[order])


def _corners(boxes_cxcywh: NDArray[Any], width_px: int, height_px: int) -> NDArray[np.float32]:
    """(N, 4) corners inside the picture, in pixels."""
    centres, half = boxes_cxcywh[:, :2], boxes_cxcywh[:, 2:] / 2
    corners = np.clip(np.concatenate([centres - half, centres + half], axis=1), 0, 1)
    return np.asarray(corners * np.array([width_px, height_px, width_px, height_px]), np.float32)
