"""One file of many pictures: every picture, for as long as the file says."""

from __future__ import annotations

import numpy as np
import pytest
from numbered_videos import number_of, numbered_image, read
from PIL import Image

from videohoi.decode.factory import open_source
from videohoi.decode.image_folder import ImageSequence
from videohoi.decode.inputs import list_inputs
from videohoi.decode.picture_file import PictureFile
from videohoi.decode.specs import InputKind, classify
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
    assert classify(path) is InputKind.PICTURES
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
        assert classify(path) is InputKind.IMAGES
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


def test_what_cannot_be_read_is_one_clear_line(tmp_path):
    (tmp_path / "a.webp").write_bytes(b"RIFF\x00\x00\x00\x00WEBPnothing")
    with pytest.raises(DecodeError, match="not readable"):
        open_source(tmp_path / "a.webp").open()
    (tmp_path / "a.heic").write_bytes(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")
    with pytest.raises(InputError, match=r"a\.heic: HEIF/HEIC pictures cannot be read here; convert it to JPEG"):
        list_inputs([tmp_path / "a.heic"])
