"""A detector from an ONNX file: YOLOX nano to x, the starter, PicoDet, and models trained like them.

The family of a file is read from its signature; others are refused with the signature found and those expected.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from videohoi.compile.engine import Engine, load_engine
from videohoi.detect.box_selection import Candidates, SelectionSettings, select_boxes
from videohoi.detect.letterbox import Letterbox, Letterboxed, check_input_size, rectangular_shape
from videohoi.detect.picodet import read_picodet
from videohoi.detect.protocol import DetectorInfo
from videohoi.detect.registry import DetectorRequest
from videohoi.detect.yolox import read_yolox
from videohoi.errors import ModelError, UsageError
from videohoi.files import user_path
from videohoi.structures import Detections, FeatureMap, Frame
from videohoi.vocabulary import hico_det

EXPECTED = (
    "expected a YOLOX export (one input uint8[N,H,W,3] or float32[N,3,H,W], output float32[N,A,5+{0} classes]) or a "
    "PicoDet export without its post-processing (input float32[N,3,H,W], of each stride float32[N,A,{0}] and "
    "float32[N,A,4*(R+1)])"
)

Outputs = Mapping[str, NDArray[Any]]


class GraphForm(Protocol):
    """How to talk to one loaded graph."""

    @property
    def fixed_shape(self) -> tuple[int, int] | None:
        """(H, W) when the graph takes one size only."""
        ...

    @property
    def features_output(self) -> str | None:
        """The optional output that holds the inner map."""
        ...

    @property
    def feature_channels(self) -> int:
        """Of the features output; 0 when there is none."""
        ...

    def feed(self, canvas_bgr: NDArray[np.uint8]) -> NDArray[np.uint8] | NDArray[np.float32]:
        """The canvas (H, W, 3) as the graph wants it."""
        ...

    def tried(self, engine: Engine, shape: tuple[int, int], label: str, class_count: int) -> GraphForm:
        """The form after a trial run on a grey picture of ``shape`` (H, W), which also warms the engine up.

        Raises:
            ModelError: the outputs do not fit the form.
        """
        ...

    def candidates(self, outputs: Outputs, network_hw_px: tuple[int, int], threshold: float) -> Candidates:
        """The first picture's boxes with a score of at least ``threshold``."""
        ...


def read_form(engine: Engine, label: str, class_count: int) -> GraphForm:
    """The form of a loaded graph.

    Raises:
        ModelError: the graph is of no known family.
    """
    if len(engine.inputs) == 1:
        form: GraphForm | None = read_yolox(engine, class_count) or read_picodet(engine, class_count)
        if form is not None:
            return form
    raise ModelError(f"{label}: {_found(engine)}; {EXPECTED.format(class_count)}")


def _found(engine: Engine) -> str:
    return f"found inputs {'; '.join(map(str, engine.inputs))} and outputs {'; '.join(map(str, engine.outputs))}"


DEFAULT_INPUT_SIZE_PX = 416
"""YOLOX-nano's and tiny's own size; used for graphs that take any size"""
TRIAL_ASPECT = (9, 16)
"""height to width of the trial run's picture: that of most videos, so that their first frame finds a warm engine"""


