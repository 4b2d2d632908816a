"""Pictures that tell their number, and a loop that reads a source."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.decode.protocol import Source
from videohoi.structures import Frame


def numbered_image(number: int, width: int = 160, height: int = 120) -> NDArray[np.uint8]:
    """A picture whose brightness tells its number (mod 25), and whose top-left quarter is red."""
    image = np.full((height, width, 3), 10 * (number % 25), np.uint8)
    image[: height // 2, : width // 2] = (220, 20, 20)
    return image


def number_of(image: NDArray[np.uint8]) -> int:
    """The number that ``numbered_image`` painted, after lossy coding."""
    return round(float(image[-10:, -10:].mean()) / 10)


def read(source: Source) -> list[Frame]:
    """Open, read all, close."""
    source.open()
    frames = list(source.frames())
    source.close()
    return frames
