"""Verb queries: one classifier per verb, padding invisible, pictures independent of each other."""

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")

from videohoi.layers.query2label import VerbExtractionDecoder  # noqa: E402
from videohoi.layers.transformer import TransformerConfig  # noqa: E402

pytestmark = pytest.mark.torch


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
