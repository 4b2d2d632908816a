"""Backbone: frozen statistics, stride, mask, torchvision's own network; the image encoder's map; pictures as input."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
pytest.importorskip("timm", reason="the models extra (timm) is not installed")

from videohoi.layers.image_encoder import (  # noqa: E402
    FrozenBatchNorm2d,
    ImageEncoder,
    ResNetBackbone,
)
from videohoi.layers.pictures import detr_input, resized_shape  # noqa: E402
from videohoi.layers.transformer import TransformerConfig  # noqa: E402

pytestmark = pytest.mark.torch


@torch.no_grad()
def randomise_statistics(model: "torch.nn.Module") -> None:
    generator = torch.Generator().manual_seed(0)
    for name, value in model.state_dict().items():
        if value.dim() == 1 and value.is_floating_point():
            value.copy_(
                torch.rand(value.shape, generator=generator) * 0.4 + (0.6 if "running_mean" not in name else -0.2)
            )


@pytest.mark.parametrize("dilated", [False, True], ids=["stride 32", "DC5"])
@torch.no_grad()
def test_features_equal_torchvisions_network_under_its_names(dilated: bool) -> None:
    torchvision = pytest.importorskip("torchvision", reason="the models extra (torchvision) is not installed")
    theirs = torchvision.models.resnet50(weights=None, replace_stride_with_dilation=[False, False, dilated]).eval()
    randomise_statistics(theirs)
    ours = ResNetBackbone("resnet50", dilated=dilated).eval()
    state = theirs.state_dict()
    ours.body.load_state_dict({name: state[name] for name in ours.body.state_dict()})
    assert {name for name in state if name not in ours.body.state_dict() and "num_batches" not in name} == {
        "fc.weight",
        "fc.bias",
    }
    pixels = torch.randn(1, 3, 64, 81, generator=torch.Generator().manual_seed(1))
    x = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(pixels))))
    expected = theirs.layer4(theirs.layer3(theirs.layer2(theirs.layer1(x))))
    features, _ = ours(pixels, torch.zeros(1, 64, 81, dtype=torch.bool))
    assert features.shape == expected.shape == ((1, 2048, 4, 6) if dilated else (1, 2048, 2, 3))
    torch.testing.assert_close(features, expected, atol=1e-4 * float(expected.abs().max()), rtol=1e-4)


def test_frozen_norm_is_the_same_in_training_and_has_nothing_to_train() -> None:
    norm, reference = FrozenBatchNorm2d(3), torch.nn.BatchNorm2d(3).eval()
    for name in ("weight", "bias", "running_mean", "running_var"):
        value = torch.tensor([0.5, 1.5, 2.0])
        getattr(norm, name).copy_(value)
        getattr(reference, name).data.copy_(value)
    x = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(norm.train()(x), reference(x))
    assert not list(norm.parameters())


@torch.no_grad()
def test_the_encoder_gives_maps_and_their_padding() -> None:
    encoder = ImageEncoder(TransformerConfig(16, 2, 24), 1, backbone="resnet18").eval()
    padding = torch.zeros(2, 96, 130, dtype=torch.bool)
    padding[1, :, 64:] = True
    image = encoder(torch.randn(2, 3, 96, 130), padding)
    assert image.memory.shape == image.position.shape == (2, 15, 16)
    assert image.memory_map().shape == (2, 16, 3, 5)
    assert image.feature_map.shape == (2, 512, 3, 5)
    assert image.map_padding[1].tolist() == [[False, False, False, True, True]] * 3
    assert not image.map_padding[0].any()
    torch.testing.assert_close(image.memory_map()[1, :, 1, 2], image.memory[1, 1 * 5 + 2])


@pytest.mark.parametrize(
    ("height_width", "expected"),
    [
        ((480, 640), (800, 1066)),
        ((640, 480), (1066, 800)),
        ((1080, 1920), (750, 1333)),
        ((800, 800), (800, 800)),
        ((300, 1000), (400, 1333)),
        ((1, 5000), (1, 5000)),
    ],
)
def test_sizes_are_those_of_the_public_transform(height_width: tuple, expected: tuple) -> None:
    assert resized_shape(*height_width) == expected


def test_pictures_become_normalised_pixels_with_padding() -> None:
    small = np.full((20, 30, 3), (255, 0, 128), np.uint8)
    large = np.zeros((40, 30, 3), np.uint8)
    small.flags.writeable = False
    batch = detr_input([small, large], short_side_px=40, long_side_px=60)
    assert batch.pixels.shape == (2, 3, 53, 60)
    assert batch.padding_mask[0].sum() == 13 * 60
    assert batch.padding_mask[1].sum() == 53 * 20
    expected = torch.tensor([(1 - 0.485) / 0.229, -0.456 / 0.224, (128 / 255 - 0.406) / 0.225])
    torch.testing.assert_close(batch.pixels[0, :, 5, 7], expected)
    assert not batch.pixels[0, :, 40:].any()
    assert not batch.pixels[1, :, :, 40:].any()


def test_resizing_equals_pillows_to_one_grey_value() -> None:
    image_module = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    picture = np.random.default_rng(0).integers(0, 256, (61, 90, 3), np.uint8)
    height, width = resized_shape(61, 90, 40, 100)
    expected = np.asarray(image_module.fromarray(picture).resize((width, height), image_module.Resampling.BILINEAR))
    pixels = detr_input([picture], short_side_px=40, long_side_px=100).pixels[0].permute(1, 2, 0).numpy()
    grey = (pixels * (0.229, 0.224, 0.225) + (0.485, 0.456, 0.406)) * 255
    assert np.abs(grey - expected).max() < 1.01
    assert np.abs(grey - expected).mean() < 0.02
