"""LAIN's head: the picture once or with every chunk, shapes, masks, caps, batches, export, drift."""

import dataclasses
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
pytest.importorskip("open_clip", reason="the models extra (open_clip) is not installed")

from detection_cases import KINDS, count_parameters, detections, randomised  # noqa: E402
from static_export import data_dependent_operators, export_static  # noqa: E402

from benchmarks.lain_patch_stream import all_tokens_head  # noqa: E402
from videohoi.config import build, read_mapping  # noqa: E402
from videohoi.errors import UsageError  # noqa: E402
from videohoi.interact.heads.detr_pairs import LainModelConfig  # noqa: E402
from videohoi.interact.heads.lain import LainConfig, LainHead  # noqa: E402
from videohoi.layers.clip import ClipConfig  # noqa: E402

pytestmark = pytest.mark.torch
ROOT = Path(__file__).resolve().parents[2]
ROWS, PICTURE_PX = 8, 64
SENTENCES = ("a person is holding the object.", "a person is riding the object.", "no interaction.")
CLIP = ClipConfig(
    "tiny", embed_dim=12, image_size_px=PICTURE_PX, patch_px=16, image_width=24, image_layers=3, image_heads=2,
    text_width=16, text_layers=2, text_heads=2, context_length=24,
)  # fmt: skip
SMALL = LainConfig(
    clip=CLIP, detector_width=10, token_hidden=8, layout_hidden=8, adapter_width=8, contexts=3, region_bins=3,
    whole_picture_px=(0.0, 0.0, 64.0, 70.0), context_tokens=4, max_pairs=20, pair_chunk=8,
)  # fmt: skip


def head(kind: type[LainHead] = LainHead, **changed: object) -> LainHead:
    """With gammas near 1 and random object vectors, so that every branch counts."""
    torch.manual_seed(0)
    model = randomised(kind(dataclasses.replace(SMALL, **changed), SENTENCES), deviation=0.2)
    with torch.no_grad():
        model.object_vectors.copy_(torch.randn(81, 12, generator=torch.Generator().manual_seed(9)))
        for adapter in model.adapters:
            adapter.locality.scale.add_(0.5)
            adapter.interaction.scale.add_(0.5)
    return model


def arguments(kinds: tuple[str, ...], seed: int = 0) -> tuple:
    """Detections and pictures of a batch."""
    found = detections([KINDS[kind] for kind in kinds], rows=ROWS, width=SMALL.detector_width, seed=seed)
    generator = torch.Generator().manual_seed(seed + 1)
    return (*found, torch.randn(len(kinds), 3, PICTURE_PX, PICTURE_PX, generator=generator))


@pytest.mark.parametrize("kinds", [("crowd",), ("one pair", "crowd", "nothing", "one human")])
@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_the_picture_once_gives_what_all_tokens_together_give(kinds: tuple[str, ...], chunk: int) -> None:
    inputs = arguments(kinds)
    with torch.no_grad():
        once = head(pair_chunk=chunk)(*inputs)
        together = head(all_tokens_head(), pair_chunk=20)(*inputs)
        chunked = head(all_tokens_head(), pair_chunk=chunk)(*inputs) if chunk == 7 else together
    torch.testing.assert_close(once.logits, together.logits, atol=2e-5, rtol=0)
    torch.testing.assert_close(chunked.logits, together.logits, atol=2e-5, rtol=0)
    assert torch.equal(once.pair_rows, together.pair_rows)


@pytest.mark.parametrize(
    ("kind", "pairs"),
    [("crowd", 15), ("one human", 3), ("one pair", 1), ("two humans, no object", 2), ("one human, no object", 0),
     ("no human", 0), ("nothing", 0)],
)  # fmt: skip
def test_number_of_pairs_and_finite_logits(kind: str, pairs: int) -> None:
    with torch.no_grad():
        output = head()(*arguments((kind,)))
    assert output.logits.shape == (1, SMALL.max_pairs, len(SENTENCES))
    assert int(output.pair_mask.sum()) == pairs
    assert output.truncated.tolist() == [0]
    assert output.logits.isfinite().all()
    assert not output.logits[~output.pair_mask].any()
    assert output.logits[output.pair_mask].abs().sum() > 0 or pairs == 0


