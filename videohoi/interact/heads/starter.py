"""The embedded pair head: box geometry, scene and (where the detector offers it) appearance -> 117 HICO verbs.

Runs from ONNX without torch. Trained by ``videohoi.train.pair_geometry``; the model card lies beside the weights.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.compile.engine import Engine, load_engine
from videohoi.compile.onnx_file import model_properties
from videohoi.errors import ModelError
from videohoi.geometry.pair_features import FEATURE_COUNT, Instances, pair_features
from videohoi.interact.pairs import PAIR_LIMIT, build_pairs, pool_pairs
from videohoi.interact.protocol import HeadInfo
from videohoi.interact.scoring import STREAMING_LAMBDA, Calibration, allowed_verbs, fuse
from videohoi.shipped_weights import PAIR_HEAD
from videohoi.structures import Detections, FeatureMap, Frame, HumanObjectPairs, Interactions
from videohoi.vocabulary import Vocabulary, hico_det

INPUTS = ("features", "object_classes", "human_rows", "object_rows", "appearance", "has_appearance")
"""of the graph, in its order"""
OUTPUT = "verb_logits"
HUMAN_SCORE, OBJECT_SCORE = 0.3, 0.25
"""Boxes below are not paired. From here on 76 % of the detector's teacher's persons and 56 % of the rest are right."""


class StarterPairHead:
    """A ``HOIHead`` over box geometry. Stateless between frames; one thread at a time."""

    def __init__(
        self,
        weights: Path | None = None,
        *,
        human_score: float = HUMAN_SCORE,
        object_score: float = OBJECT_SCORE,
        box_lambda: float = STREAMING_LAMBDA,
        pair_limit: int = PAIR_LIMIT,
        use_appearance: bool = True,
        calibration: Calibration | None = None,
        engine: str = "onnxruntime",
        threads: int = 1,
    ) -> None:
        """``weights`` None = those shipped. ``use_appearance`` only with the detector the weights were trained with.

        ``engine`` as for ``compile.engine.load_engine``; the pairs of a frame are too few to be worth several threads.
        """
        self.vocabulary: Vocabulary = hico_det()
        self._weights = weights
        self._human_score, self._object_score = human_score, object_score
        self._box_lambda, self._pair_limit = box_lambda, pair_limit
        self._use_appearance = use_appearance
        self._calibration = Calibration() if calibration is None else calibration
        self._engine_name, self._threads = engine, threads
        self._engine: Engine | None = None
        self._channels = 0
        self._info = HeadInfo("starter", engine, None, len(self.vocabulary.verbs), 0)

    @property
    def info(self) -> HeadInfo:
        """Known after ``open``."""
        return self._info

    def open(self) -> None:
        """Load the weights.

        Raises:
            ModelError: they are missing, damaged or of another form.
            UsageError: the engine is unknown or not installed.
        """
        name, weights = self._read_weights()
        engine = load_engine(weights, self._engine_name, threads=self._threads, label=name)
        properties = model_properties(weights)
        self._channels = _checked(name, engine, properties, self.vocabulary)
        self._engine = engine
        self._use_appearance = properties.get("appearance") == "trained" and self._use_appearance
        note = "box geometry only: it does not look at the picture"
        if self._use_appearance:
            note = "box geometry and appearance"
        if self._calibration != Calibration():
            note = self._calibration.added_to(note)
        self._info = HeadInfo(
            "starter", engine.status.name, hashlib.sha256(weights).hexdigest(), len(self.vocabulary.verbs),
            self._channels if self._use_appearance else 0, " ".join(filter(None, (note, engine.status.fallback))),
        )  # fmt: skip

    def _read_weights(self) -> tuple[str, bytes]:
        if self._weights is None:
            return PAIR_HEAD.title, PAIR_HEAD.read()
        try:
            return str(self._weights), self._weights.read_bytes()
        except OSError as cause:
            raise ModelError(
                f"{self._weights}: pair head weights cannot be read; give the path of an ONNX pair head"
            ) from cause

    def score(self, frame: Frame, detections: Detections) -> Interactions:
        """Pairs and fused verb scores of a frame; "no interaction" and verbs the object does not take score 0."""
        pairs = build_pairs(
            detections, self.vocabulary.person_id,
            human_score=self._human_score, object_score=self._object_score, limit=self._pair_limit,
        )  # fmt: skip
        logits = self.verb_logits(detections, pairs, (frame.width_px, frame.height_px))
        human_scores, object_scores = detections.scores[pairs.human_rows], detections.scores[pairs.object_rows]
        allowed = allowed_verbs(self.vocabulary, detections.class_ids[pairs.object_rows])
        scores = fuse(logits, human_scores, object_scores, allowed, self._box_lambda)
        return Interactions(pairs, self._calibration(scores))

    def verb_logits(
        self, detections: Detections, pairs: HumanObjectPairs, picture_size_px: tuple[int, int]
    ) -> NDArray[np.float32]:
        """(P, V) calibrated logits of all verbs, given that the boxes are right; before fusion and mask.

        A pair's scene consists of the detections that appear in ``pairs``; others are treated as noise.

        Raises:
            ModelError: the head is not open.
        """
        if self._engine is None:
            raise ModelError("the starter pair head is closed; call open() before score()")
        if len(pairs) == 0:
            return np.zeros((0, len(self.vocabulary.verbs)), np.float32)
        logits = self._engine.run(*self._inputs(detections, pairs, picture_size_px))[OUTPUT]
        return np.asarray(logits, np.float32)

    def _inputs(
        self, detections: Detections, pairs: HumanObjectPairs, picture_size_px: tuple[int, int]
    ) -> tuple[NDArray[Any], ...]:
        """In the order of ``INPUTS``."""
        is_used = np.zeros(len(detections), np.bool_)
        is_used[pairs.human_rows] = is_used[pairs.object_rows] = True
        used, places = np.flatnonzero(is_used), np.cumsum(is_used) - 1
        human_rows, object_rows = places[pairs.human_rows], places[pairs.object_rows]
        boxes, classes = detections.boxes_xyxy_px[used], detections.class_ids[used]
        instances = Instances.of_picture(boxes, classes, picture_size_px)
        appearance = self._appearance(detections.feature_map, boxes[human_rows], boxes[object_rows])
        return (
            pair_features(instances, human_rows, object_rows, self.vocabulary.person_id),
            classes[object_rows],
            human_rows,
            object_rows,
            np.zeros((len(pairs), 3 * self._channels), np.float32) if appearance is None else appearance,
            np.array([appearance is not None], np.float32),
        )

    def _appearance(
        self, feature_map: FeatureMap | None, human_boxes: NDArray[np.float32], object_boxes: NDArray[np.float32]
    ) -> NDArray[np.float32] | None:
        if feature_map is None or not self._use_appearance or len(feature_map.values) != self._channels:
            return None
        return pool_pairs(feature_map, human_boxes, object_boxes)

    def close(self) -> None:
        """Free the engine; may be called twice."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None


def _checked(name: str, engine: Engine, properties: dict[str, str], vocabulary: Vocabulary) -> int:
    """Channels of the appearance input, once the model is known to fit this code."""
    expected = {"kind": "videohoi pair head", "vocabulary": vocabulary.name, "features": str(FEATURE_COUNT)}
    wrong = [
        f"{key}={properties.get(key)!r} (expected {value!r})"
        for key, value in expected.items()
        if properties.get(key) != value
    ]
    inputs = tuple(spec.name for spec in engine.inputs)
    if inputs != INPUTS:
        wrong.append(f"inputs {', '.join(inputs)} (expected {', '.join(INPUTS)})")
    if wrong:
        raise ModelError(
            f"{name}: not a pair head of this version: {', '.join(wrong)}; export it with videohoi.train.pair_export"
        )
    return int(properties["channels"])
