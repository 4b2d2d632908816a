"""What kind of input a text or path names: a video file, images, a camera or a generated source."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

from videohoi.decode.file_names import IMAGE_SUFFIXES, VIDEO_SUFFIXES, files_in, is_sequence_pattern
from videohoi.errors import InputError, UsageError

CAMERA_SCHEMES = ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "srt")
HEAD_BYTES = 16
"""bytes at the start of a file that tell its kind"""
CONTAINER_BEGINNINGS = (b"\x1aE\xdf\xa3", b"OggS", b"FLV", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"G@", b"GIF8")
"""first bytes of Matroska, Ogg, FLV, MPEG and GIF files: videos whatever their name"""
AVIF_BRANDS = (b"avif", b"avis")
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


class InputKind(str, Enum):
    """The kind of an input; it decides which source reads it."""

    VIDEO = "video"
    """a video file or GIF"""
    PICTURES = "pictures"
    """one file of many pictures: an animation or pages"""
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
    is_number = (
        text.isdecimal() and not isinstance(spec, Path) and not path.exists()
    )  # folders of frames have such names
    if is_number or re.fullmatch(r"/dev/video\d+", text):
        return InputKind.CAMERA
    if path.is_dir():
        return _classify_folder(path)
    if path.exists():
        return _classify_file(path)
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
        raise InputError(f"{folder}: the folder holds several videos; name one of them")
    if files_in(folder, IMAGE_SUFFIXES):
        return InputKind.IMAGES
    raise InputError(
        f"{folder}: the folder holds no videos and no images (folders in it are not searched); "
        "name a folder with .mp4, .mkv, .gif, ... or .jpg, .png, ... files"
    )


def _classify_file(path: Path) -> InputKind:
    """By content where it is clear, else by name."""
    if not path.is_file():
        return InputKind.VIDEO  # a pipe or a device: reading its head would consume it
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if _brand(head) in HEIF_BRANDS:
        raise InputError(f"{path}: HEIF/HEIC pictures cannot be read here; convert it to JPEG, PNG or AVIF")
    if not _is_image(path, head):
        return InputKind.VIDEO
    from videohoi.decode.picture_file import picture_count

    return InputKind.PICTURES if picture_count(path) > 1 else InputKind.IMAGES


def _is_image(path: Path, head: bytes) -> bool:
    """A picture by content, or by name where the content is not that of a video."""
    if head.startswith(b"\x89PNG") or head[8:12] == b"WEBP" or _brand(head) in AVIF_BRANDS:
        return True
    is_video = head.startswith(CONTAINER_BEGINNINGS) or _brand(head) is not None or head[8:12] == b"AVI "
    return path.suffix.lower() in IMAGE_SUFFIXES and not is_video


def _brand(head: bytes) -> bytes | None:
    """Main brand of an ISO base media file (MP4, MOV, AVIF, HEIF); None for other files."""
    return head[8:12] if head[4:8] == b"ftyp" else None
