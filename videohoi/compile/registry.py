"""The engines: one table, from which ``load_engine``, ``videohoi models`` and ``doctor`` come; packages add theirs."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from videohoi.plugins import plugins


@dataclass(frozen=True)
class EngineRequest:
    """What a builder is given."""

    model: Path | bytes
    """an ONNX graph: a file that exists, or the bytes of one"""
    threads: int
    label: str
    """names the graph in messages"""


@dataclass(frozen=True)
class EngineKind:
    """One row of the table."""

    name: str
    what: str
    builder: str
    """``module:function``, imported when it is used; the function takes an ``EngineRequest``"""
    package: str = ""
    """that must be installed, and the extra of this package that installs it; empty: nothing"""

    @property
    def missing(self) -> str:
        """What is not installed, and what to type; empty where nothing is missing."""
        if not self.package or importlib.util.find_spec(self.package) is not None:
            return ""
        return f"{self.package} is not installed: {self.install}"

    @property
    def install(self) -> str:
        """What to type to install ``package``."""
        return f"pip install 'videohoi[{self.package}]'"


AUTO = "auto"
"""the engine named ``PREFERRED`` where it is installed and loads the graph, else ``DEFAULT``"""
DEFAULT, PREFERRED = "onnxruntime", "openvino"
ENGINES: Mapping[str, EngineKind] = {
    kind.name: kind
    for kind in (
        EngineKind(DEFAULT, "ONNX Runtime on the CPU; part of every installation",
                   "videohoi.compile.onnxruntime_engine:build"),
        EngineKind(PREFERRED, "OpenVINO on the CPU; faster on many Intel and AMD processors",
                   "videohoi.compile.openvino_engine:build", "openvino"),
    )
}  # fmt: skip


def engine_names() -> tuple[str, ...]:
    """What settings such as ``detect.engine`` take: ``auto``, this package's engines, those of other packages."""
    return (AUTO, *ENGINES, *plugins("engines"))
