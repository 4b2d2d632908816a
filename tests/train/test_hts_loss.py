"""LSE-Sign against its formula, worked by hand."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="the train extra (torch) is not installed")

from videohoi.errors import UsageError  # noqa: E402
from videohoi.train.hts import lse_sign_loss  # noqa: E402

pytestmark = pytest.mark.torch


def test_two_classes_worked_by_hand():
    logits = torch.tensor([[2.0, -1.0]])
    positive = torch.tensor([[True, False]])
    # y = (+1, -1): exp(-2) + exp(-1)
    assert lse_sign_loss(logits, positive).item() == pytest.approx(math.log(1 + math.exp(-2) + math.exp(-1)), abs=1e-6)


def test_the_gradient_is_the_softmax_over_errors_worked_by_hand():
    logits = torch.tensor([[2.0, -1.0, 0.5]], dtype=torch.float64, requires_grad=True)
    positive = torch.tensor([[True, False, False]])
    lse_sign_loss(logits, positive).backward()
    errors = [math.exp(-2), math.exp(-1), math.exp(0.5)]  # exp(-y s)
    total = 1 + sum(errors)
    expected = [-errors[0] / total, errors[1] / total, errors[2] / total]
    assert logits.grad[0].tolist() == pytest.approx(expected, abs=1e-12)


def test_the_gradient_agrees_with_finite_differences():
    torch.manual_seed(1)
    logits = torch.randn(3, 7, dtype=torch.float64, requires_grad=True) * 4
    positive = torch.rand(3, 7) < 0.3
    weight = torch.rand(3, 7, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda s: lse_sign_loss(s, positive), logits)
    assert torch.autograd.gradcheck(lambda s: lse_sign_loss(s, positive, weight), logits)


def test_the_worst_error_takes_nearly_all_of_the_gradient():
    logits = torch.tensor([[-9.0, 1.0, -9.0, -9.0]], requires_grad=True)
    lse_sign_loss(logits, torch.tensor([[True, False, False, False]])).backward()
    shares = logits.grad[0].abs()
    assert shares[0] > 0.99
    assert shares.sum() < 1


def test_large_scores_stay_finite_and_right_answers_cost_nothing():
    right = torch.tensor([[500.0, -500.0]])
    labels = torch.tensor([[True, False]])
    assert lse_sign_loss(right, labels).item() == 0.0
    assert lse_sign_loss(-right, labels).item() == pytest.approx(500 + math.log(2), rel=1e-6)


def test_a_class_of_weight_zero_is_left_out_and_weight_one_changes_nothing():
    torch.manual_seed(2)
    logits, labels = torch.randn(4, 5), torch.rand(4, 5) < 0.5
    ones = torch.ones(4, 5)
    assert lse_sign_loss(logits, labels, ones) == lse_sign_loss(logits, labels)
    without_last = ones.clone()
    without_last[:, -1] = 0
    expected = lse_sign_loss(logits[:, :-1], labels[:, :-1])
    assert lse_sign_loss(logits, labels, without_last).item() == pytest.approx(expected.item(), abs=1e-6)


def test_the_mean_is_over_pictures():
    torch.manual_seed(3)
    logits, labels = torch.randn(4, 5), torch.rand(4, 5) < 0.5
    each = [lse_sign_loss(logits[row : row + 1], labels[row : row + 1]).item() for row in range(4)]
    assert lse_sign_loss(logits, labels).item() == pytest.approx(sum(each) / 4, abs=1e-6)


@pytest.mark.parametrize(
    ("logits", "labels"),
    [
        (torch.zeros(2, 3), torch.zeros(2, 4, dtype=torch.bool)),
        (torch.zeros(3), torch.zeros(3, dtype=torch.bool)),
        (torch.zeros(2, 3), torch.zeros(2, 3)),
    ],
)
def test_labels_that_would_be_misread_are_refused(logits, labels):
    with pytest.raises(UsageError, match="LSE-Sign: expected"):
        lse_sign_loss(logits, labels)
