"""Pictures that are in memory already: one array, a list, a numpy video, or an iterator of (seconds, array)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from numbers import Real
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from videohoi.decode.base import ASSUMED_FRAME_RATE_HZ, Picture, SequentialSource
from videohoi.errors import DecodeError, InputError, UsageError
from videohoi.names import did_you_mean, nearest_names
from videohoi.structures import Frame, SourceInfo

CHANNELS = ("rgb", "bgr")
EXPECTED = (
    "a path, an address, a camera number, a picture (H, W, 3) uint8, a list of pictures, a video (T, H, W, 3) uint8, "
    "an iterator of pictures or of (seconds, picture), or a Source"
)
"""what can be annotated, for messages"""


def array_source(
    pictures: Any, *, channels: str = "rgb", frame_rate_hz: float | None = None, source_id: str | None = None
) -> ArraySource:
    """The source of pictures in memory.

    Args:
        pictures: a picture (H, W, 3) or (H, W), a video (T, H, W, 3), or an iterable of pictures, of (seconds,
            picture) or of ``Frame``. Arrays are uint8; what offers numpy's array interface (a PIL image, a tensor on
            the CPU) counts as an array. An iterator is read once, as the frames are wanted.
        channels: ``rgb`` or ``bgr`` (OpenCV's order), of arrays.
        frame_rate_hz: pictures a second, where no times are given; None assumes 25 and notes it.
        source_id: name of the source.

    Raises:
        UsageError: an unknown order of channels or an impossible frame rate.
        InputError: the type, shape or dtype is none of these.
    """
    if channels not in CHANNELS:
        hint = did_you_mean(nearest_names(str(channels), CHANNELS))
        raise UsageError(f"channels={channels!r}: expected rgb or bgr{hint}")
    if frame_rate_hz is not None and not 0 < frame_rate_hz < math.inf:
        raise UsageError(f"frame_rate_hz={frame_rate_hz}: expected pictures a second, above 0")
    layout = _Layout(channels == "bgr", source_id or "pictures")
    if isinstance(pictures, Frame):
        return ArraySource([pictures], layout, frame_rate_hz, count=1)
    if _is_array(pictures):
        array = _as_array(pictures)
        if array.ndim == 4:
            return ArraySource(array, layout, frame_rate_hz, count=len(array))
        layout.checked(array, "the array")
        return ArraySource([pictures], layout, frame_rate_hz, count=1)
    if isinstance(pictures, (dict, set, frozenset, bytearray, memoryview)) or not isinstance(pictures, Iterable):
        raise InputError(f"cannot read pictures from {type(pictures).__name__}; expected {EXPECTED}")
    count = len(pictures) if isinstance(pictures, Sequence) else None
    return ArraySource(pictures, layout, frame_rate_hz, count=count)


class ArraySource(SequentialSource):
    """Frames from pictures in memory; see ``array_source``. Pictures of an iterator are copied: it may reuse them."""

    def __init__(
        self, pictures: Iterable[Any], layout: _Layout, frame_rate_hz: float | None, *, count: int | None
    ) -> None:
        super().__init__(layout.name)
        self._given, self._layout, self._count = pictures, layout, count
        self._frame_rate_hz = frame_rate_hz
        self._read: Iterator[Picture] = iter(())
        self._has_times: bool | None = None

    def _open_input(self) -> SourceInfo:
        self._has_times = None
        self._read = self._converted()
        first = next(self._read, None)
        if first is None:
            raise DecodeError(f"{self.source_id}: no picture; the list is empty, or its iterator was read before")
        self._read = chain([first], self._read)
        rate = None if self._has_times else self._frame_rate_hz or ASSUMED_FRAME_RATE_HZ
        if rate is not None and self._frame_rate_hz is None and self._count != 1:
            self._note(f"arrays carry no time: {rate:g} a second assumed; if not so, give frame_rate_hz")
        duration = None if rate is None or self._count is None else self._count / rate
        height, width = first.image.shape[:2]
        return SourceInfo(self.source_id, width, height, rate, self._count, duration)

    def _pictures(self) -> Iterator[Picture]:
        return self._read

    def _converted(self) -> Iterator[Picture]:
        copies = not isinstance(self._given, (Sequence, np.ndarray))
        for number, item in enumerate(self._given):
            seconds, value = _split(item)
            if self._has_times is None:
                self._begin(has_times=seconds is not None)
            if self._has_times is not (seconds is not None):
                raise InputError(f"{self.source_id}: picture {number} comes {'without' if seconds is None else 'with'} "
                                 "a time, unlike those before")  # fmt: skip
            if seconds is None:
                seconds = number / (self._frame_rate_hz or ASSUMED_FRAME_RATE_HZ)
            elif not math.isfinite(seconds):
                raise InputError(f"{self.source_id}: picture {number} has the time {seconds}; expected seconds")
            image = value.image if isinstance(value, Frame) else self._layout.rgb(value, f"picture {number}", copies)
            yield Picture(image, seconds)

    def _begin(self, *, has_times: bool) -> None:
        self._has_times = has_times
        if has_times and self._frame_rate_hz is not None:
            raise UsageError(f"{self.source_id}: the pictures have times of their own; leave frame_rate_hz out")

    def _close_input(self) -> None:
        self._read = iter(())


@dataclass(frozen=True)
class _Layout:
    """How the arrays of a source are laid out."""

    is_bgr: bool
    name: str

    def rgb(self, value: Any, what: str, copies: bool) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB of a picture."""
        if not _is_array(value):
            raise InputError(f"{self.name}: {what} is {_named(value)}; expected an array (H, W, 3) uint8")
        array = self.checked(_as_array(value), what)
        if array.ndim == 2 or array.shape[2] == 1:
            return np.asarray(cv2.cvtColor(np.ascontiguousarray(array), cv2.COLOR_GRAY2RGB), np.uint8)
        if self.is_bgr and not _is_pil_image(value):
            return np.asarray(cv2.cvtColor(np.ascontiguousarray(array), cv2.COLOR_BGR2RGB), np.uint8)
        return array.copy() if copies else np.ascontiguousarray(array)

    def checked(self, array: NDArray[Any], what: str) -> NDArray[np.uint8]:
        """``array`` if it is a picture.

        Raises:
            InputError: it is none; the message says what to do.
        """
        place = f"{self.name}: {what} has shape {array.shape}"
        if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3)):
            raise InputError(f"{place}; expected (H, W, 3){_shape_advice(array.shape)}")
        if 0 in array.shape:
            raise InputError(f"{place}: no pixel; expected (H, W, 3)")
        if array.dtype != np.uint8:
            floats = "; values from 0 to 1: (255 * picture).round().astype('uint8')" if array.dtype.kind == "f" else ""
            raise InputError(f"{self.name}: {what} is of {array.dtype}; expected uint8, 0 to 255{floats}")
        return array


