"""A folder of images, a numbered pattern or a single image, read as one video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videohoi.decode.base import ASSUMED_FRAME_RATE_HZ, Picture, SequentialSource
from videohoi.decode.file_names import (
    IMAGE_SUFFIXES,
    MANY_PICTURE_SUFFIXES,
    files_in,
    left_out_sentence,
    numbered_files,
    other_files,
)
from videohoi.decode.picture_file import cut_reason, picture_count, read_picture
from videohoi.decode.registry import SourceRequest
from videohoi.errors import DecodeError, UsageError
from videohoi.structures import SourceInfo


class ImageSequence(SequentialSource):
    """Images as frames at a steady rate; EXIF orientation is applied.

    - Image number k has time k / rate. An image that cannot be read is counted, skipped and noted, and the others keep
      their times.
    - An image of another shape is a discontinuity (``Frame.discontinuity``): boxes on both sides share no pixels.
    - Other files of the folder are counted and named in the report.

    Args:
        paths: the images in order.
        source_id: name of the source.
        frame_rate_hz: images a second; None assumes 25 and notes it.
        numbers: time of each image in frames since the first (for gaps in the numbering); None: 0, 1, 2, ...
        left_out: names of other files of the folder, which are not read.

    Raises:
        DecodeError: no images.
        UsageError: the rate is not positive.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        source_id: str,
        frame_rate_hz: float | None = None,
        numbers: Sequence[int] | None = None,
        left_out: Sequence[str] = (),
    ) -> None:
        super().__init__(source_id)
        if frame_rate_hz is not None and not frame_rate_hz > 0:
            raise UsageError(f"frame_rate_hz must be positive, got {frame_rate_hz}")
        if not paths:
            raise DecodeError(f"{source_id}: no images; expected files such as .jpg or .png")
        self._paths = tuple(paths)
        self._numbers = tuple(numbers) if numbers is not None else tuple(range(len(paths)))
        self._left_out = tuple(left_out)
        self._is_rate_assumed = frame_rate_hz is None and len(paths) > 1
        self._frame_rate_hz = frame_rate_hz or ASSUMED_FRAME_RATE_HZ
        self._first: tuple[int, NDArray[np.uint8]] | None = None

    @staticmethod
    def from_folder(folder: Path, *, source_id: str | None = None, frame_rate_hz: float | None = None) -> ImageSequence:
        """All images of ``folder`` in natural order (img2 before img10)."""
        paths = files_in(folder, IMAGE_SUFFIXES)
        if not paths:
            raise DecodeError(f"{folder}: the folder holds no images; expected files such as .jpg or .png")
        left_out = [path.name for path in other_files(folder, IMAGE_SUFFIXES)]
        name = source_id or folder.resolve().name
        return ImageSequence(paths, source_id=name, frame_rate_hz=frame_rate_hz, left_out=left_out)

    @staticmethod
    def from_pattern(
        pattern: Path, *, source_id: str | None = None, frame_rate_hz: float | None = None
    ) -> ImageSequence:
        """The images a pattern such as ``frames_%06d.jpg`` matches; a missing number leaves a gap in time."""
        numbered = numbered_files(pattern)
        numbers = [number - numbered[0][0] for number, _ in numbered]
        paths = [path for _, path in numbered]
        return ImageSequence(paths, source_id=source_id or pattern.name, frame_rate_hz=frame_rate_hz, numbers=numbers)

    def _open_input(self) -> SourceInfo:
        if self._is_rate_assumed:
            self._note(
                f"images carry no time: {self._frame_rate_hz:g} a second assumed; if not so, give frame_rate_hz "
                "(--set decode.frame_rate_hz=30)"
            )
        if self._left_out:
            self._note(f"{left_out_sentence(self._left_out)} in the folder: not read as pictures")
        missing = self._numbers[-1] + 1 - len(self._paths)
        if missing:
            self._note(f"images missing from the numbering: {missing}; the time runs on over them")
        self._first = self._first_readable()
        height, width = self._first[1].shape[:2]
        count = len(self._paths)
        duration = (self._numbers[-1] + 1) / self._frame_rate_hz
        return SourceInfo(self.source_id, width, height, self._frame_rate_hz, count, duration)

    def _first_readable(self) -> tuple[int, NDArray[np.uint8]]:
        for row in range(len(self._paths)):
            image = self._read(row)
            if image is not None:
                return row, image
        others = f", and neither are the other {len(self._paths) - 1}" if len(self._paths) > 1 else ""
        reason = cut_reason(self._paths[0])
        raise DecodeError(
            f"{self._paths[0]}: not readable as an image{f' ({reason})' if reason else ''}{others}; "
            "expected .jpg, .png, ... files; check or convert them again"
        )

    def _pictures(self) -> Iterator[Picture]:
        if self._first is None:
            return
        (first_row, image), self._first = self._first, None
        yield Picture(image, self._numbers[first_row] / self._frame_rate_hz)
        for row in range(first_row + 1, len(self._paths)):
            later = self._read(row)
            if later is not None:
                yield Picture(later, self._numbers[row] / self._frame_rate_hz)

    def _read(self, row: int) -> NDArray[np.uint8] | None:
        """(H, W, 3) RGB; None, counted and noted, when the file is not a whole image."""
        path = self._paths[row]
        image = read_picture(path)
        if image is None:
            if self._report.corrupt_packets == 0:
                self._note(f"the first image that cannot be read is {path.name}")
            self._report.corrupt_packets += 1
            self._note_again("an image cannot be read and was skipped")
        elif path.suffix.lower() in MANY_PICTURE_SUFFIXES and (count := picture_count(path)) > 1:
            self._note(f"{path.name} holds {count} pictures; in a sequence only the first is read")
        return image

    def _close_input(self) -> None:
        self._first = None


def build(request: SourceRequest) -> ImageSequence:
    """The source of a folder, a numbered pattern or one image."""
    path = Path(request.spec)
    if path.is_file():
        name = request.source_id or path.name
        return ImageSequence([path], source_id=name, frame_rate_hz=request.frame_rate_hz)
    read = ImageSequence.from_folder if path.is_dir() else ImageSequence.from_pattern
    return read(path, source_id=request.source_id, frame_rate_hz=request.frame_rate_hz)
