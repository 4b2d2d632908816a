"""What an engine is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray


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
