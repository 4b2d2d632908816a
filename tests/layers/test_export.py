"""torch.export of models that give a HOIOutput."""

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")

from static_export import data_dependent_operators, export_static, register_hoi_output  # noqa: E402

from videohoi.structures.interactions import HOIOutput  # noqa: E402

pytestmark = pytest.mark.torch


class Toy(torch.nn.Module):
    def forward(self, x: "torch.Tensor", bias: "torch.Tensor | None" = None) -> HOIOutput:
        logits = x * 2 if bias is None else x * 2 + bias
        return HOIOutput(x[..., :4], torch.zeros(1, 3, 2, dtype=torch.int64), x[..., 0] > 0, logits)


def test_an_exported_model_gives_the_same_output_with_its_absent_parts() -> None:
    register_hoi_output()
    register_hoi_output()
    x = torch.randn(1, 3, 6, generator=torch.Generator().manual_seed(0))
    program = export_static(Toy(), (x,))
    found, expected = program.module()(x), Toy()(x)
    assert isinstance(found, HOIOutput)
    assert found.scores is None
    assert found.object_logits is None
    torch.testing.assert_close(found.logits, expected.logits)
    assert torch.equal(found.pair_mask, expected.pair_mask)
    assert data_dependent_operators(program) == []


def test_optional_arguments_go_by_name() -> None:
    x = torch.ones(1, 3, 6)
    program = export_static(Toy(), (x,), {"bias": torch.ones(6)})
    torch.testing.assert_close(program.module()(x, bias=torch.full((6,), 3.0)).logits, torch.full((1, 3, 6), 5.0))


def test_an_operator_whose_shape_depends_on_data_is_named() -> None:
    class Choosing(torch.nn.Module):
        def forward(self, x: "torch.Tensor") -> "torch.Tensor":
            return torch.nonzero(x > 0)

    assert data_dependent_operators(export_static(Choosing(), (torch.ones(3),))) == ["aten.nonzero.default"]
