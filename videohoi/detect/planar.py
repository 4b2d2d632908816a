"""Pictures as float networks take them: letterboxed, one plane a colour, scaled. From RGB, grey or a video's own YUV.

Where a network takes float32 (3, H, W), the usual route (resize, pad, swap, transpose, divide) walks the picture five
times. Here it is resized straight into its place, split by colour while it is small, and scaled into a plane that is
kept from frame to frame; the padding is written once. From YUV 4:2:0, what every video decoder gives, no RGB picture of
the full size is made at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from videohoi.detect._kernels import colour_kernel, scale_kernel
from videohoi.detect.letterbox import PAD_VALUE, shrink
from videohoi.errors import InputError, UsageError
from videohoi.geometry.warming import warmed
from videohoi.structures.checks import require_dtype, require_shape

Plane = NDArray[np.uint8]
Floats = NDArray[np.float32]

LUMA_WEIGHTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}
"""share of red and of blue in luma: ITU-R BT.601-7, section 2.5.1, and BT.709-6, section 3.2"""
LIMITED_LUMA, LIMITED_CHROMA = (16.0, 219.0), 224.0
"""8-bit video levels: luma from 16 over 219 steps, chroma over 224 (BT.601-7, section 2.5.3)"""


@dataclass(frozen=True, repr=False)
class Yuv420:
    """A decoded picture as the codec holds it: luma in full size, chroma in half."""

    luma: Plane
    """(h, w) Y"""
    blue: Plane
    """(ceil(h / 2), ceil(w / 2)) U"""
    red: Plane
    """(ceil(h / 2), ceil(w / 2)) V"""
    matrix: str = "bt601"
    """bt601 or bt709: how colours were mixed"""
    full_range: bool = False
    """levels 0-255 instead of 16-235"""

    def __post_init__(self) -> None:
        require_shape("Yuv420", "luma", self.luma, (None, None))
        height, width = self.luma.shape
        for name in ("blue", "red"):
            require_shape("Yuv420", name, getattr(self, name), ((height + 1) // 2, (width + 1) // 2))
        for name in ("luma", "blue", "red"):
            require_dtype("Yuv420", name, getattr(self, name), np.uint8)
        if self.matrix not in LUMA_WEIGHTS:
            raise UsageError(f"YUV matrix {self.matrix!r}: expected one of {', '.join(LUMA_WEIGHTS)}")

    @staticmethod
    def of_frame(frame: Any, matrix: str = "bt601") -> Yuv420:
        """The planes of a PyAV ``VideoFrame`` without a copy, for as long as the frame lives.

        Lines of a plane may be longer than the picture (``line_size``). ``yuvj420p`` means full range.

        Raises:
            InputError: the frame is not 4:2:0 with 8 bits.
        """
        if frame.format.name not in ("yuv420p", "yuvj420p"):
            raise InputError(f"frame format {frame.format.name}: expected yuv420p; use frame.reformat or an RGB array")
        half = ((frame.height + 1) // 2, (frame.width + 1) // 2)
        shapes = ((frame.height, frame.width), half, half)
        luma, blue, red = (_of_lines(plane, *shape) for plane, shape in zip(frame.planes, shapes, strict=True))
        return Yuv420(luma, blue, red, matrix, full_range=frame.format.name == "yuvj420p")

    @property
    def weights(self) -> Floats:
        """(6,) zero and gain of luma, then red of V, green of U, green of V, blue of U.

        From Y = a R + (1 - a - b) G + b B, U = (B - Y) / (2 - 2 b), V = (R - Y) / (2 - 2 a), solved for R, G and B
        (BT.601-7, section 2.5.2; BT.709-6, section 3.3), with the levels' ranges.
        """
        a, b = LUMA_WEIGHTS[self.matrix]
        zero, steps = (0.0, 255.0) if self.full_range else LIMITED_LUMA
        swing = 255.0 / (255.0 if self.full_range else LIMITED_CHROMA)
        red, blue = (2 - 2 * a) * swing, (2 - 2 * b) * swing
        green = 1 - a - b
        return np.array([zero, 255.0 / steps, red, -blue * b / green, -red * a / green, blue], np.float32)


@dataclass(frozen=True)
class PlanarForm:
    """What a network wants of a picture."""

    shape: tuple[int, int] = (640, 640)
    """height and width of the input in pixels"""
    bgr: bool = False
    """blue first instead of red first"""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """subtracted from red, green and blue in 0-255"""
    scale: tuple[float, float, float] = field(default=(1 / 255, 1 / 255, 1 / 255))
    """red, green and blue are multiplied with this afterwards"""
    pad_value: float = float(PAD_VALUE)
    """colour of the padding in 0-255"""
    average: bool = False
    """halve by averaging before sampling, as ``Letterbox`` does: finer where a picture shrinks below half, slower"""

    def __post_init__(self) -> None:
        if min(self.shape) < 1:
            raise UsageError(f"network input of {self.shape[1]}x{self.shape[0]} px: expected at least 1x1")


@dataclass(frozen=True, repr=False)
class Planar:
    """A network input and how to come back from it."""

    values: Floats
    """(3, H, W); owned by the ``PlanarLetterbox`` and overwritten by its next call"""
    scale_xy: tuple[float, float]
    """network pixels per source pixel in x and y; they differ by the rounding to whole pixels only"""
    picture_hw_px: tuple[int, int]
    """height and width of the source picture"""


class PlanarLetterbox:
    """Letterboxes pictures to the top left of a planar float input. Not thread-safe.

    From RGB the values are those of ``cv2.resize`` (bilinear) and scaling, to float32's last bit. From YUV they differ
    from the route over RGB by what that route rounds to 8 bits and by chroma being drawn smoothly where that route
    repeats it: in smooth pictures by less than 1/255 on average when they shrink to half or less, 1.5/255 at their own
    size; by more in single pixels beside edges of colour. Chroma is taken to lie in the middle of its four pixels;
    where a codec places it at their left, colour is off by half a source pixel.
    """

    def __init__(self, form: PlanarForm | None = None) -> None:
        self.form = PlanarForm() if form is None else form
        self.compiled = True
        """False: runs on numpy"""
        self._scales = np.array(self.form.scale, np.float32)
        self._offsets = (-np.array(self.form.mean) * np.array(self.form.scale)).astype(np.float32)
        self._values = np.empty((3, *self.form.shape), np.float32)
        self._colours = self._values[::-1] if self.form.bgr else self._values
        self._source_hw = (0, 0)
        self._inside = (0, 0)
        self._small = np.empty((0, 0, 3), np.uint8)
        self._planes = np.empty((3, 0, 0), np.uint8)

    def open(self) -> None:
        """Load the compiled loops, or run on numpy while they are compiled."""
        self.compiled = warmed(self._warm_up)

    def of_rgb(self, image_rgb: NDArray[np.uint8]) -> Planar:
        """``image_rgb`` (h, w, 3) uint8 RGB, or (h, w) grey.

        Raises:
            ValueError: another shape or type.
            InputError: the picture has no pixels.
        """
        require_dtype("PlanarLetterbox", "image_rgb", image_rgb, np.uint8)
        require_shape(
            "PlanarLetterbox", "image_rgb", image_rgb, (None, None) if image_rgb.ndim == 2 else (None, None, 3)
        )
        self._lay_out(image_rgb.shape[0], image_rgb.shape[1])
        small = self._resized(image_rgb)
        if image_rgb.ndim == 3:
            cv2.split(small, list(self._planes))  # filled in place
        for colour in range(3):
            self._scale(self._planes[colour] if image_rgb.ndim == 3 else small, colour)
        return self._planar()

    def of_yuv(self, picture: Yuv420) -> Planar:
        """A video's picture in its own colours.

        Raises:
            InputError: the picture has no pixels.
        """
        self._lay_out(*picture.luma.shape)
        planes = (picture.luma, picture.blue, picture.red)
        luma, blue, red = (self._resized(plane, at) for plane, at in zip(planes, self._planes, strict=True))
        height, width = self._inside
        if self.compiled:
            colour_kernel(luma, blue, red, picture.weights, self._scales, self._offsets, *self._colours)
        else:
            colours = colours_numpy(luma, blue, red, picture.weights)
            self._colours[:, :height, :width] = scaled_numpy(colours, self._scales, self._offsets)
        return self._planar()

    def _planar(self) -> Planar:
        (height, width), (inside_height, inside_width) = self._source_hw, self._inside
        return Planar(self._values, (inside_width / width, inside_height / height), self._source_hw)

    def _lay_out(self, height: int, width: int) -> None:
        if (height, width) == self._source_hw:
            return
        if not height or not width:
            raise InputError(f"picture of {width}x{height} px has no pixels; expected at least 1x1")
        scale = min(self.form.shape[0] / height, self.form.shape[1] / width)
        self._inside = (max(1, round(height * scale)), max(1, round(width * scale)))
        self._source_hw = (height, width)
        self._small = np.empty((*self._inside, 3), np.uint8)
        self._planes = np.empty((3, *self._inside), np.uint8)
        padding = np.full((3, 1, 1), self.form.pad_value, np.float32)
        self._colours[:] = scaled_numpy(padding, self._scales, self._offsets)

    def _resized(self, image: NDArray[np.uint8], into: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """``image`` at the size it has in the input, in memory kept for it: new memory costs as much as resizing."""
        height, width = self._inside
        if self.form.average:
            return shrink(image, height, width)
        small = self._small if image.ndim == 3 else self._planes[0]
        resized = cv2.resize(image, (width, height), small if into is None else into, interpolation=cv2.INTER_LINEAR)
        return np.asarray(resized, np.uint8)

    def _scale(self, plane: Plane, colour: int) -> None:
        scale, offset = self._scales[colour], self._offsets[colour]
        if self.compiled:
            scale_kernel(np.ascontiguousarray(plane), self._colours[colour], scale, offset)
        else:
            self._colours[colour][: plane.shape[0], : plane.shape[1]] = plane.astype(np.float32) * scale + offset

    def _warm_up(self) -> None:
        rehearsal = PlanarLetterbox(PlanarForm(shape=(2, 2), bgr=self.form.bgr))
        rehearsal.of_rgb(np.zeros((2, 2, 3), np.uint8))
        half = np.zeros((1, 1), np.uint8)
        rehearsal.of_yuv(Yuv420(np.zeros((2, 2), np.uint8), half, half))


def colours_numpy(luma: Plane, blue: Plane, red: Plane, weights: Floats) -> Floats:
    """(3, h, w) red, green and blue in 0-255 of three planes (h, w), unrounded; see ``Yuv420.weights``."""
    zero, gain, v_red, u_green, v_green, u_blue = weights
    y = (luma.astype(np.float32) - zero) * gain
    u, v = blue.astype(np.float32) - np.float32(128), red.astype(np.float32) - np.float32(128)
    colours = np.stack([y + v_red * v, y + u_green * u + v_green * v, y + u_blue * u])
    bounded: Floats = np.clip(colours, np.float32(0), np.float32(255))
    return bounded


def scaled_numpy(colours: Floats, scales: Floats, offsets: Floats) -> Floats:
    """``colours`` (3, h, w) times ``scales`` (3,) plus ``offsets`` (3,)."""
    result: Floats = colours * scales[:, None, None] + offsets[:, None, None]
    return result


def _of_lines(plane: Any, height: int, width: int) -> Plane:
    lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return lines[:height, :width]
