"""From words to sources."""

from __future__ import annotations

import subprocess
import sys

import pytest
from numbered_videos import read

from videohoi.decode.factory import open_source
from videohoi.decode.image_folder import ImageSequence
from videohoi.decode.video_file import VideoFile
from videohoi.errors import InputError, UsageError


def test_a_video_under_an_image_name_is_a_video(write_video, tmp_path):
    path = write_video("clip.mp4", frame_count=4).rename(tmp_path / "clip.png")
    source = open_source(path)
    assert isinstance(source, VideoFile)
    assert len(read(source)) == 4


def test_names_can_be_given(write_video):
    path = write_video("clip.mp4", frame_count=2)
    assert {frame.source_id for frame in read(open_source(str(path)))} == {"clip.mp4"}
    assert {frame.source_id for frame in read(open_source(path, source_id="left"))} == {"left"}


def test_a_folder_is_images(tmp_path):
    (tmp_path / "1.png").write_bytes(b"x")
    assert isinstance(open_source(tmp_path), ImageSequence)


def test_a_folder_of_videos_is_not_one_source(tmp_path):
    (tmp_path / "1.mp4").write_bytes(b"x")
    with pytest.raises(InputError, match="several videos"):
        open_source(tmp_path)


@pytest.mark.parametrize(
    ("spec", "options", "error", "reason"),
    [
        ("missing.mp4", {}, InputError, "no such file or folder"),
        ("test://64x48", {"backend": "magic"}, UsageError, "pyav, decord"),
        ("test://64x48", {"frame_rate_hz": 5.0}, UsageError, "is for files"),
        ("gopher://x", {}, UsageError, "unknown scheme"),
    ],
)
def test_refusals(spec, options, error, reason):
    with pytest.raises(error, match=reason):
        open_source(spec, **options)


def test_threads_must_be_positive(write_video):
    with pytest.raises(UsageError, match="decode_threads"):
        open_source(write_video("clip.mp4", frame_count=1), decode_threads=0)


def test_importing_the_factory_loads_no_decoder():
    code = (
        "import sys, videohoi.decode.factory, videohoi.decode.inputs\n"
        "print([name for name in ('av', 'cv2') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
