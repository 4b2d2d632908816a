"""How kernels are compiled: without the GIL, cached on disk where there is a place for it, without fast-math."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

_F = TypeVar("_F", bound=Callable[..., Any])


def compiled(function: _F) -> _F:
    """A kernel with Python's division (zero raises)."""
    return _jit(function, "python")


def vectorised(function: _F) -> _F:
    """A kernel with IEEE division: a check for zero in every step would keep its loops scalar."""
    return _jit(function, "numpy")


def inner(function: _F) -> _F:
    """A function that only kernels call: without the wrappers for Python, which take a third of its compile time."""
    return _jit(function, "numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _jit(function: _F, error_model: str, **options: bool) -> _F:
    try:
        kernel: _F = njit(cache=True, nogil=True, error_model=error_model, **options)(function)
    except RuntimeError:  # no folder is writable: compiled in each process that calls it
        kernel = njit(nogil=True, error_model=error_model, **options)(function)
    return kernel
