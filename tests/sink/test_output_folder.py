import pytest

from videohoi.errors import SinkError
from videohoi.sink.disk import prepare_output_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


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
