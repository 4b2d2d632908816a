"""Verb queries: one classifier per verb, padding invisible, pictures independent of each other."""

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")

from videohoi.layers.query2label import GroupWiseLinear, VerbExtractionDecoder  # noqa: E402
from videohoi.layers.transformer import TransformerConfig  # noqa: E402

pytestmark = pytest.mark.torch


@torch.no_grad()
def test_every_class_has_a_linear_layer_of_its_own() -> None:
    groups = GroupWiseLinear(3, 4)
    groups.weight.copy_(torch.arange(12.0).reshape(1, 3, 4))
    groups.bias.copy_(torch.tensor([[0.5, 0.0, -1.0]]))
    queries = torch.tensor([[[1.0, 0, 0, 0], [0, 0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]]])
    assert groups(queries).tolist() == [[0.5, 13.0, 37.0]]


@torch.no_grad()
def test_verbs_read_the_picture_but_not_its_padding() -> None:
    torch.manual_seed(0)
    decoder = VerbExtractionDecoder(5, 8, TransformerConfig(12, 2, 16)).eval()
    memory, position = torch.randn(2, 6, 8), torch.randn(2, 6, 8)
    padding = torch.tensor([[False] * 6, [False] * 4 + [True] * 2])
    out = decoder(memory, position, padding)
    assert out.shape == (2, 5, 12)
    assert decoder.classify(out).shape == (2, 5)
    hidden, seen = memory.clone(), memory.clone()
    hidden[1, 4:] += 10
    seen[1, :4] += 10
    torch.testing.assert_close(decoder(hidden, position, padding), out)
    changed = (decoder(seen, position, padding) - out).abs().amax(dim=(1, 2))
    assert changed[0] == 0
    assert changed[1] > 1e-3
