"""CLIP's towers against open_clip itself, with OpenAI's keys, missing weights and export."""

import logging
import warnings
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
open_clip = pytest.importorskip("open_clip")
safetensors = pytest.importorskip("safetensors.torch")

from videohoi.errors import ModelError, UsageError  # noqa: E402
from videohoi.files import file_sha256  # noqa: E402
from videohoi.layers import clip_weights  # noqa: E402
from videohoi.layers.clip import (  # noqa: E402
    CLIP_MODELS,
    Clip,
    ClipConfig,
    ImageTower,
    build_clip,
    clip_config,
    tokenize,
)

pytestmark = pytest.mark.torch
TINY = ClipConfig("tiny", 16, 32, 8, 24, 2, 3, 20, 2, 2, vocabulary_size=49408)


@pytest.fixture(scope="module")
def reference():
    """open_clip's own model of the same sizes, with OpenAI's activation and keys."""
    torch.manual_seed(0)
    vision = open_clip.CLIPVisionCfg(layers=2, width=24, head_width=8, patch_size=8, image_size=32)
    text = open_clip.CLIPTextCfg(context_length=77, vocab_size=49408, width=20, heads=2, layers=2)
    return open_clip.CLIP(16, vision, text, quick_gelu=True).eval()


@pytest.fixture
def weights(reference, tmp_path):
    path = tmp_path / "tiny.pt"
    torch.save(reference.state_dict(), path)
    return path