def test_no_pair_at_most_is_no_setting() -> None:
    with pytest.raises(UsageError, match="max_pairs=0: expected 1 or more"):
        LainConfig(max_pairs=0)


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


def test_the_cap_counts_what_it_cuts_and_leaves_the_others_as_they_are() -> None:
    inputs = arguments(("crowd",))
    with torch.no_grad():
        every, few = head()(*inputs), head(max_pairs=4)(*inputs)
    assert few.truncated.tolist() == [11]
    assert few.pair_mask.all()
    by_pair = {tuple(pair): every.logits[0, row] for row, pair in enumerate(every.pair_rows[0].tolist()[:15])}
    for row, pair in enumerate(few.pair_rows[0].tolist()):
        torch.testing.assert_close(few.logits[0, row], by_pair[tuple(pair)], atol=1e-5, rtol=0)


def test_text_vectors_are_an_input_and_default_to_the_learned_prompts() -> None:
    model, inputs = head(), arguments(("crowd",))
    with torch.no_grad():
        words = model.verb_text()
        default, given = model(*inputs), model(*inputs, verb_text=words)
        two = model(*inputs, verb_text=words[[2, 0]])
    torch.testing.assert_close(words.norm(dim=-1), torch.ones(3))
    assert torch.equal(default.logits, given.logits)
    torch.testing.assert_close(two.logits, default.logits[..., [2, 0]])


def test_every_branch_reaches_the_logits() -> None:
    model, inputs = head(), arguments(("crowd",))
    model(*inputs).logits.sum().backward()
    unused = {name for name, value in model.named_parameters() if value.grad is None or not value.grad.any()}
    last = f"adapters.{CLIP.image_layers - 1}."
    # nothing of the class token is read after the last block, and biases of keys never change an attention
    assert not [name for name in unused if not name.startswith(last) and "projection_bias" not in name]


def test_exports_with_static_shapes_and_equal_output() -> None:
    model, inputs, other = head(), arguments(("crowd", "nothing")), arguments(("one human", "crowd"), seed=5)
    program = export_static(model, inputs)  # the text tower and the learned prompts too
    assert data_dependent_operators(program) == []
    with torch.no_grad():
        ours, exported = model(*other), program.module()(*other)
    torch.testing.assert_close(exported.logits, ours.logits, atol=1e-5, rtol=0)
    assert torch.equal(exported.pair_rows, ours.pair_rows)


def test_a_model_without_memory_takes_weights_and_answers() -> None:
    """The other heads' way to load: built on the meta device, weights assigned."""
    source, inputs = head(), arguments(("crowd",))
    with torch.device("meta"):
        model = LainHead(SMALL, SENTENCES)
    model.load_state_dict(source.state_dict(), assign=True)
    with torch.no_grad():
        assert torch.equal(model.eval()(*inputs).logits, source(*inputs).logits)


def test_as_many_parameters_as_the_public_code() -> None:
    with torch.device("meta"):
        assert count_parameters(LainHead()) == pytest.approx(PUBLIC_PARAMETERS, rel=0.01)


def test_too_long_a_context_is_one_clear_error() -> None:
    with pytest.raises(UsageError, match=r"20 context vectors give 2. tokens, CLIP reads 24"):
        head(context_tokens=20)


def test_the_shipped_configuration_is_the_papers() -> None:
    values = read_mapping(ROOT / "configs" / "models" / "lain.yaml")
    assert build(LainModelConfig, values) == LainModelConfig()


def test_numbers_have_not_drifted() -> None:
    with torch.no_grad():
        output = head()(*arguments(("crowd",)))
    assert output.logits[0, :2].flatten().tolist() == pytest.approx(DRIFT, abs=5e-4)


DRIFT = [2.276558, 1.236955, 0.656180, 1.460754, 0.831352, 0.307886]
PUBLIC_PARAMETERS = 128_565_666
"""of the public model without its DETR, counted by ``test_lain_peer``"""
