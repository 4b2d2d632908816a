from pathlib import Path

import numpy as np
import pytest

from videohoi.datasets.hico_json import read_hico_json
from videohoi.errors import TruthError
from videohoi.evaluate.hico.ground_truth_boxes import (
    eleven_point_ap,
    measure,
    merge_instances,
    truth_picture,
    truth_pictures,
)
from videohoi.vocabulary import hico_det, hico_rare

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
TEST_JSON = SHARED / "data" / "hicodet" / "instances_test2015.json"
VOCABULARY = hico_det()


def class_prior(pictures, vocabulary):
    """(O, V) share of an object class's candidate pairs that carry a verb: the baseline that sees no geometry."""
    positives = np.zeros((len(vocabulary.objects), len(vocabulary.verbs)))
    candidates = np.zeros(len(vocabulary.objects))
    for picture in pictures:
        classes = picture.class_ids[picture.object_rows]
        np.add.at(positives, classes, picture.verbs)
        np.add.at(candidates, classes, 1)
    return np.asarray(positives / np.maximum(candidates, 1)[:, None], np.float64)


def nearness(picture):
    """(P,) in (0, 1]: 1 / (1 + centre distance in units of the boxes' mean size); the second baseline's factor."""
    human, other = (
        picture.boxes_xyxy_px[rows].astype(np.float64) for rows in (picture.human_rows, picture.object_rows)
    )
    offset = (human[:, :2] + human[:, 2:] - other[:, :2] - other[:, 2:]) / 2
    size = (np.sqrt(area(human)) + np.sqrt(area(other))) / 2
    return np.asarray(1 / (1 + np.hypot(offset[:, 0], offset[:, 1]) / np.maximum(size, 1.0)), np.float64)


def area(boxes):
    return np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)


def hoi_id(verb: str, name: str) -> int:
    return VOCABULARY.interactions.index((VOCABULARY.verb_id(verb), VOCABULARY.object_id(name)))


def annotation(*triples):
    humans, objects, names = zip(*triples, strict=True)
    return {"boxes_h": humans, "boxes_o": objects, "hoi": [hoi_id(*name) for name in names]}


MAN, NEAR_MAN, WOMAN = [11, 11, 60, 110], [13, 9, 62, 108], [201, 11, 250, 110]
BIKE, FAR_BIKE = [11, 61, 90, 130], [301, 61, 380, 130]


def pictured(row, name="x"):
    """A picture of an annotation row, whose boxes count pixels from 1."""
    boxes = np.array([*row["boxes_h"], *row["boxes_o"]], np.float32) - np.array([1, 1, 0, 0], np.float32)
    return truth_picture(name, (400, 200), np.array(row["hoi"], np.int64), boxes, VOCABULARY)


def three_pictures():
    ride, hold = ("ride", "bicycle"), ("hold", "bicycle")
    rows = [
        annotation((MAN, BIKE, ride), (NEAR_MAN, BIKE, hold), (WOMAN, FAR_BIKE, ride)),
        annotation((MAN, BIKE, ride)),
        annotation((MAN, FAR_BIKE, hold)),
    ]
    return [pictured(row, f"{k}.jpg") for k, row in enumerate(rows)]


def test_boxes_of_one_instance_merge_to_their_mean_and_classes_stay_apart():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 8], [0, 0, 10, 10], [20, 0, 30, 10]], np.float32)
    instance_of, merged, classes = merge_instances(boxes, np.array([0, 0, 1, 0]))
    assert instance_of.tolist() == [0, 0, 1, 2]
    assert merged[0].tolist() == [0, 0, 10, 9]
    assert classes.tolist() == [0, 1, 0]


