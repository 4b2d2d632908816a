"""LAIN's layout map by hand: which box owns a cell, and what becomes of boxes beyond the border."""

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
pytest.importorskip("open_clip", reason="the models extra (open_clip) is not installed")

from videohoi.layers.lain_blocks import LayoutMap  # noqa: E402

pytestmark = pytest.mark.torch
GRID, SIZE_PX = 4, 64


class Identity(torch.nn.Module):
    """Shows the map what it would feed to its MLP: score, corners in cells, words."""

    def forward(self, boxes: "torch.Tensor") -> "torch.Tensor":
        return boxes


def layout(boxes: list, mask: list, *, wrap: bool = True) -> "torch.Tensor":
    """(GRID, GRID, 6) of boxes in pixels with scores 0, 1, 2, ... and a word of 7; nothing's word is 9."""
    module = LayoutMap(1, 4, 2, GRID, wrap=wrap)
    module.mlp = Identity()
    count = len(boxes)
    scores = torch.arange(float(count))[None]
    words = torch.full((1, count, 1), 7.0)
    return module(torch.tensor([boxes]), scores, words, torch.tensor([9.0]), torch.tensor([mask]), SIZE_PX)[0]


def test_the_last_box_owns_a_cell_and_padding_owns_none() -> None:
    boxes = [[0.0, 0.0, 40.0, 40.0], [16.0, 16.0, 56.0, 56.0], [0.0, 0.0, 64.0, 64.0]]
    cells = layout(boxes, [True, True, False])
    assert cells[..., 0].tolist() == [[0, 0, 0, -1], [0, 1, 1, 1], [0, 1, 1, 1], [-1, 1, 1, 1]]
    assert cells[0, 0].tolist() == [0.0, 0.0, 0.0, 3.0, 3.0, 7.0]
    assert cells[0, 3].tolist() == [-1.0, -1.0, -1.0, -1.0, -1.0, 9.0]


def test_a_narrow_box_still_covers_a_cell() -> None:
    owned = layout([[20.0, 20.0, 28.0, 28.0]], [True])[..., 0] == 0
    assert owned.nonzero().tolist() == [[1, 1]]


def test_a_box_beyond_the_border_wraps_as_in_the_public_code_or_is_clipped() -> None:
    box = [[-16.0, 0.0, 32.0, 16.0]]
    assert (layout(box, [True])[..., 0] == 0).sum() == 0  # Python's [-1:2] of four cells is empty
    assert (layout(box, [True], wrap=False)[0, :, 0] == 0).tolist() == [True, True, False, False]
    wide = [[-16.0, 0.0, 64.0, 16.0]]
    assert (layout(wide, [True])[0, :, 0] == 0).tolist() == [False, False, False, True]
