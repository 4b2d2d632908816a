"""One file of many pictures: every picture, for as long as the file says."""

from __future__ import annotations

import numpy as np
import pytest
from numbered_videos import number_of, numbered_image, read
from PIL import Image

from videohoi.decode.factory import classify, open_source
from videohoi.decode.image_folder import ImageSequence
from videohoi.decode.inputs import list_inputs
from videohoi.decode.picture_file import PictureFile
from videohoi.decode.registry import IMAGES, PICTURES
from videohoi.errors import DecodeError, InputError

DURATIONS_MS = [100, 200, 50, 100, 300, 100]


def write(path, count=6, **options):
    pictures = [Image.fromarray(numbered_image(number)) for number in range(count)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], **options)
    return path


@pytest.mark.parametrize(
    ("name", "options"), [("a.webp", {"lossless": True}), ("a.png", {}), ("a.apng", {"format": "PNG"}), ("a.avif", {})]
)
def test_an_animation_gives_every_picture_its_own_time(tmp_path, name, options):
    path = write(tmp_path / name, duration=DURATIONS_MS, **options)
    assert classify(path) is PICTURES
    source = open_source(path)
    info = source.open()
    frames = list(source.frames())
    source.close()
    assert info.frame_count == 6
    assert [number_of(frame.image) for frame in frames] == [*range(6)]
    assert [frame.pts_seconds for frame in frames] == pytest.approx(np.cumsum([0, *DURATIONS_MS[:-1]]) / 1000, abs=1e-3)
    assert source.report.notes == []


def test_the_pages_of_a_tiff_come_at_an_assumed_rate_that_is_told_and_can_be_set(tmp_path):
    path = write(tmp_path / "scan.tif")
    source = open_source(path)
    assert [number_of(frame.image) for frame in read(source)] == [*range(6)]
    assert any("6 pages" in note and "25 a second assumed" in note for note in source.report.notes)
    slow = open_source(path, frame_rate_hz=2.0)
    assert [frame.pts_seconds for frame in read(slow)] == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5])
    assert not any("assumed" in note for note in slow.report.notes)


def test_the_picture_for_programs_without_animation_is_no_part_of_it(tmp_path):
    path = write(tmp_path / "a.png", duration=DURATIONS_MS[1:], default_image=True)
    source = open_source(path)
    assert source.open().frame_count == 5
    assert [number_of(frame.image) for frame in source.frames()] == [1, 2, 3, 4, 5]
    source.close()


def test_one_picture_is_one_picture(tmp_path):
    for name in ("one.webp", "one.png", "one.avif", "one.tif"):
        path = write(tmp_path / name, count=1)
        assert classify(path) is IMAGES
        assert len(read(open_source(path))) == 1


def test_the_content_decides_not_the_name(tmp_path):
    path = write(tmp_path / "a.webp", duration=100, lossless=True).rename(tmp_path / "film.mp4")
    assert isinstance(open_source(path), PictureFile)
    assert len(read(open_source(path))) == 6


def test_an_animation_among_the_pictures_of_a_folder_is_named(tmp_path):
    write(tmp_path / "1.webp", duration=100, lossless=True)
    write(tmp_path / "2.png", count=1)
    source = ImageSequence.from_folder(tmp_path)
    assert len(read(source)) == 2
    assert any("1.webp holds 6 pictures" in note for note in source.report.notes)


def test_transparency_is_white(tmp_path):
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(
        tmp_path / "a.webp", save_all=True, append_images=[Image.new("RGBA", (20, 20), (9, 9, 9, 255))], lossless=True
    )
    first, second = read(open_source(tmp_path / "a.webp"))
    assert first.image.min() == 255
    assert second.image.max() == 9


