"""What a script or a notebook does: hand over what it has, look at results, run in several processes."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from short_clip import FRAME_COUNT

import videohoi
from videohoi.decode.factory import open_source
from videohoi.errors import InputError, SinkError, UsageError
from videohoi.pipeline.pipeline import Pipeline

SETTINGS = ("detect.workers=1", "detect.input_size_px=96")


@pytest.fixture(scope="module")
def frames(clip_file):
    """(T, H, W, 3) of the small clip."""
    source = open_source(clip_file)
    source.open()
    images = np.stack([frame.image for frame in source.frames()])
    source.close()
    return images


def boxes(results):
    return [result.detections.boxes_xyxy_px.tolist() for result in results]


@pytest.fixture(scope="module")
def expected(pipeline, clip_file):
    return boxes(pipeline.run(clip_file))


@pytest.mark.parametrize("form", ["path", "text", "bytes", "source"])
def test_files_in_every_form(pipeline, clip_file, expected, form):
    given = {
        "path": lambda: clip_file,
        "text": lambda: str(clip_file),
        "bytes": lambda: os.fsencode(clip_file),
        "source": lambda: open_source(clip_file),
    }[form]()
    results = list(pipeline.run(given))
    assert boxes(results) == expected
    assert {result.frame.source_id for result in results} == {"small.mp4"}


def test_a_path_in_the_home_folder(pipeline, clip_file, expected, monkeypatch):
    monkeypatch.setenv("HOME", str(clip_file.parent))
    assert boxes(pipeline.run("~/small.mp4")) == expected


@pytest.mark.parametrize("form", ["video", "list", "generator", "timed"])
@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_arrays_in_every_form(pipeline, frames, expected, form, channels):
    images = frames if channels == "rgb" else frames[..., ::-1]
    given = {
        "video": lambda: images,
        "list": lambda: list(images),
        "generator": lambda: (image for image in images),
        "timed": lambda: ((number / 5, image) for number, image in enumerate(images)),
    }[form]()
    rate = None if form == "timed" else 5
    results = list(pipeline.run(given, channels=channels, frame_rate_hz=rate, source_id="mine"))
    assert boxes(results) == expected
    assert [result.frame.pts_seconds for result in results] == pytest.approx([k / 5 for k in range(FRAME_COUNT)])
    assert {result.frame.source_id for result in results} == {"mine"}


def test_a_source_may_be_named(pipeline, clip_file):
    result = next(pipeline.run(clip_file, source_id="front door"))
    assert result.frame.source_id == "front door"
    assert "front door" in repr(result)


@pytest.mark.parametrize(
    ("given", "options", "kind", "message"),
    [
        (None, {}, InputError, "cannot read pictures from None; expected a path"),
        (True, {}, InputError, "cannot read pictures from True"),
        (-1, {}, InputError, "camera -1: expected a number from 0 on"),
        ("", {}, InputError, "an empty path"),
        (object(), {}, InputError, "cannot read pictures from object"),
        ("no such.mp4", {}, InputError, "no such"),
        (b"no such.mp4", {}, InputError, "no such"),
        ("test://8x8", {"channels": "bgr"}, UsageError, "channels='bgr' is for arrays; test://8x8 is decoded to RGB"),
        (np.zeros((8, 8, 3)), {}, InputError, "float64; expected uint8"),
        (np.zeros((8, 8, 3), np.uint8), {"channels": "gbr"}, UsageError, "channels='gbr'"),
    ],
)
def test_a_wrong_input_is_said_at_the_call_in_one_line(pipeline, given, options, kind, message):
    with pytest.raises(kind, match=message) as caught:
        pipeline.run(given, **options)
    assert "\n" not in str(caught.value)


def test_a_wrong_picture_in_the_middle_of_a_list_is_an_input_error(pipeline):
    good, bad = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.float32)
    with pytest.raises(InputError, match="picture 1 is of float32; expected uint8"):
        list(pipeline.run([good, bad], frame_rate_hz=5))


def test_results_name_and_draw_what_they_hold(pipeline, frames):
    results = list(pipeline.run(frames, frame_rate_hz=5))
    plotted = results[-1].plot()
    assert (plotted.shape, plotted.dtype) == (frames[0].shape, np.uint8)
    assert results[-1].names[0] == "person"
    assert results[-1].verb_names == pipeline.vocabulary.verbs
    drawn = [result for result in results if len(result.detections)]
    assert drawn, "the small detector finds something"
    assert any((result.plot() != result.frame.image).any() for result in drawn)


def test_one_picture_is_looked_at_without_time():
    clip = videohoi.open_source("test://320x240?frames=1&seed=2")
    clip.open()
    image = next(clip.frames()).image
    result = videohoi.detect(image, settings=("detect.score_threshold=0.01", "interact.human_score=0.01"))
    assert result.frame.image.tolist() == image.tolist()
    assert result.tracks.track_ids.tolist() == list(range(1, len(result.detections) + 1))
    assert len(result.interactions) == len(result.pair_scores)
    assert (result.interactions.active == (result.interactions.verb_scores >= 0.4)).all()
    assert result.plot().shape == image.shape
    again = videohoi.detect(
        image[..., ::-1], channels="bgr", settings=("detect.score_threshold=0.01", "interact.human_score=0.01")
    )
    assert again.detections.boxes_xyxy_px.tolist() == result.detections.boxes_xyxy_px.tolist()


def test_detect_is_a_function_and_a_room():
    from videohoi.detect import starter

    assert callable(videohoi.detect)
    assert videohoi.detect.starter is starter


def test_detect_takes_a_picture_file(clip_file, frames, tmp_path):
    import cv2

    cv2.imwrite(str(tmp_path / "photo.png"), np.ascontiguousarray(frames[10][..., ::-1]))
    result = videohoi.detect(tmp_path / "photo.png", settings=SETTINGS)
    assert result.frame.source_id == "photo.png"
    assert result.frame.image.tolist() == frames[10].tolist()
    assert videohoi.detect(clip_file, settings=SETTINGS).frame.image.tolist() == frames[0].tolist()


def test_annotate_gives_segments_and_folder(clip_file, tmp_path):
    video = videohoi.annotate(clip_file, tmp_path / "out", settings=SETTINGS, overlay=False)
    assert video.folder == tmp_path / "out" / "small.videohoi"
    assert (video.folder / "segments.csv").is_file()
    assert repr(video).startswith("AnnotatedVideo('small.mp4': 20 frames, ")
    rows = (video.folder / "segments.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + len(video.segments)
    pytest.importorskip("pandas", reason="the pandas extra is not installed")
    assert ",".join(video.to_pandas().columns) == rows[0]


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        (3, InputError, "annotate: expected a path, got int"),
        (np.zeros((4, 4, 3), np.uint8), InputError, "Pipeline.run takes arrays"),
        ("rtsp://camera/", UsageError, "annotate is for recorded video; Pipeline.run takes cameras"),
        ("gone.mp4", InputError, "gone"),
    ],
)
def test_annotate_says_what_it_cannot_take(given, kind, message):
    with pytest.raises(kind, match=message):
        videohoi.annotate(given)


def test_annotate_takes_one_input(clip_file, tmp_path):
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(clip_file, tmp_path / name)
    with pytest.raises(UsageError, match="2 inputs; annotate them one by one"):
        videohoi.annotate(tmp_path)


def test_annotate_does_not_write_into_a_folder_that_another_run_writes(clip_file, tmp_path):
    from videohoi.folder_lock import FolderLock

    folder = tmp_path / "small.videohoi"
    folder.mkdir()
    with FolderLock(folder), pytest.raises(SinkError, match="another run writes here"):
        videohoi.annotate(clip_file, tmp_path, settings=SETTINGS)


def in_another_process(pipeline: Pipeline) -> list:
    return boxes(pipeline.run("test://96x64?frames=3&rate=10"))


def test_a_pipeline_goes_to_other_processes():
    with Pipeline.from_config("offline_annotation", SETTINGS) as pipeline:
        here = in_another_process(pipeline)
        copy = pickle.loads(pickle.dumps(pipeline))
        assert copy.config.detect.input_size_px == 96
        assert copy.header() == pipeline.header()
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
            assert list(pool.map(in_another_process, [pipeline, pipeline])) == [here, here]


def test_results_can_be_pickled(pipeline):
    result = next(pipeline.run("test://96x64?frames=3&rate=10"))
    copy = pickle.loads(pickle.dumps(result))
    assert copy.names == result.names
    assert repr(copy) == repr(result)


@pytest.mark.skipif(os.name == "nt", reason="names on Windows are text")
def test_a_name_that_is_no_text_is_a_name_like_any_other(clip_file, tmp_path, pipeline, expected):
    name = os.fsencode(tmp_path) + b"/caf\xe9.mp4"  # Latin-1, as old cameras and archives have it
    try:
        shutil.copy(os.fsencode(clip_file), name)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    for given in (name, os.fsdecode(name), Path(os.fsdecode(name))):
        assert boxes(pipeline.run(given)) == expected
    video = videohoi.annotate(name, settings=SETTINGS)
    assert {path.name for path in video.folder.iterdir()} >= {"segments.csv", "report.json", "overlay.mp4"}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_script_may_end_in_the_middle_of_its_results(workers):
    script = (
        "import videohoi\n"
        f"pipeline = videohoi.Pipeline.from_config(overrides=['detect.workers={workers}', 'detect.input_size_px=96'])\n"
        "results = pipeline.run('test://96x64?frames=100000&rate=10')\n"
        "next(results)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
