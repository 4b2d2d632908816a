"""ONNX Runtime on the CPU: the engine every install has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort

from videohoi.compile.engine import EngineStatus, TensorSpec, one_line
from videohoi.compile.onnx_file import without_weights_among_inputs
from videohoi.compile.registry import EngineRequest
from videohoi.errors import ModelError

LOAD_ERRORS = (
    ort.Fail, ort.InvalidArgument, ort.InvalidGraph, ort.InvalidProtobuf, ort.NoModel, ort.NoSuchFile,
    ort.NotImplemented, ort.RuntimeException, RuntimeError,
)  # fmt: skip
"""what ONNX Runtime raises; its classes share no base but Exception"""
ERRORS_ONLY = 3
"""log severity: warnings about unused initialisers are of no use to the user"""
NUMPY_NAMES = {"float": "float32", "double": "float64"}
"""where ONNX Runtime's type names differ from numpy's"""


class OnnxRuntimeEngine:
    """One inference session. Threads do not spin while idle, so that decoding and drawing get the cores."""

    def __init__(self, model: Path | bytes, *, threads: int, label: str) -> None:
        self._label = label
        session = _session(model, threads, label)
        if session.get_overridable_initializers():
            session = _session(without_weights_among_inputs(_bytes_of(model)), threads, label)
        self._session: onnxruntime.InferenceSession | None = session
        self.inputs = tuple(_spec(node) for node in session.get_inputs())
        self.outputs = tuple(_spec(node) for node in session.get_outputs())
        self.status = EngineStatus("onnxruntime", onnxruntime.__version__, "CPU", threads)

    def run(self, *arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Outputs by name; see ``Engine.run``."""
        if self._session is None:
            raise ModelError(f"{self._label}: the engine is closed")
        feed = {spec.name: array for spec, array in zip(self.inputs, arrays, strict=True)}
        try:
            results = self._session.run(None, feed)
        except LOAD_ERRORS as error:
            raise ModelError(f"{self._label}: ONNX Runtime failed ({one_line(error)})") from error
        return {spec.name: result for spec, result in zip(self.outputs, results, strict=True)}

    def close(self) -> None:
        """Free the session."""
        self._session = None


def _session(model: Path | bytes, threads: int, label: str) -> onnxruntime.InferenceSession:
    source = model if isinstance(model, bytes) else str(model)
    try:
        return onnxruntime.InferenceSession(source, _options(threads), providers=["CPUExecutionProvider"])
    except LOAD_ERRORS as error:
        raise ModelError(f"{label}: not an ONNX model that ONNX Runtime can load ({one_line(error)})") from error


def _bytes_of(model: Path | bytes) -> bytes:
    return model if isinstance(model, bytes) else model.read_bytes()


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _spec(node: Any) -> TensorSpec:
    kind = node.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(length if isinstance(length, int) else None for length in node.shape)
    return TensorSpec(node.name, NUMPY_NAMES.get(kind, kind), shape)


def build(request: EngineRequest) -> OnnxRuntimeEngine:
    """The engine of a graph."""
    return OnnxRuntimeEngine(request.model, threads=request.threads, label=request.label)
