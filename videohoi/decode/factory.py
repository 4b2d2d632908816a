"""Which source reads an input: decided by the address, the path, or the content of the file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from videohoi.decode.file_names import IMAGE_SUFFIXES, VIDEO_SUFFIXES, files_in, is_sequence_pattern
from videohoi.decode.registry import (
    BACKENDS,
    CAMERA,
    IMAGES,
    PICTURES,
    VIDEO,
    SourceKind,
    SourceRequest,
    kind_of_scheme,
    kind_of_suffix,
    known_schemes,
)
from videohoi.errors import InputError, UsageError
from videohoi.names import did_you_mean, nearest_names

if TYPE_CHECKING:  # it loads OpenCV
    from videohoi.decode.base import SequentialSource

HEAD_BYTES = 16
"""bytes at the start of a file that tell its kind"""
CONTAINER_BEGINNINGS = (b"\x1aE\xdf\xa3", b"OggS", b"FLV", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"G@", b"GIF8")
"""first bytes of Matroska, Ogg, FLV, MPEG and GIF files: videos whatever their name"""
AVIF_BRANDS = (b"avif", b"avis")
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
SOURCE_METHODS = ("open", "frames", "close", "report")
"""what makes an object a ``Source``"""


def open_source(
    spec: str | int | Path,
    *,
    backend: str = "pyav",
    source_id: str | None = None,
    frame_rate_hz: float | None = None,
    decode_threads: int = 2,
    stream: int | None = None,
) -> SequentialSource:
    """The source that reads ``spec``; nothing is decoded until its ``open`` or ``read`` is called.

    Args:
        spec: a video file or GIF (the content decides, not the name), an image, a file of many pictures (animated WebP,
            AVIF or PNG, a TIFF of several pages), a folder of images, a pattern such as ``frames_%06d.jpg``, a camera
            (``/dev/video0``, or ``0`` where no file or folder has that name), a stream (``rtsp://``, ``http://``), a
            generated picture (``test://320x240?frames=100&rate=30&seed=0``), or an address or file whose scheme or
            suffix an installed package registered as ``videohoi.sources``.
        backend: what reads video files: ``pyav``, or ``decord`` (needs the extra of that name).
        source_id: name of the source; None: the file's or folder's name, the camera's number or address.
        frame_rate_hz: pictures a second of any file, in place of its own times; None: its own times, or an assumed 25
            where it has none, which is noted. Cameras and generated sources refuse it.
        decode_threads: most threads that decode a video file.
        stream: index of the video stream of a file that has several, as FFmpeg counts; None: the film.

    Raises:
        InputError: the path does not exist, or is a folder of videos or of nothing usable.
        UsageError: unknown backend or scheme, or an option that does not go with the input.
        ModelError: a package's source cannot be loaded.
    """
    if backend not in BACKENDS:
        raise UsageError(f"unknown decode backend {backend!r}; expected one of {', '.join(BACKENDS)}")
    text_or_path = str(spec) if isinstance(spec, int) else spec
    kind = CAMERA if isinstance(spec, int) else classify(text_or_path)
    if frame_rate_hz is not None and not kind.takes_rate:
        raise UsageError(f"{spec}: frame_rate_hz (decode.frame_rate_hz) is for files; leave it out for this source")
    if stream is not None and not kind.takes_stream:
        raise UsageError(f"{spec}: stream (decode.stream) is for video files; leave it out for this source")
    source = kind.build(SourceRequest(text_or_path, source_id, frame_rate_hz, backend, decode_threads, stream))
    missing = [name for name in SOURCE_METHODS if not hasattr(source, name)]
    if missing:
        raise UsageError(f"{spec}: the source {kind.what} has no {missing[0]}; see videohoi.decode.protocol.Source")
    return source  # type: ignore[no-any-return]


def build_video(request: SourceRequest) -> SequentialSource:
    """A video file, read by ``request.backend``."""
    return BACKENDS[request.backend].build(request)  # type: ignore[no-any-return]


def classify(spec: str | Path) -> SourceKind:
    """The kind of input that ``spec`` names.

    Raises:
        InputError: a path that does not exist, or a folder that is not one sequence of images.
        UsageError: an address of an unknown scheme.
    """
    text = str(spec)
    if "://" in text and not isinstance(spec, Path):
        return _of_address(text)
    path = Path(spec)
    is_number = text.isdecimal() and not isinstance(spec, Path)
    if (is_number and not path.exists()) or re.fullmatch(r"/dev/video\d+", text):
        return CAMERA
    if path.is_dir():
        return _of_folder(path)
    if path.exists():
        return _of_file(path)
    if is_sequence_pattern(path):
        return IMAGES
    raise InputError(f"{text}: there is no such file or folder; check the path")


def _of_address(text: str) -> SourceKind:
    scheme = text.split("://", 1)[0].lower()
    kind = kind_of_scheme(scheme)
    if kind is None:
        schemes = known_schemes()
        expected = did_you_mean(f"{name}://" for name in nearest_names(scheme, schemes)[:1])
        expected = expected or f"; expected one of {'://, '.join(schemes)}:// or a path"
        raise UsageError(f"unknown scheme {scheme}://{expected}")
    return kind


def _of_folder(folder: Path) -> SourceKind:
    if files_in(folder, VIDEO_SUFFIXES):
        raise InputError(f"{folder}: the folder holds several videos; name one of them")
    if files_in(folder, IMAGE_SUFFIXES):
        return IMAGES
    raise InputError(
        f"{folder}: the folder holds no videos and no images (folders in it are not searched); "
        "name a folder with .mp4, .mkv, .gif, ... or .jpg, .png, ... files"
    )


def _of_file(path: Path) -> SourceKind:
    """By a suffix that a kind claims, else by content where it is clear, else by name."""
    if not path.is_file():
        return VIDEO  # a pipe or a device: reading its head would consume it
    is_common = path.suffix.lower() in VIDEO_SUFFIXES | IMAGE_SUFFIXES
    if not is_common and (claimed := kind_of_suffix(path.suffix)) is not None:
        return claimed
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if _brand(head) in HEIF_BRANDS:
        raise InputError(f"{path}: HEIF/HEIC pictures cannot be read here; convert it to JPEG, PNG or AVIF")
    if not _is_image(path, head):
        return VIDEO
    from videohoi.decode.picture_file import picture_count

    return PICTURES if picture_count(path) > 1 else IMAGES


def _is_image(path: Path, head: bytes) -> bool:
    """A picture by content, or by name where the content is not that of a video."""
    if head.startswith(b"\x89PNG") or head[8:12] == b"WEBP" or _brand(head) in AVIF_BRANDS:
        return True
    is_video = head.startswith(CONTAINER_BEGINNINGS) or _brand(head) is not None or head[8:12] == b"AVI "
    return path.suffix.lower() in IMAGE_SUFFIXES and not is_video


def _brand(head: bytes) -> bytes | None:
    """Main brand of an ISO base media file (MP4, MOV, AVIF, HEIF); None for other files."""
    return head[8:12] if head[4:8] == b"ftyp" else None
