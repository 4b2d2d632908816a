"""From an ONNX graph and the name of an engine to a loaded engine."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

from videohoi.compile.engine import Engine
from videohoi.errors import ModelError, UsageError
from videohoi.names import did_you_mean, nearest_names

ENGINES = ("auto", "onnxruntime", "openvino")


def load_engine(model: Path | bytes, engine: str = "onnxruntime", *, threads: int = 2, label: str = "") -> Engine:
    """Load an ONNX graph from a file or from its bytes.

    ``auto`` takes OpenVINO where it is installed and loads the graph, else ONNX Runtime, and says so in
    ``status.fallback``. ``label`` names the graph in messages (default: the file).

    Raises:
        UsageError: unknown engine name, or ``openvino`` asked for by name and not installed.
        ModelError: the file is missing or is no graph the engine can load.
    """
    if engine not in ENGINES:
        hint = did_you_mean(nearest_names(engine, ENGINES))
        raise UsageError(f"unknown engine {engine!r}: expected one of {', '.join(ENGINES)}{hint}")
    name = label or (str(model) if isinstance(model, Path) else "model")
    if isinstance(model, Path) and not model.is_file():
        raise ModelError(f"{model}: no such file; give the path of an ONNX model")
    if engine == "onnxruntime":
        return _load_onnxruntime(model, threads, name)
    missing = (
        "" if importlib.util.find_spec("openvino") else "openvino is not installed: pip install videohoi[openvino]"
    )
    if engine == "openvino" and missing:
        raise UsageError(f"{missing}, or choose the engine onnxruntime")
    return _load_openvino(model, threads, name) if engine == "openvino" else _load_any(model, threads, name, missing)


def _load_any(model: Path | bytes, threads: int, name: str, missing: str) -> Engine:
    reason = missing
    if not missing:
        try:
            return _load_openvino(model, threads, name)
        except ModelError as error:
            reason = str(error)
    return _load_onnxruntime(model, threads, name, fallback=reason)


def _load_onnxruntime(model: Path | bytes, threads: int, name: str, fallback: str = "") -> Engine:
    from videohoi.compile.onnxruntime_engine import OnnxRuntimeEngine

    engine = OnnxRuntimeEngine(model, threads=threads, label=name)
    engine.status = replace(engine.status, fallback=fallback)
    return engine


def _load_openvino(model: Path | bytes, threads: int, name: str) -> Engine:
    from videohoi.compile.openvino_engine import OpenvinoEngine

    return OpenvinoEngine(model, threads=threads, label=name)
