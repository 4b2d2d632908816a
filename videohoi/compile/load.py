"""From an ONNX graph and the name of an engine to a loaded engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from videohoi.compile.engine import Engine
from videohoi.compile.registry import AUTO, DEFAULT, ENGINES, PREFERRED, EngineRequest, engine_names
from videohoi.errors import ModelError, UsageError
from videohoi.names import did_you_mean, nearest_names
from videohoi.plugins import build_part, build_plugin


def load_engine(model: Path | bytes, engine: str = DEFAULT, *, threads: int = 2, label: str = "") -> Engine:
    """Load an ONNX graph from a file or from its bytes.

    ``auto`` takes OpenVINO where it is installed and loads the graph, else ONNX Runtime, and says so in
    ``status.fallback``. ``label`` names the graph in messages (default: the file).

    Raises:
        UsageError: unknown engine name, or one asked for by name that is not installed.
        ModelError: the file is missing or is no graph the engine can load.
    """
    names = engine_names()
    if engine not in names:
        hint = did_you_mean(nearest_names(engine, names))
        raise UsageError(f"unknown engine {engine!r}: expected one of {', '.join(names)}{hint}")
    if isinstance(model, Path) and not model.is_file():
        raise ModelError(f"{model}: no such file; give the path of an ONNX model")
    request = EngineRequest(model, threads, label or (str(model) if isinstance(model, Path) else "model"))
    if engine == AUTO:
        return _load_auto(request)
    if engine in ENGINES:
        return _load(engine, request)
    built: Engine = build_plugin("engines", engine, request)
    return built


def _load_auto(request: EngineRequest) -> Engine:
    reason = ENGINES[PREFERRED].missing
    if not reason:
        try:
            return _load(PREFERRED, request)
        except ModelError as error:
            reason = str(error)
    engine = _load(DEFAULT, request)
    engine.status = replace(engine.status, fallback=reason)
    return engine


def _load(name: str, request: EngineRequest) -> Engine:
    kind = ENGINES[name]
    if kind.missing:
        raise UsageError(f"{kind.missing}, or choose the engine {DEFAULT}")
    engine: Engine = build_part(kind.builder, request)
    return engine
