"""DETR's layers against PyTorch's own modules, hand-worked positions, masks, export."""

import math

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
pytest.importorskip("safetensors", reason="the models extra (safetensors) is not installed")

from videohoi.layers.box_head import MLP, BoxHead, mlp_keys  # noqa: E402
from videohoi.layers.checkpoints import renamed  # noqa: E402
from videohoi.layers.transformer import (  # noqa: E402  # noqa: E402
    Attention,
    Decoder,
    DecoderLayer,
    Encoder,
    EncoderLayer,
    TransformerConfig,
    attention_keys,
    decoder_keys,
    encoder_keys,
    padding_to_attention,
    sine_position,
)

pytestmark = pytest.mark.torch
CONFIG = TransformerConfig(width=16, heads=4, feedforward=24)


def tokens(*shape: int, seed: int = 0) -> "torch.Tensor":
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_positions_of_an_unpadded_row_are_the_formula() -> None:
    position = sine_position(torch.zeros(1, 1, 4, dtype=torch.bool), 8)
    assert position.shape == (1, 1, 4, 8)
    for column in range(4):
        y, x = (2 * math.pi * place / (length + 1e-6) for place, length in ((1, 1), (column + 1, 4)))
        expected = [wave(angle / divisor) for angle in (y, x) for divisor in (1, 100) for wave in (math.sin, math.cos)]
        torch.testing.assert_close(position[0, 0, column], torch.tensor(expected), atol=1e-6, rtol=0)


def test_padding_does_not_move_the_positions_of_the_picture() -> None:
    padding = torch.ones(1, 5, 7, dtype=torch.bool)
    padding[:, :3, :4] = False
    alone = sine_position(torch.zeros(1, 3, 4, dtype=torch.bool), 12)
    torch.testing.assert_close(sine_position(padding, 12)[:, :3, :4], alone)
    assert sine_position(torch.ones(1, 2, 2, dtype=torch.bool), 12).isfinite().all()


@pytest.fixture
def attention_pair() -> tuple:
    torch.manual_seed(3)
    theirs = torch.nn.MultiheadAttention(16, 4, batch_first=True).eval()
    torch.nn.init.normal_(theirs.in_proj_bias)
    ours = Attention(16, 4)
    state = {f"attn.{name}": value for name, value in theirs.state_dict().items()}
    ours.load_state_dict({key[5:]: value for key, value in renamed(state, attention_keys("attn", "mine"), ()).items()})
    return theirs, ours.eval()


