"""Paths, hashes, and files that appear whole or not at all."""

import os
from pathlib import Path

import pytest

from videohoi.errors import InputError, ModelError, SinkError
from videohoi.files import AtomicFile, file_sha256, known_sha256, replacing, user_path, write_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_name_appears_at_commit_only(tmp_path):
    file = AtomicFile(tmp_path / "a.csv")
    file.open()
    file.write(b"one\n")
    assert names(tmp_path) == [".a.csv.partial"]
    file.commit()
    assert names(tmp_path) == ["a.csv"]
    assert (tmp_path / "a.csv").read_bytes() == b"one\n"


def test_what_is_written_can_be_read_from_the_partial_file_at_once(tmp_path):
    file = AtomicFile(tmp_path / "a.csv")
    file.open()
    file.write(b"one\n")
    assert file.partial_path.read_bytes() == b"one\n"
    file.abort()


def test_abort_leaves_nothing_and_keeps_an_older_file(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"old")
    file = AtomicFile(tmp_path / "a.csv")
    file.open()
    file.write(b"new")
    assert (tmp_path / "a.csv").read_bytes() == b"old"
    file.abort()
    assert names(tmp_path) == ["a.csv"]
    assert (tmp_path / "a.csv").read_bytes() == b"old"


def test_commit_replaces_an_older_file_and_a_crashed_runs_partial_file(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"old")
    (tmp_path / ".a.csv.partial").write_bytes(b"what a crash left, longer than the new content")
    file = AtomicFile(tmp_path / "a.csv")
    file.open()
    file.write(b"new")
    file.commit()
    assert names(tmp_path) == ["a.csv"]
    assert (tmp_path / "a.csv").read_bytes() == b"new"


def test_commit_and_abort_without_open_do_nothing(tmp_path):
    file = AtomicFile(tmp_path / "a.csv")
    file.commit()
    file.abort()
    assert names(tmp_path) == []


def test_write_before_open_is_an_error(tmp_path):
    with pytest.raises(SinkError, match="not open"):
        AtomicFile(tmp_path / "a.csv").write(b"x")


def below_a_file(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    return tmp_path / "file" / "a.csv"


def in_a_missing_folder(tmp_path):
    return tmp_path / "missing" / "a.csv"


def a_folder(tmp_path):
    (tmp_path / "a.csv").mkdir()
    return tmp_path / "a.csv"


def a_pipe(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    return tmp_path / "a.csv"


def too_long(tmp_path):
    return tmp_path / ("a" * 300)


@pytest.mark.parametrize(
    ("target", "advice"),
    [
        (below_a_file, "a file, not a folder"),
        (in_a_missing_folder, "create it first"),
        (a_folder, "it is a folder"),
        (a_pipe, "a device, a pipe or a socket"),
        (too_long, "shorter"),
    ],
)
def test_an_impossible_target_fails_at_open_in_one_line_that_names_it(tmp_path, target, advice):
    path = target(tmp_path)
    with pytest.raises(SinkError, match=advice) as caught:
        AtomicFile(path).open()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_write_that_fails_halfway_leaves_only_whole_writes(tmp_path, full_disk):
    file = AtomicFile(tmp_path / "a.csv")
    file.open()
    file.write(b"first line\n")
    with full_disk(100), pytest.raises(SinkError, match=r"a\.csv"):
        file.write(b"x" * 500 + b"\n")
    assert file.partial_path.read_bytes() == b"first line\n"
    file.write(b"second line\n")
    file.commit()
    assert (tmp_path / "a.csv").read_bytes() == b"first line\nsecond line\n"


def test_a_full_disk_at_commit_is_one_line_and_abort_still_cleans_up(tmp_path, no_space_at_sync):
    file = AtomicFile(tmp_path / "a.csv")
    file.open()
    file.write(b"x")
    with pytest.raises(SinkError, match="full; free some space") as caught:
        file.commit()
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == [".a.csv.partial"]
    file.abort()
    assert names(tmp_path) == []


def test_a_failed_rename_can_be_tried_again(tmp_path):
    file = AtomicFile(tmp_path / "a.csv")
    file.open()
    file.write(b"x")
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(SinkError, match="it is a folder"):
        file.commit()
    (tmp_path / "a.csv").rmdir()
    file.commit()
    assert (tmp_path / "a.csv").read_bytes() == b"x"


def test_two_runs_on_one_file_do_not_mix(tmp_path):
    first, second = AtomicFile(tmp_path / "a.csv"), AtomicFile(tmp_path / "a.csv")
    first.open()
    first.write(b"first")
    second.open()
    second.write(b"second")
    with pytest.raises(SinkError, match="another run"):
        first.commit()
    first.abort()
    second.commit()
    assert (tmp_path / "a.csv").read_bytes() == b"second"


def test_write_whole_replaces_the_file_and_leaves_nothing_beside_it(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"old")
    write_whole(tmp_path / "a.txt", "caf\N{LATIN SMALL LETTER E WITH ACUTE}\n")
    assert (tmp_path / "a.txt").read_bytes() == b"caf\xc3\xa9\n"
    assert names(tmp_path) == ["a.txt"]


def test_a_failed_write_keeps_the_old_file(tmp_path, full_disk):
    (tmp_path / "a.txt").write_bytes(b"old")
    with full_disk(10), pytest.raises(SinkError, match=r"cannot write .*a\.txt"):
        write_whole(tmp_path / "a.txt", b"x" * 100)
    assert (tmp_path / "a.txt").read_bytes() == b"old"
    assert names(tmp_path) == ["a.txt"]


def test_a_file_written_by_name_appears_at_the_end_of_the_block(tmp_path):
    with replacing(tmp_path / "a.bin") as partial:
        partial.write_bytes(b"new")
        assert names(tmp_path) == [partial.name]
        assert partial.name.startswith(".a.bin.")
    assert names(tmp_path) == ["a.bin"]
    assert (tmp_path / "a.bin").read_bytes() == b"new"


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_block_that_raises_keeps_the_old_file_and_leaves_nothing(tmp_path, failure):
    (tmp_path / "a.bin").write_bytes(b"old")

    def write_half():
        with replacing(tmp_path / "a.bin") as partial:
            partial.write_bytes(b"half")
            raise failure

    with pytest.raises(failure):
        write_half()
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_paths_of_users(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_path("~/a.mp4") == tmp_path / "a.mp4"
    assert user_path("~no such user/a.mp4") == Path("~no such user/a.mp4")
    assert user_path(b"/videos/caf\xe9.mp4") == Path("/videos/caf\udce9.mp4")  # not UTF-8: Python's surrogates


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
        with pytest.raises(ModelError, match="not a file; give the path of a file"):
            read(path)
    with pytest.raises(ModelError, match="cannot be read"):
        read(tmp_path / ("long" * 100))
