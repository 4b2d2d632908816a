"""Models that find humans, objects and their verbs at once: from their output to rows that a tracker can follow.

Such a model gives pairs: a human box, an object box and scores. The same human appears with every object it touches,
each time with a slightly different box. Overlapping boxes of one class become one row here (class-wise NMS with a map
from every box to its row), so that detections, tracks and pairs share their rows as in the two-stage path, and the rest
of the graph is the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.detect.protocol import DetectorInfo
from videohoi.errors import ModelError, UsageError
from videohoi.geometry.boxes import class_aware_nms, pairwise_iou
from videohoi.interact.protocol import HeadInfo, HOIRunner
from videohoi.interact.scoring import ScoredPairs, score_pairs
from videohoi.structures import Detections, Frame, HumanObjectPairs, Interactions
from videohoi.structures.interactions import HOIOutput

MERGE_IOU = 0.6
"""boxes of one class that overlap more are one row: the overlap of every detector's NMS here"""


@dataclass(frozen=True)
class MergeSettings:
    """How pairs become rows."""

    box_score: float = 0.1
    """pairs whose boxes score less are dropped"""
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

    @property
    def head_info(self) -> HeadInfo:
        """For the run report, about the verbs; known after ``open``."""
        return self._runner.info

    @property
    def info(self) -> DetectorInfo:
        """For the run report, about the boxes; known after ``open``."""
        head = self._runner.info
        return DetectorInfo(head.name, head.engine, head.weights_sha256, None, 0, self._runner.boxes_note)

    def open(self) -> None:
        """Load the weights."""
        self._runner.open()

    def find(self, frame: Frame) -> tuple[Detections, Interactions]:
        """Boxes in pixels of the frame and the pairs among them, best first; nothing found is an empty answer.

        Raises:
            ModelError: not open, or the model gave numbers that are not finite.
        """
        rule, settings = self._runner.rule, self._settings
        pairs = score_pairs(output := self._runner.run(frame), rule)
        if not np.isfinite(pairs.verb_scores).all() or not np.isfinite(output.boxes_cxcywh).all():
            raise ModelError(f"{self._runner.info.name}: scores or boxes are not finite; check the weights")
        boxes = _corners(output.boxes_cxcywh[0], frame.width_px, frame.height_px)
        if output.scores is not None and output.class_ids is not None:
            detected = Detections(boxes, output.scores[0].astype(np.float32), output.class_ids[0].astype(np.int64))
            detections, rows = _kept_rows(detected, pairs, settings)
        else:
            detections, rows = _merged_rows(boxes, pairs, rule.vocabulary.person_id, settings)

        def rescore(class_ids: NDArray[np.int64]) -> Interactions:
            objects = rows[:, 1]
            classes = pairs.object_class_ids.copy()
            classes[objects >= 0] = class_ids[objects[objects >= 0]]
            voted = score_pairs(output, rule, object_class_ids=classes)
            return _unique_pairs(rows, voted.verb_scores, settings.pair_limit, _truncated(output))

        scores = _unique_pairs(rows, pairs.verb_scores, settings.pair_limit, _truncated(output))
        return detections, replace(scores, rescore=rescore)

    def close(self) -> None:
        """Free the model; may be called twice."""
        self._runner.close()


def _merged_rows(
    boxes_xyxy_px: NDArray[np.float32],
    pairs: ScoredPairs,
    person_id: int,
    settings: MergeSettings,
) -> tuple[Detections, NDArray[np.int64]]:
    """Detections, and the rows (P, 2) of each pair's human and object among them; -1 where a pair is dropped."""
    kept_pairs = np.flatnonzero(pairs.confidence >= settings.box_score)
    ends = np.concatenate([pairs.rows[kept_pairs, 0], pairs.rows[kept_pairs, 1]])
    end_classes = np.concatenate([np.full(len(kept_pairs), person_id, np.int64), pairs.object_class_ids[kept_pairs]])
    scores = np.tile(pairs.confidence[kept_pairs], 2)
    detections, row_of = _merged(boxes_xyxy_px[ends], scores, end_classes, settings.merge_iou)
    rows = np.full((len(pairs.rows), 2), -1, np.int64)
    rows[kept_pairs] = row_of.reshape(2, -1).T
    rows[rows[:, 0] == rows[:, 1]] = -1
    return detections, rows


def _kept_rows(boxes: Detections, pairs: ScoredPairs, settings: MergeSettings) -> tuple[Detections, NDArray[np.int64]]:
    """As ``_merged_rows``, for boxes that are one row each already."""
    kept_boxes = np.flatnonzero(boxes.scores >= settings.box_score)
    row_of = np.full(len(boxes), -1, np.int64)
    row_of[kept_boxes] = np.arange(len(kept_boxes))
    rows = row_of[pairs.rows]
    rows[(rows < 0).any(axis=1)] = -1
    return boxes.select(kept_boxes), rows


def _truncated(output: HOIOutput[NDArray[Any]]) -> int:
    return 0 if output.truncated is None else int(output.truncated[0])


def _merged(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    classes: NDArray[np.int64],
    merge_iou: float,
) -> tuple[Detections, NDArray[np.int64]]:
    """One row for boxes of a class that overlap, and the row that each box became."""
    if not len(boxes):
        return Detections.empty(), np.zeros(0, np.int64)
    chosen = class_aware_nms(boxes, scores, classes, iou_threshold=merge_iou)
    overlaps = np.where(classes[:, None] == classes[chosen][None], pairwise_iou(boxes, boxes[chosen]), -1)
    overlaps[chosen, np.arange(len(chosen))] = 2.0  # a box that is kept is its own row, even without area
    return Detections(boxes[chosen], scores[chosen], classes[chosen]), overlaps.argmax(axis=1)


def _unique_pairs(
    rows: NDArray[np.int64], verb_scores: NDArray[np.float32], limit: int, truncated: int = 0
) -> Interactions:
    """One pair for each two ``rows`` (P, 2), best first, at most ``limit``; ``truncated`` were cut before."""
    whole = rows[:, 0] >= 0
    keys, place_of = np.unique(rows[whole], axis=0, return_inverse=True)
    best = np.zeros((len(keys), verb_scores.shape[1]), np.float32)
    np.maximum.at(best, place_of.reshape(-1), verb_scores[whole])
    order = np.argsort(-best.max(axis=1, initial=0), kind="stable")[:limit]
    cut = truncated + max(0, len(keys) - limit)
    return Interactions(HumanObjectPairs(keys[order, 0], keys[order, 1], truncated=cut), best[order])


def _corners(boxes_cxcywh: NDArray[Any], width_px: int, height_px: int) -> NDArray[np.float32]:
    """(N, 4) corners inside the picture, in pixels."""
    centres, half = boxes_cxcywh[:, :2], boxes_cxcywh[:, 2:] / 2
    corners = np.clip(np.concatenate([centres - half, centres + half], axis=1), 0, 1)
    return np.asarray(corners * np.array([width_px, height_px, width_px, height_px]), np.float32)
