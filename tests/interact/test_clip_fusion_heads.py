"""HOICLIP and KI2HOI, tiny: shapes, batches, vocabularies, enhancement, verb branch, export, sizes, drift."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
for package in ("timm", "open_clip"):
    pytest.importorskip(package, reason=f"the models extra ({package}) is not installed")

from detection_cases import count_parameters, randomised  # noqa: E402
from static_export import data_dependent_operators, export_static  # noqa: E402

from videohoi.config import build, read_mapping  # noqa: E402
from videohoi.errors import UsageError  # noqa: E402
from videohoi.interact.heads.hoiclip import Hoiclip, HoiclipConfig  # noqa: E402
from videohoi.interact.heads.ki2hoi import Ki2hoi, Ki2hoiConfig  # noqa: E402
from videohoi.layers.clip import ClipConfig  # noqa: E402
from videohoi.layers.clip_fusion import TextRows, enhance  # noqa: E402

pytestmark = pytest.mark.torch
ROOT = Path(__file__).resolve().parents[2]
DRIFT = Path(__file__).parent / "data" / "clip_fusion_heads.json"
CLIP = ClipConfig("tiny", 32, 32, 16, 24, 1, 2, text_width=16, text_layers=1, text_heads=2, vocabulary_size=64)
SIZES = {
    "interactions": 7, "objects": 4, "verbs": 5, "queries": 3, "width": 16, "heads": 2, "feedforward": 24,
    "encoder_layers": 1, "instance_layers": 2, "fusion_layers": 2, "backbone": "resnet18", "clip": CLIP,
}  # fmt: skip
HEADS = {
    "hoiclip": (Hoiclip, HoiclipConfig(**SIZES)),
    "ki2hoi": (Ki2hoi, Ki2hoiConfig(**SIZES)),
    "ki2hoi released": (Ki2hoi, Ki2hoiConfig(**SIZES, verb_branch="released")),
}


def make(name: str, **changed):
    """The tiny model ``name`` with every value random, one verb for each interaction."""
    kind, config = HEADS[name]
    torch.manual_seed(0)
    model = randomised(kind(replace(config, **changed)), seed=1)
    model.classifier.verb_to_interaction[torch.arange(7) % 5, torch.arange(7)] = 1.0
    return model


@pytest.fixture(scope="module", params=HEADS)
def model(request):
    return make(request.param)


def inputs(batch: int, seed: int = 0):
    """Pictures of which all but the first are padded to the right and below."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randn(batch, 3, 70, 90, generator=generator)
    mask = torch.zeros(batch, 70, 90, dtype=torch.bool)
    mask[1:, 50:] = mask[1:, :, 61:] = True
    clip_pixels = torch.randn(batch, 3, 32, 32, generator=generator)
    return pixels.masked_fill(mask[:, None], 0.0), mask, clip_pixels


@torch.no_grad()
@pytest.mark.parametrize("batch", [1, 4])
def test_every_query_is_a_pair_of_boxes_with_logits(model, batch) -> None:
    out = model(*inputs(batch))
    assert out.boxes_cxcywh.shape == (batch, 6, 4)
    assert bool(((out.boxes_cxcywh > 0) & (out.boxes_cxcywh < 1)).all())
    assert out.pair_rows.tolist() == [[[0, 3], [1, 4], [2, 5]]] * batch
    assert bool(out.pair_mask.all())
    assert out.logits.shape == (batch, 3, 7)
    assert out.object_logits.shape == (batch, 3, 5)
    assert out.features.shape == (batch, 3, 32)
    assert all(bool(value.isfinite().all()) for value in (out.logits, out.object_logits, out.features))


