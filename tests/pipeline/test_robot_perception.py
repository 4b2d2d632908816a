"""Live perception as shipped: what is dropped is counted, several cameras share a detector, a run can be replayed."""

from __future__ import annotations

import pytest

from videohoi.decode.factory import open_source
from videohoi.decode.video_file import VideoFile
from videohoi.errors import InputError, StageError, UsageError
from videohoi.pipeline.bundled import load_pipeline
from videohoi.pipeline.pipeline import Pipeline
from videohoi.sink.memory import ListSink

QUICK = ("detect.input_size_px=96", "staleness_seconds=null")


def loaded(*overrides: str):
    found = load_pipeline("robot_perception", (*QUICK, *overrides))
    return found.module, found.config


def told(sink: ListSink):
    return [
        (result.frame.index, result.tracks.track_ids.tolist(), result.detections.scores.tolist(), result.events)
        for result in sink.results
    ]


def test_a_slow_detector_costs_frames_which_are_counted(clip_file):
    module, config = loaded()
    sink = ListSink()
    graph = module.build(config, VideoFile(clip_file), [[sink]], {"pipeline": "robot_perception", "policy": "lossless"})
    assert graph.describe() == "decode |latest| cuts > detect | track > interact > smooth | list"
    report = graph.run()
    indices = [result.frame.index for result in sink.results]
    assert indices == sorted(set(indices))
    assert indices[-1] == report.frames_in - 1, "the newest frame is never the one that is dropped"
    assert report.frames_in == report.frames_out + report.frames_dropped == len(indices) + report.frames_dropped
    assert (report.complete, report.policy) == (True, "latest")
    assert sink.header["policy"] == "latest"


def test_it_runs_through_the_python_api(clip_file):
    pipeline = Pipeline.from_config("robot_perception", QUICK)
    results = list(pipeline.run(clip_file))
    assert results
    assert pipeline.report().policy == "latest"


def test_cameras_share_a_detector_and_nothing_else(clip_file):
    module, config = loaded()
    sinks = {"door": ListSink(), "yard": ListSink()}
    sources = {"door": VideoFile(clip_file, source_id="door"), "yard": open_source("test://160x120?frames=15")}
    runs = module.build_many(config, sources, lambda name: [[sinks[name]]])
    report = runs.run()
    assert report.complete
    (batches,) = report.batches
    for name, sink in sinks.items():
        run = report.sources[name]
        assert run.frames_in == run.frames_out + run.frames_dropped
        assert len(sink.results) == run.frames_out > 0
        assert sink.header["policy"] == "latest"
    assert batches.items == sum(len(sink.results) for sink in sinks.values())


def test_a_camera_that_cannot_be_opened_leaves_the_other(clip_file, tmp_path):
    module, config = loaded()
    sink = ListSink()
    sources = {"gone": VideoFile(tmp_path / "gone.mp4"), "door": VideoFile(clip_file)}
    runs = module.build_many(config, sources, lambda name: [[sink]] if name == "door" else [])
    report = runs.run(on_failure="report")
    assert list(report.failures) == ["gone"]
    assert "there is no such file" in report.failures["gone"]
    assert report.sources["door"].complete
    assert sink.results


def test_a_recorded_run_is_replayed_to_the_same_results(clip_file, tmp_path):
    def run(*overrides: str):
        module, config = loaded(*overrides)
        sink = ListSink()
        report = module.build(config, VideoFile(clip_file), [[sink]]).run()
        return report.frames_dropped, told(sink)

    path = tmp_path / "camera.jsonl"
    live = run(f"record_to={tmp_path / '{source}.jsonl'}")
    assert path.is_file()
    assert run(f"replay_from={path}") == live


def test_a_record_of_another_clip_is_refused(clip_file, tmp_path):
    module, config = loaded(f"record_to={tmp_path / 'run.jsonl'}")
    module.build(config, open_source("test://160x120?frames=5")).run()
    module, config = loaded(f"replay_from={tmp_path / 'run.jsonl'}")
    with pytest.raises(StageError, match="does not fit this source") as caught:
        module.build(config, VideoFile(clip_file)).run()
    assert isinstance(caught.value.__cause__, InputError)


def test_a_method_that_finds_its_own_boxes_cannot_be_shared(monkeypatch):
    module, config = loaded()
    monkeypatch.setattr(module, "model_stages", lambda *settings: type("Stages", (), {"before": (), "after": ()}))
    with pytest.raises(UsageError, match="finds its own boxes; run one camera"):
        module.build_many(config, {"door": open_source("test://160x120?frames=5")})
