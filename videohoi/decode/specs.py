"""What kind of input the words of a user name: a video file, images, a camera or a generated source."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

from videohoi.decode.file_names import IMAGE_SUFFIXES, VIDEO_SUFFIXES, files_in, is_sequence_pattern
from videohoi.errors import InputError, UsageError

CAMERA_SCHEMES = ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "srt")
IMAGE_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"RIFF", b"II*\x00", b"MM\x00*")
"""first bytes of JPEG, PNG, BMP, WebP and TIFF files"""


class InputKind(str, Enum):
    """What an input is, and so which source reads it."""

    VIDEO = "video"
    """a video file or GIF"""
    IMAGES = "images"
    """a folder of images, a numbered pattern, or a single image: one sequence"""
    CAMERA = "camera"
    """a camera index or device, or the address of a stream; live"""
    GENERATED = "generated"
    """``test://``"""


def classify(spec: str | Path) -> InputKind:
    """The kind of input that ``spec`` names.

    Raises:
        InputError: a path that does not exist, or a folder that is not one sequence of images.
        UsageError: an address of an unknown scheme.
    """
    text = str(spec)
    if "://" in text and not isinstance(spec, Path):
        return _classify_address(text)
    path = Path(spec)
    is_number = text.isdecimal() and not isinstance(spec, Path) and not path.exists()  # frame folders have such names
    if is_number or re.fullmatch(r"/dev/video\d+", text):
        return InputKind.CAMERA
    if path.is_dir():
        return _classify_folder(path)
    if path.exists():
        return InputKind.IMAGES if _is_image(path) else InputKind.VIDEO
    if is_sequence_pattern(path):
        return InputKind.IMAGES
    raise InputError(f"{text}: there is no such file or folder; check the path")


def _classify_address(text: str) -> InputKind:
    scheme = text.split("://", 1)[0].lower()
    if scheme == "test":
        return InputKind.GENERATED
    if scheme in CAMERA_SCHEMES:
        return InputKind.CAMERA
    raise UsageError(
        f"unknown scheme {scheme}://; expected one of test://, {'://, '.join(CAMERA_SCHEMES)}:// or a path"
    )


def _classify_folder(folder: Path) -> InputKind:
    if files_in(folder, VIDEO_SUFFIXES):
        raise InputError(
            f"{folder}: a folder of videos is several inputs; name one of them, or list the folder's inputs"
        )
    if files_in(folder, IMAGE_SUFFIXES):
        return InputKind.IMAGES
    raise InputError(
        f"{folder}: the folder holds no videos and no images (folders in it are not searched); "
        "name a folder with .mp4, .mkv, .gif, ... or .jpg, .png, ... files"
    )


def _is_image(path: Path) -> bool:
    """A still image by name and content; a video under an image's name is a video."""
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        return False
    with path.open("rb") as file:
        return file.read(4).startswith(IMAGE_BEGINNINGS)
