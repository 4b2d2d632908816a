"""The same fingerprint means the same pictures."""

from __future__ import annotations

import hashlib
import os
import shutil

import pytest

from videohoi.decode.inputs import InputItem, list_inputs
from videohoi.decode.registry import IMAGES, VIDEO
from videohoi.errors import InputError
from videohoi.pipeline.fingerprints import (
    FILE_SAMPLE_BYTES,
    InputFingerprint,
    input_fingerprint,
    is_same_input,
)

PNG = b"\x89PNG"
LARGE_BYTES = 5 * FILE_SAMPLE_BYTES


def item(path):
    return list_inputs([path])[0]


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(os.urandom(LARGE_BYTES))
    return path


def overwrite(path, offset, content):
    """Change bytes in place; size and mtime stay."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("offset", [0, 100, LARGE_BYTES // 2, LARGE_BYTES - 1])
def test_an_edit_of_same_size_and_mtime_at_head_middle_or_tail_is_seen(large, offset):
    before = input_fingerprint(item(large))
    assert is_same_input(item(large), before)
    overwrite(large, offset, bytes([large.read_bytes()[offset] ^ 1]))
    assert not is_same_input(item(large), before)


def test_every_byte_of_a_small_file_counts(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(bytes(FILE_SAMPLE_BYTES))
    before = input_fingerprint(item(path))
    overwrite(path, FILE_SAMPLE_BYTES // 3, b"\1")
    assert not is_same_input(item(path), before)


def test_an_edit_between_the_samples_shows_in_the_mtime(large):
    before = input_fingerprint(item(large))
    overwrite(large, FILE_SAMPLE_BYTES + 10, b"edited")
    os.utime(large, (1, 1))
    assert not is_same_input(item(large), before)


def test_only_the_whole_hash_sees_an_edit_between_the_samples_that_hides_its_mtime(large):
    before = input_fingerprint(item(large), whole=True)
    assert before.whole_sha256 == hashlib.sha256(large.read_bytes()).hexdigest()
    overwrite(large, FILE_SAMPLE_BYTES + 10, b"edited")
    assert is_same_input(item(large), before)
    assert not is_same_input(item(large), before, whole=True)


def test_without_a_whole_hash_from_before_nothing_is_whole(large):
    assert not is_same_input(item(large), input_fingerprint(item(large)), whole=True)


def test_a_moved_file_is_the_same(large, tmp_path):
    before = input_fingerprint(item(large))
    moved = large.rename(tmp_path / "b.mp4")
    assert is_same_input(item(moved), before)


def test_a_copy_of_another_mtime_is_the_same_where_the_whole_hash_is_known(large, tmp_path):
    sampled, whole = (input_fingerprint(item(large), whole=asked) for asked in (False, True))
    copy = shutil.copyfile(large, tmp_path / "b.mp4")
    os.utime(copy, (1, 1))
    assert not is_same_input(item(copy), sampled)
    assert is_same_input(item(copy), whole)


@pytest.mark.parametrize("whole", [False, True])
def test_images_count_with_their_names_and_nothing_else_in_the_folder_does(tmp_path, whole):
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(PNG + name.encode())
        os.utime(tmp_path / name, (1, 1))
    before = input_fingerprint(item(tmp_path), whole=whole)
    (tmp_path / "notes.txt").write_text("new", encoding="utf-8")
    assert input_fingerprint(item(tmp_path), whole=whole) == before
    assert input_fingerprint(item(tmp_path / "%d.png"), whole=whole) == before
    overwrite(tmp_path / "2.png", 4, b"1")
    assert not is_same_input(item(tmp_path), before, whole=whole)
    overwrite(tmp_path / "2.png", 4, b"2")
    assert is_same_input(item(tmp_path), before, whole=whole)
    (tmp_path / "2.png").rename(tmp_path / "3.png")
    assert not is_same_input(item(tmp_path), before, whole=whole)


def test_generated_pictures_are_known_by_their_address():
    one, same, other = (input_fingerprint(item(f"test://8x8?seed={seed}")) for seed in (1, 1, 2))
    assert one == same != other


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name exist on POSIX only")
def test_a_pipe_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    pipe = InputItem(tmp_path / "pipe.mp4", VIDEO)
    assert input_fingerprint(pipe) is None
    assert not is_same_input(pipe, InputFingerprint("0", "0"))


def test_a_file_that_is_gone_is_named(large):
    gone = item(large)
    large.unlink()
    with pytest.raises(InputError, match=r"%d|a\.mp4"):
        input_fingerprint(InputItem(gone.spec, IMAGES))


@pytest.mark.parametrize("whole", [False, True])
def test_a_record_reads_back(large, whole):
    fingerprint = input_fingerprint(item(large), whole=whole)
    record = fingerprint.record()
    assert record["method"] == ("whole" if whole else "sampled")
    assert InputFingerprint.of_record(record) == fingerprint


@pytest.mark.parametrize("record", [None, 3, {}, {"sampled_sha256": 3}])
def test_a_report_of_another_form_has_no_fingerprint(record):
    assert InputFingerprint.of_record(record) is None
