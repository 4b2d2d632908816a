"""Ranking of triplets: hand-worked, the defined order of ties, and the kernel against its numpy twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.errors import UsageError
from videohoi.interact.fusion import fuse
from videohoi.interact.top_triplets import TripletRanker
from videohoi.vocabulary import hico_det

FIELDS = ("human_rows", "object_rows", "verbs", "scores")


def both(ranker, *parts):
    """The compiled answer, once it is known to be the numpy twin's."""
    ranker._compiled = True
    found = ranker.rank(*parts)
    ranker._compiled = False
    twin = ranker.rank(*parts)
    for name in FIELDS:
        assert np.array_equal(getattr(found, name), getattr(twin, name)), name
    return found


def rows(found):
    return list(zip(found.human_rows.tolist(), found.object_rows.tolist(), found.verbs.tolist(), strict=True))


def scores(*values):
    return np.array(values, np.float32)


def random_parts(rng, humans, objects, verbs, classes, levels=None):
    def draw(*shape):
        if levels is None:
            return rng.random(shape, dtype=np.float32)
        return rng.choice(np.array(levels, np.float32), shape)

    return draw(humans), draw(objects), rng.integers(0, classes, objects), draw(humans, objects, verbs)


def test_the_best_triplets_worked_by_hand():
    valid = np.array([[True, True], [False, True]])
    verb_scores = np.array([[[0.5, 0.1], [0.9, 0.5]], [[0.5, 1.0], [0.0, 0.25]]], np.float32)
    found = both(TripletRanker(valid, limit=4), scores(1.0, 0.5), scores(0.5, 1.0), np.array([0, 1]), verb_scores)
    # the 0.9 is no verb of the second object
    assert rows(found) == [(0, 1, 1), (0, 0, 0), (1, 0, 1), (1, 0, 0)]
    assert found.scores.tolist() == [0.5, 0.25, 0.25, 0.125]


def test_ties_go_by_human_then_object_then_verb():
    found = both(
        TripletRanker(np.ones((1, 3), bool), limit=7),
        np.ones(2, np.float32), np.ones(2, np.float32), np.zeros(2, np.int64), np.full((2, 2, 3), 0.5, np.float32),
    )  # fmt: skip
    assert rows(found) == [(0, 0, 0), (0, 0, 1), (0, 0, 2), (0, 1, 0), (0, 1, 1), (0, 1, 2), (1, 0, 0)]


def test_what_scores_nothing_is_no_triplet():
    verb_scores = np.array([[[0.0, np.nan, -0.5, 0.5]]], np.float32)
    ranker = TripletRanker(np.ones((1, 4), bool))
    one, none = scores(1.0), np.zeros(1, np.int64)
    assert rows(both(ranker, one, one, none, verb_scores)) == [(0, 0, 3)]
    for broken in (np.nan, 0.0, -1.0):
        assert len(both(ranker, scores(broken), scores(broken), none, verb_scores)) == 0


def test_a_verb_counts_at_most_one():
    found = both(
        TripletRanker(np.ones((1, 1), bool)), scores(0.5), scores(0.5), np.zeros(1, int), scores(7.0)[None, None]
    )
    assert found.scores.tolist() == [0.25]


@pytest.mark.parametrize(("humans", "objects"), [(0, 0), (0, 3), (3, 0), (1, 1), (2, 5), (10, 20)])
@pytest.mark.parametrize("allowed", ["hico", "all", "none"])
@pytest.mark.parametrize("limit", [0, 1, 100])
def test_kernel_equals_twin(humans, objects, allowed, limit):
    valid = hico_det().valid if allowed == "hico" else np.full((80, 117), allowed == "all")
    parts = random_parts(np.random.default_rng(humans + objects), humans, objects, 117, 80)
    found = both(TripletRanker(valid, limit=limit), *parts)
    positive = humans * int(valid[parts[2]].sum())
    assert len(found) == min(limit, positive)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 8), st.integers(0, 8), st.integers(1, 40), st.integers(0, 60), st.integers(0, 10_000))
def test_kernel_equals_twin_with_many_ties_and_broken_scores(humans, objects, verbs, limit, seed):
    rng = np.random.default_rng(seed)
    levels = [0.0, 0.25, 0.5, 1.0, 2.0, np.nan, np.inf, -1.0] if seed % 2 else [0.5, 1.0]
    valid = rng.random((3, verbs)) < 0.7
    both(TripletRanker(valid, limit=limit), *random_parts(rng, humans, objects, verbs, 3, levels))


def test_more_ties_than_the_buffer_holds():
    parts = random_parts(np.random.default_rng(0), 30, 30, 117, 2, levels=[1.0])
    found = both(TripletRanker(np.ones((2, 117), bool), limit=100), *parts)
    assert rows(found) == [(0, place // 117, place % 117) for place in range(100)]


def test_scores_are_those_of_the_houses_fusion():
    rng = np.random.default_rng(4)
    humans, objects, classes, verb_scores = random_parts(rng, 3, 4, 117, 80)
    valid = hico_det().valid
    found = TripletRanker(valid, box_lambda=2.8, limit=50).rank(humans, objects, classes, verb_scores)
    logits = np.log(verb_scores / (1 - verb_scores)).reshape(12, 117)
    pair_humans, pair_objects = np.repeat(humans, 4), np.tile(objects, 3)
    fused = fuse(logits, pair_humans, pair_objects, valid[np.tile(classes, 3)], 2.8)
    pairs = found.human_rows * 4 + found.object_rows
    np.testing.assert_allclose(found.scores, fused[pairs, found.verbs], rtol=1e-4)
    assert found.scores[0] == pytest.approx(fused.max(), rel=1e-4)


def test_pairs_in_one_row_each_give_the_same():
    parts = random_parts(np.random.default_rng(1), 3, 4, 9, 2)
    ranker = TripletRanker(np.ones((2, 9), bool))
    assert rows(ranker.rank(*parts)) == rows(ranker.rank(*parts[:3], parts[3].reshape(12, 9)))


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("kind", [-1, 2])
def test_an_unknown_object_class_is_named(compiled, kind):
    ranker = TripletRanker(np.ones((2, 3), bool))
    ranker._compiled = compiled
    with pytest.raises(UsageError, match=f"object class {kind}: expected 0 to 1"):
        ranker.rank(scores(1.0), scores(1.0), np.array([kind]), np.ones((1, 1, 3), np.float32))


def test_wrong_input_is_named():
    with pytest.raises(UsageError, match=r"got -1 and 1\.0"):
        TripletRanker(np.ones((2, 3), bool), limit=-1)
    ranker = TripletRanker(np.ones((2, 3), bool))
    one, none = scores(1.0), np.zeros(1, np.int64)
    with pytest.raises(ValueError, match=r"verb_scores must have shape \(1, 1, 3\), got \(1, 1, 2\)"):
        ranker.rank(one, one, none, np.ones((1, 1, 2), np.float32))
    with pytest.raises(ValueError, match="object_class_ids must have shape"):
        ranker.rank(one, one, np.zeros(2, np.int64), np.ones((1, 1, 3), np.float32))
    with pytest.raises(ValueError, match="human_scores must have shape"):
        ranker.rank(one[None], one, none, np.ones((1, 1, 3), np.float32))


def test_opened_it_gives_the_same():
    parts = random_parts(np.random.default_rng(2), 3, 4, 9, 2)
    ranker = TripletRanker(np.ones((2, 9), bool))
    ranker.open()
    assert len(both(ranker, *parts)) == 100
