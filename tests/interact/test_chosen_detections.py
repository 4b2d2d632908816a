"""UPT's and LAIN's choice of detections, by hand."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
for package in ("timm", "open_clip", "safetensors"):
    pytest.importorskip(package, reason=f"the models extra ({package}) is not installed")

from videohoi.errors import UsageError  # noqa: E402
from videohoi.interact.heads.detr_pairs import ChoiceRules, chosen_rows, padded_detections  # noqa: E402

pytestmark = pytest.mark.torch


def apart(count: int) -> np.ndarray:
    """Boxes that do not touch."""
    left = 20.0 * np.arange(count)
    return np.stack((left, np.zeros(count), left + 10, np.full(count, 10.0)), axis=1).astype(np.float32)


def test_unsure_boxes_fill_up_to_three_of_each_kind() -> None:
    scores = np.array([0.1, 0.9, 0.05, 0.15, 0.12, 0.01], np.float32)
    classes = np.array([0, 0, 7, 7, 9, 9])
    assert chosen_rows(apart(6), scores, classes).tolist() == [1, 0, 3, 4, 2]


def test_sure_boxes_are_all_kept_up_to_fifteen_of_each_kind() -> None:
    scores = np.linspace(0.99, 0.3, 40).astype(np.float32)
    classes = np.array([0] * 20 + [3] * 20)
    assert chosen_rows(apart(40), scores, classes).tolist() == [*range(15), *range(20, 35)]
    four = ChoiceRules(most=4)
    assert chosen_rows(apart(40), scores, classes, rules=four).tolist() == [0, 1, 2, 3, 20, 21, 22, 23]


def test_overlapping_boxes_of_one_class_are_one() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 9]], np.float32)
    assert chosen_rows(boxes, np.array([0.8, 0.9, 0.7], np.float32), np.array([5, 5, 6])).tolist() == [1, 2]


def test_a_batch_is_padded_to_fixed_rows() -> None:
    boxes = torch.tensor([[0.2, 0.2, 0.1, 0.1], [0.8, 0.8, 0.1, 0.1]])
    scores = torch.tensor([[0.4, 0.9], [0.9, 0.4]])
    classes = torch.tensor([[4, 0], [4, 4]])
    features = torch.arange(12.0).reshape(2, 2, 3)
    pictures = list(zip(boxes.expand(2, 2, 4), scores, classes, features, strict=True))
    found = padded_detections(pictures, [np.array([1, 0]), np.array([0, 1])], 30)
    assert found.boxes_cxcywh.shape == (2, 30, 4)
    assert found.mask.sum(1).tolist() == [2, 2]
    assert found.class_ids[:, :2].tolist() == [[0, 4], [4, 4]]
    assert found.features[0, :3].tolist() == [[3.0, 4.0, 5.0], [0.0, 1.0, 2.0], [0.0, 0.0, 0.0]]


def test_nothing_kept_of_any_picture_needs_no_rows() -> None:
    values = (torch.zeros(3, 4), torch.zeros(3), torch.zeros(3, dtype=torch.long), torch.zeros(3, 2))
    found = padded_detections([values, values], [np.arange(0), np.arange(0)], 0)
    assert found.boxes_cxcywh.shape == (2, 0, 4)
    assert (found.mask.shape, found.mask.dtype) == ((2, 0), torch.bool)


def test_more_rows_than_fit_are_refused() -> None:
    values = (torch.zeros(3, 4), torch.zeros(3), torch.zeros(3, dtype=torch.long), torch.zeros(3, 2))
    with pytest.raises(UsageError, match="3 detections chosen of 1 pictures; expected a picture, at most 2 of each"):
        padded_detections([values], [np.arange(3)], 2)
