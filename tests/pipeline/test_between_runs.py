"""The models of a pipeline are loaded once, whatever becomes of single runs."""

from __future__ import annotations

import pytest

from videohoi.detect.protocol import DetectorInfo
from videohoi.errors import ModelError
from videohoi.pipeline.between_runs import KeptDetector, ModelShelf
from videohoi.pipeline.pipeline import Pipeline
from videohoi.structures import Detections

GENERATED = "test://96x64?frames=6&rate=10"


class CountingDetector:
    """Finds nothing; says how often it was opened and closed."""

    def __init__(self):
        self.info = DetectorInfo("counting", "none", None, None, 0)
        self.opened = self.closed = 0

    def open(self):
        self.opened += 1

    def detect(self, frames):
        if not frames:
            raise ModelError("no frames")
        return [Detections.empty() for _ in frames]

    def close(self):
        self.closed += 1


class BrokenDetector(CountingDetector):
    def open(self):
        super().open()
        raise ModelError("damaged")


@pytest.fixture
def shelf():
    return ModelShelf()


def kept(shelf, detector=None):
    return KeptDetector(shelf, "key", detector or CountingDetector())


def test_the_next_run_gets_the_opened_model(shelf):
    first, second = CountingDetector(), CountingDetector()
    for detector in (first, second):
        run = kept(shelf, detector)
        run.open()
        run.close()
    assert (first.opened, second.opened) == (1, 0)
    shelf.close()
    assert (first.closed, second.closed) == (1, 0)


def test_runs_at_the_same_time_have_models_of_their_own(shelf):
    detectors = [CountingDetector(), CountingDetector()]
    runs = [kept(shelf, detector) for detector in detectors]
    for run in runs:
        run.open()
    for run in runs:
        run.close()
    assert [detector.opened for detector in detectors] == [1, 1]


def test_models_of_other_settings_are_not_mixed(shelf):
    one, other = CountingDetector(), CountingDetector()
    for key, detector in (("one", one), ("other", other)):
        run = KeptDetector(shelf, key, detector)
        run.open()
        run.close()
    assert one.opened == other.opened == 1


def test_other_weights_behind_the_same_settings_are_loaded(shelf):
    old, new = CountingDetector(), CountingDetector()
    for contents, detector in (("old hash", old), ("new hash", new)):
        shelf.hold(contents)
        run = kept(shelf, detector)
        run.open()
        run.close()
    assert (old.closed, new.opened) == (1, 1)


def test_a_model_that_failed_is_not_kept(shelf):
    failed, next_one = CountingDetector(), CountingDetector()
    run = kept(shelf, failed)
    run.open()
    with pytest.raises(ModelError):
        run.detect([])
    run.close()
    run.close()
    assert failed.closed == 1
    kept(shelf, next_one).open()
    assert next_one.opened == 1


def test_a_model_that_cannot_be_opened_is_freed(shelf):
    broken = BrokenDetector()
    with pytest.raises(ModelError, match="damaged"):
        kept(shelf, broken).open()
    assert broken.closed == 1


def test_a_model_on_loan_is_freed_when_it_comes_back_to_a_closed_shelf(shelf):
    detector = CountingDetector()
    run = kept(shelf, detector)
    run.open()
    shelf.close()
    assert detector.closed == 0
    run.close()
    assert detector.closed == 1


@pytest.fixture
def sessions(monkeypatch):
    """Names of the engines that are loaded, in order."""
    import onnxruntime

    loaded = []
    session = onnxruntime.InferenceSession

    class Counted(session):
        def __init__(self, *arguments, **options):
            loaded.append(1)
            super().__init__(*arguments, **options)

    monkeypatch.setattr(onnxruntime, "InferenceSession", Counted)
    return loaded


def boxes(results):
    return [result.detections.boxes_xyxy_px.tolist() for result in results]


def test_a_pipeline_loads_its_engines_once(sessions):
    settings = ["detect.workers=2", "detect.input_size_px=96"]
    with Pipeline.from_config("offline_annotation", settings) as pipeline:
        first = boxes(pipeline.run(GENERATED))
        count = len(sessions)
        assert count == 3, "two detectors and a head"
        assert boxes(pipeline.run(GENERATED)) == first
        next(iter(pipeline.run(GENERATED)))  # left early
        assert boxes(pipeline.run(GENERATED)) == first
        assert len(sessions) == count
    assert boxes(pipeline.run(GENERATED)) == first, "a closed pipeline loads them again"
    assert len(sessions) == 2 * count
    pipeline.close()


def test_two_runs_of_a_pipeline_at_the_same_time_do_not_disturb_each_other():
    settings = ["detect.workers=1", "detect.input_size_px=96"]
    with Pipeline.from_config("offline_annotation", settings) as pipeline:
        alone = boxes(pipeline.run(GENERATED))
        pairs = list(zip(pipeline.run(GENERATED), pipeline.run(GENERATED), strict=True))
    assert boxes(one for one, _ in pairs) == boxes(other for _, other in pairs) == alone
