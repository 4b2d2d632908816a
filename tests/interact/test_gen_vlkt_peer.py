"""GEN-VLKT's public model itself beside ours, on the same random weights, trained on all interactions and zero-shot.

Set VIDEOHOI_PEER_PATH to a folder with ``gen_full`` (YueLiao/gen-vlkt). CLIP, which initialises its classifiers, is
replaced by random vectors.
"""

from types import ModuleType, SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
pytest.importorskip("torchvision", reason="the models extra (torchvision) is not installed")
pytest.importorskip("timm", reason="the models extra (timm) is not installed")

from one_stage_cases import (  # noqa: E402
    TOLERANCE,
    largest_difference,
    parameter_count,
    pictures,
    public_code,
    published_settings,
    random_weights,
)

from videohoi.interact.heads.gen_vlkt import IGNORED_KEYS, KEY_MAP, GenVlkt, GenVlktConfig  # noqa: E402
from videohoi.layers.checkpoints import convert  # noqa: E402

pytestmark = pytest.mark.torch
SEEN = {"default": None, "rare_first": 480}
"""zero-shot split -> rows of the training classifier"""


def random_clip() -> ModuleType:
    clip = ModuleType("clip")
    generator = torch.Generator().manual_seed(2)
    encoder = SimpleNamespace(
        encode_text=lambda tokens: torch.randn(len(tokens), 512, generator=generator),
        visual=SimpleNamespace(proj=torch.zeros(768, 512)),
    )
    clip.tokenize = lambda text: torch.zeros(1, 77)
    clip.load = lambda name, device: (encoder, None)
    return clip


@pytest.fixture(scope="module", params=list(SEEN))
def public(request: pytest.FixtureRequest) -> SimpleNamespace:
    """Their whole model with random weights, and their container of padded pictures."""
    settings = published_settings(
        dec_layers=3,
        dataset_file="hico",
        clip_embed_dim=512,
        clip_model="any",
        with_clip_label=True,
        with_obj_clip_label=True,
        with_mimic=True,
        zero_shot_type=request.param,
        del_unseen=True,
        eval=True,
    )
    with public_code("gen_full", {"clip": random_clip()}):
        from models.backbone import build_backbone
        from models.gen import build_gen
        from models.gen_vlkt import GEN_VLKT
        from util.misc import NestedTensor

        model = GEN_VLKT(build_backbone(settings), build_gen(settings), num_queries=64, args=settings)
    return SimpleNamespace(model=random_weights(model, 6), padded=NestedTensor, split=request.param)


@pytest.fixture(scope="module")
def ours(public: SimpleNamespace) -> GenVlkt:
    """Our model with their weights and what the converter leaves in them, through the table of the import."""
    state = public.model.state_dict()
    state |= {"query_embed.weight": torch.zeros(64, 256), "obj_class_embed.bias": torch.zeros(81)}
    with torch.device("meta"):
        model = GenVlkt(GenVlktConfig(seen_classes=SEEN[public.split]))
    converted = convert(state, model, KEY_MAP, IGNORED_KEYS)
    assert len(converted.ignored) == 2
    model.load_state_dict(converted.state_dict, assign=True)
    return model.eval()


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [[(333, 517)], [(333, 517), (421, 300)]], ids=["one odd size", "padded batch of two"])
@torch.no_grad()
def test_outputs_equal_the_public_code(public: SimpleNamespace, ours: GenVlkt, sizes: list) -> None:
    pixels, padding = pictures(sizes, seed=len(sizes))
    theirs = public.model(public.padded(pixels, padding), is_training=False)
    found = ours(pixels, padding)
    differences = {
        "human boxes": largest_difference(found.boxes_cxcywh[:, :64], theirs["pred_sub_boxes"]),
        "object boxes": largest_difference(found.boxes_cxcywh[:, 64:], theirs["pred_obj_boxes"]),
        "object logits": largest_difference(found.object_logits, theirs["pred_obj_logits"]),
        "interaction logits": largest_difference(found.logits, theirs["pred_hoi_logits"]),
        "features": largest_difference(found.features, theirs["inter_memory"]),
    }
    assert found.logits.shape[-1] == 600
    assert max(differences.values()) < TOLERANCE, differences


@pytest.mark.slow
@torch.no_grad()
def test_text_rows_without_the_bias_give_the_same_cosines(public: SimpleNamespace, ours: GenVlkt) -> None:
    pixels, padding = pictures([(96, 128)])
    projection = ours.evaluation_projection or ours.interaction_class.projection
    theirs = public.model(public.padded(pixels, padding), is_training=False)["pred_hoi_logits"]
    scale = ours.interaction_class.logit_scale.exp()
    text = projection.weight / projection.weight.norm(dim=-1, keepdim=True)
    lengths = projection.weight.norm(dim=-1)
    found = ours(pixels, padding, 3 * text).logits
    torch.testing.assert_close(found * lengths + scale * projection.bias, theirs, atol=TOLERANCE, rtol=0)


def test_parameters_are_as_many_as_the_public_ones(public: SimpleNamespace, ours: GenVlkt) -> None:
    assert parameter_count(ours) == parameter_count(public.model)
