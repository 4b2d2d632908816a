"""Moving shapes, generated: a source that needs no file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import numpy as np
from numpy.typing import NDArray

from videohoi.decode.base import Picture, SequentialSource
from videohoi.decode.registry import SourceRequest
from videohoi.errors import UsageError
from videohoi.structures import SourceInfo

SHAPE_COUNT = 4
"""shapes in a generated picture: enough that some overlap"""
EXAMPLE_ADDRESS = "test://320x240?frames=100&rate=30&seed=0"


@dataclass(frozen=True)
class MovingShape:
    """A filled rectangle or ellipse that bounces between the picture's edges."""

    half_size_px: tuple[float, float]
    start: tuple[float, float]
    """position at time 0 as a fraction of its range, [0, 2): above 1 it is moving back"""
    speed_hz: tuple[float, float]
    """crossings of its range per second, in x and y"""
    colour_rgb: tuple[int, int, int]
    is_ellipse: bool

    def centre_px(self, axis: int, extent_px: int, seconds: float) -> float:
        """Centre along one axis: a triangle wave that keeps the whole shape inside the picture."""
        phase = (self.start[axis] + self.speed_hz[axis] * seconds) % 2.0
        fraction = phase if phase <= 1.0 else 2.0 - phase
        half = self.half_size_px[axis]
        return half + fraction * (extent_px - 2 * half)

    def draw(self, image: NDArray[np.uint8], seconds: float) -> None:
        """Paint the shape where it is at ``seconds``."""
        height, width = image.shape[:2]
        x, y = self.centre_px(0, width, seconds), self.centre_px(1, height, seconds)
        across = (np.arange(width) + 0.5 - x) / self.half_size_px[0]
        down = ((np.arange(height) + 0.5 - y) / self.half_size_px[1])[:, None]
        inside = across**2 + down**2 <= 1 if self.is_ellipse else np.maximum(abs(across), abs(down)) <= 1
        image[inside] = self.colour_rgb


class GeneratedSource(SequentialSource):
    """Coloured shapes that move over a smooth background; the same arguments give the same pixels.

    Args:
        width_px: picture width, 16 or more.
        height_px: picture height, 16 or more.
        frame_count: number of frames.
        frame_rate_hz: frames a second.
        seed: chooses shapes, colours and movements.
        source_id: name of the source.

    Raises:
        UsageError: a value is out of range.
    """

    def __init__(
        self,
        width_px: int = 320,
        height_px: int = 240,
        *,
        frame_count: int = 100,
        frame_rate_hz: float = 30.0,
        seed: int = 0,
        source_id: str = "test",
    ) -> None:
        super().__init__(source_id)
        if min(width_px, height_px) < 16 or frame_count < 1 or not frame_rate_hz > 0 or seed < 0:
            raise UsageError(
                f"a generated source needs sides of 16 px or more, 1 frame or more, a positive rate and seed >= 0, got "
                f"{width_px}x{height_px}, {frame_count} frames, {frame_rate_hz} Hz, seed {seed}"
            )
        self._count, self._rate_hz = frame_count, frame_rate_hz
        self._size_px = (width_px, height_px)
        self._shapes = _random_shapes(np.random.default_rng(seed), width_px, height_px)
        self._background = _background(width_px, height_px)

    @staticmethod
    def from_address(address: str, *, source_id: str | None = None) -> GeneratedSource:
        """The source that ``test://WIDTHxHEIGHT?frames=N&rate=HZ&seed=S`` describes; each option may be left out."""
        parts = urlsplit(address)
        try:
            width, height = (int(side) for side in parts.netloc.split("x"))
            options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
            frames, rate = int(options.pop("frames", "100")), float(options.pop("rate", "30"))
            seed = int(options.pop("seed", "0"))
        except ValueError:
            raise UsageError(f"{address}: not a test source; write it like {EXAMPLE_ADDRESS}") from None
        if options or parts.path not in ("", "/"):
            unknown = ", ".join(options) or parts.path
            raise UsageError(f"{address}: unknown option {unknown}; write it like {EXAMPLE_ADDRESS}")
        return GeneratedSource(
            width,
            height,
            frame_count=frames,
            frame_rate_hz=rate,
            seed=seed,
            source_id=source_id or f"test_{width}x{height}",
        )

    def _open_input(self) -> SourceInfo:
        count, rate = self._count, self._rate_hz
        return SourceInfo(self.source_id, *self._size_px, rate, count, count / rate)

    def _pictures(self) -> Iterator[Picture]:
        times_seconds = (index / self._rate_hz for index in range(self._count))
        return (Picture(self.image_at(seconds), seconds) for seconds in times_seconds)

    def image_at(self, seconds: float) -> NDArray[np.uint8]:
        """The picture (H, W, 3) at a time."""
        image: NDArray[np.uint8] = self._background.copy()
        for shape in self._shapes:
            shape.draw(image, seconds)
        return image

    def _close_input(self) -> None:
        """Nothing to release."""


def _background(width_px: int, height_px: int) -> NDArray[np.uint8]:
    image = np.empty((height_px, width_px, 3), np.uint8)
    image[..., 0] = np.linspace(40, 120, width_px, dtype=np.uint8)
    image[..., 1] = np.linspace(60, 140, height_px, dtype=np.uint8)[:, None]
    image[..., 2] = 90
    return image


def _random_shapes(random: np.random.Generator, width_px: int, height_px: int) -> tuple[MovingShape, ...]:
    def pair(low: float, high: float) -> tuple[float, float]:
        return float(random.uniform(low, high)), float(random.uniform(low, high))

    shapes = []
    for row in range(SHAPE_COUNT):
        across, down = pair(0.06, 0.2)  # of the sides: small enough to move, large enough to see
        red, green, blue = (int(value) for value in random.integers(0, 256, 3))
        half_px = (across * width_px, down * height_px)
        shapes.append(MovingShape(half_px, pair(0.0, 2.0), pair(0.1, 0.6), (red, green, blue), is_ellipse=row % 2 == 1))
    return tuple(shapes)


def build(request: SourceRequest) -> GeneratedSource:
    """The source of a ``test://`` address."""
    return GeneratedSource.from_address(str(request.spec), source_id=request.source_id)
