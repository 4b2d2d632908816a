"""UPT and LAIN whole: the DETR that their checkpoints carry along, the choice among its boxes, and the head on them.

The heads and what differs from the public codes are in ``upt`` and ``lain``. Boxes are chosen before the head, outside
the graph, by the rules of both public codes (``prepare_region_proposals`` of fredzzhang/upt, BSD-3, and
OreoChocolate/LAIN, MIT): non-maximum suppression within each class, then the boxes above a score, but at least 3 and at
most 15 humans and as many objects, so that a picture with only weak boxes still has pairs.

In a pipeline the score is ``fusion`` with the run's lambda instead of the 2.8 that ranks triplets for average
precision, and only as many pairs are padded as a frame has. LAIN's picture for CLIP has ImageNet's mean and deviation,
as its code gave it in training; as there it is made of the picture that was resized for DETR.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from videohoi.detect.detr import IGNORED_KEYS as DETR_IGNORED_KEYS
from videohoi.detect.detr import Detr, DetrConfig, DetrOutput, best_classes, detr_keys, load_detr
from videohoi.detect.torch_detectors import class_of_output, existing_weights
from videohoi.errors import ModelError, UsageError
from videohoi.geometry.boxes import class_aware_nms
from videohoi.interact.heads.lain import IGNORED_KEYS as HEAD_OF_LAIN_IGNORED
from videohoi.interact.heads.lain import KEY_MAP as HEAD_OF_LAIN
from videohoi.interact.heads.lain import LainConfig, LainHead
from videohoi.interact.heads.runners import PictureRunner
from videohoi.interact.heads.upt import IGNORED_KEYS as HEAD_OF_UPT_IGNORED
from videohoi.interact.heads.upt import KEY_MAP as HEAD_OF_UPT
from videohoi.interact.heads.upt import UptConfig, UptHead
from videohoi.interact.scoring import ClassRows
from videohoi.interact.torch_engine import load_clip
from videohoi.layers.clip import tokenize
from videohoi.layers.lain_blocks import encode_unmasked
from videohoi.layers.padded_pairs import PaddedDetections
from videohoi.layers.pictures import normalised, resized
from videohoi.layers.pictures import padded as padded_pictures
from videohoi.structures import Frame
from videohoi.structures.interactions import HOIOutput
from videohoi.vocabulary import hico_det
from videohoi.vocabulary.prompts import template


@dataclass(frozen=True)
class ChoiceRules:
    """Defaults are those of UPT and LAIN."""

    iou_threshold: float = 0.5
    """a box is dropped when it overlaps a better one of its class by more"""
    least_score: float = 0.2
    least: int = 3
    """humans, and objects, that are kept below the score"""
    most: int = 15
    """humans, and objects"""

    @property
    def rows(self) -> int:
        """N, the most detections that the rules keep."""
        return 2 * self.most


def chosen_rows(
    boxes_xyxy: NDArray[np.floating[Any]],
    scores: NDArray[np.floating[Any]],
    class_ids: NDArray[np.int64],
    *,
    person_id: int = 0,
    rules: ChoiceRules | None = None,
) -> NDArray[np.int64]:
    """Rows to keep of one picture's Q boxes (Q, 4) in any unit: humans first, each group best first."""
    rules = ChoiceRules() if rules is None else rules
    best = class_aware_nms(boxes_xyxy, scores, class_ids, iou_threshold=rules.iou_threshold)
    human = class_ids[best] == person_id
    return np.concatenate([_bounded(best[group], scores, rules) for group in (human, ~human)])


def _bounded(rows: NDArray[np.int64], scores: NDArray[np.floating[Any]], rules: ChoiceRules) -> NDArray[np.int64]:
    sure = int(np.count_nonzero(scores[rows] >= rules.least_score))
    return rows[: min(max(sure, rules.least), rules.most)]


def padded_detections(
    pictures: Sequence[tuple[Tensor, Tensor, Tensor, Tensor]], rows: Sequence[NDArray[np.int64]], count: int
) -> PaddedDetections:
    """B pictures' (boxes_cxcywh (Q, 4), scores (Q,), class_ids (Q,), features (Q, D)), cut to ``rows``, padded to N.

    Raises:
        UsageError: there is no picture, or one keeps more than ``count`` rows.
    """
    most = max((len(picture_rows) for picture_rows in rows), default=-1)
    if not 0 <= most <= count:
        raise UsageError(
            f"{most} detections chosen of {len(rows)} pictures; expected a picture, at most {count} of each"
        )
    counts = torch.tensor([len(picture_rows) for picture_rows in rows], device=pictures[0][0].device)
    mask = torch.arange(count, device=counts.device) < counts[:, None]
    chosen = [
        [_filled(values[torch.from_numpy(picture_rows).to(values.device)], count) for values in picture]
        for picture, picture_rows in zip(pictures, rows, strict=True)
    ]
    boxes, scores, class_ids, features = (torch.stack(column) for column in zip(*chosen, strict=True))
    return PaddedDetections(boxes, scores, class_ids, mask, features)


