"""Pairs of padded detections against the loop that defines them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")

from videohoi.layers.pair_padding import PaddedDetections, padded_pairs, take_rows  # noqa: E402

pytestmark = pytest.mark.torch
PERSON = 0


def looped(scores: list, classes: list, mask: list, cap: int) -> tuple[list, int]:
    """(pairs in order of rows, how many the cap cut) of one picture."""
    count = len(scores)
    pairs = [
        (human, other)
        for human in range(count)
        for other in range(count)
        if human != other and mask[human] and mask[other] and classes[human] == PERSON
    ]
    best = sorted(pairs, key=lambda pair: -(scores[pair[0]] * scores[pair[1]]))[:cap]
    return sorted(best), len(pairs) - len(best)


detection = st.tuples(st.sampled_from([0.25, 0.5, 1.0]), st.integers(0, 2), st.booleans())


@settings(deadline=None, max_examples=60)
@given(st.lists(detection, min_size=1, max_size=6), st.integers(1, 40))
def test_equals_the_loop(rows: list, cap: int) -> None:
    scores, classes, mask = (list(column) for column in zip(*rows, strict=True))
    pairs = padded_pairs(
        torch.tensor([scores]), torch.tensor([classes]), torch.tensor([mask]), person_id=PERSON, max_pairs=cap
    )
    expected, cut = looped(scores, classes, mask, cap)
    assert pairs.rows.shape == (1, cap, 2)
    assert [tuple(row) for row in pairs.rows[0, pairs.mask[0]].tolist()] == expected
    assert pairs.truncated.tolist() == [cut]
    assert not pairs.rows[0, ~pairs.mask[0]].any()


def test_pictures_of_a_batch_do_not_meet() -> None:
    scores = torch.ones(3, 3)
    classes = torch.tensor([[0, 5, 5], [5, 5, 5], [0, 0, 5]])
    mask = torch.tensor([[True, True, False], [True, True, True], [True, True, True]])
    pairs = padded_pairs(scores, classes, mask, person_id=PERSON, max_pairs=4)
    assert pairs.mask.sum(1).tolist() == [1, 0, 4]
    assert pairs.rows[2].tolist() == [[0, 1], [0, 2], [1, 0], [1, 2]]


def test_rows_are_taken_picture_by_picture() -> None:
    values = torch.arange(8.0).reshape(2, 4)
    assert take_rows(values, torch.tensor([[3, 0], [1, 1]])).tolist() == [[3.0, 0.0], [5.0, 5.0]]


def test_padding_becomes_harmless_whatever_it_held() -> None:
    found = PaddedDetections(
        torch.full((1, 2, 4), float("nan")),
        torch.full((1, 2), float("nan")),
        torch.tensor([[3, 10**9]]),
        torch.tensor([[True, False]]),
        torch.full((1, 2, 2), float("inf")),
    ).neutral()
    assert found.boxes_cxcywh[0, 1].tolist() == [0.5, 0.5, 1.0, 1.0]
    assert found.scores[0, 1] == 0
    assert found.class_ids.tolist() == [[3, 0]]
    assert found.features[0, 1].tolist() == [0.0, 0.0]
    assert found.boxes_cxcywh[0, 0].isnan().all()
