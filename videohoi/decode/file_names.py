"""Names of video and image files: which are which, their natural order, numbered sequences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from videohoi.errors import DecodeError, InputError
from videohoi.names import counted

# fmt: off
VIDEO_SUFFIXES = frozenset({
    ".mp4", ".m4v", ".mov", ".qt", ".mkv", ".mk3d", ".webm", ".avi", ".divx", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg",
    ".m1v", ".m2v", ".vob", ".mxf", ".asf", ".wmv", ".flv", ".f4v", ".ogv", ".ogm", ".3gp", ".3g2", ".rm", ".rmvb",
    ".dv", ".nut", ".amv", ".gif", ".y4m", ".ivf", ".obu", ".h264", ".264", ".avc", ".hevc", ".h265", ".265", ".vvc",
    ".266", ".mjpeg", ".mjpg",
})
"""suffixes of the videos of a folder; a single file is opened whatever its name"""
IMAGE_SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".avif", ".avifs",
    ".jp2", ".j2k", ".jpf", ".jpx", ".ppm", ".pgm", ".pbm", ".pnm", ".pam", ".pfm", ".tga", ".hdr", ".pic", ".sr",
    ".ras", ".sgi", ".pcx", ".dds", ".qoi",
})
# fmt: on
"""suffixes of the pictures of a folder: formats that OpenCV or Pillow reads"""
MANY_PICTURE_SUFFIXES = frozenset({".png", ".apng", ".webp", ".tif", ".tiff", ".avif", ".avifs"})
"""suffixes of formats that can hold several pictures in one file"""
NAMED_FILES = 5
"""most file names in a sentence; further files are only counted"""
SEQUENCE_FIELD = re.compile(r"%(?:0?(\d+))?d")
"""printf's %d, %6d, %06d"""


def is_sequence_pattern(path: Path) -> bool:
    """``path`` has one number field, as in ``frames_%06d.jpg``, and is not itself a file."""
    return len(SEQUENCE_FIELD.findall(path.name)) == 1 and not path.exists()


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that reads numbers as numbers: img2 before img10."""
    parts = re.split(r"(\d+)", name)
    return tuple((0, int(part), part) if part.isdecimal() else (1, 0, part.casefold()) for part in parts if part)


def files_in(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Files of ``folder`` (not of folders in it, no hidden ones) with one of ``suffixes``, in natural order."""
    return [path for path in _files(folder) if path.suffix.lower() in suffixes]


def other_files(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Files of ``folder`` with none of ``suffixes``, without hidden ones, in natural order."""
    return [path for path in _files(folder) if path.suffix.lower() not in suffixes]


def _files(folder: Path) -> list[Path]:
    """All files that are not hidden, in natural order."""
    try:
        files = [path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file()]
    except OSError as error:
        raise InputError(f"{folder}: the folder cannot be listed ({error.strerror}); check its permissions") from error
    return sorted(files, key=lambda path: natural_key(path.name))


def left_out_sentence(names: Sequence[str]) -> str:
    """``3 other files (a.heic, b.cr2, notes.txt)``: a count, and the first few names."""
    shown = ", ".join(names[:NAMED_FILES]) + (", ..." if len(names) > NAMED_FILES else "")
    return f"{counted(len(names), 'other file')} ({shown})"


def numbered_files(pattern: Path) -> list[tuple[int, Path]]:
    """The files that match ``pattern`` (one ``%d`` or ``%06d`` in its name), with their numbers, in order.

    Raises:
        DecodeError: there is none.
    """
    field = SEQUENCE_FIELD.search(pattern.name)
    folder = pattern.parent
    if field is None or not folder.is_dir():
        raise DecodeError(
            f"{pattern}: there is no folder {folder}, or no field such as %06d in the name; check the path"
        )
    digits = rf"\d{{{field[1]},}}" if field[1] else r"\d+"
    whole = re.compile(
        re.escape(pattern.name[: field.start()]) + f"({digits})" + re.escape(pattern.name[field.end() :])
    )
    numbered = [(int(match[1]), path) for path in folder.iterdir() if (match := whole.fullmatch(path.name))]
    if not numbered:
        raise DecodeError(f"{pattern}: no file matches the pattern; expected names such as {_example(pattern.name)}")
    return sorted(numbered)


def _example(name: str) -> str:
    field = SEQUENCE_FIELD.search(name)
    width = int(field[1] or 1) if field else 1
    return SEQUENCE_FIELD.sub("1".zfill(width), name)
