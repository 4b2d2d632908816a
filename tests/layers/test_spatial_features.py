"""UPT's 36 numbers: one pair by hand, the starter's numpy relative, boxes without area."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")

from videohoi.geometry.pair_features import FRAME_LIMIT, SPATIAL_COUNT, Instances, pair_features  # noqa: E402
from videohoi.layers.spatial_features import (  # noqa: E402
    EPSILON,
    SPATIAL_FEATURES,
    spatial_features,
)

pytestmark = pytest.mark.torch
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
