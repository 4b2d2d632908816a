"""Shape checks of the containers, and how their arrays are shown."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def require_shape(owner: str, name: str, array: NDArray[Any], shape: tuple[int | None, ...]) -> None:
    """Raise ``ValueError`` unless ``array`` is an ndarray of ``shape`` (None = any length)."""
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{owner}.{name} must be a numpy array, got {type(array).__name__}")
    fits = array.ndim == len(shape) and all(
        want is None or have == want for have, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
        raise ValueError(f"{owner}.{name} must have shape {wanted}, got {array.shape}")


def require_dtype(owner: str, name: str, array: NDArray[Any], dtype: type) -> None:
    """Raise ``ValueError`` unless ``array`` has ``dtype``."""
    if array.dtype != np.dtype(dtype):
        raise ValueError(f"{owner}.{name} must be {np.dtype(dtype)}, got {array.dtype}")


_SHOWN = 6
"""values of an array shown in a repr"""


def short(values: NDArray[Any]) -> str:
    """``[0, 41, 56, ...]``: the first values of a vector."""
    shown = [f"{value:.2f}" if isinstance(value, float) else str(value) for value in values[:_SHOWN].tolist()]
    return f"[{', '.join(shown)}{', ...' if len(values) > _SHOWN else ''}]"
