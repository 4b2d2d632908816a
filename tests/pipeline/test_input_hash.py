"""The same hash means the same pictures."""

from __future__ import annotations

import hashlib
import os

import pytest

from videohoi.decode.inputs import InputItem, list_inputs
from videohoi.decode.specs import InputKind
from videohoi.errors import InputError, ModelError
from videohoi.file_hash import file_sha256, known_sha256
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


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.mp4: cannot be read"):
        file_sha256(tmp_path / "gone.mp4", InputError)


def test_a_known_file_that_changed_is_read_again(tmp_path):
    file = tmp_path / "weights"
    file.write_bytes(b"one")
    before = known_sha256(file)
    file.write_bytes(b"other")
    assert known_sha256(file) == file_sha256(file) != before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name exist on POSIX only")
@pytest.mark.parametrize("read", [file_sha256, known_sha256])
def test_what_is_no_file_is_not_waited_for(read, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(ModelError, match="is no file; give the path of a file"):
            read(path)
    with pytest.raises(ModelError, match="cannot be read"):
        read(tmp_path / ("long" * 100))
