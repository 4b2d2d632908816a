"""The embedded pair head: box geometry, scene and (where the detector offers it) appearance -> 117 HICO verbs.

Runs from ONNX without torch. Trained by ``videohoi.train.pair_geometry``; the model card lies beside the weights.
"""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from videohoi.errors import ModelError
from videohoi.geometry.pair_features import FEATURE_COUNT, Instances, pair_features
from videohoi.interact.fusion import STREAMING_LAMBDA, allowed_verbs, fuse
from videohoi.interact.pairs import PAIR_LIMIT, build_pairs
from videohoi.interact.pooling import pool_pairs
from videohoi.interact.protocol import HeadInfo
from videohoi.interact.scoring import Calibration
from videohoi.structures import Detections, FeatureMap, Frame, HumanObjectPairs, Interactions
from videohoi.vocabulary import Vocabulary, hico_det

WEIGHTS_FILE = "starter_pair_head.onnx"
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
    ) -> None:
        """``weights`` None = those shipped. ``use_appearance`` only with the detector the weights were trained with."""
        self.vocabulary: Vocabulary = hico_det()
        self._weights = weights
        self._human_score, self._object_score = human_score, object_score
        self._box_lambda, self._pair_limit = box_lambda, pair_limit
        self._use_appearance = use_appearance
        self._calibration = Calibration() if calibration is None else calibration
        self._session: Any = None
        self._channels = 0
        self._info = HeadInfo("starter", "onnxruntime", None, len(self.vocabulary.verbs), 0)

    @property
    def info(self) -> HeadInfo:
        """Known after ``open``."""
        return self._info

    def open(self) -> None:
        """Load the weights; raises ``ModelError`` when they are missing, corrupt or of another form."""
        name, weights = self._read_weights()
        self._session = _session(name, weights)
        properties = self._session.get_modelmeta().custom_metadata_map
        self._channels = _checked(name, properties, self.vocabulary)
        appearance = properties.get("appearance") == "trained" and self._use_appearance
        note = "box geometry and appearance" if appearance else "box geometry only: it does not look at the picture"
        self._use_appearance = appearance
        if self._calibration != Calibration():
            note = self._calibration.added_to(note)
        self._info = HeadInfo(
            "starter", "onnxruntime", hashlib.sha256(weights).hexdigest(), len(self.vocabulary.verbs),
            self._channels if appearance else 0, note,
        )  # fmt: skip

    def _read_weights(self) -> tuple[str, bytes]:
        shipped = resources.files("videohoi.interact.heads") / "data" / WEIGHTS_FILE
        source = shipped if self._weights is None else self._weights
        try:
            return str(source), source.read_bytes()
        except OSError as cause:
            raise ModelError(
                f"{source}: pair head weights cannot be read; reinstall videohoi or give the path of an ONNX pair head"
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
        """(P, V) calibrated logits given that the boxes are right, all verbs; before fusion and mask.

        The scene of a pair are the detections that appear in ``pairs``; others are taken for noise.

        Raises:
            ModelError: the head is not open.
        """
        if self._session is None:
            raise ModelError("the starter pair head is closed; call open() before score()")
        if len(pairs) == 0:
            return np.zeros((0, len(self.vocabulary.verbs)), np.float32)
        (logits,) = self._session.run(None, self._inputs(detections, pairs, picture_size_px))
        return np.asarray(logits, np.float32)

    def _inputs(
        self, detections: Detections, pairs: HumanObjectPairs, picture_size_px: tuple[int, int]
    ) -> dict[str, NDArray[Any]]:
        used, rows = np.unique(np.concatenate([pairs.human_rows, pairs.object_rows]), return_inverse=True)
        human_rows, object_rows = rows.reshape(2, -1)
        boxes, classes = detections.boxes_xyxy_px[used], detections.class_ids[used]
        instances = Instances.of_picture(boxes, classes, picture_size_px)
        appearance = self._appearance(detections.feature_map, boxes[human_rows], boxes[object_rows])
        return {
            "features": pair_features(instances, human_rows, object_rows, self.vocabulary.person_id),
            "object_classes": classes[object_rows],
            "human_rows": human_rows,
            "object_rows": object_rows,
            "appearance": np.zeros((len(pairs), 3 * self._channels), np.float32) if appearance is None else appearance,
            "has_appearance": np.array([appearance is not None], np.float32),
        }

    def _appearance(
        self, feature_map: FeatureMap | None, human_boxes: NDArray[np.float32], object_boxes: NDArray[np.float32]
    ) -> NDArray[np.float32] | None:
        if feature_map is None or not self._use_appearance or len(feature_map.values) != self._channels:
            return None
        return pool_pairs(feature_map, human_boxes, object_boxes)

    def close(self) -> None:
        """Free the engine; may be called twice."""
        self._session = None


def _session(name: str, weights: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a frame's pairs are too little work to share
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    except Exception as cause:
        raise ModelError(
            f"{name}: not a readable ONNX model ({_first_line(cause)}); reinstall or export again"
        ) from cause


def _first_line(cause: BaseException) -> str:
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__


def _checked(name: str, properties: dict[str, str], vocabulary: Vocabulary) -> int:
    """Channels of the appearance input, once the model is known to fit this code."""
    expected = {"kind": "videohoi pair head", "vocabulary": vocabulary.name, "features": str(FEATURE_COUNT)}
    wrong = [key for key, value in expected.items() if properties.get(key) != value]
    if wrong:
        found = ", ".join(f"{key}={properties.get(key)!r} (expected {expected[key]!r})" for key in wrong)
        raise ModelError(f"{name}: not a pair head of this version: {found}; export it with videohoi.train.pair_export")
    return int(properties["channels"])
