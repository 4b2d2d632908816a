"""UPT's head: shapes, masks, caps, batches, export, size; a few numbers against drift."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
pytest.importorskip("safetensors", reason="the models extra (safetensors) is not installed")

from detection_cases import KINDS, count_parameters, detections, randomised  # noqa: E402
from static_export import data_dependent_operators, export_static  # noqa: E402

from videohoi.config import build, read_mapping  # noqa: E402
from videohoi.errors import UsageError  # noqa: E402
from videohoi.interact.heads.detr_pairs import UptModelConfig  # noqa: E402
from videohoi.interact.heads.upt import UptConfig, UptHead  # noqa: E402

pytestmark = pytest.mark.torch
ROOT = Path(__file__).resolve().parents[2]
SMALL = UptConfig(
    verbs=5, detector_width=16, picture_width=12, width=16, spatial_widths=(12, 12), heads=2, branches=4,
    pair_feedforward=24, max_pairs=20,
)  # fmt: skip
ROWS = 8


def head(config: UptConfig = SMALL) -> UptHead:
    torch.manual_seed(0)
    return randomised(UptHead(config))


def arguments(kinds: tuple[str, ...], seed: int = 0) -> tuple:
    """Detections, the backbone's map and picture sizes of a batch."""
    found = detections([KINDS[kind] for kind in kinds], rows=ROWS, width=SMALL.detector_width, seed=seed)
    generator = torch.Generator().manual_seed(seed + 1)
    batch = len(kinds)
    picture_map = torch.randn(batch, SMALL.picture_width, 3, 5, generator=generator)
    return (*found, picture_map, torch.tensor([[517.0, 333.0], [640.0, 480.0]] * 2)[:batch])


@pytest.mark.parametrize(
    ("kind", "pairs"),
    [("crowd", 15), ("one human", 3), ("one pair", 1), ("two humans, no object", 2), ("one human, no object", 0),
     ("no human", 0), ("nothing", 0)],
)  # fmt: skip
def test_number_of_pairs_and_finite_logits(kind: str, pairs: int) -> None:
    with torch.no_grad():
        output = head()(*arguments((kind,)))
    assert output.logits.shape == (1, SMALL.max_pairs, SMALL.verbs)
    assert int(output.pair_mask.sum()) == pairs
    assert output.truncated.tolist() == [0]
    assert output.logits.isfinite().all()
    assert not output.logits[~output.pair_mask].any()
    assert output.logits[output.pair_mask].abs().sum() > 0 or pairs == 0


def test_no_pair_at_most_is_no_setting() -> None:
    with pytest.raises(UsageError, match="max_pairs=0: expected 1 or more"):
        UptConfig(max_pairs=0)
    with pytest.raises(UsageError, match="max_pairs=0: expected 1 or more"):
        head()(*arguments(("crowd",)), max_pairs=0)


def test_no_row_at_all_is_no_pair() -> None:
    """N = 0: a batch of pictures in which nothing was detected, without padding."""
    found = detections([(), ()], rows=0, width=SMALL.detector_width)
    with torch.no_grad():
        output = head()(*found, *arguments(("nothing", "nothing"))[5:])
    assert output.logits.shape[:2] == (2, SMALL.max_pairs)
    assert not output.pair_mask.any()
    assert not output.logits.any()
    assert output.truncated.tolist() == [0, 0]


def test_the_cap_may_be_given_for_one_call() -> None:
    model, inputs = head(), arguments(("crowd",))
    with torch.no_grad():
        output, again = model(*inputs, max_pairs=4), model(*inputs)
    assert output.logits.shape[1] == 4
    assert output.truncated.tolist() == [11]
    assert again.logits.shape[1] == SMALL.max_pairs


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_near_single(dtype: torch.dtype) -> None:
    inputs = arguments(("crowd", "one human"))
    with torch.no_grad():
        single = head()(*inputs)
        narrow = [value.to(dtype) if value.is_floating_point() else value for value in inputs]
        half = head().to(dtype)(*narrow, max_pairs=SMALL.max_pairs)
    assert half.logits.dtype == dtype
    assert half.logits.isfinite().all()
    assert int(half.pair_mask.sum()) == int(single.pair_mask.sum())
    near = (half.logits.float() - single.logits).abs().mean() / single.logits.abs().mean()
    assert near < 0.2


def test_a_batch_of_four_gives_what_each_picture_gives_alone() -> None:
    model, inputs = head(), arguments(("crowd", "one pair", "nothing", "one human"))
    with torch.no_grad():
        together = model(*inputs)
        alone = [model(*(value[row : row + 1] for value in inputs)) for row in range(4)]
    torch.testing.assert_close(together.logits, torch.cat([output.logits for output in alone]), atol=1e-5, rtol=0)
    assert torch.equal(together.pair_rows, torch.cat([output.pair_rows for output in alone]))


def test_the_order_of_detections_only_renames_rows() -> None:
    model, inputs = head(), arguments(("crowd",))
    order = torch.tensor([3, 0, 5, 1, 4, 2, 6, 7])
    with torch.no_grad():
        plain, turned = model(*inputs), model(*(value[:, order] for value in inputs[:5]), *inputs[5:])
    by_pair = {tuple(pair): plain.logits[0, row] for row, pair in enumerate(plain.pair_rows[0].tolist()[:15])}
    for row, pair in enumerate(turned.pair_rows[0].tolist()[:15]):
        original = (int(order[pair[0]]), int(order[pair[1]]))
        torch.testing.assert_close(turned.logits[0, row], by_pair[original], atol=1e-5, rtol=0)


def test_the_cap_counts_what_it_cuts_and_keeps_the_best() -> None:
    config = UptConfig(**{**SMALL.__dict__, "max_pairs": 4})
    inputs = arguments(("crowd",))
    with torch.no_grad():
        output = head(config)(*inputs)
    assert output.truncated.tolist() == [11]
    assert output.pair_mask.all()
    scores = inputs[1][0]
    kept = [float(scores[h] * scores[o]) for h, o in output.pair_rows[0].tolist()]
    every = sorted((float(scores[h] * scores[o]) for h in range(3) for o in range(6) if h != o), reverse=True)
    assert sorted(kept, reverse=True) == pytest.approx(every[:4])


def test_exports_with_static_shapes_and_equal_output() -> None:
    model, inputs = head(), arguments(("crowd", "nothing"))
    program = export_static(model, inputs)
    assert data_dependent_operators(program) == []
    other = arguments(("one human", "crowd"), seed=5)
    with torch.no_grad():
        ours, exported = model(*other), program.module()(*other)
    torch.testing.assert_close(exported.logits, ours.logits, atol=1e-5, rtol=0)
    assert torch.equal(exported.pair_rows, ours.pair_rows)


def test_the_shipped_configuration_is_the_papers() -> None:
    values = read_mapping(ROOT / "configs" / "models" / "upt.yaml")
    assert build(UptModelConfig, values) == UptModelConfig()


def test_full_size_has_the_parameters_of_the_public_head() -> None:
    with torch.device("meta"):
        model = UptHead()
    assert count_parameters(model) == pytest.approx(PUBLIC_PARAMETERS, rel=0.01)


def test_numbers_have_not_drifted() -> None:
    with torch.no_grad():
        output = head()(*arguments(("crowd",)))
    assert output.logits[0, :2, :3].flatten().tolist() == pytest.approx(DRIFT, abs=2e-4)


PUBLIC_PARAMETERS = 13_240_837
"""of InteractionHead with its classifier, measured on fredzzhang/upt"""
DRIFT = [-0.035852, -0.546116, 0.550742, 0.034318, -0.579379, 0.484843]
