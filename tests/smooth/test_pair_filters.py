"""Filters over the slot table: closed forms, the numpy twins, and the table's own promises."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.errors import ConfigError, InputError
from videohoi.smooth.pair_filters import FIRST_CAPACITY, PairFilters, PlainSlotTable, SlotTable
from videohoi.smooth.slot_filters import ExponentialAverage, LocalLevelKalman, MedianOfFive, OneEuro, OnOffForward

METHODS = [ExponentialAverage(), LocalLevelKalman(), OnOffForward(), OneEuro(), MedianOfFive()]
NAMES = [type(method).__name__ for method in METHODS]
ONE, TWO = np.array([1]), np.array([2])


def run(method, values, times, compiled=True):
    """Filtered values of one pair and one verb."""
    filters = PairFilters(method, 1)
    filters.compiled = compiled
    filters.reset()
    return [
        float(filters.update(ONE, TWO, np.full((1, 1), value, np.float32), time)[0, 0])
        for value, time in zip(values, times, strict=True)
    ]


def twins(method, verbs, forget_seconds=0.5):
    pair = [PairFilters(method, verbs, forget_seconds=forget_seconds) for _ in range(2)]
    pair[1].compiled = False
    pair[1].reset()
    return pair


@pytest.mark.parametrize("method", METHODS, ids=NAMES)
@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 10_000), verbs=st.sampled_from([1, 7, 16, 33]))
def test_kernel_equals_twin_while_pairs_come_go_and_return(method, seed, verbs):
    rng = np.random.default_rng(seed)
    ours, twin = twins(method, verbs)
    now = 0.0
    for _ in range(14):
        now += float(rng.choice([0.0, 1 / 30, 1 / 30, 0.2, 0.7, -0.1]))
        count = int(rng.integers(0, 50))
        humans, objects = rng.integers(-1, 6, count), rng.integers(-1, 9, count) + 2**40  # and doubles among them
        objects[objects == 2**40 - 1] = -1
        scores = rng.random((count, verbs), dtype=np.float32)
        scores[rng.random(scores.shape) < 0.05] = rng.choice([np.nan, np.inf, -np.inf, 2.0, -1.0])
        got, expected = ours.update(humans, objects, scores, now), twin.update(humans, objects, scores, now)
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
        assert len(ours) == len(twin)
        assert ((got >= 0) & (got <= 1)).all()
        if rng.random() < 0.2:
            ended = tuple(rng.integers(0, 6, 2).tolist())
            ours.end_tracks(ended)
            twin.end_tracks(ended)
            assert len(ours) == len(twin)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.floats(0.01, 0.4)), min_size=1, max_size=15))
def test_average_does_not_care_how_time_is_cut(samples):
    """The same score held over two steps moves the average as far as over one step of their length."""
    values, steps = [value for value, _ in samples], [step for _, step in samples]
    whole = run(ExponentialAverage(0.3), values, np.cumsum(steps))
    halves = [(value, step / 2) for value, step in samples for _ in range(2)]
    halves[0:2] = [halves[0]]  # the first score is taken as it is
    cut = run(ExponentialAverage(0.3), [value for value, _ in halves], np.cumsum([step for _, step in halves]))
    assert cut[-1] == pytest.approx(whole[-1], abs=1e-5)


def test_average_after_one_time_constant():
    assert run(ExponentialAverage(0.25), [0.0, 1.0], [0.0, 0.25])[1] == pytest.approx(1 - 1 / math.e, rel=1e-6)


def test_kalman_worked_by_hand():
    # p = 0.1; + 0.2 * 0.5 -> 0.2; gain 2/3; p = 1/15; + 0.1 -> 1/6; gain 0.625
    got = run(LocalLevelKalman(wander_per_second=0.2, noise_variance=0.1), [0.0, 0.9, 0.0], [0.0, 0.5, 1.0])
    assert got == pytest.approx([0.0, 0.6, 0.6 * 0.375], rel=1e-6)


def test_kalman_settles_at_the_gain_of_theory():
    """Steady state of the local level: p = (q + sqrt(q^2 + 4 q r)) / 2 before the update."""
    q, r = 0.2 / 30, 0.05
    before = (q + math.sqrt(q * q + 4 * q * r)) / 2
    got = run(LocalLevelKalman(0.2, r), [0.0] * 300 + [1.0], np.arange(301) / 30)
    assert got[-1] == pytest.approx(before / (before + r), rel=1e-4)


def test_forward_worked_by_hand():
    method = OnOffForward(mean_on_seconds=1.0, mean_off_seconds=1.0, base_rate=0.5)
    first, second = run(method, [0.8, 0.8], [0.0, 0.5])
    assert first == pytest.approx(0.8, rel=1e-6)  # at even odds belief is the score
    relaxed = 0.5 + 0.3 * math.exp(-1.0)
    assert second == pytest.approx(relaxed * 0.8 / (relaxed * 0.8 + (1 - relaxed) * 0.2), rel=1e-6)


def test_forward_never_gets_stuck():
    sure = run(OnOffForward(), [1.0] * 100 + [0.0] * 10, np.arange(110) / 30)
    assert sure[99] > 0.99
    assert sure[-1] < 0.05


def test_one_euro_worked_by_hand():
    dt, beta = 0.1, 2.0
    alpha = 1 / (1 + 1 / (2 * math.pi * 1.0 * dt))
    speed = alpha * (1.0 / dt)
    cutoff = 0.6 + beta * speed
    expected = 1 / (1 + 1 / (2 * math.pi * cutoff * dt))
    assert run(OneEuro(0.6, beta), [0.0, 1.0], [0.0, dt])[1] == pytest.approx(expected, rel=1e-6)


def test_one_euro_follows_jumps_faster_than_noise():
    times = np.arange(60) / 30
    noise = run(OneEuro(), [0.5 + 0.05 * (-1) ** n for n in range(60)], times)
    jump = run(OneEuro(speed_weight=4.0), [0.0] * 30 + [1.0] * 30, times)
    assert np.ptp(noise[30:]) < 0.04
    assert jump[35] > 0.8


@pytest.mark.parametrize("compiled", [True, False])
def test_median_leaves_no_trace_of_two_wrong_frames(compiled):
    values = [0.5, 0.5, 1.0, 0.0, 0.5, 0.5, 0.9, 0.9, 0.9]
    got = run(MedianOfFive(), values, np.arange(9) / 30, compiled)
    assert got == pytest.approx([0.5] * 8 + [0.9])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 1, width=32), min_size=5, max_size=12))
def test_median_is_the_middle_of_the_last_five(values):
    assert run(MedianOfFive(), values, np.arange(len(values)))[-1] == np.median(np.float32(values[-5:]))


@pytest.mark.parametrize("method", METHODS, ids=NAMES)
def test_a_pair_long_unseen_starts_anew(method):
    high, low = np.full((1, 1), 0.75, np.float32), np.full((1, 1), 0.25, np.float32)

    def after(gap_seconds):
        filters = PairFilters(method, 1, forget_seconds=1.0)
        filters.update(ONE, TWO, high, 0.0)
        filters.update(ONE, TWO, high, 0.5)
        return filters.update(ONE, TWO, low, 0.5 + gap_seconds)[0, 0]

    fresh = PairFilters(method, 1).update(ONE, TWO, low, 0.0)[0, 0]
    assert after(0.9) != fresh
    assert after(1.1) == fresh


@pytest.mark.parametrize("method", METHODS, ids=NAMES)
def test_the_same_time_again_brings_no_news(method):
    filters = PairFilters(method, 2)
    scores = [np.random.default_rng(n).random((1, 2), dtype=np.float32) for n in range(3)]
    filters.update(ONE, TWO, scores[0], 1.0)
    known = filters.update(ONE, TWO, scores[1], 1.1)
    assert np.array_equal(filters.update(ONE, TWO, scores[2], 1.1), known)
    assert np.array_equal(filters.update(ONE, TWO, scores[2], 0.4), known)


def test_pairs_do_not_touch_each_other_whatever_their_order():
    rng = np.random.default_rng(0)
    humans, objects = np.repeat(np.arange(8), 9), np.tile(np.arange(9), 8)
    frames = [rng.random((72, 5), dtype=np.float32) for _ in range(6)]
    together = PairFilters(ExponentialAverage(), 5)
    for n, frame in enumerate(frames):
        order = rng.permutation(72)
        got = together.update(humans[order], objects[order], frame[order], n / 30)
    for row, pair in enumerate(order):
        alone = PairFilters(ExponentialAverage(), 5)
        for n, frame in enumerate(frames):
            one = alone.update(humans[pair : pair + 1], objects[pair : pair + 1], frame[pair : pair + 1], n / 30)
        np.testing.assert_allclose(got[row], one[0], rtol=1e-6)


def test_a_pair_without_a_name_passes_unfiltered_and_is_not_kept():
    filters = PairFilters(ExponentialAverage(), 1)
    for time, score in enumerate([0.2, 0.9]):
        got = filters.update(np.array([-1, 1]), np.array([2, -1]), np.full((2, 1), score, np.float32), float(time))
        assert got.tolist() == np.full((2, 1), score, np.float32).tolist()
    assert len(filters) == 0


@pytest.mark.parametrize("compiled", [True, False])
def test_rows_are_given_away_again(compiled):
    """A crowd of ten thousand pairs over time, few at once."""
    filters = PairFilters(ExponentialAverage(), 1, forget_seconds=0.1)
    filters.compiled = compiled
    filters.reset()
    scores = np.full((10, 1), 0.5, np.float32)
    for frame in range(1000):
        ids = np.arange(10) + 10 * frame
        filters.update(ids, ids, scores, frame / 30)
    assert len(filters) <= 40
    assert filters._table.capacity <= 64
    filters.end_tracks(ids.tolist())
    assert len(filters) <= 30
    filters.reset()
    assert len(filters) == 0


def test_what_is_remembered_survives_growth():
    filters = PairFilters(MedianOfFive(), 3)
    few = np.array([[0.1, 0.2, 0.3]], np.float32)
    filters.update(ONE, TWO, few, 0.0)
    many = np.arange(5 * FIRST_CAPACITY) + 100
    filters.update(many, many, np.tile(few, (len(many), 1)), 0.1)
    assert np.array_equal(filters.update(ONE, TWO, 1 - few, 0.2), few)
    assert len(filters) == len(many) + 1


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 300)), max_size=120), st.integers(1, 2**62))
def test_table_is_a_dictionary(steps, stride):
    """Ids of any size, many in one bucket."""
    table, plain = SlotTable(forget_seconds=3.0), PlainSlotTable(forget_seconds=3.0)
    now, slot_of = 0.0, {}
    for step, number in steps:
        now += step
        ids = np.array([number * (stride // 301), number // 7], np.int64)
        for one in (table, plain):
            one.make_room(2)
        slots, times = table.seat(ids, ids[::-1].copy(), now)
        _, expected = plain.seat(ids, ids[::-1].copy(), now)
        assert np.array_equal(times, expected)
        assert len(table) == len(plain)
        for slot, key, time in zip(
            slots.tolist(), zip(ids.tolist(), ids[::-1].tolist(), strict=True), times, strict=True
        ):
            if time < 0:
                slot_of[key] = slot
            assert slot_of[key] == slot, "a pair keeps its slot"


def test_memory_of_the_caller_is_filled():
    filters = PairFilters(ExponentialAverage(), 2)
    out, scores = np.empty((1, 2), np.float32), np.full((1, 2), 0.25, np.float32)
    assert filters.update(ONE, TWO, scores, 0.0, out=out) is out
    assert out.tolist() == [[0.25, 0.25]]
    with pytest.raises(ValueError, match=r"PairFilters.out must be contiguous float32 \(1, 2\), got float64 \(1, 2\)"):
        filters.update(ONE, TWO, scores, 0.1, out=np.empty((1, 2)))


def test_opened_it_is_empty_and_ready():
    filters = PairFilters(OneEuro(), 3)
    filters.update(ONE, TWO, np.zeros((1, 3), np.float32), 0.0)
    filters.open()
    assert len(filters) == 0
    assert filters.update(ONE, TWO, np.ones((1, 3), np.float32), 0.0).tolist() == [[1.0] * 3]


def test_wrong_input_is_named():
    filters = PairFilters(ExponentialAverage(), 3)
    with pytest.raises(ValueError, match=r"PairFilters.verb_scores must have shape \(1, 3\), got \(1, 2\)"):
        filters.update(ONE, TWO, np.zeros((1, 2), np.float32), 0.0)
    with pytest.raises(ValueError, match=r"PairFilters.object_ids must have shape \(1\), got \(2,\)"):
        filters.update(ONE, np.array([1, 2]), np.zeros((1, 3), np.float32), 0.0)
    with pytest.raises(InputError, match="finite number of seconds, got nan"):
        filters.update(ONE, TWO, np.zeros((1, 3), np.float32), math.nan)


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: ExponentialAverage(0.0), "ExponentialAverage.tau_seconds: expected a number above 0, got 0.0"),
        (lambda: LocalLevelKalman(noise_variance=-1.0), "LocalLevelKalman.noise_variance"),
        (lambda: OnOffForward(base_rate=1.0), "OnOffForward.base_rate: expected a number below 1"),
        (lambda: OneEuro(speed_weight=-1.0), "OneEuro.speed_weight: expected 0 or more"),
        (lambda: OneEuro(least_cutoff_hz=math.nan), "OneEuro.least_cutoff_hz"),
        (lambda: PairFilters(OneEuro(), 3, forget_seconds=0.0), "forget_seconds: expected a number above 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(build, text):
    with pytest.raises(ConfigError, match=text):
        build()
