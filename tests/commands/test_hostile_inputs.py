"""Odd inputs through ``videohoi annotate``: every frame is read, and what is special is said once in the summary."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from quick_settings import QUICK


def picture(number: int, width: int = 160, height: int = 120) -> np.ndarray:
    image = np.full((height, width, 3), 60, np.uint8)
    image[20:60, 2 * number : 2 * number + 30] = (220, 60, 20)
    return image


def encode(path: Path, sizes: list[tuple[int, int, int]], *, rate: int = 25, first_tick: int = 0) -> bytes:
    """One H.264 stream for each (width, height, frames)."""
    with av.open(str(path), "w") as container:
        streams = []
        for width, height, count in sizes:
            stream = container.add_stream("libx264", rate=rate)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            streams.append((stream, count))
        for number in range(max(count for *_, count in sizes)):
            for stream, count in streams:
                if number < count:
                    frame = av.VideoFrame.from_ndarray(picture(number, stream.width, stream.height), format="rgb24")
                    frame.pts, frame.time_base = first_tick + number, Fraction(1, rate)
                    container.mux(stream.encode(frame))
        for stream, _ in streams:
            container.mux(stream.encode(None))
    return path.read_bytes()


def animate(path: Path, count: int, **options: object) -> None:
    pictures = [Image.fromarray(picture(number)) for number in range(count)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], **options)


def thumbnail_first() -> str:
    encode(Path("in.mkv"), [(64, 48, 1), (160, 120, 12)])
    return "in.mkv"


def two_films() -> str:
    encode(Path("in.ts"), [(64, 48, 12), (160, 120, 12)])
    return "in.ts"


def webp() -> str:
    animate(Path("in.webp"), 7, duration=200)
    return "in.webp"


def apng() -> str:
    animate(Path("in.png"), 7, duration=200)
    return "in.png"


def tiff() -> str:
    animate(Path("in.tif"), 7)
    return "in.tif"


def mixed_folder() -> str:
    Path("in").mkdir()
    for number, suffix in enumerate(("jpg", "png", "ppm", "jp2", "webp")):
        Image.fromarray(picture(number)).save(f"in/{number}.{suffix}")
    Path("in/raw.cr2").write_bytes(b"raw")
    return "in"


def raw_at_ten() -> str:
    encode(Path("in.h264"), [(160, 120, 12)], rate=10)
    return "in.h264"


def grows() -> str:
    first = encode(Path("first.ts"), [(80, 60, 8)])
    Path("in.ts").write_bytes(first + encode(Path("second.ts"), [(320, 240, 8)], first_tick=8))
    Path("first.ts").unlink()
    Path("second.ts").unlink()
    return "in.ts"


def turns() -> str:
    Path("in").mkdir()
    for number in range(6):
        Image.fromarray(picture(number, *((160, 120) if number < 3 else (120, 160)))).save(f"in/{number}.png")
    return "in"


def starts_late() -> str:
    encode(Path("in.mkv"), [(160, 120, 30)], first_tick=25 * 60)
    return "in.mkv"


@pytest.mark.parametrize(
    ("make", "frames", "last_seconds", "notes"),
    [
        (thumbnail_first, 12, 0.44, ["stream 1 (h264 160x120) is read; left out: stream 0 (h264 64x48, 1 frame)"]),
        (two_films, 12, None, ["left out: stream 0 (h264 64x48)"]),
        (webp, 7, 1.2, []),
        (apng, 7, 1.2, []),
        (tiff, 7, 0.24, ["25 a second assumed"]),
        (mixed_folder, 5, 0.16, ["1 other file (raw.cr2)", "25 a second assumed"]),
        (raw_at_ten, 12, 1.1, []),
        (grows, 16, None, ["the picture changes to 320x240 at"]),
        (turns, 6, 0.2, ["the picture changes to 120x160 at 0.12 s", "25 a second assumed"]),
        (starts_late, 30, 61.16, []),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_every_frame_is_read_and_what_is_special_is_said_once(
    videohoi, tmp_path, monkeypatch, make, frames, last_seconds, notes
):
    monkeypatch.chdir(tmp_path)
    outcome = videohoi("annotate", make(), "--no-overlay", *QUICK)
    assert outcome.code == 0
    for note in notes:
        assert outcome.out.count(note) == 1
    assert "is it cut?" not in outcome.out
    assert ("assumed" in outcome.out) == any("assumed" in note for note in notes)
    assert f"{frames} frames at" in outcome.out
    report = json.loads(Path("in.videohoi/report.json").read_text(encoding="utf-8"))
    assert report["run"]["frames_out"] == report["decode"]["frames"] == frames
    assert all(any(note in said for said in report["decode"]["notes"]) for note in notes)
    records = [json.loads(line) for line in Path("in.videohoi/frames.jsonl").read_text(encoding="utf-8").splitlines()]
    seconds = [record["pts_seconds"] for record in records if "pts_seconds" in record]
    assert len(seconds) == frames
    assert last_seconds is None or seconds[-1] == pytest.approx(last_seconds, abs=2e-3)
