"""SwiftFormer's blocks and verb queries: attention by hand, layer scales, padding invisible."""

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")

from videohoi.layers.ki2hoi_blocks import (  # noqa: E402
    LAYER_SCALE,
    EfficientAdditiveAttention,
    LocalBlock,
    PointwiseMLP,
    SwiftFormerEncoder,
    VerbExtractionDecoder,
)
from videohoi.layers.transformer import TransformerConfig  # noqa: E402

pytestmark = pytest.mark.torch


@torch.no_grad()
def identity_attention(token_weight: list[float]) -> EfficientAdditiveAttention:
    attention = EfficientAdditiveAttention(2)
    for linear in (attention.query, attention.key, attention.mix, attention.output):
        linear.weight.copy_(torch.eye(2))
        linear.bias.zero_()
    attention.token_weight.copy_(torch.tensor(token_weight)[:, None])
    return attention


@torch.no_grad()
@pytest.mark.parametrize(
    ("token_weight", "expected"),
    [
        # unit tokens q = k = (.6, .8), (0, 1); shares (1, 0); g = (.6, .8); out = g k + q
        ([1.0, 0.0], [[0.6 * 0.6 + 0.6, 0.8 * 0.8 + 0.8], [0.0, 0.8 + 1.0]]),
        # shares (.8, 1) / sqrt(1.64); g = (.48, 1.64) / sqrt(1.64) = (.374817, 1.280625)
        ([0.0, 1.0], [[0.374817 * 0.6 + 0.6, 1.280625 * 0.8 + 0.8], [0.0, 1.280625 + 1.0]]),
    ],
)
def test_attention_by_hand(token_weight, expected) -> None:
    tokens = torch.tensor([[[3.0, 4.0], [0.0, 2.0]]])
    out = identity_attention(token_weight)(tokens)[0]
    assert out.numpy() == pytest.approx(torch.tensor(expected).numpy(), abs=1e-5)


@torch.no_grad()
def test_attention_does_not_depend_on_the_order_of_tokens() -> None:
    torch.manual_seed(0)
    attention, tokens = EfficientAdditiveAttention(8), torch.randn(2, 5, 8)
    order = torch.tensor([3, 1, 4, 0, 2])
    torch.testing.assert_close(attention(tokens[:, order]), attention(tokens)[:, order], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_local_block_adds_the_scaled_change_to_its_input() -> None:
    torch.manual_seed(1)
    block, x = LocalBlock(4, 12).eval(), torch.randn(2, 4, 5, 7)
    change = block(x) - x
    block.scale.copy_(torch.tensor([0.0, 1.0, 2.0, -1.0]).reshape(4, 1, 1))
    torch.testing.assert_close(block(x) - x, change * block.scale, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_encoder_is_local_attention_and_mlp_in_this_order() -> None:
    torch.manual_seed(2)
    encoder, x = SwiftFormerEncoder(4).eval(), torch.randn(2, 4, 3, 5)
    assert float(encoder.attention_scale.min()) == float(encoder.mlp_scale.max()) == pytest.approx(LAYER_SCALE)
    encoder.attention_scale.copy_(torch.randn(4, 1, 1))
    encoder.mlp_scale.copy_(torch.randn(4, 1, 1))
    local = encoder.local(x)
    tokens = torch.stack([local[:, :, row, column] for row in range(3) for column in range(5)], dim=1)
    attended = encoder.attention(tokens).reshape(2, 3, 5, 4).permute(0, 3, 1, 2)
    seen = local + encoder.attention_scale * attended
    expected = seen + encoder.mlp_scale * encoder.mlp(seen)
    torch.testing.assert_close(encoder(x), expected, atol=1e-5, rtol=1e-5)


def test_mlp_works_on_each_position_alone() -> None:
    torch.manual_seed(3)
    mlp, x = PointwiseMLP(4, 8).eval(), torch.randn(1, 4, 3, 3)
    changed = x.clone()
    changed[:, :, 0, 0] += 1
    same = (mlp(x) - mlp(changed)).abs().sum(dim=1)[0] == 0
    assert not same[0, 0]
    assert int(same.sum()) == 8


@torch.no_grad()
def test_verbs_read_the_picture_but_not_its_padding() -> None:
    torch.manual_seed(0)
    decoder = VerbExtractionDecoder(5, 8, TransformerConfig(12, 2, 16)).eval()
    memory, position = torch.randn(2, 6, 8), torch.randn(2, 6, 8)
    padding = torch.tensor([[False] * 6, [False] * 4 + [True] * 2])
    out = decoder(memory, position, padding)
    assert out.shape == (2, 5, 12)
    hidden, seen = memory.clone(), memory.clone()
    hidden[1, 4:] += 10
    seen[1, :4] += 10
    torch.testing.assert_close(decoder(hidden, position, padding), out)
    changed = (decoder(seen, position, padding) - out).abs().amax(dim=(1, 2))
    assert changed[0] == 0
    assert changed[1] > 1e-3
