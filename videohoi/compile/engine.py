"""What an engine is, and how one is loaded: by name, with the choice visible."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from videohoi.compile.registry import AUTO, DEFAULT, ENGINES, PREFERRED, EngineRequest, engine_names
from videohoi.errors import ModelError, UsageError
from videohoi.names import did_you_mean, nearest_names
from videohoi.plugins import build_part, build_plugin


@dataclass(frozen=True)
class TensorSpec:
    """An input or output as the graph declares it."""

    name: str
    dtype: str
    """numpy name: float32, uint8, ..."""
    shape: tuple[int | None, ...]
    """None where the length may vary"""

    def __str__(self) -> str:
        lengths = ",".join("any" if length is None else str(length) for length in self.shape)
        return f"{self.name} {self.dtype}[{lengths}]"


@dataclass(frozen=True)
class EngineStatus:
    """Which engine really runs; goes into the run report."""

    name: str
    """as in the table of engines"""
    version: str
    device: str
    threads: int
    fallback: str = ""
    """why another engine than the wanted one runs; empty when the wanted one does"""


class Engine(Protocol):
    """Runs one graph. One call at a time."""

    status: EngineStatus
    """which engine it is"""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """Inputs in graph order."""
        ...

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """Outputs in graph order."""
        ...

    def run(self, *arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """One array per input, in graph order; outputs by name, owned by the caller.

        Raises:
            ModelError: the engine refused the arrays or failed; one line.
        """
        ...

    def close(self) -> None:
        """Free the engine; may be called twice."""
        ...


def one_line(error: BaseException, limit: int = 200) -> str:
    """The gist of an engine's own message, which may run over many lines."""
    text = " ".join(str(error).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


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