class OnnxDetector:
    """Runs a YOLOX- or PicoDet-style ONNX graph with the 80 COCO classes, one frame at a time.

    Graphs of a fixed size run at it, padded; others run rectangular, long side ``input_size_px``. YOLOX: the input may
    be uint8 (N, H, W, 3) or float32 (N, 3, H, W), BGR 0-255 in both; the output [N, A, 85] may be the raw grid or
    decoded; an output called ``features`` becomes the detections' feature map. PicoDet: ``detect.picodet``.

    Args:
        model: path of the ONNX file, or its bytes.
        score_threshold: lowest score kept, in [0, 1].
        nms_iou: boxes of one class that overlap more are one object.
        input_size_px: long side of the network input, a multiple of 32; None takes the graph's own or 416.
        threads: CPU threads of the engine.
        engine: onnxruntime, openvino or auto.
        name: how messages and the run report call it (default: ``onnx:`` and the path).
        note: one sentence for the end-of-run summary.
        max_detections: at most this many boxes of a frame are kept, best first.
        score_exponent: a box's score is (objectness * class probability) ** this; thresholds count after it.
        cross_class_iou: of two objects of different classes that overlap more, the better one is kept; 1 keeps both.
        human_object_iou: of a human and an object that overlap more, the better one is kept; 1 keeps both.

    Raises:
        UsageError: a threshold outside [0, 1], fewer than one thread, an input size that is no multiple of 32.
    """

    def __init__(
        self,
        model: str | Path | bytes,
        *,
        score_threshold: float = 0.1,
        nms_iou: float = 0.6,
        input_size_px: int | None = None,
        threads: int = 2,
        engine: str = "onnxruntime",
        name: str = "",
        note: str = "",
        max_detections: int = 100,
        score_exponent: float = 1.0,
        cross_class_iou: float = 1.0,
        human_object_iou: float = 1.0,
    ) -> None:
        _check_fraction("score threshold", score_threshold)
        _check_fraction("NMS overlap", nms_iou)
        _check_fraction("cross-class overlap", cross_class_iou)
        _check_fraction("human-object overlap", human_object_iou)
        if threads < 1:
            raise UsageError(f"detector threads {threads}: expected 1 or more")
        self._model = model if isinstance(model, bytes) else Path(model)
        self._settings = SelectionSettings(
            score_threshold, nms_iou, max_detections, score_exponent, cross_class_iou, human_object_iou
        )
        self._input_size_px = None if input_size_px is None else check_input_size(input_size_px)
        self._threads, self._engine_name = threads, engine
        self._engine: Engine | None = None
        self._note = note
        label = name or ("onnx" if isinstance(model, bytes) else f"onnx:{model}")
        self._info = DetectorInfo(label, engine, None, input_size_px, 0, note)

    @property
    def info(self) -> DetectorInfo:
        """See ``Detector.info``."""
        return self._info

    def open(self) -> None:
        """Load the graph, check its form and warm up.

        Raises:
            ModelError: the file is missing, corrupt or of another family; one line with the remedy.
            UsageError: an input size was asked for that a fixed-size graph does not take.
        """
        label = self._info.name
        digest = hashlib.sha256(_read(self._model)).hexdigest()
        engine = load_engine(self._model, self._engine_name, threads=self._threads, label=label)
        class_count = len(hico_det().objects)
        form = read_form(engine, label, class_count)
        size = self._input_size(form, label)
        shape = form.fixed_shape or rectangular_shape(*TRIAL_ASPECT, size)
        self._graph = form.tried(engine, shape, label, class_count)
        self._letterbox = Letterbox(size, fixed_shape=self._graph.fixed_shape)
        self._engine = engine
        self._info = replace(
            self._info,
            engine=engine.status.name,
            weights_sha256=digest,
            input_size_px=size,
            feature_channels=self._graph.feature_channels,
            note=" ".join(filter(None, (self._note, engine.status.fallback))),
        )

    def _input_size(self, graph: GraphForm, label: str) -> int:
        size_px = self._input_size_px
        if graph.fixed_shape is None:
            return size_px or DEFAULT_INPUT_SIZE_PX
        own = max(graph.fixed_shape)
        if size_px not in (None, own):
            raise UsageError(
                f"{label} takes {own} px only, not {size_px}; leave the input size out or export it dynamic"
            )
        return own

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """One ``Detections`` per frame, best score first; a CPU gains nothing from batches, so frames run in turn.

        Raises:
            ModelError: called before ``open`` or after ``close``, or the engine failed.
            InputError: a picture has no pixels.
        """
        return [self._detect_one(frame.image) for frame in frames]

    def _detect_one(self, image_rgb: NDArray[np.uint8]) -> Detections:
        if self._engine is None:
            raise ModelError(f"{self._info.name}: the detector is not open; call open() first")
        boxed = self._letterbox(image_rgb)
        outputs = self._engine.run(self._graph.feed(boxed.canvas_bgr))
        height, width = boxed.canvas_bgr.shape[:2]
        candidates = self._graph.candidates(outputs, (height, width), self._settings.network_threshold)
        boxes = select_boxes(candidates, boxed.scale_xy, boxed.picture_hw_px, self._settings)
        features = self._graph.features_output
        feature_map = _feature_map(outputs[features][0], boxed) if features else None
        return Detections(boxes.boxes_xyxy_px, boxes.scores, boxes.class_ids, feature_map)

    def close(self) -> None:
        """Free the engine; may be called twice."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None


def _feature_map(values: NDArray[np.float32], boxed: Letterboxed) -> FeatureMap:
    """``values`` (C, h, w) covers the whole canvas, padding included."""
    height, width = boxed.canvas_bgr.shape[:2]
    scale_x, scale_y = boxed.scale_xy
    return FeatureMap(values, (width / values.shape[2] / scale_x, height / values.shape[1] / scale_y))


def _check_fraction(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise UsageError(f"detector {name} {value}: expected a number from 0 to 1")


def _read(model: Path | bytes) -> bytes:
    if isinstance(model, bytes):
        return model
    try:
        return model.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{model}: cannot be read ({error.strerror}); give the path of an ONNX model: --detector onnx:FILE"
        ) from error


def build(request: DetectorRequest) -> OnnxDetector:
    """The ONNX file at ``request.argument``."""
    return OnnxDetector(
        user_path(request.argument), score_threshold=request.score_threshold, input_size_px=request.input_size_px,
        threads=request.threads, engine=request.engine, name=request.spec,
    )  # fmt: skip
