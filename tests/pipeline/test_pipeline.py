"""The Python API."""

from __future__ import annotations

import threading

import pytest
from short_clip import FRAME_COUNT

import videohoi
from videohoi.errors import DecodeError, UsageError
from videohoi.pipeline.pipeline import Pipeline
from videohoi.structures import FrameResult

QUICK = ("detect.workers=1", "detect.input_size_px=96")


def graph_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("videohoi: ")]


def test_one_result_for_each_frame_in_order(clip_file):
    pipeline = videohoi.Pipeline.from_config("offline_annotation", QUICK)
    results = list(pipeline.run(str(clip_file)))
    assert [result.frame.index for result in results] == list(range(FRAME_COUNT))
    for result in results:
        assert isinstance(result, FrameResult)
        assert len(result.tracks) == len(result.detections)
        assert result.interactions is not None
        assert result.detections.feature_map is None, "it would keep every frame's maps alive"
    report = pipeline.report()
    assert report.frames_out == FRAME_COUNT
    assert report.complete
    assert pipeline.source_report().frames == FRAME_COUNT
    assert set(pipeline.facts()) >= {"detector", "head", "truncated_pairs"}


def test_leaving_early_stops_the_threads():
    pipeline = Pipeline.from_config("offline_annotation", QUICK)
    for result in pipeline.run("test://160x120?frames=100000"):
        assert graph_threads()
        if result.frame.index == 3:
            break
    assert not graph_threads()
    assert pipeline.report().interrupted
    assert not pipeline.report().complete


def test_nothing_is_carried_from_one_run_to_the_next(clip_file):
    pipeline = Pipeline.from_config("offline_annotation", QUICK)
    first, second = ([result.tracks.track_ids.tolist() for result in pipeline.run(clip_file)] for _ in range(2))
    assert first == second


def test_an_open_source_object_can_be_run():
    source = videohoi.open_source("test://160x120?frames=3")
    pipeline = Pipeline.from_config("offline_annotation", QUICK)
    assert len(list(pipeline.run(source))) == 3


def test_one_override_may_be_a_text_of_its_own():
    pipeline = Pipeline.from_config(b"offline_annotation", "detect.workers=1")
    assert pipeline.config.detect.workers == 1
    assert repr(pipeline) == "Pipeline('offline_annotation', lossless)"
    with pytest.raises(videohoi.VideohoiError, match="expected the name of a configuration or a YAML file, got int"):
        Pipeline.from_config(3)


def test_a_bad_file_is_one_clear_error(tmp_path):
    (tmp_path / "text.mp4").write_text("hello" * 99, encoding="utf-8")
    pipeline = Pipeline.from_config()
    with pytest.raises(DecodeError, match="not readable as video") as caught:
        list(pipeline.run(tmp_path / "text.mp4"))
    assert "\n" not in str(caught.value)


def test_questions_before_a_run_are_refused():
    pipeline = Pipeline.from_config()
    with pytest.raises(UsageError, match="nothing ran yet"):
        pipeline.report()
    with pytest.raises(UsageError, match="nothing ran yet"):
        pipeline.source_report()
    assert pipeline.facts() == {}
