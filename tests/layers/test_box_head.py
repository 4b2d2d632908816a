"""Centre and size, corners: worked by hand, there and back."""

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")

from videohoi.layers.box_head import centre_and_size, corners, corners_px  # noqa: E402

pytestmark = pytest.mark.torch


def test_a_box_by_hand_and_there_and_back() -> None:
    assert corners(torch.tensor([0.5, 0.25, 0.2, 0.1])).tolist() == pytest.approx([0.4, 0.2, 0.6, 0.3])
    boxes = torch.rand(3, 5, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(centre_and_size(corners(boxes)), boxes)


def test_corners_are_in_pixels_of_each_picture() -> None:
    boxes = torch.tensor([[[0.5, 0.5, 0.5, 1.0]], [[0.5, 0.5, 0.5, 1.0]]])
    found = corners_px(boxes, torch.tensor([[100.0, 40.0], [10.0, 20.0]]))
    assert found[:, 0].tolist() == [[25.0, 0.0, 75.0, 40.0], [2.5, 0.0, 7.5, 20.0]]
