"""What this machine has and lacks, as data; the command line shows it."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from videohoi.compile.engine import load_engine
from videohoi.compile.registry import ENGINES
from videohoi.decode.registry import BACKENDS
from videohoi.errors import ModelError
from videohoi.plugins import KINDS, Kind, load_plugin, package_of, plugins
from videohoi.shipped_weights import REINSTALL, SHIPPED, ShippedWeights
from videohoi.track.kernel_cache import CACHE_VARIABLE, are_compiled, cache_folder

Status = Literal["ok", "missing", "broken"]
OLDEST_PYTHON = (3, 10)
CORES_FOR_REAL_TIME = 2
"""the starter's speed is stated for two cores"""


@dataclass(frozen=True)
class Finding:
    """One check and its result."""

    name: str
    status: Status
    detail: str
    """version, path or what went wrong"""
    fix: str = ""
    """what to type; empty: nothing to do"""
    required: bool = False
    """the starter does not run without it"""


@dataclass(frozen=True)
class _Package:
    module: str
    distribution: str
    install: str
    required: bool = False


MODULES = {
    "opencv-python-headless": "cv2", "pyyaml": "yaml", "pillow": "PIL", "open_clip_torch": "open_clip",
}  # fmt: skip
"""distribution -> module, where their names differ"""
OPTIONAL = (
    *(_Package(kind.package, kind.package, kind.install) for kind in ENGINES.values() if kind.package),
    *(_Package(backend.extra, backend.extra, backend.install) for backend in BACKENDS.values() if backend.extra),
    _Package("supervision", "supervision", "pip install 'videohoi[supervision]'"),
    _Package("torch", "torch", "pip install 'videohoi[models]'"),
    _Package("torchvision", "torchvision", "pip install 'videohoi[models]'"),
    _Package("open_clip", "open_clip_torch", "pip install 'videohoi[models]'"),
    _Package("timm", "timm", "pip install 'videohoi[models]'"),
    _Package("transformers", "transformers", "pip install 'videohoi[models]'"),
    _Package("safetensors", "safetensors", "pip install 'videohoi[models]'"),
)
"""packages of the extras that the program uses"""
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:>=\s*([0-9.]+))?[^;]*(;.*)?")


def diagnose() -> list[Finding]:
    """Run all checks. Imports the optional packages, so it takes seconds."""
    checks: list[Callable[[], Finding]] = [_python, _cores, _onnxruntime, _video_codecs]
    findings = [check() for check in checks] + [_required(package, least) for package, least in required_packages()]
    return [*findings, *_weights(), _kernels(), *(_package(package) for package in OPTIONAL), *_plugins()]


def required_packages() -> list[tuple[_Package, str]]:
    """Dependencies of the installed package with their least versions, except those that have checks of their own."""
    try:
        stated = importlib.metadata.requires("videohoi") or []
    except importlib.metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return []
    packages = []
    for line in stated:
        match = _REQUIREMENT.match(line)
        if match is None or match[3] or match[1].lower() in ("onnxruntime", "av"):
            continue
        name, least = match[1].lower(), match[2] or "0"
        packages.append((_Package(MODULES.get(name, name), name, f"pip install '{name}>={least}'", True), least))
    return packages


def _required(package: _Package, least: str) -> Finding:
    finding = _package(package)
    if finding.status == "ok" and _numbers(finding.detail) < _numbers(least):
        detail = f"{finding.detail}, needs {least} or newer"
        return Finding(package.module, "broken", detail, f"pip install --upgrade {package.distribution}", True)
    return finding


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


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
    """None if it imports; a package that is installed and does not import is broken, not missing."""
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
    finding = _package(_Package("onnxruntime", "onnxruntime", "pip install onnxruntime", required=True))
    if finding.status != "ok":
        return finding
    providers = importlib.import_module("onnxruntime").get_available_providers()
    return Finding("onnxruntime", "ok", f"{finding.detail}, {', '.join(providers)}", required=True)


def _video_codecs() -> Finding:
    """PyAV, and whether its FFmpeg can write H.264: needed for annotated videos."""
    finding = _package(_Package("av", "av", "pip install av", required=True))
    if finding.status != "ok":
        return finding
    codec = importlib.import_module("av.codec")
    encoders = [name for name in ("libx264", "libopenh264") if _can_encode(codec, name)]
    if encoders:
        return Finding("av", "ok", f"{finding.detail}, H.264 by {', '.join(encoders)}", required=True)
    fix = "pip install --force-reinstall av (its wheels bring an H.264 encoder)"
    return Finding("av", "broken", f"{finding.detail} without an H.264 encoder", fix, required=True)


def _can_encode(codec_module: Any, name: str) -> bool:
    try:
        codec_module.Codec(name, "w")
    except ValueError:  # PyAV's UnknownCodecError is one
        return False
    return True


def _weights() -> list[Finding]:
    """Each file of shipped weights: there, undamaged, and loaded by the engine that runs it."""
    return [_shipped(weights) for weights in SHIPPED]


def _shipped(weights: ShippedWeights) -> Finding:
    if not weights.is_present:
        fix = "reinstall videohoi from a release, or pass --detector onnx:FILE"
        return Finding(weights.title, "missing", "this build carries none", fix, required=True)
    try:
        content = weights.read()
        load_engine(content, "onnxruntime", threads=1, label=weights.title)
    except ModelError as error:
        return Finding(weights.title, "broken", " ".join(str(error).split()), REINSTALL, required=True)
    return Finding(weights.title, "ok", f"{len(content):,} bytes, loaded, sha256 {weights.sha256[:16]}", required=True)


def _plugins() -> list[Finding]:
    """What other packages add, and whether it can be loaded."""
    return [_plugin(kind, name, point) for kind in KINDS for name, point in plugins(kind).items()]


def _plugin(kind: Kind, name: str, point: importlib.metadata.EntryPoint) -> Finding:
    title = f"{kind.removesuffix('s')} {name}"
    try:
        load_plugin(kind, name)
    except ModelError as error:
        return Finding(title, "broken", str(error), f"repair or remove {package_of(point)}")
    return Finding(title, "ok", f"of {package_of(point)}")


def _kernels() -> Finding:
    """The tracker's compiled kernels: where they are kept, or how to compile them."""
    if importlib.util.find_spec("numba") is None:
        return Finding("compiled kernels", "missing", "numba is not installed", "pip install numba")
    folder = cache_folder()
    if folder is None:
        fix = f"export {CACHE_VARIABLE}=/a/folder/that/can/be/written"
        return Finding("compiled kernels", "missing", "no folder to keep them in; tracking runs on numpy", fix)
    if not are_compiled():
        detail = f"not compiled yet; tracking runs on numpy until they are ({folder})"
        return Finding("compiled kernels", "missing", detail, "videohoi doctor --warm")
    return Finding("compiled kernels", "ok", str(folder))
