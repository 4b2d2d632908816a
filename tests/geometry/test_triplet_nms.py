"""Triplet suppression: hand-worked cases, the numpy twin, and CDN's own code where a checkout is given."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.errors import UsageError
from videohoi.geometry.triplet_nms import TripletNmsRule, Triplets, triplet_nms, triplet_nms_numpy, warm_up

CDN = Path(os.environ.get("VIDEOHOI_PEER_PATH", "/nowhere")) / "CDN" / "datasets" / "hico_eval.py"
PLAIN = TripletNmsRule(border_px=0.0)


def triplets(boxes, classes, rows, scores):
    humans, objects, verbs = np.array(rows, np.int64).reshape(-1, 3).T
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    return Triplets(boxes, np.array(classes, np.int64), humans, objects, verbs, np.array(scores, np.float32))


def crowd(count, seed, boxes=24, dtype=np.float32):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 200, (6, 2))
    places = np.concatenate([corners, corners + rng.uniform(20, 90, (6, 2))], axis=1)
    at = (places[rng.integers(0, 6, boxes)] + rng.normal(0, 5, (boxes, 4))).astype(dtype)
    rows = [rng.integers(0, boxes, count) for _ in range(2)]
    scores = rng.permutation(count).astype(dtype) / max(count, 1)  # all different
    return Triplets(at, rng.integers(0, 3, boxes), *rows, rng.integers(0, 4, count), scores)


def test_the_same_triplet_twice_is_one():
    scene = triplets(
        [[0, 0, 100, 200], [2, 0, 100, 200], [80, 80, 120, 120], [81, 80, 120, 120]],
        [0, 0, 7, 7],
        [(0, 2, 5), (1, 3, 5), (0, 3, 6), (1, 2, 5)],  # the third is another verb
        [0.5, 0.9, 0.4, 0.3],
    )
    assert triplet_nms(scene).tolist() == [1, 2]
    assert triplet_nms(scene, limit=1).tolist() == [1]
    assert triplet_nms(scene, limit=0).tolist() == []


def test_the_rule_worked_by_hand():
    """Humans overlap by 0.8, objects by 0.81: 0.8 * sqrt(0.81) = 0.72."""
    boxes = [[0, 0, 10, 10], [0, 0, 10, 8], [0, 0, 100, 100], [0, 0, 100, 81]]
    scene = triplets(boxes, [0, 0, 1, 1], [(0, 2, 0), (1, 3, 0)], [0.9, 0.8])
    assert triplet_nms(scene, TripletNmsRule(threshold=0.71, border_px=0.0)).tolist() == [0]
    assert triplet_nms(scene, TripletNmsRule(threshold=0.73, border_px=0.0)).tolist() == [0, 1]
    assert triplet_nms(scene, TripletNmsRule(object_power=2.0, border_px=0.0)).tolist() == [0, 1]  # 0.8 * 0.6561


def test_one_pixel_boxes_have_an_area_in_the_original_rule_only():
    scene = triplets([[4, 4, 4, 4], [9, 9, 9, 9]], [0, 1], [(0, 1, 0), (0, 1, 0)], [0.9, 0.8])
    assert triplet_nms(scene).tolist() == [0]
    assert triplet_nms(scene, PLAIN).tolist() == [0, 1]


def test_classes_are_told_apart_by_human_object_and_verb():
    boxes = [[0, 0, 10, 10]] * 4
    rows = [(0, 1, 2), (2, 1, 2), (0, 3, 2), (0, 1, 3)]
    assert triplet_nms(triplets(boxes, [0, 5, 1, 6], rows, [0.4, 0.3, 0.2, 0.1])).tolist() == [0, 1, 2, 3]


def test_equal_scores_keep_their_order_and_what_is_not_finite_goes():
    boxes = [[0, 0, 10, 10], [0, 0, 10, 10], [0, np.nan, 10, 10]]
    scene = triplets(boxes, [0, 1, 1], [(0, 1, 0), (0, 1, 0), (0, 2, 0), (0, 1, 1)], [0.5, 0.5, 0.9, np.nan])
    for compiled in (True, False):
        assert triplet_nms(scene, compiled=compiled).tolist() == [0]


@pytest.mark.parametrize("count", [0, 1, 2, 60, 300])
@pytest.mark.parametrize(
    "rule", [TripletNmsRule(), PLAIN, TripletNmsRule(0.3, 1.7, 0.4), TripletNmsRule(0.0, 1.0, 0.5)]
)
def test_kernel_equals_twin(count, rule):
    for dtype in (np.float32, np.float64):
        scene = crowd(count, seed=count, dtype=dtype)
        assert np.array_equal(triplet_nms(scene, rule), triplet_nms_numpy(scene, rule))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 40), st.integers(0, 10_000))
def test_kernel_equals_twin_on_broken_boxes_and_equal_scores(count, seed):
    rng = np.random.default_rng(seed)
    scene = crowd(count, seed)
    scene.boxes_xyxy_px[rng.integers(0, 24, 3), rng.integers(0, 4, 3)] = rng.choice([np.nan, np.inf, -np.inf, 0.0], 3)
    scores = rng.choice([0.25, 0.5, 1.0, np.nan, np.inf], count).astype(np.float32)
    scene = Triplets(scene.boxes_xyxy_px, scene.class_ids, scene.human_rows, scene.object_rows, scene.verbs, scores)
    assert np.array_equal(triplet_nms(scene), triplet_nms(scene, compiled=False))


def test_what_is_kept_stays_when_asked_again():
    scene = crowd(200, seed=3)
    kept = triplet_nms(scene)
    again = Triplets(
        scene.boxes_xyxy_px, scene.class_ids, scene.human_rows[kept], scene.object_rows[kept], scene.verbs[kept],
        scene.scores[kept],
    )  # fmt: skip
    assert 0 < len(kept) < 200
    assert np.array_equal(triplet_nms(again), np.arange(len(kept)))


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("row", [-1, 4])
def test_a_box_that_is_not_there_is_named(compiled, row):
    scene = triplets([[0, 0, 1, 1]] * 4, [0] * 4, [(0, row, 0)], [0.5])
    with pytest.raises(UsageError, match=f"names box row {row} of 4"):
        triplet_nms(scene, compiled=compiled)


def test_wrong_settings_are_named():
    with pytest.raises(UsageError, match=r"a threshold in \[0, 1\], got 1.0, 0.5 and 1.5"):
        TripletNmsRule(threshold=1.5)
    with pytest.raises(UsageError, match="powers of 0 or more"):
        TripletNmsRule(human_power=-1)
    with pytest.raises(UsageError, match="limit must be 0 or more"):
        triplet_nms(crowd(2, 0), limit=-1)
    rows = np.zeros(2, np.int64)
    with pytest.raises(ValueError, match=r"Triplets.verbs must have shape \(2\), got \(1,\)"):
        Triplets(np.zeros((1, 4), np.float32), rows[:1], rows, rows, rows[:1], np.zeros(2, np.float32))


def test_warm_up_runs():
    warm_up()


@pytest.mark.skipif(not CDN.is_file(), reason="VIDEOHOI_PEER_PATH names no folder with a checkout CDN")
@pytest.mark.parametrize("seed", range(5))
def test_kept_sets_are_those_of_cdn(seed):
    spec = importlib.util.spec_from_file_location("cdn_hico_eval", CDN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    evaluator = object.__new__(module.HICOEvaluator)
    evaluator.nms_alpha, evaluator.nms_beta, evaluator.thres_nms = 1.0, 0.5, 0.7
    scene = crowd(200, seed, dtype=np.float64)
    boxes = [
        {"bbox": list(box), "category_id": int(kind)}
        for box, kind in zip(scene.boxes_xyxy_px, scene.class_ids, strict=True)
    ]
    found = [
        {"subject_id": int(h), "object_id": int(o), "category_id": int(v), "score": float(s), "row": row}
        for row, (h, o, v, s) in enumerate(
            zip(scene.human_rows, scene.object_rows, scene.verbs, scene.scores, strict=True)
        )
    ]
    picture = {"filename": "", "predictions": boxes, "hoi_prediction": found}
    (filtered,) = evaluator.triplet_nms_filter([picture])
    kept = triplet_nms(scene)
    assert sorted(kept.tolist()) == sorted(triplet["row"] for triplet in filtered["hoi_prediction"])
    assert 0 < len(kept) < 200
