"""Picture files: one that holds a single picture (OpenCV, else Pillow), and one that holds many (Pillow)."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from videohoi.decode.base import ASSUMED_FRAME_RATE_HZ, Picture, SequentialSource
from videohoi.decode.registry import SourceRequest
from videohoi.errors import DecodeError
from videohoi.structures import SourceInfo

# fmt: off
UNREADABLE = (
    OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError,
    struct.error, Image.DecompressionBombError,
)
# fmt: on
"""what Pillow raises on damaged or hostile files: errors of its parsers pass through"""
AVIF_BEGINNINGS = (b"ftypavif", b"ftypavis")
MANY_PICTURE_FORMATS = frozenset({"WEBP", "PNG", "TIFF", "AVIF", "GIF"})
"""Pillow's formats whose pictures are frames or pages; those of a JPEG (MPO) or an icon are neither"""


@contextmanager
def without_warnings() -> Iterator[None]:
    """Keep Pillow's warnings about damaged tags and large pictures off the terminal; errors are still raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _without_opencv_log() -> Iterator[None]:
    """Keep OpenCV's lines about damaged files off the terminal; a note of the source names them."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def cut_reason(path: Path) -> str:
    """That a picture file was cut off, with its size, for messages; empty if it was not or nothing shows it."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(16)
            if head[:4] == b"RIFF":
                stated = 8 + int.from_bytes(head[4:8], "little")
            elif head[4:12] in AVIF_BEGINNINGS:
                stated = _boxes_end(file, size)
            else:
                return ""
    except OSError:
        return ""
    return f"it is cut: {size:,} of at least {stated:,} bytes" if size < stated else ""


def _boxes_end(file: BinaryIO, size: int) -> int:
    """Where the last box of an ISO base media file ends, as the boxes state."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:  # a length of 64 bits follows
            length = int.from_bytes(head[8:16], "big")
        if length < 8:  # 0: to the end of the file
            return size
        at += length
    return at


def picture_count(path: Path) -> int:
    """How many pictures of one series a file holds; 1 where it holds other kinds or cannot be read."""
    try:
        with without_warnings(), Image.open(path) as image:
            if image.format not in MANY_PICTURE_FORMATS:
                return 1
            return _stored_count(image) - bool(getattr(image, "default_image", False))
    except UNREADABLE:
        return 1


def _stored_count(image: Image.Image) -> int:
    """Number of pictures in an open file; in a damaged one those before the damage, and one for what is lost."""
    try:
        return int(getattr(image, "n_frames", 1))
    except UNREADABLE:
        count = 0
        try:
            while True:
                image.seek(count)
                count += 1
        except UNREADABLE:
            return count + 1


def read_picture(path: Path) -> NDArray[np.uint8] | None:
    """(H, W, 3) RGB of a file's first picture, EXIF orientation applied; None when it is not a whole picture."""
    try:
        data = np.fromfile(path, np.uint8)  # cv2.imread fails on some names on Windows
        is_avif = data[4:12].tobytes() in AVIF_BEGINNINGS  # OpenCV does not turn these upright, Pillow does
        with _without_opencv_log():
            image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size and not is_avif else None
    except (OSError, cv2.error) as error:
        if isinstance(error, cv2.error) and error.code == cv2.Error.STS_NO_MEM:
            raise MemoryError(f"{path}: no memory for this picture") from error
        image = None
    if image is not None:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
    try:
        with without_warnings(), Image.open(path) as opened:
            return to_rgb(opened)
    except UNREADABLE:
        return None


def to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """(H, W, 3) of a Pillow image, upright; more than 8 bits are scaled to 8, transparency becomes white."""
    upright = ImageOps.exif_transpose(image) or image
    if upright.mode.startswith("I") or upright.mode == "F":
        grey = np.nan_to_num(np.asarray(upright, np.float32), posinf=0.0, neginf=0.0)
        white = 65535.0 if upright.mode != "F" else _white_level(float(grey.max(initial=0.0)))
        return np.repeat(np.uint8(np.clip(grey / white, 0, 1) * 255 + 0.5)[..., None], 3, axis=2)
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        rgba = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return np.array(upright.convert("RGB"), np.uint8)


def _white_level(brightest: float) -> float:
    """The value of white in a picture of real numbers: the end of the range it fits in, alike for a whole series."""
    return next((level for level in (1.0, 255.0, 65535.0) if brightest <= level), brightest)


class PictureFile(SequentialSource):
    """A file of many pictures (animated WebP, AVIF or PNG, pages of a TIFF) as a video.

    Each picture lasts as long as the file says. Pages of a TIFF have no durations: they are read at ``frame_rate_hz``,
    or at an assumed 25 a second, which is noted. A picture that cannot be read is counted, skipped and noted.
    """

    def __init__(self, path: str | Path, *, source_id: str | None = None, frame_rate_hz: float | None = None) -> None:
        self.path = Path(path)
        super().__init__(source_id if source_id is not None else self.path.name, frame_rate_hz=frame_rate_hz)
        self._file: Any = None
        self._first, self._count = 0, 0

    def _open_input(self) -> SourceInfo:
        try:
            with without_warnings():
                self._file = Image.open(self.path)
                count = _stored_count(self._file)
                # a PNG may begin with a picture for programs that know no animation; it is not part of it
                self._first = int(bool(getattr(self._file, "default_image", False)))
                self._file.seek(self._first)
                height, width = to_rgb(self._file).shape[:2]
        except UNREADABLE as error:
            raise DecodeError(
                f"{self.path}: not readable as a file of pictures ({error}); expected WebP, PNG, AVIF or TIFF: check "
                "that other programs show it, or convert it to a video"
            ) from None
        rate = None if self._has_durations() else ASSUMED_FRAME_RATE_HZ
        if rate is not None and self._set_rate_hz is None:
            self._note(
                f"{count} pages that carry no time: {rate:g} a second assumed; if not so, set decode.frame_rate_hz "
                "(--set decode.frame_rate_hz=2)"
            )
        self._count = count
        count -= self._first
        return SourceInfo(self.source_id, width, height, rate, count, None if rate is None else count / rate)

    def _has_durations(self) -> bool:
        return str(self._file.format) != "TIFF"

    def _pictures(self) -> Iterator[Picture]:
        begin_seconds = 0.0
        for number in range(self._first, self._count):
            try:
                with without_warnings():
                    self._file.seek(number)
                    image = to_rgb(self._file)
            except UNREADABLE:
                self._report.corrupt_packets += 1
                self._note_again("a picture of the file cannot be read and was skipped")
                continue
            if self._has_durations():
                yield Picture(image, begin_seconds)
                begin_seconds += self._duration_seconds()
            else:
                yield Picture(image, (number - self._first) / ASSUMED_FRAME_RATE_HZ)

    def _duration_seconds(self) -> float:
        """How long the current picture is shown; 0 means "as short as possible", which browsers show for 0.1 s."""
        milliseconds = float(self._file.info.get("duration") or 0.0)
        return milliseconds / 1000.0 if milliseconds > 0 else 0.1

    def _close_input(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()


def build(request: SourceRequest) -> PictureFile:
    """The source of a file of many pictures."""
    return PictureFile(request.spec, source_id=request.source_id, frame_rate_hz=request.frame_rate_hz)
