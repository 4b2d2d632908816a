"""From the words after ``--detector`` to a detector."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from videohoi.detect import onnx_detector
from videohoi.detect.protocol import Detector
from videohoi.detect.registry import (
    DEFAULT_SCORE_THRESHOLD,
    HUB_PREFIX,
    KINDS,
    ONNX_PREFIX,
    STARTER,
    DetectorRequest,
    kind_of,
)
from videohoi.detect.starter import starter_weights
from videohoi.detect.torch_detectors import hub_files
from videohoi.errors import ModelError, UsageError
from videohoi.files import is_file, known_sha256, user_path
from videohoi.models.registry import CATALOGUE, cached_model
from videohoi.names import did_you_mean, nearest_names
from videohoi.plugins import build_plugin, plugins


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

    One of ``registry.KINDS``; a name that an installed package registered as ``videohoi.detectors``; or a name of
    ``videohoi models``: the file that ``videohoi models pull`` downloaded.

    ``threads`` and ``engine`` are for ONNX files; ``device`` (auto, cpu, cuda) is for detectors of torch, which spread
    over the cores by themselves.

    Raises:
        UsageError: unknown name; the message offers the nearest.
        ModelError: no starter weights in this build, or a named model that was not downloaded yet.
    """
    match = kind_of(spec)
    own = DEFAULT_SCORE_THRESHOLD if match is None else match[0].score_threshold
    threshold = own if score_threshold is None else score_threshold
    argument = "" if match is None else match[1]
    request = DetectorRequest(spec, argument, threshold, input_size_px, threads, engine, device)
    if match is not None:
        return match[0].build(request)
    if spec in plugins("detectors"):
        built: Detector = build_plugin("detectors", spec, request)
        return built
    return onnx_detector.build(replace(request, argument=str(_catalogued(spec))))


def runs_on_torch(spec: str) -> bool:
    """The detector needs the ``models`` extra; torch is imported when it opens."""
    match = kind_of(spec)
    return match is not None and match[0].on_torch


def detector_files(spec: str) -> dict[str, str]:
    """SHA-256 of what ``spec`` means now: ``detector``, and of a model of transformers ``detector_config`` and
    ``detector_processor``. What is not there is left out.

    Raises:
        UsageError: unknown name.
        ModelError: a named model that was not downloaded yet, or a file that cannot be read.
    """
    if spec == STARTER:
        weights = starter_weights()
        return {} if weights is None else {"detector": hashlib.sha256(weights).hexdigest()}
    match = kind_of(spec)
    if match is None and spec in plugins("detectors"):
        return {}
    if spec.startswith(HUB_PREFIX):
        return hub_files(spec.removeprefix(HUB_PREFIX))
    file = _catalogued(spec) if match is None else user_path(match[1])
    return {"detector": known_sha256(file)} if is_file(file) else {}


def _catalogued(spec: str) -> Path:
    if spec in CATALOGUE:
        path = cached_model(spec)
        if path is None:
            flag = "" if CATALOGUE[spec].sha256 else " --accept-unverified"
            raise ModelError(f"detector {spec} is not on this machine; run: videohoi models pull {spec}{flag}")
        return path
    usages = [kind.usage for kind in KINDS]
    raise UsageError(
        f"unknown detector {spec!r}: expected {', '.join(usages)} or a name of `videohoi models`{_hint(spec)}"
    )


def _hint(spec: str) -> str:
    if spec.endswith(".onnx"):
        return f"; did you mean {ONNX_PREFIX}{spec}?"
    usages = [kind.usage for kind in KINDS]
    return did_you_mean(nearest_names(spec, [*usages, *plugins("detectors"), *CATALOGUE]))