def _filled(values: Tensor, count: int) -> Tensor:
    return torch.cat((values, values.new_zeros(count - len(values), *values.shape[1:])))


HICO_OUTPUTS = 81
"""of the DETR fine-tuned on HICO-DET: 80 classes in COCO's order and nothing"""
_DETECTOR = r"detector\."
Rows = tuple[tuple[str, str], ...]


def _detector_config() -> DetrConfig:
    return DetrConfig(class_outputs=HICO_OUTPUTS)


@dataclass(frozen=True)
class UptModelConfig:
    """UPT and its detector."""

    head: UptConfig = field(default_factory=UptConfig)
    detector: DetrConfig = field(default_factory=_detector_config)


@dataclass(frozen=True)
class LainModelConfig:
    """LAIN and its detector."""

    head: LainConfig = field(default_factory=LainConfig)
    detector: DetrConfig = field(default_factory=_detector_config)


class UptModel(nn.Module):
    """Detector and head; ``UptRunner`` runs them one after the other, since boxes are chosen in between."""

    def __init__(self, config: UptModelConfig | None = None) -> None:
        super().__init__()
        config = config or UptModelConfig()
        self.detector, self.head = Detr(config.detector), UptHead(config.head)


class LainModel(nn.Module):
    """Detector and head; ``LainRunner`` runs them one after the other, since boxes are chosen in between."""

    def __init__(self, config: LainModelConfig | None = None) -> None:
        super().__init__()
        config = config or LainModelConfig()
        self.detector, self.head = Detr(config.detector), LainHead(config.head)


def _whole(head: Rows) -> Rows:
    """Key map of detector and head from the head's."""
    return (*detr_keys(_DETECTOR, "detector."), *((pattern, f"head.{ours}") for pattern, ours in head))


def _ignored(head: Rows) -> Rows:
    """What is ignored of both; the detector itself no longer is."""
    return (
        *((rf"{_DETECTOR}(?:{pattern})", reason) for pattern, reason in DETR_IGNORED_KEYS),
        *(row for row in head if row[0] != _DETECTOR),
    )


UPT_KEY_MAP, UPT_IGNORED_KEYS = _whole(HEAD_OF_UPT), _ignored(HEAD_OF_UPT_IGNORED)
LAIN_KEY_MAP, LAIN_IGNORED_KEYS = _whole(HEAD_OF_LAIN), _ignored(HEAD_OF_LAIN_IGNORED)