def _shape_advice(shape: tuple[int, ...]) -> str:
    if len(shape) == 3 and shape[0] in (1, 3):
        return "; channels come last: picture.transpose(1, 2, 0)"
    if len(shape) == 3 and shape[2] == 4:
        return "; leave the alpha channel out: picture[..., :3]"
    return ""


def _split(item: Any) -> tuple[float | None, Any]:
    """Time and picture of an item; None where it has no time."""
    if isinstance(item, Frame):
        return item.pts_seconds, item
    is_pair = isinstance(item, (tuple, list)) and len(item) == 2
    if is_pair and issubclass(type(item[0]), Real):
        return float(item[0]), item[1]
    return None, item


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (
        not isinstance(value, type) and (hasattr(value, "__array_interface__") or hasattr(value, "__array__"))
    )


def _is_pil_image(value: Any) -> bool:
    return hasattr(value, "mode") and hasattr(value, "convert")


def _as_array(value: Any) -> NDArray[Any]:
    if _is_pil_image(value):  # maybe of palette indices
        value = value.convert("RGB")
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:  # a tensor on a device, or one that needs gradients
        reason = " ".join(str(error).split())
        raise InputError(f"{type(value).__name__} gives no array ({reason}); expected an array (H, W, 3)") from error


def _named(value: Any) -> str:
    return repr(value) if isinstance(value, (str, bytes, int, float)) else type(value).__name__
