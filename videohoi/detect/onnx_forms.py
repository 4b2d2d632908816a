"""Which family an ONNX detector belongs to, read off its signature; refused with what was found and is expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from videohoi.compile.engine import Engine
from videohoi.detect.box_selection import Candidates
from videohoi.detect.picodet_graph import read_picodet
from videohoi.detect.yolox_graph import read_yolox
from videohoi.errors import ModelError

EXPECTED = (
    "expected a YOLOX export (one input uint8[N,H,W,3] or float32[N,3,H,W], output float32[N,A,5+{0} classes]) or a "
    "PicoDet export without its post-processing (input float32[N,3,H,W], of each stride float32[N,A,{0}] and "
    "float32[N,A,4*(R+1)])"
)

Outputs = Mapping[str, NDArray[Any]]


class GraphForm(Protocol):
    """How to talk to one loaded graph."""

    @property
    def fixed_shape(self) -> tuple[int, int] | None:
        """(H, W) when the graph takes one size only."""
        ...

    @property
    def features_output(self) -> str | None:
        """The optional output that holds the inner map."""
        ...

    @property
    def feature_channels(self) -> int:
        """Of the features output; 0 when there is none."""
        ...

    def feed(self, canvas_bgr: NDArray[np.uint8]) -> NDArray[np.uint8] | NDArray[np.float32]:
        """The canvas (H, W, 3) as the graph wants it."""
        ...

    def tried(self, engine: Engine, shape: tuple[int, int], label: str, class_count: int) -> GraphForm:
        """The form after a trial run on a grey picture of ``shape`` (H, W), which also warms the engine up.

        Raises:
            ModelError: what comes out does not fit the form.
        """
        ...

    def candidates(self, outputs: Outputs, network_hw_px: tuple[int, int], threshold: float) -> Candidates:
        """The first picture's boxes with a score of at least ``threshold``."""
        ...


def read_form(engine: Engine, label: str, class_count: int) -> GraphForm:
    """The form of a loaded graph.

    Raises:
        ModelError: it is of no family known here.
    """
    if len(engine.inputs) == 1:
        form: GraphForm | None = read_yolox(engine, class_count) or read_picodet(engine, class_count)
        if form is not None:
            return form
    raise ModelError(f"{label}: {_found(engine)}; {EXPECTED.format(class_count)}")


def _found(engine: Engine) -> str:
    return f"found inputs {'; '.join(map(str, engine.inputs))} and outputs {'; '.join(map(str, engine.outputs))}"
