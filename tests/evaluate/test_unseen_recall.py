"""U-R@K: unseen pairs among the K surest of their picture."""

import numpy as np
import pytest
from hico_cases import FAR, HUMAN, THING, predictions_of, truth_of

from videohoi.errors import UsageError
from videohoi.evaluate.hico.unseen_recall import ClassFacts, unseen_recall

# classes: 0 seen and 1 unseen of object 0, 2 unseen of object 1, 3 no_interaction of object 0
FACTS = ClassFacts(np.array([True, False, False, False]), np.array([0, 0, 1, 0]), np.array([True, True, True, False]))
OTHER = [200, 200, 260, 300]


def recall(images, found, k=1, **options):
    result = unseen_recall(truth_of(images, class_count=4), predictions_of(found), FACTS, ks=(k,), **options)
    return result.recalls[k], result.unseen_pairs


def test_an_unseen_pair_is_recalled_by_any_class_of_its_boxes_and_object():
    assert recall([[(1, HUMAN, THING)]], [(0, 0, HUMAN, THING, 0.5)]) == (1.0, 1)
    assert recall([[(1, HUMAN, THING)]], [(0, 2, HUMAN, THING, 0.5)]) == (0.0, 1)
    assert recall([[(1, HUMAN, THING)]], [(0, 1, HUMAN, FAR, 0.5)]) == (0.0, 1)


def test_a_pair_with_a_seen_interaction_is_not_unseen():
    near = [v + 3 for v in THING]
    assert recall([[(1, HUMAN, THING), (0, HUMAN, near)]], [])[1] == 0
    assert recall([[(1, HUMAN, THING), (0, HUMAN, FAR)]], [])[1] == 1


def test_no_interaction_is_none():
    result, pairs = recall([[(3, HUMAN, THING)]], [])
    assert np.isnan(result)
    assert pairs == 0
    assert recall([[(1, HUMAN, THING)]], [(0, 3, HUMAN, THING, 0.9)]) == (0.0, 1)


def test_k_counts_pairs_and_not_triplets():
    found = [(0, 0, FAR, FAR, 0.9), (0, 1, FAR, FAR, 0.8), (0, 1, HUMAN, THING, 0.5)]
    assert recall([[(1, HUMAN, THING)]], found, k=1)[0] == 0.0
    assert recall([[(1, HUMAN, THING)]], found, k=2)[0] == 1.0


def test_k_is_a_picture():
    images = [[(1, HUMAN, THING)], [(2, HUMAN, OTHER)]]
    assert recall(images, [(0, 1, HUMAN, THING, 0.1), (1, 2, HUMAN, OTHER, 0.9)]) == (1.0, 2)


def test_an_interactive_score_may_rank_the_pairs():
    found = [(0, 0, FAR, FAR, 0.9), (0, 1, HUMAN, THING, 0.5)]
    assert recall([[(1, HUMAN, THING)]], found, pair_scores=np.array([0.1, 0.7]))[0] == 1.0


def test_wrong_usage():
    with pytest.raises(UsageError, match="expected every K to be 1 or more"):
        recall([[]], [], k=0)
    with pytest.raises(UsageError, match="expected a pair score for each of 0 predictions"):
        recall([[]], [], pair_scores=np.ones(3))
    with pytest.raises(UsageError, match="seen: expected 600 classes"):
        unseen_recall(truth_of([[]]), predictions_of([]), FACTS)
