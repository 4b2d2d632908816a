"""EoID's public student itself beside ours, on the same random weights.

Set VIDEOHOI_PEER_PATH to a folder with ``eoid_full`` (mrwu-mac/EoID).
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

from videohoi.interact.heads.eoid import IGNORED_KEYS, KEY_MAP, EoID  # noqa: E402
from videohoi.layers.checkpoints import convert  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def public() -> SimpleNamespace:
    """Their whole model with random weights, and their container of padded pictures."""
    unrelated = ModuleType("models.hoi_cons")  # another method, which needs a library that EoID does not
    unrelated.build = None
    with public_code("eoid_full", {"models.hoi_cons": unrelated}):
        import models.backbone
        from models.cdn import build_cdn
        from models.EoID import HOIModel
        from util.misc import NestedTensor

        models.backbone.is_main_process = lambda: False  # it would download ImageNet's weights
        settings = published_settings(
            dec_layers_hopd=3, dec_layers_interaction=3, use_matching=False, vdetach=True, pretrained=""
        )
        model = HOIModel(
            models.backbone.build_backbone(settings), build_cdn(settings), None, 80, 117, 64, args=settings
        )
    return SimpleNamespace(model=random_weights(model, 5), padded=NestedTensor)


@pytest.fixture(scope="module")
def ours(public: SimpleNamespace) -> EoID:
    """Our model with their weights and what the published files hold besides, through the table of the import."""
    state = public.model.state_dict()
    decoder = {key: value for key, value in state.items() if ".decoder." in key}
    state |= {key.replace("decoder", "stage2_decoder"): value for key, value in decoder.items()}
    state |= {"class_embed.weight": torch.zeros(92, 256), "bbox_embed.layers.0.bias": torch.zeros(256)}
    state |= {"matching_embed.bias": torch.zeros(2), "backbone.0.body.bn1.num_batches_tracked": torch.zeros(())}
    with torch.device("meta"):
        model = EoID()
    converted = convert(state, model, KEY_MAP, IGNORED_KEYS)
    assert len(converted.ignored) == len(decoder) + 4
    model.load_state_dict(converted.state_dict, assign=True)
    return model.eval()


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [[(333, 517)], [(333, 517), (421, 300)]], ids=["one odd size", "padded batch of two"])
@torch.no_grad()
def test_outputs_equal_the_public_code(public: SimpleNamespace, ours: EoID, sizes: list) -> None:
    pixels, padding = pictures(sizes, seed=len(sizes))
    theirs = public.model(public.padded(pixels, padding))
    found = ours(pixels, padding)
    differences = {
        "human boxes": largest_difference(found.boxes_cxcywh[:, :64], theirs["pred_sub_boxes"]),
        "object boxes": largest_difference(found.boxes_cxcywh[:, 64:], theirs["pred_obj_boxes"]),
        "object logits": largest_difference(found.object_logits, theirs["pred_obj_logits"]),
        "verb logits": largest_difference(found.logits, theirs["pred_verb_logits"]),
    }
    assert max(differences.values()) < TOLERANCE, differences


def test_parameters_are_as_many_as_the_public_ones(public: SimpleNamespace, ours: EoID) -> None:
    assert parameter_count(ours) == parameter_count(public.model)
