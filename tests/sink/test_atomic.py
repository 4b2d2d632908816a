import os

import pytest

from videohoi.errors import SinkError
from videohoi.sink.atomic import AtomicFile
from videohoi.sink.disk import prepare_output_folder


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


def test_prepare_output_folder_creates_parents_and_is_repeatable(tmp_path):
    folder = prepare_output_folder(tmp_path / "a" / "b", minimum_free_bytes=0)
    assert folder.is_dir()
    assert prepare_output_folder(folder, minimum_free_bytes=0) == folder
    assert names(folder) == []


@pytest.mark.parametrize("below", ["", "deeper"])
def test_prepare_output_folder_refuses_a_file_in_the_way(tmp_path, below):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SinkError, match="not a folder"):
        prepare_output_folder(tmp_path / "file" / below)


def test_prepare_output_folder_refuses_too_little_space(tmp_path):
    with pytest.raises(SinkError, match="MiB are free"):
        prepare_output_folder(tmp_path, minimum_free_bytes=2**62)
