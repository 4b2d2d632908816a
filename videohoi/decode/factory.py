"""One call from what a user names to the source that reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from videohoi.decode.specs import InputKind, classify
from videohoi.errors import UsageError

if TYPE_CHECKING:  # it loads OpenCV
    from videohoi.decode.base import SequentialSource

BACKENDS = ("pyav", "decord")


@dataclass(frozen=True)
class _Request:
    spec: str | Path
    backend: str
    source_id: str | None
    frame_rate_hz: float | None
    decode_threads: int
    stream: int | None


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
            (``/dev/video0``, or ``0`` where no file or folder has that name), a stream (``rtsp://``, ``http://``), or a
            generated picture (``test://320x240?frames=100&rate=30&seed=0``).
        backend: what reads video files: ``pyav``, or ``decord`` (needs the extra of that name).
        source_id: name of the source; None: the file's or folder's name, the camera's number or address.
        frame_rate_hz: pictures a second of any file, in place of its own times; None: its own times, or an assumed 25
            where it has none, which is noted. Cameras and generated sources refuse it.
        decode_threads: most threads that decode a video file.
        stream: index of the video stream of a file that has several, as FFmpeg counts; None: the film.

    Raises:
        InputError: the path does not exist, or is a folder of videos or of nothing usable.
        UsageError: unknown backend or scheme, or an option that does not go with the input.
    """
    if backend not in BACKENDS:
        raise UsageError(f"unknown decode backend {backend!r}; expected one of {', '.join(BACKENDS)}")
    text_or_path = str(spec) if isinstance(spec, int) else spec
    kind = InputKind.CAMERA if isinstance(spec, int) else classify(text_or_path)
    if frame_rate_hz is not None and kind in (InputKind.CAMERA, InputKind.GENERATED):
        raise UsageError(f"{spec}: frame_rate_hz (decode.frame_rate_hz) is for files; leave it out for this source")
    if stream is not None and kind is not InputKind.VIDEO:
        raise UsageError(f"{spec}: stream (decode.stream) is for video files; leave it out for this source")
    return _BUILDERS[kind](_Request(text_or_path, backend, source_id, frame_rate_hz, decode_threads, stream))


def _video(request: _Request) -> SequentialSource:
    if request.backend == "decord":
        from videohoi.decode.decord_file import DecordVideoFile

        return DecordVideoFile(
            request.spec, source_id=request.source_id, decode_threads=request.decode_threads, stream=request.stream,
            frame_rate_hz=request.frame_rate_hz,
        )  # fmt: skip
    from videohoi.decode.video_file import VideoFile

    return VideoFile(
        request.spec, source_id=request.source_id, decode_threads=request.decode_threads, stream=request.stream,
        frame_rate_hz=request.frame_rate_hz,
    )  # fmt: skip


def _pictures(request: _Request) -> SequentialSource:
    from videohoi.decode.picture_file import PictureFile

    return PictureFile(request.spec, source_id=request.source_id, frame_rate_hz=request.frame_rate_hz)


def _images(request: _Request) -> SequentialSource:
    from videohoi.decode.image_folder import ImageSequence

    path = Path(request.spec)
    if path.is_file():
        name = request.source_id or path.name
        return ImageSequence([path], source_id=name, frame_rate_hz=request.frame_rate_hz)
    build = ImageSequence.from_folder if path.is_dir() else ImageSequence.from_pattern
    return build(path, source_id=request.source_id, frame_rate_hz=request.frame_rate_hz)


def _camera(request: _Request) -> SequentialSource:
    from videohoi.decode.camera import CameraSource

    return CameraSource(str(request.spec), source_id=request.source_id)


def _generated(request: _Request) -> SequentialSource:
    from videohoi.decode.synthetic import GeneratedSource

    return GeneratedSource.from_address(str(request.spec), source_id=request.source_id)


_BUILDERS: dict[InputKind, Callable[[_Request], SequentialSource]] = {
    InputKind.VIDEO: _video,
    InputKind.PICTURES: _pictures,
    InputKind.IMAGES: _images,
    InputKind.CAMERA: _camera,
    InputKind.GENERATED: _generated,
}
