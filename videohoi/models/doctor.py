"""What this machine has and lacks, as data; the command line shows it."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

Status = Literal["ok", "missing", "broken"]
STARTER_FILE = "starter_detector.onnx"
OLDEST_PYTHON = (3, 10)
CORES_FOR_REAL_TIME = 2
"""the starter's speed is stated for two cores"""


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    name: str
    status: Status
    detail: str
    """version, path or what went wrong"""
    fix: str = ""
    """what to type; empty when nothing is to be done"""
    required: bool = False
    """the starter does not run without it"""


@dataclass(frozen=True)
class _Package:
    module: str
    distribution: str
    install: str
    required: bool = False


PACKAGES = (
    _Package("numpy", "numpy", "pip install numpy", required=True),
    _Package("cv2", "opencv-python-headless", "pip install opencv-python-headless", required=True),
    _Package("numba", "numba", "pip install numba", required=True),
    _Package("openvino", "openvino", "pip install 'videohoi[openvino]'"),
    _Package("decord", "decord", "pip install 'videohoi[decord]'"),
    _Package("torch", "torch", "pip install 'videohoi[models]'"),
    _Package("torchvision", "torchvision", "pip install 'videohoi[models]'"),
    _Package("open_clip", "open_clip_torch", "pip install 'videohoi[models]'"),
    _Package("timm", "timm", "pip install 'videohoi[models]'"),
    _Package("transformers", "transformers", "pip install 'videohoi[models]'"),
    _Package("safetensors", "safetensors", "pip install 'videohoi[models]'"),
    _Package("tensorrt", "tensorrt", "pip install 'videohoi[tensorrt]'"),
)
"""what is only imported; onnxruntime and av are looked at more closely"""


def diagnose() -> list[Finding]:
    """Look at everything; never raises for what it finds. Imports the optional packages, so it takes seconds."""
    looks: list[Callable[[], Finding]] = [_python, _cores, _onnxruntime, _video_codecs, _starter_weights, _numba_cache]
    return [look() for look in looks] + [_package(package) for package in PACKAGES]


def _python() -> Finding:
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info >= OLDEST_PYTHON:
        return Finding("python", "ok", detail, required=True)
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Finding("python", "broken", detail, f"install Python {wanted} or newer", required=True)


def _cores() -> Finding:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    fix = "" if count >= CORES_FOR_REAL_TIME else "expect half the stated frame rate, or pass a smaller input size"
    return Finding("cpu cores", "ok", f"{count} usable by this process", fix)


def _package(package: _Package) -> Finding:
    failure = _import_failure(package.module)
    if failure is None:
        return Finding(package.module, "ok", _version(package.distribution), required=package.required)
    status, detail = failure
    return Finding(package.module, status, detail, package.install, package.required)


def _import_failure(module: str) -> tuple[Status, str] | None:
    """None when it imports; a package that is there and does not import is broken, not missing."""
    if importlib.util.find_spec(module) is None:
        return "missing", "not installed"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - foreign packages fail in ways of their own; each is reported
        return "broken", " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return None


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "version unknown"


def _onnxruntime() -> Finding:
    found = _package(_Package("onnxruntime", "onnxruntime", "pip install onnxruntime", required=True))
    if found.status != "ok":
        return found
    providers = importlib.import_module("onnxruntime").get_available_providers()
    return Finding("onnxruntime", "ok", f"{found.detail}, {', '.join(providers)}", required=True)


def _video_codecs() -> Finding:
    """PyAV, and whether its FFmpeg can write H.264: needed for annotated videos."""
    found = _package(_Package("av", "av", "pip install av", required=True))
    if found.status != "ok":
        return found
    codec = importlib.import_module("av.codec")
    encoders = [name for name in ("libx264", "libopenh264") if _can_encode(codec, name)]
    if encoders:
        return Finding("av", "ok", f"{found.detail}, H.264 by {', '.join(encoders)}", required=True)
    fix = "pip install --force-reinstall av (its wheels bring an H.264 encoder)"
    return Finding("av", "broken", f"{found.detail} without an H.264 encoder", fix, required=True)


def _can_encode(codec_module: Any, name: str) -> bool:
    try:
        codec_module.Codec(name, "w")
    except ValueError:  # PyAV's UnknownCodecError is one
        return False
    return True


def _starter_weights() -> Finding:
    file = resources.files("videohoi.detect") / "data" / STARTER_FILE
    if not file.is_file():
        fix = "reinstall videohoi from a release, or pass --detector onnx:FILE"
        return Finding("starter weights", "missing", "this build carries none", fix, required=True)
    weights = file.read_bytes()
    detail = f"{len(weights):,} bytes, sha256 {hashlib.sha256(weights).hexdigest()}"
    return Finding("starter weights", "ok", detail, required=True)


def _numba_cache() -> Finding:
    """Compiled kernels are kept beside the package, or else in the user's cache; with neither each start is slow."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    folders = [Path(named)] if named else [Path(str(resources.files("videohoi"))), Path.home() / ".cache"]
    for folder in folders:
        if _writable(folder):
            return Finding("numba cache", "ok", str(folder))
    fix = "export NUMBA_CACHE_DIR=/a/folder/that/can/be/written"
    return Finding("numba cache", "broken", f"cannot write {' or '.join(map(str, folders))}", fix)


def _writable(folder: Path) -> bool:
    """The folder, or the nearest parent that exists, takes new files."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK)
