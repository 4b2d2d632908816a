from pathlib import Path

import numpy as np
import pytest

from videohoi.datasets.hico_json import read_hico_json
from videohoi.errors import ModelError, UsageError
from videohoi.evaluate.hico.ground_truth_boxes import measure, truth_pictures
from videohoi.interact.heads.starter import StarterPairHead
from videohoi.interact.scoring import Calibration
from videohoi.structures import Detections, FeatureMap, Frame, HumanObjectPairs
from videohoi.vocabulary import hico_det, hico_rare

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
TEST_JSON = SHARED / "data" / "hicodet" / "instances_test2015.json"
VOCABULARY = hico_det()
FRAME = Frame(np.zeros((480, 640, 3), np.uint8), 0, 0.0, "test")
PERSON = VOCABULARY.person_id
BICYCLE, PHONE = VOCABULARY.object_id("bicycle"), VOCABULARY.object_id("cell_phone")
# a rider on a bicycle, somebody beside them, a phone at that one's head
BOXES = np.array([[250, 80, 350, 330], [220, 200, 400, 400], [450, 100, 540, 420], [455, 115, 475, 150]], np.float32)
CLASSES = np.array([PERSON, BICYCLE, PERSON, PHONE], np.int64)


@pytest.fixture(scope="module")
def head():
    head = StarterPairHead()
    head.open()
    yield head
    head.close()


def detections(boxes=BOXES, classes=CLASSES, scores=None, feature_map=None):
    scores = np.ones(len(classes), np.float32) if scores is None else scores
    return Detections(boxes.astype(np.float32), scores, classes, feature_map)


def by_pair(interactions):
    pairs = interactions.pairs
    rows = zip(pairs.human_rows.tolist(), pairs.object_rows.tolist(), strict=True)
    return dict(zip(rows, interactions.verb_scores, strict=True))


def test_who_rides_and_who_holds(head):
    scores = by_pair(head.score(FRAME, detections()))
    ride, hold, talk = (VOCABULARY.verb_id(name) for name in ("ride", "hold", "talk_on"))
    assert scores[0, 1][ride] > 0.5 > 0.1 > scores[2, 1][ride]
    assert scores[2, 3][hold] > 0.5 > 0.1 > scores[0, 3][hold]
    assert scores[2, 3][talk] > 10 * scores[0, 3][talk]


def test_only_valid_acting_verbs_score(head):
    result = head.score(FRAME, detections())
    valid = VOCABULARY.valid[CLASSES[result.pairs.object_rows]]
    assert result.verb_scores.shape == (6, 117)
    assert (result.verb_scores[~valid] == 0).all()
    assert (result.verb_scores[:, VOCABULARY.verb_id("no_interaction")] == 0).all()
    assert ((result.verb_scores >= 0) & (result.verb_scores <= 1)).all()


def test_the_order_of_detections_changes_no_pairs_scores(head):
    order = np.array([3, 1, 0, 2])
    place = np.argsort(order)
    plain = by_pair(head.score(FRAME, detections()))
    moved = by_pair(head.score(FRAME, detections(BOXES[order], CLASSES[order])))
    for (human, other), scores in plain.items():
        np.testing.assert_allclose(moved[int(place[human]), int(place[other])], scores, atol=1e-5)


def test_a_mirrored_frame_scores_the_same(head):
    mirrored = np.stack([640 - BOXES[:, 2], BOXES[:, 1], 640 - BOXES[:, 0], BOXES[:, 3]], axis=1)
    plain, other = head.score(FRAME, detections()), head.score(FRAME, detections(mirrored))
    np.testing.assert_allclose(other.verb_scores, plain.verb_scores, atol=1e-3)


def test_a_detectors_jitter_moves_scores_little(head):
    random = np.random.default_rng(0)
    sides = np.tile(BOXES[:, 2:] - BOXES[:, :2], 2)
    plain = by_pair(head.score(FRAME, detections()))
    drift = []
    for _ in range(20):
        moved = by_pair(head.score(FRAME, detections(BOXES + 0.01 * sides * random.standard_normal(BOXES.shape))))
        drift += [np.abs(moved[pair] - plain[pair]).max() for pair in plain]
    assert np.mean(drift) < 0.05


def test_nothing_to_pair_is_an_empty_result(head):
    assert len(head.score(FRAME, Detections.empty())) == 0
    alone = head.score(FRAME, detections(BOXES[:1], CLASSES[:1]))
    assert alone.verb_scores.shape == (0, 117)


