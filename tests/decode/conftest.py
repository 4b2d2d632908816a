"""Small videos made on the fly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest
from numbered_videos import numbered_image

WriteVideo = Callable[..., Path]


@pytest.fixture
def write_video(tmp_path: Path) -> WriteVideo:
    """``write_video(name, frame_count=..., ticks=..., ...)`` -> path of a video of numbered images."""

    def write(
        name: str,
        *,
        frame_count: int = 30,
        ticks: Sequence[int] | None = None,
        time_base: Fraction = Fraction(1001, 30000),
        size: tuple[int, int] = (160, 120),
        codec: str = "libx264",
        pixel_format: str = "yuv420p",
        key_frame_every: int = 10,
        container_options: dict[str, str] | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", options=container_options or {}) as container:
            stream = container.add_stream(codec, rate=1 / time_base if time_base.numerator > 1 else 30)
            stream.width, stream.height = size
            stream.pix_fmt = pixel_format
            stream.codec_context.time_base = time_base
            stream.codec_context.gop_size = key_frame_every
            for index, tick in enumerate(ticks if ticks is not None else range(frame_count)):
                frame = av.VideoFrame.from_ndarray(numbered_image(index, *size), format="rgb24")
                frame.pts, frame.time_base = tick, time_base
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write
