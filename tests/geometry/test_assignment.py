"""Assignment with a cost limit: hand-worked cases, scipy's optimum, lapjv's extended matrix, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from videohoi.errors import UsageError
from videohoi.geometry.assignment import assign, warm_up


def total(costs, limit, columns):
    """What staying alone and pairing cost together, as the extended matrix counts it."""
    rows = np.flatnonzero(columns >= 0)
    alone = costs.shape[0] + costs.shape[1] - 2 * len(rows)
    return costs[rows, columns[rows]].sum() + alone * limit / 2


def extended_optimum(costs, limit):
    """Least total on the extended square matrix of ``lap.lapjv(extend_cost=True, cost_limit=limit)``."""
    n, m = costs.shape
    square = np.full((n + m, n + m), limit / 2)
    square[n:, m:] = 0.0
    square[:n, :m] = np.where(np.isfinite(costs), costs, 1e9)
    rows, columns = linear_sum_assignment(square)
    return square[rows, columns].sum()


def assert_sound(costs, limit, result):
    columns, rows = result
    assert columns.shape == (costs.shape[0],)
    assert rows.shape == (costs.shape[1],)
    assert columns.dtype == rows.dtype == np.int64
    for row in np.flatnonzero(columns >= 0):
        assert rows[columns[row]] == row
        assert costs[row, columns[row]] < limit
    assert (columns >= 0).sum() == (rows >= 0).sum()
    assert total(costs, limit, columns) == pytest.approx(extended_optimum(costs, limit), abs=1e-9)


@pytest.mark.parametrize("compiled", [True, False])
def test_a_cheap_pair_is_given_up_for_two_that_cost_less_together(compiled):
    costs = np.array([[0.1, 0.2], [0.15, 0.9]])
    # 0.1 alone leaves row 1 alone at 0.8 / 2 + 0.8 / 2; 0.2 + 0.15 serves both
    columns, rows = assign(costs, cost_limit=0.8, compiled=compiled)
    assert columns.tolist() == [1, 0]
    assert rows.tolist() == [1, 0]


@pytest.mark.parametrize("compiled", [True, False])
def test_the_limit_forbids_and_a_pair_at_the_limit_is_not_made(compiled):
    costs = np.array([[0.9, 0.5], [0.8, 0.95]])
    assert assign(costs, cost_limit=0.8, compiled=compiled)[0].tolist() == [1, -1]
    assert assign(costs, cost_limit=0.81, compiled=compiled)[0].tolist() == [1, 0]


@pytest.mark.parametrize("compiled", [True, False])
def test_a_later_row_can_push_an_earlier_one_out(compiled):
    costs = np.array([[0.5], [0.4], [0.1]])
    columns, rows = assign(costs, cost_limit=1.0, compiled=compiled)
    assert columns.tolist() == [-1, -1, 0]
    assert rows.tolist() == [2]


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0), (1, 1), (1, 7), (7, 1), (9, 5), (5, 9), (40, 37)])
@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("limit", [0.3, 0.8, 2.0, -0.1])
def test_random_costs_reach_the_extended_optimum(shape, compiled, limit):
    costs = np.random.default_rng(shape[0] * 100 + shape[1]).uniform(0, 1, shape)
    assert_sound(costs, limit, assign(costs, cost_limit=limit, compiled=compiled))


@settings(deadline=None, max_examples=150)
@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 10**6), st.sampled_from([0.0, 0.5, 0.8]))
def test_ties_and_forbidden_pairs_reach_the_optimum_of_scipy(rows, columns, seed, forbidden):
    rng = np.random.default_rng(seed)
    costs = rng.integers(0, 5, (rows, columns)) / 4.0  # many equal totals
    costs[rng.uniform(size=costs.shape) < forbidden] = np.inf
    for limit in (0.6, 1.0, 3.0):
        found = assign(costs, cost_limit=limit)
        assert_sound(costs, limit, found)
        twin = assign(costs, cost_limit=limit, compiled=False)
        assert total(costs, limit, found[0]) == pytest.approx(total(costs, limit, twin[0]), abs=1e-12)


def test_without_ties_the_twin_chooses_the_same_pairs():
    rng = np.random.default_rng(4)
    for _ in range(20):
        costs = np.where(rng.uniform(size=(60, 50)) < 0.05, rng.uniform(0, 1, (60, 50)), np.inf)
        for mine, twins in zip(
            assign(costs, cost_limit=0.8), assign(costs, cost_limit=0.8, compiled=False), strict=True
        ):
            assert mine.tolist() == twins.tolist()


def test_the_order_of_rows_and_columns_does_not_matter():
    rng = np.random.default_rng(5)
    costs = rng.uniform(0, 1, (30, 25))
    by_row, by_column = rng.permutation(30), rng.permutation(25)
    straight = assign(costs, cost_limit=0.5)[0]
    shuffled = assign(costs[by_row][:, by_column], cost_limit=0.5)[0]
    back = np.where(shuffled >= 0, by_column[shuffled], -1)
    assert back.tolist() == straight[by_row].tolist()


def test_degenerate_costs():
    same = np.zeros((6, 4))
    columns, _ = assign(same, cost_limit=1.0)
    assert sorted(columns.tolist()) == [-1, -1, 0, 1, 2, 3]
    assert assign(np.full((3, 3), np.inf), cost_limit=1.0)[0].tolist() == [-1] * 3
    assert assign(np.full((3, 3), 5.0), cost_limit=1.0)[0].tolist() == [-1] * 3
    negative = np.array([[-5.0, -1.0], [-4.0, -3.0]])
    assert assign(negative, cost_limit=0.0)[0].tolist() == [0, 1]
    huge = np.array([[-1e12, 0.0], [0.0, -1e12]])
    assert assign(huge, cost_limit=1.0)[0].tolist() == [0, 1]


def test_float32_and_views_are_taken():
    costs = np.random.default_rng(6).uniform(0, 1, (8, 12)).astype(np.float32)
    twin = assign(costs.astype(np.float64)[::2, ::-1], cost_limit=0.5)
    assert [part.tolist() for part in assign(costs[::2, ::-1], cost_limit=0.5)] == [part.tolist() for part in twin]


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
@pytest.mark.parametrize("compiled", [True, False])
def test_costs_that_mean_nothing_are_refused(bad, compiled):
    costs = np.ones((2, 2))
    costs[1, 0] = bad
    with pytest.raises(UsageError, match="finite or \\+inf"):
        assign(costs, cost_limit=2.0, compiled=compiled)


@pytest.mark.parametrize("limit", [np.nan, np.inf, -np.inf])
def test_a_limit_that_is_not_a_number_is_refused(limit):
    with pytest.raises(UsageError, match="cost_limit must be a finite number"):
        assign(np.ones((2, 2)), cost_limit=limit)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="costs must have shape"):
        assign(np.ones(3), cost_limit=1.0)


def test_lapjv_agrees_where_it_is_installed():
    lap = pytest.importorskip("lap", reason="the lap package is not installed")
    rng = np.random.default_rng(7)
    for _ in range(200):
        costs = rng.uniform(0, 1, rng.integers(1, 20, 2))
        limit = rng.uniform(0.1, 1.0)
        _, columns, rows = lap.lapjv(costs, extend_cost=True, cost_limit=limit)
        found = assign(costs, cost_limit=limit)
        assert found[0].tolist() == columns.tolist()
        assert found[1].tolist() == rows.tolist()


def test_warm_up_runs():
    warm_up()
