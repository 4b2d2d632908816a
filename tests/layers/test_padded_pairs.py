"""Pairs of padded detections against the loop that defines them, and UPT's 36 numbers of a pair."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")

from videohoi.geometry.pair_features import FRAME_LIMIT, SPATIAL_COUNT, Instances, pair_features  # noqa: E402
from videohoi.layers.padded_pairs import (  # noqa: E402  # noqa: E402  # noqa: E402
    EPSILON,
    SPATIAL_FEATURES,
    PaddedDetections,
    padded_pairs,
    spatial_features,
    take_rows,
)

pytestmark = pytest.mark.torch
PERSON = 0


def looped(scores: list, classes: list, mask: list, cap: int) -> tuple[list, int]:
    """(pairs in order of rows, how many the cap cut) of one picture."""
    count = len(scores)
    pairs = [
        (human, other)
        for human in range(count)
        for other in range(count)
        if human != other and mask[human] and mask[other] and classes[human] == PERSON
    ]
    best = sorted(pairs, key=lambda pair: -(scores[pair[0]] * scores[pair[1]]))[:cap]
    return sorted(best), len(pairs) - len(best)


detection = st.tuples(st.sampled_from([0.25, 0.5, 1.0]), st.integers(0, 2), st.booleans())


@settings(deadline=None, max_examples=60)
@given(st.lists(detection, min_size=1, max_size=6), st.integers(1, 40))
def test_equals_the_loop(rows: list, cap: int) -> None:
    scores, classes, mask = (list(column) for column in zip(*rows, strict=True))
    pairs = padded_pairs(
        torch.tensor([scores]), torch.tensor([classes]), torch.tensor([mask]), person_id=PERSON, max_pairs=cap
    )
    expected, cut = looped(scores, classes, mask, cap)
    assert pairs.rows.shape == (1, cap, 2)
    assert [tuple(row) for row in pairs.rows[0, pairs.mask[0]].tolist()] == expected
    assert pairs.truncated.tolist() == [cut]
    assert not pairs.rows[0, ~pairs.mask[0]].any()


def test_pictures_of_a_batch_do_not_meet() -> None:
    scores = torch.ones(3, 3)
    classes = torch.tensor([[0, 5, 5], [5, 5, 5], [0, 0, 5]])
    mask = torch.tensor([[True, True, False], [True, True, True], [True, True, True]])
    pairs = padded_pairs(scores, classes, mask, person_id=PERSON, max_pairs=4)
    assert pairs.mask.sum(1).tolist() == [1, 0, 4]
    assert pairs.rows[2].tolist() == [[0, 1], [0, 2], [1, 0], [1, 2]]


def test_rows_are_taken_picture_by_picture() -> None:
    values = torch.arange(8.0).reshape(2, 4)
    assert take_rows(values, torch.tensor([[3, 0], [1, 1]])).tolist() == [[3.0, 0.0], [5.0, 5.0]]


def test_padding_becomes_harmless_whatever_it_held() -> None:
    found = PaddedDetections(
        torch.full((1, 2, 4), float("nan")),
        torch.full((1, 2), float("nan")),
        torch.tensor([[3, 10**9]]),
        torch.tensor([[True, False]]),
        torch.full((1, 2, 2), float("inf")),
    ).neutral()
    assert found.boxes_cxcywh[0, 1].tolist() == [0.5, 0.5, 1.0, 1.0]
    assert found.scores[0, 1] == 0
    assert found.class_ids.tolist() == [[3, 0]]
    assert found.features[0, 1].tolist() == [0.0, 0.0]
    assert found.boxes_cxcywh[0, 0].isnan().all()


LEFT = 15
"""place of the direction that the starter's mirrored pairs do not have"""


def test_one_pair_by_hand() -> None:
    human, other = torch.tensor([10.0, 10.0, 30.0, 50.0]), torch.tensor([20.0, 40.0, 60.0, 60.0])
    numbers = spatial_features(human, other, torch.tensor([100.0, 200.0]))
    expected = [
        0.20, 0.15, 0.40, 0.25, 0.2, 0.2, 0.4, 0.1, 800 / 20000, 800 / 20000, 1.0, 0.5, 2.0, 100 / 1500,
        20 / 20, 0.0, 20 / 40, 0.0,
    ]  # fmt: skip
    assert numbers.shape == (SPATIAL_FEATURES,)
    assert numbers[:18].tolist() == pytest.approx(expected, abs=1e-6)
    assert numbers[18:].tolist() == pytest.approx([math.log(value + EPSILON) for value in expected], abs=1e-4)


def test_the_starters_numbers_are_the_same_where_both_have_them() -> None:
    rng = np.random.default_rng(3)
    corner, side = rng.uniform(0, 200, (40, 2)), rng.uniform(20, 200, (40, 2))
    boxes = np.concatenate((corner, corner + side), axis=1).astype(np.float32)
    humans, others = np.arange(20), np.arange(20, 40)
    right = (boxes[others, 0] + boxes[others, 2]) >= (boxes[humans, 0] + boxes[humans, 2])
    humans, others = humans[right], others[right]
    starter = pair_features(Instances.of_picture(boxes, np.zeros(40, np.int64), (640, 480)), humans, others, 0)
    tensors = torch.from_numpy(boxes)
    ours = spatial_features(tensors[humans], tensors[others], torch.tensor([640.0, 480.0]))[:, :18].numpy()
    ours = np.delete(ours, LEFT, axis=1).clip(0, FRAME_LIMIT)
    assert len(humans) > 5
    np.testing.assert_allclose(ours, starter[:, : SPATIAL_COUNT // 2], atol=1e-5)


def test_boxes_without_area_and_equal_boxes_give_finite_numbers() -> None:
    boxes = torch.tensor([[5.0, 5.0, 5.0, 5.0], [5.0, 5.0, 9.0, 5.0], [0.0, 0.0, 9.0, 9.0]])
    numbers = spatial_features(boxes[:, None], boxes[None], torch.tensor([10.0, 10.0]))
    assert numbers.shape == (3, 3, SPATIAL_FEATURES)
    assert numbers.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_as_near_as_its_numbers_are_and_finite(dtype) -> None:
    boxes = torch.tensor([[5.0, 5.0, 5.0, 5.0], [1.0, 2.0, 9.0, 8.0], [0.0, 0.0, 640.0, 480.0]])
    picture = torch.tensor([640.0, 480.0])
    exact = spatial_features(boxes[:, None], boxes[None], picture)
    found = spatial_features(boxes[:, None].to(dtype), boxes[None].to(dtype), picture.to(dtype))
    assert found.dtype == dtype
    assert found.isfinite().all()
    ordinary = exact.abs() < 1e3
    torch.testing.assert_close(found.float()[ordinary], exact[ordinary], rtol=2e-2, atol=2e-2)
