"""OpenVINO on the CPU: optional, faster than ONNX Runtime on many Intel and AMD machines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from videohoi.compile.engine import EngineStatus, TensorSpec, one_line
from videohoi.compile.registry import EngineRequest
from videohoi.errors import ModelError

DEVICE = "CPU"


class OpenvinoEngine:
    """One compiled model and one infer request. Computes in float32, so that scores equal ONNX Runtime's."""

    def __init__(self, model: Path | bytes, *, threads: int, label: str) -> None:
        self._label = label
        settings = {
            "INFERENCE_PRECISION_HINT": "f32",  # bf16 is the default on some CPUs and moves scores by 1e-2
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,  # pinned threads would fight the decoder's for the same cores
        }
        try:
            core = openvino.Core()
            graph = core.read_model(model if isinstance(model, bytes) else str(model))
            self.inputs = tuple(_spec(port) for port in graph.inputs)
            self.outputs = tuple(_spec(port) for port in graph.outputs)
            self._request: Any = core.compile_model(graph, DEVICE, settings).create_infer_request()
        except RuntimeError as error:
            raise ModelError(f"{label}: not an ONNX model that OpenVINO can load ({one_line(error)})") from error
        self.status = EngineStatus("openvino", openvino.__version__, DEVICE, threads)

    def run(self, *arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Outputs by name; see ``Engine.run``."""
        if self._request is None:
            raise ModelError(f"{self._label}: the engine is closed")
        feed = {spec.name: array for spec, array in zip(self.inputs, arrays, strict=True)}
        try:
            self._request.infer(feed, share_inputs=True)
        except RuntimeError as error:
            raise ModelError(f"{self._label}: OpenVINO failed ({one_line(error)})") from error
        # the request reuses its output memory on the next call
        return {spec.name: np.array(self._request.get_tensor(spec.name).data) for spec in self.outputs}

    def close(self) -> None:
        """Free the compiled model."""
        self._request = None


def _spec(port: Any) -> TensorSpec:
    shape = tuple(length.get_length() if length.is_static else None for length in port.get_partial_shape())
    return TensorSpec(port.get_any_name(), np.dtype(port.get_element_type().to_dtype()).name, shape)


def build(request: EngineRequest) -> OpenvinoEngine:
    """The engine of a graph."""
    return OpenvinoEngine(request.model, threads=request.threads, label=request.label)
