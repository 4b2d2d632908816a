"""clip_prior and hts: crops, forward of any number of pairs, export, drift."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
pytest.importorskip("torchvision", reason="the models extra (torchvision) is not installed")
pytest.importorskip("open_clip", reason="the models extra (open_clip) is not installed")

from clip_cases import TINY_CLIP, frame  # noqa: E402
from one_stage_cases import hashed  # noqa: E402
from static_export import data_dependent_operators, export_static  # noqa: E402
from torch.nn import functional  # noqa: E402

from videohoi.interact.heads.clip_prior import ClipPrior, ClipPriorConfig  # noqa: E402
from videohoi.interact.heads.hts import BIAS, Hts, HtsConfig  # noqa: E402
from videohoi.interact.heads.union_crops import square_crop  # noqa: E402
from videohoi.interact.torch_engine import FOREIGN_NOTE, TextSource, load_clip  # noqa: E402
from videohoi.layers.clip import ImageTower, tokenize  # noqa: E402
from videohoi.layers.pictures import as_picture, clip_pictures, clip_whole  # noqa: E402

pytestmark = pytest.mark.torch


def padded_inputs(batch, pairs, boxes=4):
    """A crop for each pair, in another order."""
    torch.manual_seed(5)
    order = torch.stack([torch.randperm(pairs) for _ in range(batch)])
    return (
        torch.rand(batch, pairs, 3, 32, 32),
        functional.normalize(torch.randn(7, 16), dim=-1),
        torch.rand(batch, boxes, 4),
        torch.randint(0, boxes, (batch, pairs, 2)),
        torch.rand(batch, pairs) < 0.7,
        torch.rand(batch, boxes),
        torch.randint(0, 80, (batch, boxes)),
        torch.zeros(batch, dtype=torch.int64),
        order,
    )


def models():
    torch.manual_seed(0)
    hts = Hts(HtsConfig(classes=7), TINY_CLIP)
    torch.nn.init.normal_(hts.rows)
    return {"clip_prior": ClipPrior(ImageTower(TINY_CLIP), 100.0).eval(), "hts": hts.eval()}


@pytest.mark.parametrize("name", ["clip_prior", "hts"])
@pytest.mark.parametrize(("batch", "pairs"), [(1, 0), (1, 1), (4, 3)])
def test_forward_of_any_number_of_pairs_and_pictures(name, batch, pairs):
    model, inputs = models()[name], padded_inputs(batch, pairs)
    output = model(*inputs)
    assert output.logits.shape == (batch, pairs, 7)
    assert output.features.shape == (batch, pairs, 16)
    assert torch.equal(output.pair_rows, inputs[3])


@pytest.mark.parametrize("name", ["clip_prior", "hts"])
def test_each_pair_has_clips_vector_of_its_own_crop(name):
    model, inputs = models()[name], padded_inputs(2, 3)
    features = model(*inputs).features
    for picture in range(2):
        for pair in range(3):
            crop = inputs[0][picture, inputs[-1][picture, pair]]
            seen = functional.normalize(model.tower(crop[None]).pooled[0], dim=-1)
            assert torch.allclose(features[picture, pair], seen, atol=1e-5)
    assert (features[0, 0] - features[0, 1]).abs().max() > 1e-3


def test_logits_are_gamma_times_cosines_and_with_htss_scale_and_bias():
    inputs = padded_inputs(1, 2)
    chosen = models()
    output = chosen["clip_prior"](*inputs)
    assert torch.allclose(output.logits, 100 * output.features @ inputs[1].T, atol=1e-4)
    assert torch.allclose(output.features.norm(dim=-1), torch.ones(1, 2), atol=1e-5)
    output = chosen["hts"](*inputs)
    expected = output.features @ inputs[1].T / 0.07 + BIAS
    assert torch.allclose(output.logits, expected, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("name", ["clip_prior", "hts"])
def test_stored_numbers_do_not_drift(name):
    model = models()[name]
    for salt, value in enumerate(model.state_dict().values()):
        if value.dim():
            value.copy_(hashed(salt, *value.shape) / math.sqrt(max(value[0].numel(), 2)))
    text = functional.normalize(hashed(50, 7, 16), dim=-1)
    rest = padded_inputs(1, 2)[2:]
    output = model(hashed(60, 1, 2, 3, 32, 32), text, *rest[:-1], torch.tensor([[1, 0]]))
    assert output.logits[0, :, :3].flatten().tolist() == pytest.approx(DRIFT[name], abs=2e-3)
    assert (output.logits[0, 0] - output.logits[0, 1]).abs().max() > 0.1


DRIFT = {
    "clip_prior": [7.45387, -22.32646, -50.74606, 4.7545, -23.65614, -52.21854],
    "hts": [-4.43361, -6.3821, -5.32561, -4.16481, -6.09724, -5.32755],
}
"""three logits of each pair, of this code"""


@pytest.mark.parametrize("name", ["clip_prior", "hts"])
def test_static_export_gives_the_same_numbers(name):
    model, inputs = models()[name], padded_inputs(1, 2)
    program = export_static(model, inputs)
    assert not data_dependent_operators(program)
    assert torch.allclose(program.module()(*inputs).logits, model(*inputs).logits, atol=1e-5)


def test_a_crop_is_square_black_and_centred():
    image = np.full((50, 80, 3), 7, np.uint8)
    crop = square_crop(image, np.array([10.4, 5, 30.2, 15], np.float32))
    assert crop.shape == (20, 20, 3)
    assert (crop[5:15] == 7).all()
    assert not crop[:5].any()
    assert not crop[15:].any()


@pytest.mark.parametrize(
    ("box", "side"),
    [([-20, -20, 200, 200], 80), ([79.9, 49.9, 79.95, 49.95], 1), ([30, 20, 10, 5], 1), ([np.nan] * 4, 1)],
)
def test_boxes_outside_thin_inverted_or_not_finite_still_give_a_crop(box, side):
    assert square_crop(np.zeros((50, 80, 3), np.uint8), np.array(box, np.float32)).shape == (side, side, 3)


def test_pictures_are_resized_as_pillow_does_and_normalised():
    image_module = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    picture = frame(61, 61).image
    resized = np.asarray(image_module.fromarray(picture).resize((32, 32), image_module.Resampling.BICUBIC), np.float32)
    pixels = clip_pictures([picture], 32)[0].permute(1, 2, 0).numpy()
    mean, std = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
    assert np.abs(((pixels * std + mean) * 255) - resized).max() <= 1.01, "at most one grey value"
    assert clip_whole(as_picture(frame(50, 90).image), 32).shape == (1, 3, 32, 32)


def test_only_the_tokens_that_are_needed_give_the_same_text_vectors():
    clip = load_clip(TINY_CLIP, "random", "test").clip
    sentences = ["a cup", "a picture of person drinking with bottle"]
    with torch.inference_mode():
        whole = clip.text(tokenize(sentences)).numpy()
    assert TextSource(clip.text, "x").encode(sentences) == pytest.approx(whole, abs=1e-5)


def test_weights_of_the_exact_gelu_give_other_vectors_and_foreign_files_are_spoken_of(tmp_path):
    """Nothing in a file tells with which of the two it was trained."""
    clip = load_clip(TINY_CLIP, "random", "test").clip
    towers = {"visual.": clip.image.state_dict(), "": clip.text.state_dict()}
    state = {f"{begin}{key.replace('blocks', 'transformer.resblocks')}": value
             for begin, values in towers.items() for key, value in values.items()}  # fmt: skip
    torch.save(state | {"logit_scale": clip.logit_scale.detach()}, tmp_path / "clip.pt")
    quick, exact = (
        load_clip(replace(TINY_CLIP, quick_gelu=is_quick), str(tmp_path / "clip.pt"), "test")
        for is_quick in (True, False)
    )
    assert quick.note == FOREIGN_NOTE
    assert "exact_gelu=true" in FOREIGN_NOTE
    assert exact.note == ""
    assert quick.identity != exact.identity, "a text bank of the one must not serve the other"
    with torch.inference_mode():
        difference = quick.clip.text(tokenize(["a cup"])) - exact.clip.text(tokenize(["a cup"]))
    assert difference.abs().max() > 1e-3
    assert not ClipPriorConfig(exact_gelu=True).sizes().quick_gelu
    assert HtsConfig().sizes().quick_gelu
