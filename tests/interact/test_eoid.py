"""EoID's student: shapes, batches, padding, export, stored numbers, import of names, the shipped configuration."""

import copy
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
pytest.importorskip("timm", reason="the models extra (timm) is not installed")

from one_stage_cases import TINY, TOLERANCE, formula_weights, parameter_count, pictures, published  # noqa: E402
from static_export import data_dependent_operators, export_static  # noqa: E402

from videohoi.config import build, read_mapping  # noqa: E402
from videohoi.errors import ModelError  # noqa: E402
from videohoi.interact.heads.eoid import IGNORED_KEYS, KEY_MAP, EoID, EoIDConfig  # noqa: E402
from videohoi.layers.checkpoints import convert  # noqa: E402

pytestmark = pytest.mark.torch
CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "models"
SMALL = EoIDConfig(verb_classes=7, object_classes=3, pair_layers=2, interaction_layers=3, **TINY)
PUBLIC_PARAMETERS = 41_676_432
"""of HOIModel in mrwu-mac/EoID, ResNet-50 without frozen statistics, counted"""


@pytest.fixture(scope="module")
def model() -> EoID:
    return formula_weights(EoID(SMALL))


@pytest.mark.parametrize("batch", [1, 4])
@torch.no_grad()
def test_a_batch_gives_what_its_pictures_give_alone(model: EoID, batch: int) -> None:
    sizes = [(64, 96), (96, 70), (50, 33), (96, 96)][:batch]
    pixels, padding = pictures(sizes)
    model, pixels = copy.deepcopy(model).double(), pixels.double()  # rounding depends on the size of a batch
    found = model(pixels, padding)
    assert found.boxes_cxcywh.shape == (batch, 10, 4)
    assert found.pair_rows[0].tolist() == [[row, row + 5] for row in range(5)]
    assert found.pair_rows.shape == (batch, 5, 2)
    assert found.pair_mask.all()
    assert found.logits.shape == (batch, 5, 7)
    assert found.object_logits.shape == (batch, 5, 4)
    assert found.features.shape == (batch, 5, 32)
    assert found.scores is None
    assert found.truncated is None
    for row in range(batch):  # the same frame of padding, so that the convolutions' borders are the same
        alone = model(pixels[row : row + 1], padding[row : row + 1])
        torch.testing.assert_close(found.logits[row], alone.logits[0], atol=TOLERANCE, rtol=0)
        torch.testing.assert_close(found.boxes_cxcywh[row], alone.boxes_cxcywh[0], atol=TOLERANCE, rtol=0)


def test_the_pair_decoder_learns_nothing_from_verbs_when_queries_are_detached() -> None:
    pixels, padding = pictures([(64, 64)])
    for detach in (True, False):
        model = EoID(EoIDConfig(**{**vars(SMALL), "detach_queries": detach}))
        model(pixels, padding).logits.sum().backward()
        assert (model.pair_decoder.norm.weight.grad is None) is detach


@torch.no_grad()
def test_export_gives_equal_outputs_and_depends_on_no_data(model: EoID) -> None:
    pixels, padding = pictures([(64, 96), (96, 70)])
    program = export_static(model, (pixels, padding))
    assert data_dependent_operators(program) == []
    other = pictures([(96, 96), (33, 64)], seed=4)
    found, expected = program.module()(*other), model(*other)
    for name in ("boxes_cxcywh", "logits", "object_logits", "features"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), atol=TOLERANCE, rtol=0)
    assert torch.equal(found.pair_rows, expected.pair_rows)


@torch.no_grad()
def test_stored_numbers_do_not_drift(model: EoID) -> None:
    found = model(*pictures([(64, 96)], seed=7))
    numbers = torch.cat((found.boxes_cxcywh[0, 6], found.logits[0, 2, :3], found.object_logits[0, 4, :2]))
    torch.testing.assert_close(numbers, torch.tensor(STORED), atol=1e-3, rtol=0)


def test_the_shipped_configuration_is_the_default_and_as_large_as_the_public_model() -> None:
    config = build(EoIDConfig, read_mapping(CONFIGS / "eoid.yaml"))
    assert config == EoIDConfig()
    with torch.device("meta"):
        assert parameter_count(EoID(config)) == PUBLIC_PARAMETERS


PUBLISHED_NAMES = {
    "pair_decoder.": "transformer.decoder.",
    "interaction_decoder.": "transformer.interaction_decoder.",
    "queries": "query_embed.weight",
    "object_class.": "obj_class_embed.",
    "verb_class.": "verb_class_embed.",
    "interactive_score.": "is_embed.",
    "human_box.": "sub_bbox_embed.",
    "object_box.": "obj_bbox_embed.",
}


def test_published_names_fill_the_model_and_the_converters_leftovers_are_ignored(model: EoID) -> None:
    state = published(model, PUBLISHED_NAMES)
    leftovers = ("transformer.stage2_decoder.norm.bias", "class_embed.bias", "bbox_embed.layers.0.bias",
                 "matching_embed.weight", "backbone.0.body.bn1.num_batches_tracked")  # fmt: skip
    converted = convert(state | dict.fromkeys(leftovers, torch.zeros(1)), EoID(SMALL), KEY_MAP, IGNORED_KEYS)
    assert [key for key, _ in converted.ignored] == list(leftovers)
    for name, value in model.state_dict().items():
        assert torch.equal(converted.state_dict[name], value)


def test_a_checkpoint_of_another_method_is_refused(model: EoID) -> None:
    state = published(model, PUBLISHED_NAMES) | {"hoi_class_fc.0.weight": torch.zeros(1)}
    with pytest.raises(ModelError, match=r"hoi_class_fc"):
        convert(state, EoID(SMALL), KEY_MAP, IGNORED_KEYS)
    del state["hoi_class_fc.0.weight"], state["is_embed.bias"]
    with pytest.raises(ModelError, match=r"interactive_score\.bias"):
        convert(state, EoID(SMALL), KEY_MAP, IGNORED_KEYS)


STORED = [0.56303, 0.58995, 0.41094, 0.61937, -0.20393, 0.05546, 0.22191, -0.77451, 1.35575]
