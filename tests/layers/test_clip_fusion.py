"""HOICLIP's fusion decoder against torch's own attention, composed as the paper says."""

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
pytest.importorskip("open_clip", reason="the models extra (open_clip) is not installed")
pytest.importorskip("safetensors", reason="the models extra (safetensors) is not installed")

from videohoi.layers.checkpoints import convert  # noqa: E402
from videohoi.layers.clip_fusion import FusionDecoder, fusion_decoder_keys  # noqa: E402
from videohoi.layers.transformer import TransformerConfig  # noqa: E402

pytestmark = pytest.mark.torch
SIZES = TransformerConfig(width=8, heads=2, feedforward=16, dropout=0.0)


class PublishedLayer(torch.nn.Module):
    """One layer with the published names, made of torch's modules."""

    def __init__(self) -> None:
        super().__init__()
        self.self_attn = torch.nn.MultiheadAttention(8, 2, batch_first=True)
        self.multihead_attn = torch.nn.MultiheadAttention(8, 2, batch_first=True)
        self.linear1, self.linear2 = torch.nn.Linear(8, 16), torch.nn.Linear(16, 8)
        self.norm1, self.norm2, self.norm3 = (torch.nn.LayerNorm(8) for _ in range(3))

    def forward(self, x, first, second):
        x = self.norm1(x + self.self_attn(x, x, x)[0])
        read = [self.norm2(x + self.multihead_attn(x, memory, memory)[0]) for memory in (first, second)]
        x = read[0] + read[1]
        return self.norm3(x + self.linear2(torch.relu(self.linear1(x))))


class Published(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList(PublishedLayer() for _ in range(2))
        self.norm = torch.nn.LayerNorm(8)


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(4)
    return tuple(torch.randn(2, length, 8, generator=generator) for length in (3, 5, 7))


@torch.no_grad()
def test_it_equals_the_formula_on_published_names(inputs) -> None:
    torch.manual_seed(0)
    published, ours = Published().eval(), FusionDecoder(SIZES, depth=2).eval()
    for parameter in published.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    state = {f"decoder.{key}": value for key, value in published.state_dict().items()}
    root = torch.nn.ModuleDict({"fusion": ours})
    root.load_state_dict(convert(state, root, fusion_decoder_keys("decoder", "fusion")).state_dict)
    queries, clip_tokens, memory = inputs
    for layer in published.layers:
        queries = layer(queries, clip_tokens, memory)
    torch.testing.assert_close(ours(*inputs), published.norm(queries), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_both_memories_are_read_with_the_same_weights(inputs) -> None:
    queries, clip_tokens, memory = inputs
    decoder = FusionDecoder(SIZES, depth=2).eval()
    swapped = decoder(queries, memory, clip_tokens)
    torch.testing.assert_close(decoder(queries, clip_tokens, memory), swapped, atol=1e-5, rtol=1e-5)
    assert float((decoder(queries, clip_tokens, clip_tokens) - swapped).abs().max()) > 1e-3
