"""Compiled pixel loops of the planar network input. The numpy twins are in ``videohoi.detect.planar``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.compiled_kernels import vectorised

Plane = NDArray[np.uint8]
Floats = NDArray[np.float32]

ZERO, FULL = np.float32(0.0), np.float32(255.0)


@vectorised
def scale_kernel(plane: Plane, out: Floats, scale: np.float32, offset: np.float32) -> None:
    """``out[:h, :w] = plane * scale + offset`` for ``plane`` (h, w)."""
    for y in range(plane.shape[0]):
        source, target = plane[y], out[y]
        for x in range(plane.shape[1]):
            target[x] = np.float32(source[x]) * scale + offset


@vectorised
def _bounded(value: np.float32) -> np.float32:
    positive = value if value > ZERO else ZERO
    return positive if positive < FULL else FULL


@vectorised
def colour_kernel(
    luma: Plane, blue: Plane, red: Plane, weights: Floats, scales: Floats, offsets: Floats,
    out_red: Floats, out_green: Floats, out_blue: Floats,
) -> None:  # fmt: skip
    """``planar.colours_numpy`` into the first rows and columns of three planes.

    ``weights`` (6,): luma's zero and gain, red of V, green of U, green of V, blue of U.
    """
    zero, gain, v_red, u_green, v_green, u_blue = (
        weights[0], weights[1], weights[2], weights[3], weights[4], weights[5]
    )  # fmt: skip
    scale_r, scale_g, scale_b = scales[0], scales[1], scales[2]
    offset_r, offset_g, offset_b = offsets[0], offsets[1], offsets[2]
    middle = np.float32(128.0)
    for row in range(luma.shape[0]):
        y_row, u_row, v_row = luma[row], blue[row], red[row]
        r_row, g_row, b_row = out_red[row], out_green[row], out_blue[row]
        for x in range(luma.shape[1]):
            y = (np.float32(y_row[x]) - zero) * gain
            u, v = np.float32(u_row[x]) - middle, np.float32(v_row[x]) - middle
            r_row[x] = _bounded(y + v_red * v) * scale_r + offset_r
            g_row[x] = _bounded(y + u_green * u + v_green * v) * scale_g + offset_g
            b_row[x] = _bounded(y + u_blue * u) * scale_b + offset_b
