"""ROIAlign against torchvision's kernel, and by hand where that is absent."""

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")

from videohoi.errors import UsageError  # noqa: E402
from videohoi.layers.roi_align import ADAPTIVE, pool, roi_align, roi_weights  # noqa: E402

pytestmark = pytest.mark.torch


def random_boxes(count: int, seed: int = 0) -> "torch.Tensor":
    """Boxes of a 224 px picture, some beyond its border, one without height, one of a point."""
    generator = torch.Generator().manual_seed(seed)
    centre, side = torch.rand(count, 2, generator=generator), torch.rand(count, 2, generator=generator)
    boxes = torch.cat((centre - side / 2, centre + side / 2), dim=1) * 224
    boxes[0, 3] = boxes[0, 1]
    boxes[1] = torch.tensor([100.0, 50.0, 100.0, 50.0])
    boxes[2] = torch.tensor([0.0, 0.0, 224.0, 244.0])
    return boxes


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("sampling_ratio", [ADAPTIVE, 1, 2, 3])
@pytest.mark.parametrize("case", [((14, 14), (7, 7), 14 / 224), ((9, 17), (7, 7), 1 / 16), ((14, 14), (2, 3), 1 / 16)])
def test_equals_torchvision(aligned: bool, sampling_ratio: int, case: tuple) -> None:
    ops = pytest.importorskip("torchvision.ops", reason="the models extra (torchvision) is not installed")
    size, bins, scale = case
    features = torch.randn(2, 5, *size, generator=torch.Generator().manual_seed(1))
    boxes = torch.stack((random_boxes(12, 2), random_boxes(12, 3)))
    expected = ops.roi_align(
        features, list(boxes), bins, spatial_scale=scale, sampling_ratio=sampling_ratio, aligned=aligned
    )
    ours = roi_align(
        features, boxes, bins, spatial_scale=scale, sampling_ratio=sampling_ratio, aligned=aligned, most_samples=10
    )
    torch.testing.assert_close(ours.flatten(0, 1), expected, atol=2e-5, rtol=0)


def test_a_bin_of_one_cell_is_that_cell() -> None:
    features = torch.arange(16.0).reshape(1, 1, 4, 4)
    ours = roi_align(features, torch.tensor([[[1.0, 1.0, 3.0, 3.0]]]), (2, 2), sampling_ratio=1, aligned=True)
    assert ours[0, 0, 0].tolist() == [[5.0, 6.0], [9.0, 10.0]]


def test_a_box_outside_the_map_is_zero_and_a_constant_map_is_constant_inside() -> None:
    features = torch.full((1, 2, 6, 8), 3.0)
    boxes = torch.tensor([[[20.0, 20.0, 25.0, 25.0], [1.0, 1.0, 5.0, 4.0]]])
    ours = roi_align(features, boxes, (3, 3))
    assert ours[0, 0].abs().max() == 0
    torch.testing.assert_close(ours[0, 1], torch.full((2, 3, 3), 3.0))


def test_a_linear_layer_before_the_pooling_is_one_after_it() -> None:
    features = torch.randn(1, 6, 14, 14, generator=torch.Generator().manual_seed(4))
    linear = torch.nn.Linear(6, 3, bias=False)
    weights = roi_weights(random_boxes(5)[None], (14, 14), (7, 7), spatial_scale=1 / 16, aligned=True)
    channels_last = features.permute(0, 2, 3, 1)
    torch.testing.assert_close(
        pool(linear(channels_last), weights), linear(pool(channels_last, weights)), atol=1e-5, rtol=0
    )


def test_exports_with_static_shapes_and_equal_output() -> None:
    class Pooling(torch.nn.Module):
        def forward(self, features: "torch.Tensor", boxes: "torch.Tensor") -> "torch.Tensor":
            return roi_align(features, boxes, (7, 7), spatial_scale=1 / 16, aligned=True)

    arguments = (torch.randn(1, 3, 14, 14), random_boxes(4)[None])
    program = torch.export.export(Pooling(), arguments)
    torch.testing.assert_close(program.module()(*arguments), Pooling()(*arguments))


def test_a_sampling_ratio_of_zero_is_refused() -> None:
    with pytest.raises(UsageError, match="sampling_ratio is 0"):
        roi_weights(torch.zeros(1, 4), (4, 4), (2, 2), sampling_ratio=0)
