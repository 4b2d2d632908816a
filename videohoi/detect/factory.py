"""From the words after ``--detector`` to a detector."""

from __future__ import annotations

import hashlib
from pathlib import Path

from videohoi.detect.detr_detector import LONG_SIDE_PX, SHORT_SIDE_PX, DetrDetector
from videohoi.detect.hub_detector import HubDetector
from videohoi.detect.hub_files import hub_files
from videohoi.detect.onnx_detector import OnnxDetector
from videohoi.detect.protocol import Detector
from videohoi.detect.starter import SCORE_THRESHOLD, StarterDetector, starter_weights
from videohoi.errors import ModelError, UsageError
from videohoi.files import is_file, known_sha256, user_path
from videohoi.models.registry import CATALOGUE, cached_model
from videohoi.names import did_you_mean, nearest_names

ONNX_PREFIX, DETR_PREFIX, HUB_PREFIX = "onnx:", "detr:", "hf:"
DEFAULT_SCORE_THRESHOLD = 0.1
"""low enough for the tracker's second association; see ``SelectionSettings``"""


def create_detector(
    spec: str,
    *,
    threads: int = 2,
    score_threshold: float | None = None,
    input_size_px: int | None = None,
    engine: str = "onnxruntime",
    device: str = "auto",
) -> Detector:
    """The detector that ``spec`` names, not yet opened.

    ``starter``: the shipped one. ``onnx:FILE``: a YOLOX- or PicoDet-style file. ``detr:FILE``: a checkpoint of DETR.
    ``hf:FOLDER`` or ``hf:OWNER/NAME``: D-FINE or RT-DETR of transformers. A name of ``videohoi models``: the file that
    ``videohoi models pull`` downloaded.

    ``threads`` and ``engine`` are for ONNX files; ``device`` (auto, cpu, cuda) is for detectors of torch, which spread
    over the cores by themselves.

    Raises:
        UsageError: unknown name; the message offers the nearest.
        ModelError: no starter weights in this build, or a named model that was not downloaded yet.
    """
    own = SCORE_THRESHOLD if spec == "starter" else DEFAULT_SCORE_THRESHOLD
    threshold = own if score_threshold is None else score_threshold
    if spec == "starter":
        return StarterDetector(score_threshold=threshold, input_size_px=input_size_px, threads=threads, engine=engine)
    if runs_on_torch(spec):
        return _torch_detector(spec, threshold, input_size_px, device)
    return OnnxDetector(
        _model_file(spec),
        score_threshold=threshold,
        input_size_px=input_size_px,
        threads=threads,
        engine=engine,
        name=spec,
    )


def runs_on_torch(spec: str) -> bool:
    """The detector needs the ``models`` extra; torch is imported when it opens."""
    return spec.startswith((DETR_PREFIX, HUB_PREFIX)) and not spec.endswith(":")


def _torch_detector(spec: str, threshold: float, input_size_px: int | None, device: str) -> Detector:
    if spec.startswith(HUB_PREFIX):
        return HubDetector(
            spec.removeprefix(HUB_PREFIX), score_threshold=threshold, input_size_px=input_size_px, device=device
        )
    return DetrDetector(
        spec.removeprefix(DETR_PREFIX),
        score_threshold=threshold,
        short_side_px=input_size_px or SHORT_SIDE_PX,
        long_side_px=input_size_px or LONG_SIDE_PX,
        device=device,
        name=spec,
    )


def detector_files(spec: str) -> dict[str, str]:
    """SHA-256 of what ``spec`` means now: ``detector``, and of a model of transformers ``detector_config`` and
    ``detector_processor``. What is not there is left out.

    Raises:
        UsageError: unknown name.
        ModelError: a named model that was not downloaded yet, or a file that cannot be read.
    """
    if spec == "starter":
        weights = starter_weights()
        return {} if weights is None else {"detector": hashlib.sha256(weights).hexdigest()}
    if spec.startswith(HUB_PREFIX):
        return hub_files(spec.removeprefix(HUB_PREFIX))
    file = user_path(spec.removeprefix(DETR_PREFIX)) if runs_on_torch(spec) else _model_file(spec)
    return {"detector": known_sha256(file)} if is_file(file) else {}


def _model_file(spec: str) -> Path:
    if spec.startswith(ONNX_PREFIX) and len(spec) > len(ONNX_PREFIX):
        return user_path(spec.removeprefix(ONNX_PREFIX))
    if spec in CATALOGUE:
        path = cached_model(spec)
        if path is None:
            flag = "" if CATALOGUE[spec].sha256 else " --accept-unverified"
            raise ModelError(f"detector {spec} is not on this machine; run: videohoi models pull {spec}{flag}")
        return path
    raise UsageError(
        f"unknown detector {spec!r}: expected starter, onnx:FILE, detr:FILE, hf:FOLDER or a name of `videohoi models`"
        + _hint(spec)
    )


def _hint(spec: str) -> str:
    if spec.endswith(".onnx"):
        return f"; did you mean {ONNX_PREFIX}{spec}?"
    return did_you_mean(nearest_names(spec, ["starter", "onnx:FILE", "detr:FILE", "hf:FOLDER", *CATALOGUE]))
