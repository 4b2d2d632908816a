"""Images as a video."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numbered_videos import number_of, numbered_image, read
from PIL import Image

from videohoi.decode.factory import open_source
from videohoi.decode.image_folder import ImageSequence
from videohoi.errors import DecodeError, UsageError
from videohoi.structures import Discontinuity


def write_images(folder: Path, names: dict[str, int], size: tuple[int, int] = (160, 120)) -> Path:
    """Images by name, each showing its number."""
    folder.mkdir(exist_ok=True)
    for name, number in names.items():
        cv2.imwrite(str(folder / name), numbered_image(number, *size)[..., ::-1])
    return folder


def test_natural_order_and_times(tmp_path):
    folder = write_images(tmp_path / "shots", {"img10.png": 10, "img2.png": 2, "IMG1.png": 1})
    source = ImageSequence.from_folder(folder, frame_rate_hz=10)
    info = source.open()
    frames = list(source.frames())
    assert [number_of(frame.image) for frame in frames] == [1, 2, 10]
    assert [frame.pts_seconds for frame in frames] == pytest.approx([0.0, 0.1, 0.2])
    assert (info.source_id, info.width_px, info.height_px, info.frame_count) == ("shots", 160, 120, 3)
    assert source.report.notes == []
    red, _, blue = frames[0].image[5, 5].astype(int)
    assert red - blue > 150  # RGB, not BGR


def test_an_assumed_rate_is_noted(tmp_path):
    folder = write_images(tmp_path / "shots", {"a.png": 0, "b.png": 1})
    source = ImageSequence.from_folder(folder)
    assert [frame.pts_seconds for frame in read(source)] == pytest.approx([0.0, 0.04])
    assert ["25 a second assumed" in note for note in source.report.notes] == [True]


def test_an_unreadable_image_is_skipped_counted_and_noted(tmp_path):
    folder = write_images(tmp_path / "shots", {f"{number}.png": number for number in range(6)})
    (folder / "0.png").write_bytes(b"")
    (folder / "3.png").write_bytes((folder / "3.png").read_bytes()[:60])
    source = ImageSequence.from_folder(folder, frame_rate_hz=10)
    frames = read(source)
    assert [number_of(frame.image) for frame in frames] == [1, 2, 4, 5]
    assert [frame.pts_seconds for frame in frames] == pytest.approx([0.1, 0.2, 0.4, 0.5])  # the others keep their times
    assert source.report.corrupt_packets == 2
    assert any("0.png" in note for note in source.report.notes)
    assert any("(2 times)" in note for note in source.report.notes)


def test_another_shape_is_a_discontinuity_and_is_never_stretched(tmp_path):
    folder = write_images(tmp_path / "shots", {"1.png": 1, "2.png": 2})
    write_images(folder, {"3.png": 3}, size=(60, 80))
    source = ImageSequence.from_folder(folder)
    frames = read(source)
    assert [frame.image.shape for frame in frames] == [(120, 160, 3)] * 2 + [(80, 60, 3)]
    assert [frame.discontinuity for frame in frames] == [None, None, Discontinuity.PICTURE_SIZE]
    assert any("changes to 60x80 at 0.08 s" in note for note in source.report.notes)


def test_what_a_folder_also_holds_is_counted_and_named(tmp_path):
    folder = write_images(tmp_path / "shots", {"1.png": 1})
    for name in ("a.heic", "b.cr2", "notes.txt", ".hidden"):
        (folder / name).write_bytes(b"x")
    source = ImageSequence.from_folder(folder)
    read(source)
    assert any("3 other files (a.heic, b.cr2, notes.txt)" in note for note in source.report.notes)


@pytest.mark.parametrize(
    "suffix", ["jpg", "png", "bmp", "webp", "tiff", "avif", "jp2", "ppm", "pgm", "tga", "pcx", "sgi"]
)
def test_every_kind_of_picture_is_read(tmp_path, suffix):
    Image.fromarray(numbered_image(7)).convert("L" if suffix == "pgm" else "RGB").save(tmp_path / f"1.{suffix}")
    Image.fromarray(numbered_image(7)).save(tmp_path / "2.png")
    source = open_source(tmp_path)
    first, second = read(source)
    assert first.image.shape == second.image.shape
    assert number_of(first.image) == 7
    assert not any("other file" in note for note in source.report.notes)


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bits_are_scaled_to_eight(tmp_path, suffix):
    grey = np.full((60, 80), 70 * 257, np.uint16)
    cv2.imwrite(str(tmp_path / f"deep.{suffix}"), grey)
    (frame,) = read(open_source(tmp_path / f"deep.{suffix}"))
    assert np.abs(frame.image.astype(int) - 70).max() <= 1


def test_nothing_readable(tmp_path):
    folder = write_images(tmp_path / "shots", {})
    (folder / "1.png").write_bytes(b"no image")
    with pytest.raises(DecodeError, match=r"1\.png: not readable as an image"):
        ImageSequence.from_folder(folder).open()


def test_pattern_with_a_gap_keeps_time(tmp_path):
    write_images(tmp_path, {"frame_000007.png": 7, "frame_000008.png": 8, "frame_000010.png": 10, "frame_9.png": 9})
    source = open_source(tmp_path / "frame_%06d.png", frame_rate_hz=10)
    frames = read(source)
    assert [number_of(frame.image) for frame in frames] == [7, 8, 10]
    assert [frame.pts_seconds for frame in frames] == pytest.approx([0.0, 0.1, 0.3])
    assert any("images missing from the numbering: 1" in note for note in source.report.notes)


def test_a_single_image_is_a_sequence_of_one(tmp_path):
    write_images(tmp_path, {"photo.jpg": 3})
    source = open_source(tmp_path / "photo.jpg")
    frames = read(source)
    assert [(frame.pts_seconds, frame.source_id) for frame in frames] == [(0.0, "photo.jpg")]
    assert source.report.notes == []


def test_gray_and_sixteen_bit_images_become_rgb(tmp_path):
    cv2.imwrite(str(tmp_path / "gray.png"), np.full((20, 30), 77, np.uint8))
    cv2.imwrite(str(tmp_path / "sixteen.png"), np.full((20, 30), 77 * 257, np.uint16))
    frames = read(ImageSequence([tmp_path / "gray.png", tmp_path / "sixteen.png"], source_id="x", frame_rate_hz=1))
    for frame in frames:
        np.testing.assert_array_equal(frame.image, np.full((20, 30, 3), 77, np.uint8))


def test_a_rate_must_be_positive(tmp_path):
    with pytest.raises(UsageError, match="positive"):
        ImageSequence([tmp_path / "a.png"], source_id="x", frame_rate_hz=0.0)