@torch.no_grad()
def test_attention_equals_torch_also_under_a_padding_mask(attention_pair: tuple) -> None:
    theirs, ours = attention_pair
    query, key, value = tokens(2, 3, 16), tokens(2, 5, 16, seed=1), tokens(2, 5, 16, seed=2)
    padding = torch.tensor([[False] * 5, [False, False, True, True, True]])
    for given, mask in ((None, None), (padding, padding_to_attention(padding))):
        expected, _ = theirs(query, key, value, key_padding_mask=given)
        torch.testing.assert_close(ours(query, key, value, mask), expected, atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_layers_without_positions_equal_torchs_post_norm_layers() -> None:
    torch.manual_seed(4)
    sizes = {"d_model": 16, "nhead": 4, "dim_feedforward": 24, "batch_first": True}
    theirs = torch.nn.TransformerEncoderLayer(**sizes).eval()
    ours = EncoderLayer(CONFIG).eval()
    state = {f"e.layers.0.{name}": value for name, value in theirs.state_dict().items()}
    ours.load_state_dict({key[11:]: value for key, value in renamed(state, encoder_keys("e", "e"), ()).items()})
    picture = tokens(2, 6, 16)
    torch.testing.assert_close(ours(picture, torch.zeros(1), None), theirs(picture), atol=1e-5, rtol=1e-5)

    theirs = torch.nn.TransformerDecoderLayer(**sizes).eval()
    ours = DecoderLayer(CONFIG).eval()
    state = {f"d.layers.0.{name}": value for name, value in theirs.state_dict().items()}
    ours.load_state_dict({key[11:]: value for key, value in renamed(state, decoder_keys("d", "d"), ()).items()})
    query = tokens(2, 3, 16, seed=1)
    found = ours(query, torch.zeros(1), picture, picture, None)
    torch.testing.assert_close(found, theirs(query, picture), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_what_lies_in_the_padding_changes_nothing() -> None:
    torch.manual_seed(5)
    encoder, decoder = Encoder(CONFIG, 2).eval(), Decoder(CONFIG, 2).eval()
    padding = torch.tensor([[False, False, False, False, True, True]])
    picture, position, queries = tokens(1, 6, 16), tokens(1, 6, 16, seed=1), tokens(1, 3, 16, seed=2)
    other = picture.masked_fill(padding[..., None], 1e3)
    memories = [encoder(values, position, padding) for values in (picture, other)]
    torch.testing.assert_close(memories[0][:, :4], memories[1][:, :4])
    answers = [decoder(queries, memory, position, padding) for memory in memories]
    torch.testing.assert_close(*answers)
    short = encoder(picture[:, :4], position[:, :4])
    torch.testing.assert_close(memories[0][:, :4], short, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_query_position_for_each_layer_is_used_at_its_layer() -> None:
    torch.manual_seed(6)
    decoder = Decoder(CONFIG, 3).eval()
    memory, position, queries = tokens(2, 4, 16), tokens(2, 4, 16, seed=1), tokens(3, 2, 5, 16, seed=2)
    outputs = decoder(queries, memory, position)
    assert outputs.shape == (3, 2, 5, 16)
    torch.testing.assert_close(
        decoder(queries[:1].repeat(3, 1, 1, 1), memory, position), decoder(queries[0], memory, position)
    )
    changed = queries.clone()
    changed[2] += 1
    after = decoder(changed, memory, position)
    torch.testing.assert_close(after[:2], outputs[:2])
    assert (after[2] - outputs[2]).abs().max() > 1e-2


@torch.no_grad()
def test_a_target_replaces_the_zeros_the_decoder_starts_from() -> None:
    torch.manual_seed(7)
    decoder = Decoder(CONFIG, 1).eval()
    memory, position, queries = tokens(1, 4, 16), tokens(1, 4, 16, seed=1), tokens(1, 5, 16, seed=2)
    zeros = decoder(queries, memory, position)
    torch.testing.assert_close(decoder(queries, memory, position, target=torch.zeros_like(queries)), zeros)
    assert (decoder(queries, memory, position, target=queries) - zeros).abs().max() > 1e-2


@torch.no_grad()
def test_the_box_head_is_three_linear_layers_and_a_sigmoid() -> None:
    head = BoxHead(8)
    linears = [layer for layer in head.mlp if isinstance(layer, torch.nn.Linear)]
    x = tokens(2, 3, 8)
    expected = linears[2](linears[1](linears[0](x).relu()).relu()).sigmoid()
    torch.testing.assert_close(head(x), expected)
    assert [tuple(layer.weight.shape) for layer in linears] == [(8, 8), (8, 8), (4, 8)]


def test_mlp_keys_fill_an_mlp_of_any_depth() -> None:
    mlp = MLP(4, 6, 2, depth=2)
    published = {"bbox.layers.0.weight": torch.zeros(6, 4), "bbox.layers.0.bias": torch.zeros(6),
                 "bbox.layers.1.weight": torch.zeros(2, 6), "bbox.layers.1.bias": torch.zeros(2)}  # fmt: skip
    names = renamed(published, mlp_keys("bbox", "m", depth=2), ())
    mlp.load_state_dict({key[2:]: value for key, value in names.items()})
    assert not mlp(torch.ones(1, 4)).any()


def test_training_drops_and_evaluation_does_not() -> None:
    torch.manual_seed(8)
    encoder = Encoder(CONFIG, 1)
    picture, position = tokens(1, 6, 16), tokens(1, 6, 16, seed=1)
    encoder.train()
    assert not torch.equal(encoder(picture, position), encoder(picture, position))
    encoder.eval()
    assert torch.equal(encoder(picture, position), encoder(picture, position))
