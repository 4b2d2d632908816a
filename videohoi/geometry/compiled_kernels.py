"""How kernels are compiled: without the GIL, cached on disk beside their file, without fast-math."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

_F = TypeVar("_F", bound=Callable[..., Any])


def compiled(function: _F) -> _F:
    """A kernel with Python's division (zero raises)."""
    kernel: _F = njit(cache=True, nogil=True)(function)
    return kernel


def vectorised(function: _F) -> _F:
    """A kernel with IEEE division: a check for zero in every step would keep its loops scalar."""
    kernel: _F = njit(cache=True, nogil=True, error_model="numpy")(function)
    return kernel
