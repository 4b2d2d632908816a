"""GEN-VLKT: shapes, batches, the vocabulary as an input, zero-shot classifiers, export, stored numbers."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
pytest.importorskip("timm", reason="the models extra (timm) is not installed")

from one_stage_cases import TINY, TOLERANCE, formula_weights, parameter_count, pictures  # noqa: E402
from static_export import data_dependent_operators, export_static  # noqa: E402

from videohoi.config import build, read_mapping  # noqa: E402
from videohoi.interact.heads.gen_vlkt import GenVlkt, GenVlktConfig  # noqa: E402

pytestmark = pytest.mark.torch
CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "models"
SMALL = GenVlktConfig(interaction_classes=9, object_classes=3, text_width=24, decoder_layers=2, **TINY)
PUBLIC_PARAMETERS = 42_272_371
"""of GEN_VLKT in YueLiao/gen-vlkt (S, all interactions), ResNet-50 without frozen statistics, counted"""


@pytest.fixture(scope="module")
def model() -> GenVlkt:
    return formula_weights(GenVlkt(SMALL))


@pytest.mark.parametrize("batch", [1, 4])
@torch.no_grad()
def test_a_batch_gives_what_its_pictures_give_alone(model: GenVlkt, batch: int) -> None:
    pixels, padding = pictures([(64, 96), (96, 70), (50, 33), (96, 96)][:batch])
    model, pixels = copy.deepcopy(model).double(), pixels.double()  # rounding depends on the size of a batch
    found = model(pixels, padding)
    assert found.boxes_cxcywh.shape == (batch, 10, 4)
    assert found.pair_rows[-1].tolist() == [[row, row + 5] for row in range(5)]
    assert found.pair_mask.all()
    assert found.logits.shape == (batch, 5, 9)
    assert found.object_logits.shape == (batch, 5, 4)
    assert found.features.shape == (batch, 5, 24)
    for row in range(batch):
        alone = model(pixels[row : row + 1], padding[row : row + 1])
        torch.testing.assert_close(found.logits[row], alone.logits[0], atol=TOLERANCE, rtol=0)
        torch.testing.assert_close(found.boxes_cxcywh[row], alone.boxes_cxcywh[0], atol=TOLERANCE, rtol=0)


@torch.no_grad()
def test_logits_against_given_text_are_scaled_cosines(model: GenVlkt) -> None:
    pixels, padding = pictures([(64, 64)])
    text = torch.randn(4, 24, generator=torch.Generator().manual_seed(1))
    found = model(pixels, padding, text, torch.randn(6, 24, generator=torch.Generator().manual_seed(2)))
    assert found.logits.shape == (1, 5, 4)
    assert found.object_logits.shape == (1, 5, 6)
    scale = model.interaction_class.logit_scale.exp()
    for query in range(5):
        for row in range(4):
            cosine = torch.cosine_similarity(found.features[0, query], text[row], dim=0)
            torch.testing.assert_close(found.logits[0, query, row], scale * cosine)
    longer = model(pixels, padding, 7 * text)
    torch.testing.assert_close(longer.logits, found.logits)
    torch.testing.assert_close(longer.boxes_cxcywh, found.boxes_cxcywh)


@torch.no_grad()
def test_the_vocabulary_changes_on_the_exported_model_without_exporting_again(model: GenVlkt) -> None:
    pixels, padding = pictures([(64, 96), (96, 70)])
    generator = torch.Generator().manual_seed(3)
    first, second = (torch.randn(4, 24, generator=generator) for _ in range(2))
    program = export_static(model, (pixels, padding, first))
    assert data_dependent_operators(program) == []
    other = pictures([(96, 96), (33, 64)], seed=4)
    found, expected = program.module()(*other, second), model(*other, second)
    for name in ("boxes_cxcywh", "logits", "object_logits", "features"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), atol=TOLERANCE, rtol=0)
    assert (model(*other, first).logits - expected.logits).abs().max() > 1e-2


@torch.no_grad()
def test_export_without_text_gives_equal_outputs(model: GenVlkt) -> None:
    inputs = pictures([(64, 64)])
    program = export_static(model, inputs)
    assert data_dependent_operators(program) == []
    torch.testing.assert_close(program.module()(*inputs).logits, model(*inputs).logits, atol=TOLERANCE, rtol=0)


@torch.no_grad()
def test_a_zero_shot_model_answers_with_all_interactions_and_its_bias_counts() -> None:
    model = formula_weights(GenVlkt(replace(SMALL, seen_classes=6)))
    inputs = pictures([(64, 64)])
    found = model(*inputs)
    assert found.logits.shape == (1, 5, 9)
    before = found.logits
    model.evaluation_projection.bias += 1
    scale = model.interaction_class.logit_scale.exp()
    torch.testing.assert_close(model(*inputs).logits, before + scale)


@torch.no_grad()
def test_human_and_object_queries_share_their_position_and_pair_up(model: GenVlkt) -> None:
    inputs = pictures([(64, 64)])
    before = model(*inputs)
    order = torch.tensor([4, 2, 0, 1, 3])
    permuted = formula_weights(GenVlkt(SMALL))
    for queries in (permuted.human_queries, permuted.object_queries, permuted.pair_position):
        queries.copy_(queries[order])
    after = permuted(*inputs)
    torch.testing.assert_close(after.logits, before.logits[:, order], atol=TOLERANCE, rtol=0)
    torch.testing.assert_close(after.boxes_cxcywh[:, 5:], before.boxes_cxcywh[:, 5:][:, order], atol=TOLERANCE, rtol=0)


@torch.no_grad()
def test_stored_numbers_do_not_drift(model: GenVlkt) -> None:
    found = model(*pictures([(64, 96)], seed=7))
    numbers = (
        found.boxes_cxcywh[0, 6],
        found.logits[0, 2, :3],
        found.object_logits[0, 4, :2],
        found.features[0, 1, :2],
    )
    torch.testing.assert_close(torch.cat(numbers), torch.tensor(STORED), atol=1e-3, rtol=0)


def test_the_shipped_configuration_is_the_default_and_as_large_as_the_public_model() -> None:
    config = build(GenVlktConfig, read_mapping(CONFIGS / "gen_vlkt.yaml"))
    assert config == GenVlktConfig()
    with torch.device("meta"):
        assert parameter_count(GenVlkt(config)) == PUBLIC_PARAMETERS


STORED = [0.49148, 0.51346, 0.42128, 0.36100, -0.41651, -0.46935, 2.38217, 1.82405, 0.58817, -0.37588, -0.85809]