def test_a_cut_file_gives_what_is_there(tmp_path):
    path = write(tmp_path / "a.png", duration=100)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    source = PictureFile(path)
    frames = read(source)
    assert 1 <= len(frames) < 6
    assert source.report.notes


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9, 0.999])
def test_a_cut_gif_is_named_and_a_whole_one_is_not(tmp_path, share):
    path = write(tmp_path / "whole.gif", count=12, duration=100)
    whole = open_source(path)
    assert len(read(whole)) == 12
    assert (whole.report.notes, whole.report.ended_early_seconds) == ([], None)
    (tmp_path / "cut.gif").write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    for rate in (None, 5.0):
        cut = open_source(tmp_path / "cut.gif", frame_rate_hz=rate)
        frames = read(cut)
        assert "the GIF has no end mark; is it cut?" in cut.report.notes
        assert cut.report.ended_early_seconds == frames[-1].pts_seconds


def test_other_data_behind_the_end_of_a_gif_is_no_damage(tmp_path):
    path = write(tmp_path / "a.gif", duration=100)
    path.write_bytes(path.read_bytes() + b"\0\0made by a camera")
    source = open_source(path)
    assert len(read(source)) == 6
    assert source.report.notes == []


@pytest.mark.parametrize("name", ["a.webp", "a.avif"])
def test_an_animation_that_cannot_be_read_because_it_is_cut_says_so(tmp_path, name, capfd):
    path = write(tmp_path / name, duration=100)
    half = path.stat().st_size // 2
    path.write_bytes(path.read_bytes()[:half])
    with pytest.raises(DecodeError, match=rf"{name}: not readable as an image \(it is cut: {half:,} of at least \d"):
        open_source(path).open()
    assert capfd.readouterr().err == ""


def test_what_cannot_be_read_is_one_clear_line(tmp_path):
    (tmp_path / "a.webp").write_bytes(b"RIFF\x00\x00\x00\x00WEBPnothing")
    with pytest.raises(DecodeError, match="not readable"):
        open_source(tmp_path / "a.webp").open()
    (tmp_path / "a.heic").write_bytes(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")
    with pytest.raises(InputError, match=r"a\.heic: HEIF/HEIC pictures cannot be read here; convert it to JPEG"):
        list_inputs([tmp_path / "a.heic"])


def test_pages_before_the_damage_are_read_and_the_others_are_counted(tmp_path):
    path = write(tmp_path / "cut.tif", count=8)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    source = open_source(path, frame_rate_hz=1.0)
    frames = read(source)
    assert [number_of(frame.image) for frame in frames] == [*range(len(frames))]
    assert 4 <= len(frames) <= 6
    assert source.report.corrupt_packets >= 1
    assert any("cannot be read and was skipped" in note for note in source.report.notes)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif"])
def test_orientation_of_every_kind_of_picture(tmp_path, suffix):
    picture = Image.fromarray(numbered_image(9, 80, 40))  # red at the top left
    exif = picture.getexif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    picture.save(tmp_path / f"turned.{suffix}", exif=exif)
    (frame,) = read(open_source(tmp_path / f"turned.{suffix}"))
    assert frame.image.shape == (80, 40, 3)
    red, other = frame.image[5:35, 25:35].mean(axis=(0, 1)), frame.image[5:35, 5:15].mean(axis=(0, 1))
    assert red[0] > 180 > 100 > red[1]
    assert abs(other - 90).max() < 12


def test_pictures_of_real_numbers_keep_their_brightness(tmp_path):
    pages = [Image.fromarray(np.full((24, 32), level, np.float32)) for level in (0.2, 0.6, 1.0)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    frames = read(PictureFile(tmp_path / "a.tif"))
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [51, 153, 255]


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.tif", "a.avif", "a.gif"])
def test_damaged_files_end_in_frames_or_in_an_error_of_ours(tmp_path, name):
    data = write(tmp_path / name, duration=100).read_bytes()
    random = np.random.default_rng(7)
    damaged = tmp_path / f"damaged{name}"
    for _ in range(12):
        changed = bytearray(data[: int(random.integers(len(data) // 4, len(data)))])
        for place in random.integers(0, len(changed), 6):
            changed[place] = int(random.integers(0, 256))
        damaged.write_bytes(changed)
        source = open_or_refuse(damaged)
        if source is not None:
            assert all(frame.image.dtype == np.uint8 for frame in source.frames())
            source.close()


def open_or_refuse(path):
    """The open source; None where it is refused as it should be."""
    try:
        source = open_source(path)
        source.open()
    except (DecodeError, InputError):
        return None
    return source