@torch.no_grad()
def test_both_towers_equal_open_clip_on_the_same_weights(reference, weights) -> None:
    clip = build_clip(TINY, weights)
    pictures = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    tokens = tokenize(["a photo of a person riding a horse", "a photo of a dog"])
    features = clip.image(pictures)
    torch.testing.assert_close(features.pooled, reference.encode_image(pictures), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(clip.text(tokens), reference.encode_text(tokens), atol=1e-5, rtol=1e-5)
    assert float(clip.logit_scale) == pytest.approx(float(reference.logit_scale))


@torch.no_grad()
def test_visual_tokens_are_those_before_the_projection(reference, weights) -> None:
    tower = build_clip(TINY, weights).image
    pictures = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    features = tower(pictures)
    reference.visual.output_tokens = True
    _, patches = reference.visual(pictures)
    reference.visual.output_tokens = False
    assert features.tokens.shape == (2, 1 + TINY.patches, 24)
    torch.testing.assert_close(features.tokens[:, 1:], patches, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(features.tokens[:, 0] @ reference.visual.proj, features.pooled, atol=1e-5, rtol=1e-5)


def test_a_prompt_that_clip_cannot_read_whole_is_refused() -> None:
    with pytest.raises(UsageError, match="has 82 tokens, CLIP reads 77"):
        tokenize(["horse " * 80])


@torch.no_grad()
@pytest.mark.parametrize("form", ["half", "archive", "safetensors", "training"])
def test_every_published_form_of_weights_loads_in_fp32(reference, tmp_path, form) -> None:
    state = reference.state_dict()
    path = tmp_path / ("weights.safetensors" if form == "safetensors" else "weights.pt")
    if form == "half":
        sizes = {
            "input_resolution": torch.tensor(32),
            "context_length": torch.tensor(77),
            "vocab_size": torch.tensor(9),
        }
        torch.save({key: value.half() for key, value in state.items()} | sizes, path)
    elif form == "safetensors":
        safetensors.save_file({key: value.contiguous() for key, value in state.items()}, path)
    elif form == "training":
        torch.save({"epoch": 3, "state_dict": {f"module.{key}": value for key, value in state.items()}}, path)
    else:
        _save_archive(state, path)
    clip = build_clip(TINY, path)
    expected = state["visual.proj"].half().float() if form == "half" else state["visual.proj"]
    assert clip.image.proj.dtype == torch.float32
    assert torch.equal(clip.image.proj, expected)


def test_the_very_file_that_openai_published_is_read_by_torch(weights, tmp_path, monkeypatch) -> None:
    """Known by its bytes: only then may code of the file run."""
    path = tmp_path / "published.pt"
    _save_archive(torch.load(weights, weights_only=True), path)
    with monkeypatch.context() as patch:
        patch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("another file's code would be run"))
        ours = build_clip(TINY, path).image
    monkeypatch.setattr(clip_weights, "PUBLISHED", {"tiny": ("published.pt", file_sha256(path), 1)})
    monkeypatch.setattr(clip_weights, "read_torchscript", lambda _: pytest.fail("torch reads it"))
    assert torch.equal(build_clip(TINY, path).image.proj, ours.proj)


def _save_archive(state, path) -> None:
    """A TorchScript archive with OpenAI's keys, as OpenAI published them."""

    class Holder(torch.nn.Module):
        def forward(self, x):
            return x

    root = Holder()
    for key, value in state.items():
        *parents, name = key.split(".")
        module = root
        for parent in parents:
            if parent not in module._modules:
                module.add_module(parent, Holder())
            module = module._modules[parent]
        module.register_parameter(name, torch.nn.Parameter(value, requires_grad=False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(root), path)


def test_missing_weights_name_file_address_size_and_the_way_without_a_network(tmp_path) -> None:
    with pytest.raises(ModelError) as caught:
        build_clip(clip_config("ViT-B/16"), tmp_path / "ViT-B-16.pt")
    message = str(caught.value)
    assert "\n" not in message
    for part in ("ViT-B-16.pt does not exist", "335 MiB", "https://openaipublic", "without a network"):
        assert part in message


def test_other_or_broken_weights_are_refused_by_name(weights, tmp_path) -> None:
    wider = ClipConfig("wider", 16, 32, 8, 48, 2, 3, 20, 2, 2)
    with pytest.raises(ModelError, match=r"has class_embedding of shape \(24,\), expected \(48,\)"):
        build_clip(wider, weights)
    deeper = ClipConfig("deeper", 16, 32, 8, 24, 3, 3, 20, 2, 2)
    with pytest.raises(ModelError, match=r"lacks blocks\.2\."):
        build_clip(deeper, weights)
    foreign, rubbish = tmp_path / "resnet.pt", tmp_path / "rubbish.pt"
    torch.save({"fc.weight": torch.zeros(2)}, foreign)
    rubbish.write_bytes(b"no weights at all")
    with pytest.raises(ModelError, match="holds no CLIP weights"):
        build_clip(TINY, foreign)
    with pytest.raises(
        ModelError, match=r"CLIP tiny: .*rubbish.pt: is damaged or not a checkpoint.*; give the path of"
    ):
        build_clip(TINY, rubbish)


@pytest.mark.parametrize(
    "name", ["cut.pt", "cut.safetensors", "page.pt", "page.safetensors", "text.pt", "code.pt", "directory.pt"]
)
def test_damaged_files_and_files_with_code_are_one_line_that_names_file_and_remedy(reference, tmp_path, name) -> None:
    path = tmp_path / name
    if name == "cut.pt":
        torch.save(reference.state_dict(), path)
        path.write_bytes(path.read_bytes()[:3000])
    elif name == "cut.safetensors":
        safetensors.save_file({key: value.contiguous() for key, value in reference.state_dict().items()}, path)
        path.write_bytes(path.read_bytes()[:3000])
    elif name == "directory.pt":  # a zip file to its last bytes, in whose list of entries one byte is wrong
        torch.save(reference.state_dict(), path)
        path.write_bytes(path.read_bytes().replace(b"PK\1\2", b"PK\1\3", 1))
    elif name == "code.pt":
        torch.save({"visual.proj": reference.visual}, path)  # a module: to read it would run its file's code
    else:
        path.write_text("<html>not found</html>" if name.startswith("page") else "remember the milk\n" * 99)
    with pytest.raises(ModelError) as caught:
        build_clip(ClipConfig(), path)
    message = str(caught.value)
    for part in ("CLIP ViT-B/32", name, "ViT-B-32.pt", "338 MiB", "without a network"):
        assert part in message
    for part in ("\n", "\x1b", "Re-running", "Weights only"):
        assert part not in message


def test_weights_of_another_published_model_are_called_by_its_name(tmp_path) -> None:
    state = {
        "visual.conv1.weight": torch.zeros(768, 3, 16, 16), "visual.positional_embedding": torch.zeros(197, 768),
    }  # fmt: skip
    torch.save(state, tmp_path / "b16.pt")
    with pytest.raises(ModelError, match=r"b16.pt holds ViT-B/16; .*--set model.options.clip=ViT-B/16"):
        build_clip(ClipConfig(), tmp_path / "b16.pt")
    torch.save({"text_model.embeddings.position_ids": torch.zeros(1, 77)}, tmp_path / "hub.pt")
    with pytest.raises(ModelError, match=r"has the names of transformers .*expected those of OpenAI or open_clip"):
        build_clip(ClipConfig(), tmp_path / "hub.pt")


def test_without_weights_it_constructs_and_says_so(caplog) -> None:
    with caplog.at_level(logging.WARNING, logger="videohoi.layers.clip"):
        assert isinstance(build_clip(TINY), Clip)
    assert "CLIP tiny is randomly initialised" in caplog.text


@pytest.mark.parametrize(("config", "millions"), list(zip(CLIP_MODELS, (151.28, 149.62, 427.62, 427.94), strict=True)))
def test_published_sizes_have_the_published_parameter_counts(config, millions) -> None:
    with torch.device("meta"):
        clip = Clip(config)
    assert sum(parameter.numel() for parameter in clip.parameters()) / 1e6 == pytest.approx(millions, abs=0.01)


def test_an_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="choose one of ViT-B/32, ViT-B/16"):
        clip_config("RN50")


@torch.no_grad()
def test_the_image_tower_exports_with_equal_outputs() -> None:
    torch.manual_seed(3)
    tower = ImageTower(TINY).eval()
    pictures = torch.randn(2, 3, 32, 32)
    program = torch.export.export(tower, (pictures,))
    for ours, theirs in zip(tower(pictures), program.module()(pictures), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_the_activation_is_openais_unless_told_otherwise(reference, weights) -> None:
    pictures = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(4))
    exact = build_clip(replace(TINY, quick_gelu=False), weights).image(pictures).pooled
    assert float((exact - reference.encode_image(pictures)).abs().max()) > 1e-4
