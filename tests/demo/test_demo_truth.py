import importlib.util
import itertools
import json
from pathlib import Path

import pytest

from videohoi.demo.compose import compose_demo
from videohoi.evaluate.segments.truth import read_truth
from videohoi.vocabulary import hico_det

SHARED_VALIDATOR = Path(__file__).resolve().parents[2].parent / "shared" / "clips" / "truth_validate.py"
LENGTHS_AND_RATES = [(9.0, 25.0), (4.0, 5.0), (7.3, 30000 / 1001)]


@pytest.mark.parametrize(("seconds", "rate"), LENGTHS_AND_RATES)
def test_spans_of_hold_do_not_overlap_and_leave_no_frame_out(seconds, rate):
    truth = compose_demo(seconds, rate).truth
    document = truth.document("demo.mp4")
    spans = [s for kind in ("segments", "negatives", "ignore") for s in document[kind] if s["verb"] == "hold"]
    covered = [
        frame for s in spans for frame in range(round(s["begin_s"] * rate), round(s["end_s"] * rate) + 1)
    ]  # fmt: skip
    assert sorted(covered) == list(range(truth.frame_count))


@pytest.mark.parametrize(("seconds", "rate"), LENGTHS_AND_RATES)
def test_document_is_plain_json_and_consistent(seconds, rate):
    truth = compose_demo(seconds, rate).truth
    document = json.loads(json.dumps(truth.document("demo.mp4")))
    assert document["frames"] == truth.frame_count
    assert document["duration_s"] == pytest.approx(truth.frame_count / rate, abs=0.001)
    (segment,) = document["segments"]
    assert (segment["verb"], segment["certainty"], segment["kind"]) == ("hold", "sure", "state")
    assert segment["begin_s"] == pytest.approx(segment["begin_frame"] / rate, abs=0.001)
    assert segment["end_s"] == pytest.approx(segment["end_frame"] / rate, abs=0.001)
    frames = [keyframe["frame"] for keyframe in document["keyframes"]]
    assert frames[0] == 0
    assert {segment["begin_frame"], segment["end_frame"]} <= set(frames)
    assert max(b - a for a, b in itertools.pairwise(frames)) <= round(0.5 * rate)


def test_words_belong_to_the_vocabulary():
    words, document = hico_det(), compose_demo().truth.document("demo.mp4")
    assert document["objects"][0]["hico_name"] in words.objects
    for kind in ("segments", "negatives", "ignore"):
        for span in document[kind]:
            assert span["hico_verb"]
            assert span["hico600"]


def test_the_scorer_reads_it(tmp_path):
    path = tmp_path / "demo.json"
    path.write_text(json.dumps(compose_demo().truth.document("demo.mp4")))
    truth = read_truth(path)
    (hold,) = truth.segments
    assert (hold.object_class, hold.sure, hold.in_scope) == ("cup", True, True)
    assert (hold.begin_seconds, hold.end_seconds) == pytest.approx((2.72, 6.28))


@pytest.mark.shared
@pytest.mark.parametrize(("seconds", "rate"), LENGTHS_AND_RATES)
def test_the_validator_of_the_hand_made_truth_accepts_it(tmp_path, seconds, rate):
    if not SHARED_VALIDATOR.exists():
        pytest.skip(f"{SHARED_VALIDATOR} is not there")
    spec = importlib.util.spec_from_file_location("truth_validate", SHARED_VALIDATOR)
    validator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(validator)
    path = tmp_path / "demo.json"
    path.write_text(json.dumps(compose_demo(seconds, rate).truth.document("demo.mp4")))
    complaints, _ = validator.check(path)
    assert complaints == []
