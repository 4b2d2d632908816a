"""From a model's output to calibrated verb scores: the one place where methods differ in what a score means.

Every method ends on one scale, [0, 1] a verb of a pair, before anything is smoothed over time:

- ``product`` (EoID, models/hoi.py of its code): sigmoid(verb) * max softmax(object). Its interactive score is not used.
- ``fusion`` (UPT, arXiv 2112.01838, shared by PViC, CMMP and LAIN): sigmoid(verb) * (human score * object score) **
  lambda; lambda weighs doubt about the boxes against doubt about the verb. Also the starter's. Also HTS,
  whose logits are of interactions: the verb of a pair is the interaction with the pair's object. Also GEN-VLKT, HOICLIP
  and KI2HOI, with max softmax(object) as the pair's certainty: their public evaluations rank by sigmoid(interaction) +
  sigmoid(object logit of that interaction) ** 2, which is near 1 next to a certain object even for verbs that nobody
  performs, so that no threshold over time could end them.
- ``prior`` (the CLIP teacher of EoID, equation 6): softmax over the sentences that the object allows, times the box
  scores as in ``fusion``. Sentences of no verb (rivals, nothing done) take their share and are not reported.

Where an output has interactions, a verb's score is that of the interaction of this verb *and the pair's object*;
interactions with other objects say nothing about this pair. Then ``Calibration`` is applied, then the validity table,
in which "no interaction" is never valid: the public evaluations score it like any verb.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from videohoi.errors import UsageError
from videohoi.structures.interactions import HOIOutput
from videohoi.vocabulary import Vocabulary

STREAMING_LAMBDA = 0.5
"""Geometric mean of the two box scores: keeps the score near a probability, so that thresholds over time make sense."""
_LARGEST_LOGIT = 80.0
"""keeps exp finite in float32; sigmoid(-80) is 2e-35"""


def allowed_verbs(vocabulary: Vocabulary, object_class_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(P, V) verbs that go with each pair's object class, without "no interaction"."""
    return np.asarray(vocabulary.valid[object_class_ids] & vocabulary.acting_verbs)


