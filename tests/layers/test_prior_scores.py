"""The prior of the box scores against UPT's definition, pair by pair."""

import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")

from videohoi.layers.prior_scores import INFERENCE_POWER, TRAINING_POWER, compute_prior_scores  # noqa: E402
from videohoi.vocabulary import hico_det  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("power", [TRAINING_POWER, INFERENCE_POWER])
def test_equals_the_definition(power: float) -> None:
    valid = torch.tensor(hico_det().valid, dtype=torch.float32)
    generator = torch.Generator().manual_seed(0)
    humans, objects = torch.rand(2, 7, generator=generator), torch.rand(2, 7, generator=generator)
    classes = torch.randint(0, 80, (2, 7), generator=generator)
    prior = compute_prior_scores(humans, objects, classes, valid, power=power)
    assert prior.shape == (2, 7, 117)
    for picture in range(2):
        for pair in range(7):
            box = float(humans[picture, pair] * objects[picture, pair]) ** power
            expected = valid[classes[picture, pair]] * box
            torch.testing.assert_close(prior[picture, pair], expected, atol=1e-6, rtol=1e-4)


def test_no_pairs_give_no_rows() -> None:
    none = torch.zeros(0)
    assert compute_prior_scores(none, none, none.long(), torch.ones(80, 117), power=2.8).shape == (0, 117)