class UptRunner(PictureRunner):
    """DETR, its boxes, UPT's head."""

    @property
    def boxes_note(self) -> str:
        """Which DETR finds the boxes."""
        named = self.options.detector
        return "the method's own DETR finds the boxes" if named is None else f"boxes are of the DETR in {named}"

    def build_model(self, weights: Path) -> nn.Module:
        """As in the file, or with the DETR that the run names; ``ModelError`` where its features do not fit."""
        if self.options.detector is None:
            return super().build_model(weights)
        detector = load_detr(existing_weights(self.options.detector, f"detr:{self.options.detector}"))
        model = super().build_model(weights)
        width, expected = detector.config.width, self.options.config.head.detector_width
        if width != expected:
            raise ModelError(
                f"{self.options.detector}: features have {width} numbers, {self.method.name} takes {expected}"
            )
        model.detector = detector
        return model

    def answer(self, model: Any, frame: Frame) -> HOIOutput[Tensor]:
        """Rows are the boxes that the paper's rules keep."""
        picture = self.picture(frame)
        detector_output = model.detector(*padded_pictures([normalised(picture)]))
        boxes = self._chosen(detector_output, model.detector.config.class_outputs)
        pairs = _pair_count(boxes.class_ids[0].cpu().numpy())
        if pairs == 0:
            return _no_pairs(boxes, len(self.rule.rows.verb_ids))
        most = self.cap(pairs, self.options.config.head.max_pairs)
        return self.head_answer(model.head, boxes, detector_output, picture, most)

    def cap(self, pairs: int, most: int) -> int:
        """Pairs to pad to; UPT's pairs compete, so none that its paper keeps may be left out."""
        return min(pairs, most)

    def head_answer(
        self, head: Any, boxes: PaddedDetections, detector_output: DetrOutput, picture: Tensor, most: int
    ) -> HOIOutput[Tensor]:
        """The head's output, padded to ``most`` pairs, for one ``picture`` (3, h, w) as the detector saw it."""
        height, width = picture.shape[1:]
        sizes = torch.tensor([(width, height)], dtype=torch.float32, device=self.device)
        output: HOIOutput[Tensor] = head(*boxes, detector_output.image.feature_map, sizes, max_pairs=most)
        return output

    def _chosen(self, detector_output: DetrOutput, outputs: int) -> PaddedDetections:
        (best,) = best_classes(detector_output)
        classes = class_of_output(outputs, self.method.name)[best.labels]
        named = np.flatnonzero(classes >= 0)  # COCO's outputs have gaps: no place among the objects for them
        rows = named[
            chosen_rows(best.boxes_xyxy[named], best.scores[named], classes[named], person_id=hico_det().person_id)
        ]
        scores, class_ids = torch.from_numpy(best.scores), torch.from_numpy(classes)
        boxes, queries = detector_output.boxes_cxcywh[0], detector_output.queries[0]
        picture = (boxes, scores.to(self.device), class_ids.to(self.device), queries)
        return padded_detections([picture], [rows], len(rows))


class LainRunner(UptRunner):
    """DETR, its boxes, LAIN's head. Verbs that LAIN never learned need CLIP's text tower."""

    resampling = "bicubic"
    verb_text: Tensor

    def class_rows(self, model: Any) -> ClassRows:
        """One column a verb; the learned prompts are computed once."""
        words, known = self.options.vocabulary, hico_det().verbs
        with torch.inference_mode():
            learned = model.head.verb_text()
            new = self._new_rows([verb for verb in words.verbs if verb not in known])
            rows = [learned[known.index(verb)] if verb in known else new[verb] for verb in words.verbs]
        self.verb_text = torch.stack(rows).to(self.device)
        return ClassRows.verbs(words)

    def _new_rows(self, verbs: Sequence[str]) -> dict[str, Tensor]:
        """Unit vectors of plain sentences of verbs that have no learned prompt."""
        if not verbs:
            if self.options.clip_weights:
                self.note = (
                    "published method; CLIP's weights were not read, since it has a learned prompt for each verb"
                )
            return {}
        config, asking = self.options.config.head.clip, f"lain with the new verb {verbs[0]!r}"
        loaded = load_clip(config, self.options.clip_weights, asking)
        self.note, text = loaded.note, loaded.clip.text
        tokens = tokenize([template("lain").interaction(self.options.vocabulary, verb, "object") for verb in verbs])
        vectors = encode_unmasked(text, text.token_embedding(tokens), tokens.argmax(-1))
        return dict(zip(verbs, functional.normalize(vectors, dim=-1), strict=True))

    def cap(self, pairs: int, most: int) -> int:
        """LAIN's pairs are independent of each other: those beyond the run's limit are left out and counted."""
        return min(pairs, most, self.options.pair_limit)

    def head_answer(
        self, head: Any, boxes: PaddedDetections, detector_output: DetrOutput, picture: Tensor, most: int
    ) -> HOIOutput[Tensor]:
        """As UPT's; the head reads the picture once more, squeezed to CLIP's square."""
        del detector_output
        size = head.config.clip.image_size_px
        square = normalised(resized(picture, (size, size), "bicubic"))
        output: HOIOutput[Tensor] = head(*boxes, square[None], self.verb_text, max_pairs=most)
        return output


def _pair_count(class_ids: np.ndarray[Any, np.dtype[np.int64]]) -> int:
    humans = int(np.count_nonzero(class_ids == hico_det().person_id))
    return humans * max(len(class_ids) - 1, 0)


def _no_pairs(boxes: PaddedDetections, columns: int) -> HOIOutput[Tensor]:
    empty = boxes.scores.new_zeros
    return HOIOutput(
        boxes.boxes_cxcywh, empty((1, 0, 2), dtype=torch.int64), empty((1, 0), dtype=torch.bool),
        empty((1, 0, columns)), scores=boxes.scores, class_ids=boxes.class_ids,
        truncated=empty((1,), dtype=torch.int64),
    )  # fmt: skip