def probability(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sigmoid of logits of any shape."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -_LARGEST_LOGIT, _LARGEST_LOGIT))), np.float32)


def certainty(box_scores: NDArray[np.float32], box_lambda: float) -> NDArray[np.float32]:
    """(P, 1) weight of the boxes from the products (P,) of their scores."""
    return np.asarray(box_scores ** np.float32(box_lambda), np.float32)[:, None]


def fuse(
    verb_logits: NDArray[np.float32],
    human_scores: NDArray[np.float32],
    object_scores: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    box_lambda: float,
) -> NDArray[np.float32]:
    """(P, V) triplet scores in [0, 1] from logits (P, V), box scores (P,), (P,) and the mask (P, V)."""
    scores = probability(verb_logits) * certainty(human_scores * object_scores, box_lambda)
    return np.asarray(np.where(allowed, scores, 0), np.float32)


Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Calibration:
    """Monotone map of a method's scores: sigmoid(slope * logit(score) + offset), Platt's form in logits.

    Identity by default: no method's scores were compared with truth here. 0 stays 0 and 1 stays 1.
    """

    slope: float = 1.0
    """above 0, so that the order of scores is kept"""
    offset: float = 0.0

    def __post_init__(self) -> None:
        if not (self.slope > 0 and math.isfinite(self.slope) and math.isfinite(self.offset)):
            raise UsageError(
                f"calibration: expected a slope above 0 and a finite offset, got {self.slope} and {self.offset}"
            )

    def added_to(self, note: str) -> str:
        """A head's note for the report, with the calibration of its scores added."""
        known = f"calibrated (slope {self.slope:g}, offset {self.offset:g})"
        return f"{note.rstrip('.')}; its scores are {'not calibrated' if self == Calibration() else known}"

    def __call__(self, scores: Scores) -> Scores:
        """Scores in [0, 1] to scores in [0, 1], any shape."""
        if self.slope == 1.0 and self.offset == 0.0:
            return scores
        with np.errstate(divide="ignore", over="ignore"):
            logits = np.log(scores) - np.log1p(-scores)
            return np.asarray(1 / (1 + np.exp(-(self.slope * logits + self.offset))), np.float32)


@dataclass(frozen=True, repr=False)
class ClassRows:
    """What the columns of ``HOIOutput.logits`` are."""

    verb_ids: NDArray[np.int64]
    """(K,) verb of each column"""
    object_ids: NDArray[np.int64] | None
    """(K,) object class of each column; None where a column is a verb with any object"""

    @staticmethod
    def verbs(vocabulary: Vocabulary) -> ClassRows:
        """One column a verb."""
        return ClassRows(np.arange(len(vocabulary.verbs)), None)

    @staticmethod
    def interactions(vocabulary: Vocabulary) -> ClassRows:
        """One column a (verb, object) of the vocabulary, in its order."""
        pairs = np.array(vocabulary.interactions, np.int64).reshape(-1, 2)
        return ClassRows(pairs[:, 0], pairs[:, 1])


@dataclass(frozen=True)
class ScoreRule:
    """How one method's logits become scores."""

    vocabulary: Vocabulary
    kind: str
    """product, fusion or prior"""
    rows: ClassRows
    box_lambda: float = STREAMING_LAMBDA
    """exponent of the box scores in ``fusion`` and ``prior``"""
    calibration: Calibration = field(default_factory=Calibration)

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise UsageError(f"unknown kind of score {self.kind!r}; expected one of {', '.join(_KINDS)}")

    @cached_property
    def columns(self) -> NDArray[np.int64]:
        """(O, V) column of each verb with each object; K where there is none, also where columns have no object."""
        table = np.full(self.vocabulary.valid.shape, len(self.rows.verb_ids), np.int64)
        if self.rows.object_ids is not None:
            reported = np.flatnonzero(self.rows.verb_ids >= 0)
            table[self.rows.object_ids[reported], self.rows.verb_ids[reported]] = reported
        return table


@dataclass(frozen=True, repr=False)
class ScoredPairs:
    """P pairs of one picture, masked ones left out."""

    rows: NDArray[np.int64]
    """(P, 2) box rows: human, object"""
    object_class_ids: NDArray[np.int64]
    """(P,)"""
    confidence: Scores
    """(P,) confidence in the pair's boxes, in [0, 1]"""
    verb_scores: Scores
    """(P, V) calibrated, in [0, 1]; 0 where the verb does not go with the object"""


def score_pairs(
    output: HOIOutput[NDArray[np.generic]],
    rule: ScoreRule,
    image: int = 0,
    object_class_ids: NDArray[np.int64] | None = None,
) -> ScoredPairs:
    """Scores of one picture of ``output`` (numpy arrays); see the module for the formulas.

    ``object_class_ids`` (P,): classes of the objects of the pairs that are not masked; None: those of the model. Tracks
    know them better.
    """
    pair_rows = np.flatnonzero(output.pair_mask[image])
    rows = np.asarray(output.pair_rows[image][pair_rows], np.int64)
    logits = np.asarray(output.logits[image][pair_rows], np.float32)
    object_logits = (
        None if output.object_logits is None else np.asarray(output.object_logits[image][pair_rows], np.float32)
    )
    if object_logits is not None:
        probabilities = _softmax(object_logits)[:, :-1]  # the last class means nothing
        classes = probabilities.argmax(axis=1) if len(pair_rows) else np.zeros(0, np.int64)
        confidence = probabilities.max(axis=1, initial=0)
    else:
        scores, class_ids = _given(output.scores, "scores"), _given(output.class_ids, "class_ids")
        classes = np.asarray(class_ids[image][rows[:, 1]], np.int64)
        confidence = np.asarray(scores[image][rows[:, 0]] * scores[image][rows[:, 1]], np.float32)
    if object_class_ids is not None:
        classes = object_class_ids
    pairs = _Pairs(logits, classes, np.asarray(confidence, np.float32))
    raw = _KINDS[rule.kind](pairs, rule)
    allowed = allowed_verbs(rule.vocabulary, classes)
    verb_scores = np.where(allowed, rule.calibration(raw), np.float32(0))
    return ScoredPairs(rows, classes, pairs.confidence, np.asarray(verb_scores, np.float32))


@dataclass(frozen=True, repr=False)
class _Pairs:
    logits: Scores
    classes: NDArray[np.int64]
    confidence: Scores


def _product(pairs: _Pairs, rule: ScoreRule) -> Scores:
    return _of_object(probability(pairs.logits), pairs.classes, rule) * pairs.confidence[:, None]


def _fusion(pairs: _Pairs, rule: ScoreRule) -> Scores:
    return _of_object(probability(pairs.logits), pairs.classes, rule) * certainty(pairs.confidence, rule.box_lambda)


def _prior(pairs: _Pairs, rule: ScoreRule) -> Scores:
    object_ids = rule.rows.object_ids
    if object_ids is None:
        raise UsageError("scores of kind prior need interactions, since the object decides which of them compete")
    competing = object_ids[None] == pairs.classes[:, None]
    logits = np.where(competing, pairs.logits, -np.inf)
    logits = logits - np.where(competing.any(axis=1), logits.max(axis=1, initial=-np.inf), 0)[:, None]
    weights = np.where(competing, np.exp(logits), 0)
    shares = np.asarray(weights / np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny), np.float32)
    return _of_object(shares, pairs.classes, rule) * certainty(pairs.confidence, rule.box_lambda)


_KINDS: Mapping[str, Callable[[_Pairs, ScoreRule], Scores]] = MappingProxyType(
    {"product": _product, "fusion": _fusion, "prior": _prior}
)


def _of_object(scores: Scores, classes: NDArray[np.int64], rule: ScoreRule) -> Scores:
    """(P, V) the column of each verb with the pair's object; 0 where there is none."""
    if rule.rows.object_ids is None:
        return scores
    with_none = np.concatenate([scores, np.zeros((len(scores), 1), np.float32)], axis=1)
    return np.take_along_axis(with_none, rule.columns[classes], axis=1)


def _softmax(logits: Scores) -> Scores:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf)) if len(logits) else logits
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32) if len(logits) else weights


def _given(values: NDArray[np.generic] | None, name: str) -> NDArray[np.generic]:
    if values is None:
        raise UsageError(f"HOIOutput.{name}: needed where the output has no object logits")
    return values
