"""What a user's words stand for."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from videohoi.decode.inputs import InputItem, left_out, list_inputs
from videohoi.decode.registry import CAMERA, GENERATED, IMAGES, VIDEO
from videohoi.errors import InputError, UsageError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Videos beside a cover and a text; a folder of images; an empty folder."""
    for name in ("clip10.mp4", "clip2.MP4", "a.gif", "cover.jpg", "notes.txt", ".hidden.mp4"):
        (tmp_path / "videos" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "videos" / name).write_bytes(b"x")
    (tmp_path / "frames").mkdir()
    for number in (1, 2, 10):
        cv2.imwrite(str(tmp_path / "frames" / f"frame_{number:04d}.png"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "empty").mkdir()
    return tmp_path


def names(items: list[InputItem]) -> list[str]:
    return [Path(item.spec).name for item in items]


def test_a_folder_of_videos_in_natural_order(tree):
    items = list_inputs([tree / "videos"])
    assert names(items) == ["a.gif", "clip2.MP4", "clip10.mp4"]
    assert {item.kind for item in items} == {VIDEO}


def test_a_folder_of_images_is_one_input(tree):
    assert list_inputs([tree / "frames"]) == [InputItem(tree / "frames", IMAGES)]


def test_a_pattern_is_one_input(tree):
    pattern = tree / "frames" / "frame_%04d.png"
    assert list_inputs([str(pattern)]) == [InputItem(pattern, IMAGES)]


def test_a_glob(tree):
    assert names(list_inputs([str(tree / "videos" / "clip*")])) == ["clip2.MP4", "clip10.mp4"]
    # as the shell would: a folder of images is an input, one of videos is several
    assert names(list_inputs([str(tree / "*")])) == ["frames", "a.gif", "clip2.MP4", "clip10.mp4"]


def test_nothing_twice(tree, monkeypatch):
    monkeypatch.chdir(tree)
    specs = ["videos/clip2.MP4", tree / "videos" / "clip2.MP4", "videos", "videos/*.gif", "0", "0"]
    assert names(list_inputs(specs)) == ["0", "a.gif", "clip2.MP4", "clip10.mp4"]


def test_cameras_and_generated_pass_through():
    items = list_inputs(["0", "rtsp://user:secret@cam/1", "test://64x48?frames=3"])
    assert {item.spec: (item.kind, item.live) for item in items} == {
        "0": (CAMERA, True),
        "rtsp://user:secret@cam/1": (CAMERA, True),
        "test://64x48?frames=3": (GENERATED, False),
    }
    assert all("secret" not in item.label for item in items)


def test_a_name_with_glob_characters_is_a_name(tree):
    path = tree / "take[1].mp4"
    path.write_bytes(b"x")
    assert names(list_inputs([str(path)])) == ["take[1].mp4"]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("videos/missing.mp4", "no such file or folder"),
        ("empty", "no videos and no images"),
        ("videos/*.webm", "matches nothing"),
        ("videos/*.txt", "1 file but no video"),
        ("frames/other_%04d.png", "no file matches"),
        ("nowhere/frame_%04d.png", "no folder"),
    ],
)
def test_what_is_not_there_is_one_clear_line(tree, spec, reason):
    with pytest.raises(InputError, match=reason) as raised:
        list_inputs([str(tree / spec)])
    assert Path(spec).name in str(raised.value)
    assert "\n" not in str(raised.value)


def test_no_input_at_all():
    with pytest.raises(InputError, match="no input given"):
        list_inputs([])


def test_an_unknown_scheme():
    with pytest.raises(UsageError, match="ftp"):
        list_inputs(["ftp://host/clip.mp4"])


def test_a_folder_whose_name_has_brackets_stands_for_itself_in_a_glob(tmp_path):
    for folder in ("clips [2024]", "clips 2", "a*b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one.mp4").write_bytes(b"x")
    assert names(list_inputs([str(tmp_path / "clips [2024]" / "*.mp4")])) == ["one.mp4"]
    (item,) = list_inputs([str(tmp_path / "clips [2024]" / "*.mp4")])
    assert Path(item.spec).parent.name == "clips [2024]"
    (item,) = list_inputs([str(tmp_path / "a*b" / "*.mp4")])
    assert Path(item.spec).parent.name == "a*b"
    (item,) = list_inputs([str(tmp_path / "clips [0-9]" / "*.mp4")])
    assert Path(item.spec).parent.name == "clips 2", "no folder of that name, so it is a pattern"


def test_what_lies_beside_videos_is_counted_and_named(tree):
    (sentence,) = left_out([tree / "videos"])
    assert "2 other files (cover.jpg, notes.txt) left out" in sentence
    (sentence,) = left_out([str(tree / "videos" / "*")])
    assert "1 other file (notes.txt) left out" in sentence
    assert left_out([tree / "frames", tree / "videos" / "a.gif"]) == []