@torch.no_grad()
def test_a_picture_answers_the_same_alone_and_in_a_batch(model) -> None:
    pixels, mask, clip_pixels = inputs(4)
    batch = model(pixels, mask, clip_pixels)
    for row in (0, 2):
        alone = model(pixels[row : row + 1], mask[row : row + 1], clip_pixels[row : row + 1])
        torch.testing.assert_close(alone.logits[0], batch.logits[row], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(alone.boxes_cxcywh[0], batch.boxes_cxcywh[row], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_the_trained_rows_given_as_text_answer_as_without_text() -> None:
    model = make("hoiclip", zero_shot=True)
    torch.nn.init.zeros_(model.classifier.objects.bias)
    generator = torch.Generator().manual_seed(3)
    text, objects, verbs = (torch.randn(count, 32, generator=generator) for count in (7, 5, 5))
    matrix = torch.eye(5)[:, torch.tensor([4, 3, 3, 2, 1, 0, 0])]
    rows = {"interactions": text, "objects": objects, "verbs": verbs}
    for name, values in rows.items():
        getattr(model.classifier, name).weight.copy_(torch.nn.functional.normalize(values, dim=-1))
    model.classifier.verb_to_interaction.copy_(matrix)
    trained = model(*inputs(2))
    given = model(*inputs(2), 3 * text, objects, matrix, verbs)  # the length of text rows does not count
    torch.testing.assert_close(given.logits, trained.logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(given.object_logits, trained.object_logits, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_another_vocabulary_is_another_text_input(model) -> None:
    generator = torch.Generator().manual_seed(3)
    text, objects, verbs = (torch.randn(count, 32, generator=generator) for count in (4, 3, 2))
    matrix = torch.tensor([[1.0, 0, 1, 0], [0, 1, 0, 0]])
    out = model(*inputs(2), text, objects, matrix, verbs)
    assert out.logits.shape == (2, 3, 4)
    assert out.object_logits.shape == (2, 3, 3)
    order = torch.tensor([2, 0, 3, 1])
    shuffled = model(*inputs(2), text[order], objects, matrix[:, order], verbs)
    torch.testing.assert_close(shuffled.logits, out.logits[..., order], atol=1e-4, rtol=1e-4)
    with pytest.raises(UsageError, match=r"verb_to_interaction has shape \(5, 7\).*need \(5, 4\)"):
        model(*inputs(1), text)
    with pytest.raises(UsageError, match=r"text has shape \(4, 31\), expected \(classes, 32\)"):
        model(*inputs(1), text[:, :31])


def test_enhancement_by_hand() -> None:
    logits = torch.tensor([[[0.0, -2.0, 3.0]]])
    cosines = torch.tensor([[0.1, 0.9, 0.8]])
    out = enhance(logits, cosines, 2, 0.5).sigmoid()[0, 0]
    raised = [0.5, 0.1192029 + 0.5 * (0.7109495 - 0.5), 1 - 1e-6]  # sigmoid(3) + 0.5 (sigmoid(0.8) - 0.5) > 1: capped
    assert out.tolist() == pytest.approx(raised, abs=1e-5)
    assert torch.equal(enhance(logits, cosines, 0, 1.0), logits)
    assert enhance(logits, cosines, 99, 1.0).shape == (1, 1, 3)


@torch.no_grad()
def test_enhancement_raises_what_clip_sees_in_the_whole_picture() -> None:
    plain, enhanced = make("hoiclip"), make("hoiclip", enhancement_top=2)
    before, after = plain(*inputs(1)), enhanced(*inputs(1))
    cosines = plain.classifier.image_cosines(plain.clip(inputs(1)[2]).pooled, TextRows())[0]
    changed = (before.logits != after.logits).any(dim=1)[0]
    assert set(changed.nonzero()[:, 0].tolist()) == set(cosines.topk(2).indices.tolist())


@torch.no_grad()
def test_the_verb_branch_works_in_the_paper_and_is_dead_as_released() -> None:
    for name, alive in (("ki2hoi", True), ("ki2hoi released", False)):
        model = make(name)
        before = model(*inputs(2)).logits
        for parameter in (*model.verb_branch.parameters(), *model.branch_adapter.parameters()):
            parameter.add_(0.3 * torch.randn_like(parameter))
        assert torch.equal(before, model(*inputs(2)).logits) is not alive


@torch.no_grad()
def test_the_verb_branch_looks_into_the_boxes() -> None:
    model = make("ki2hoi")
    pixels, mask, _ = inputs(2)
    image, extent_px = model.image(pixels, mask), torch.tensor([[90.0, 70.0], [61.0, 50.0]])
    boxes, vectors = torch.full((2, 6, 4), 0.5), torch.randn(2, 3, 32)
    cosines = model.verb_branch(vectors, boxes, image, extent_px)
    assert cosines.shape == (2, 3, 5)
    assert float(cosines.abs().max()) <= 1 + 1e-6
    moved = boxes.clone()
    moved[0, 1] = torch.tensor([0.9, 0.9, 0.2, 0.2])  # the human of pair 1
    moved[0, 5] = torch.tensor([0.1, 0.1, 0.2, 0.2])  # the object of pair 2
    changed = (model.verb_branch(vectors, moved, image, extent_px) - cosines).abs().amax(dim=-1) > 1e-6
    assert changed.tolist() == [[False, True, True], [False, False, False]]


def wide(tensors):
    return tuple(each.double() if each.is_floating_point() else each for each in tensors)


@torch.no_grad()
@pytest.mark.parametrize(
    ("name", "open_vocabulary"),
    [("hoiclip", True), ("hoiclip", False), ("ki2hoi", True), ("ki2hoi", False), ("ki2hoi released", False)],
)
def test_it_exports_with_static_shapes_and_equal_outputs(name, open_vocabulary) -> None:
    """In float64: the logit of an enhanced score near 1 makes much of a last digit."""
    model = make(name, enhancement_top=2).double()
    arguments = wide(inputs(2))
    if open_vocabulary:
        text = (torch.randn(4, 32), torch.randn(3, 32), torch.ones(5, 4), torch.randn(5, 32))
        arguments = (*arguments, *wide(text))
    program = export_static(model, arguments)
    assert data_dependent_operators(program) == []
    other = (*wide(inputs(2, seed=7)), *arguments[3:])
    other[1][1, 40:] = True
    expected, exported = model(*other), program.module()(*other)
    for field in ("boxes_cxcywh", "pair_rows", "logits", "object_logits", "features"):
        torch.testing.assert_close(getattr(exported, field), getattr(expected, field), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["hoiclip", "ki2hoi"])
def test_the_shipped_configuration_is_the_default(name) -> None:
    kind = type(HEADS[name][1])
    assert build(kind, read_mapping(ROOT / "configs" / "models" / f"{name}.yaml")) == kind()


@torch.no_grad()
def test_outputs_did_not_drift(model, request) -> None:
    out = model(*inputs(2))
    seen = {
        "logits": out.logits[1, 2].tolist(),
        "object_logits": out.object_logits[1, 0].tolist(),
        "boxes_cxcywh": out.boxes_cxcywh[0, 4].tolist(),
    }
    stored = json.loads(DRIFT.read_text(encoding="utf-8"))[request.node.callspec.params["model"]]
    for field, values in stored.items():
        assert seen[field] == pytest.approx(values, abs=2e-4), field


@pytest.mark.parametrize(("name", "public"), [("hoiclip", 218_165_476), ("ki2hoi", 223_102_809)])
def test_full_size_has_as_many_parameters_as_the_public_code(name, public) -> None:
    """Counted in the public code by ``test_clip_fusion_peers``, which names the small parts that are not here."""
    kind, config = HEADS[name]
    with torch.device("meta"):
        model = kind(type(config)())
    assert count_parameters(model) == pytest.approx(public, rel=0.01)


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_near_single(dtype) -> None:
    model = make("ki2hoi", enhancement_top=2)
    pixels, mask, clip_pixels = inputs(1)
    single = model(pixels, mask, clip_pixels)
    half = model.to(dtype)(pixels.to(dtype), mask, clip_pixels.to(dtype))
    assert half.logits.dtype == dtype
    assert half.logits.isfinite().all()
    assert float((half.boxes_cxcywh.float() - single.boxes_cxcywh).abs().max()) < 0.05