def test_every_human_meets_every_other_instance_and_verbs_of_merged_boxes_unite():
    crowd = three_pictures()[0]
    assert len(crowd.class_ids) == 4  # two humans, two bicycles
    assert len(crowd) == 2 * 3
    names = {
        (int(h), int(o)): [VOCABULARY.verbs[v] for v in np.nonzero(row)[0]]
        for h, o, row in zip(crowd.human_rows, crowd.object_rows, crowd.verbs, strict=True)
        if row.any()
    }
    assert sorted(names.values()) == [["hold", "ride"], ["ride"]]
    assert crowd.boxes_xyxy_px[crowd.human_rows[0]].tolist() == [11, 9, 61, 109]  # mean of MAN and NEAR_MAN, 0-based


def test_eleven_points_by_hand():
    # ranks: hit, miss, hit -> precision 1, 1/2, 2/3; recall <= .5 sees 1, above sees 2/3
    scores, positive = np.array([0.9, 0.8, 0.7]), np.array([True, False, True])
    assert eleven_point_ap(scores, positive) == pytest.approx((6 * 1 + 5 * 2 / 3) / 11)
    assert np.isnan(eleven_point_ap(scores, np.zeros(3, np.bool_)))


@pytest.mark.parametrize("hits", [1, 3, 10, 30])
def test_a_perfect_ranking_scores_one_at_any_count(hits):
    positive = np.arange(100) < hits
    assert eleven_point_ap(-np.arange(100.0), positive) == 1.0


def test_map_of_three_pictures_by_hand():
    pictures = three_pictures()
    ride, hold = hoi_id("ride", "bicycle"), hoi_id("hold", "bicycle")
    # bicycle candidates: 4 + 1 + 1; ride holds for 3, hold for 2
    scores = [np.zeros(picture.verbs.shape) for picture in pictures]
    for picture, values in zip(pictures, scores, strict=True):
        values[picture.verbs] = 1.0
    result = measure(pictures, scores, VOCABULARY, rare=np.array([hold]))
    assert result.per_class[ride] == result.per_class[hold] == 1.0
    assert np.isnan(result.per_class).sum() == 598
    scores[2][:, VOCABULARY.verb_id("ride")] = 2.0  # a false ride on top: precisions 1/2, 2/3, 3/4 at the hits
    result = measure(pictures, scores, VOCABULARY, rare=np.array([hold]))
    assert result.per_class[ride] == pytest.approx(3 / 4)
    assert (result.rare, result.non_rare) == (1.0, pytest.approx(3 / 4))
    assert result.full == pytest.approx((1 + 3 / 4) / 2)


def test_the_order_of_the_file_does_not_help_a_constant_score():
    row = annotation((MAN, BIKE, ("ride", "bicycle")), (WOMAN, FAR_BIKE, ("no_interaction", "bicycle")))
    pictures = [pictured(row) for _ in range(50)]
    constant = [np.ones(picture.verbs.shape) for picture in pictures]
    # a quarter of the candidates is positive, and always the first of its picture
    assert measure(pictures, constant, VOCABULARY).per_class[hoi_id("ride", "bicycle")] == pytest.approx(0.25, abs=0.1)


def test_scores_that_do_not_fit_are_refused():
    pictures = three_pictures()
    with pytest.raises(TruthError, match="verb_scores"):
        measure(pictures, [np.zeros((1, 117))] * 3, VOCABULARY)


@pytest.mark.shared
def test_baselines_on_the_real_test_set():
    if not TEST_JSON.is_file():
        pytest.skip(f"{TEST_JSON} is absent")
    pictures, rare = truth_pictures(read_hico_json(TEST_JSON)), np.array(hico_rare())
    assert (len(pictures), len(rare)) == (9658, 138)
    prior = class_prior(pictures, VOCABULARY)  # constant per class, so its own source does not matter
    constant = [prior[picture.class_ids[picture.object_rows]] for picture in pictures]
    near = [values * nearness(picture)[:, None] for values, picture in zip(constant, pictures, strict=True)]
    assert measure(pictures, constant, VOCABULARY, rare).full == pytest.approx(0.17, abs=0.01)
    assert measure(pictures, near, VOCABULARY, rare).full == pytest.approx(0.27, abs=0.02)
