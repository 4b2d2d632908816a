"""What an engine is, and which one runs a graph."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from videohoi.errors import ModelError, UsageError
from videohoi.names import did_you_mean, nearest_names

ENGINES = ("auto", "onnxruntime", "openvino")


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
    """onnxruntime or openvino"""
    version: str
    device: str
    threads: int
    fallback: str = ""
    """why another engine than the wanted one runs; empty when the wanted one does"""


class Engine(Protocol):
    """Runs one graph. One call at a time."""

    @property
    def status(self) -> EngineStatus:
        """Which engine it is."""
        ...

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


def one_line(error: BaseException, limit: int = 200) -> str:
    """The gist of an engine's own message, which may run over many lines."""
    text = " ".join(str(error).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."