def test_a_crowd_is_cut_and_counted(head):
    boxes, classes = np.tile(BOXES, (6, 1)) + np.arange(24)[:, None], np.tile(CLASSES, 6)
    result = head.score(FRAME, detections(boxes, classes))
    assert (len(result), result.pairs.truncated) == (64, 12 * 23 - 64)


def test_doubt_about_boxes_lowers_scores_by_the_formula(head):
    doubtful = detections(scores=np.array([0.5, 0.8, 0.9, 0.9], np.float32))
    plain, lower = by_pair(head.score(FRAME, detections())), by_pair(head.score(FRAME, doubtful))
    np.testing.assert_allclose(lower[0, 1], plain[0, 1] * 0.4**0.5, atol=1e-5)


def test_a_feature_map_of_another_detector_is_not_looked_at(head):
    foreign = FeatureMap(np.ones((64, 12, 16), np.float32), (40.0, 40.0))
    plain, with_map = head.score(FRAME, detections()), head.score(FRAME, detections(feature_map=foreign))
    np.testing.assert_array_equal(with_map.verb_scores, plain.verb_scores)


def test_the_head_says_what_it_is(head):
    assert head.info.name == "starter"
    assert head.info.verb_count == 117
    assert len(head.info.weights_sha256) == 64


def test_missing_or_corrupt_weights_are_one_clear_error(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.onnx.*cannot be read"):
        StarterPairHead(tmp_path / "gone.onnx").open()
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"bad\.onnx.*not an ONNX model") as caught:
        StarterPairHead(tmp_path / "bad.onnx").open()
    assert "\n" not in str(caught.value)


def test_a_model_that_is_no_pair_head_is_refused(tmp_path):
    onnx = pytest.importorskip("onnx", reason="writing a foreign model needs the train extra")
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    other = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Neg", ["x"], ["y"])], "g", [value], [other])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, tmp_path / "neg.onnx")
    with pytest.raises(ModelError, match="not a pair head"):
        StarterPairHead(tmp_path / "neg.onnx").open()


def test_the_head_runs_on_the_engine_that_is_asked_for(head):
    on_any = StarterPairHead(engine="auto", threads=2)
    on_any.open()
    assert on_any.info.engine in ("onnxruntime", "openvino")
    expected = head.score(FRAME, detections()).verb_scores
    np.testing.assert_allclose(on_any.score(FRAME, detections()).verb_scores, expected, atol=1e-4)
    on_any.close()
    on_any.close()
    with pytest.raises(ModelError, match="closed"):
        on_any.score(FRAME, detections())
    with pytest.raises(UsageError, match="did you mean onnxruntime"):
        StarterPairHead(engine="onnxruntim").open()


def test_unused_detections_change_no_scores(head):
    faint = np.array([[5, 5, 60, 60]], np.float32)
    boxes, classes = np.concatenate([BOXES[:1], faint, BOXES[1:]]), np.insert(CLASSES, 1, BICYCLE)
    scores = np.array([1, 0.01, 1, 1, 1], np.float32)
    plain = head.score(FRAME, detections()).verb_scores
    np.testing.assert_array_equal(head.score(FRAME, detections(boxes, classes, scores)).verb_scores, plain)


def test_scoring_before_open_is_refused():
    with pytest.raises(ModelError, match="open"):
        StarterPairHead().score(FRAME, detections())


@pytest.mark.shared
def test_the_shipped_head_keeps_its_yardstick(head):
    if not TEST_JSON.is_file():
        pytest.skip(f"{TEST_JSON} is absent")
    subset, rare = truth_pictures(read_hico_json(TEST_JSON), every=10), np.array(hico_rare())
    logits = []
    for picture in subset:
        boxes = detections(picture.boxes_xyxy_px, picture.class_ids)
        pairs = HumanObjectPairs(picture.human_rows, picture.object_rows)
        logits.append(head.verb_logits(boxes, pairs, (picture.width_px, picture.height_px)))
    # few positives a class make AP on a tenth of the pictures higher than on all
    assert measure(subset, logits, VOCABULARY, rare).full > 0.665  # measured 0.677


def test_scores_are_brought_to_the_asked_scale():
    plain, mapped = StarterPairHead(), StarterPairHead(calibration=Calibration(0.5, -1.0))
    plain.open()
    mapped.open()
    before, after = (head.score(FRAME, detections()).verb_scores for head in (plain, mapped))
    seen = before > 0
    assert seen.any()
    expected = 1 / (1 + np.exp(-(0.5 * np.log(before[seen] / (1 - before[seen])) - 1.0)))
    assert after[seen] == pytest.approx(expected, abs=1e-5)
    assert not after[~seen].any()
    assert "calibrated (slope 0.5, offset -1)" in mapped.info.note
    assert "calibrated" not in plain.info.note
