"""The same hash means the same pictures."""

from __future__ import annotations

import hashlib
import os

import pytest

from videohoi.decode.inputs import InputItem, list_inputs
from videohoi.decode.specs import InputKind
from videohoi.pipeline.input_hash import input_sha256

PNG = b"\x89PNG"


def item(path):
    return list_inputs([path])[0]


def test_a_files_hash_is_that_of_its_content(tmp_path):
    content = os.urandom(3_000_000)  # more than one block
    (tmp_path / "a.mp4").write_bytes(content)
    assert input_sha256(item(tmp_path / "a.mp4")) == hashlib.sha256(content).hexdigest()


def test_images_are_hashed_with_their_names_and_whatever_else_lies_there_does_not_count(tmp_path):
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(PNG + name.encode())
    before = input_sha256(item(tmp_path))
    (tmp_path / "notes.txt").write_text("new", encoding="utf-8")
    assert input_sha256(item(tmp_path)) == before
    pattern = input_sha256(item(tmp_path / "%d.png"))
    assert pattern == before
    (tmp_path / "2.png").write_bytes(PNG + b"other")
    assert input_sha256(item(tmp_path)) != before
    (tmp_path / "2.png").write_bytes(PNG + b"2.png")
    (tmp_path / "2.png").rename(tmp_path / "3.png")
    assert input_sha256(item(tmp_path)) != before


def test_generated_pictures_are_hashed_by_their_address():
    one, same, other = (input_sha256(item(f"test://8x8?seed={seed}")) for seed in (1, 1, 2))
    assert one == same != other


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name exist on POSIX only")
def test_a_pipe_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    assert input_sha256(InputItem(tmp_path / "pipe.mp4", InputKind.VIDEO)) is None
