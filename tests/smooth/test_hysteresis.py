"""The threshold logic on its own, worked by hand on eighths of a second (exact in binary)."""

import itertools

import numpy as np
import pytest

from videohoi.errors import ConfigError
from videohoi.smooth.config import SmoothingConfig
from videohoi.smooth.hysteresis import advance, close
from videohoi.smooth.impacts import ImpactPeaks
from videohoi.smooth.pair_table import PairState
from videohoi.structures import Phase

CONFIG = SmoothingConfig(on_threshold=0.4, off_threshold=0.25, confirm_seconds=0.125, min_seconds=0.25,
                         bridge_seconds=0.5, hold_unseen_seconds=1.0, update_seconds=10.0)  # fmt: skip
EIGHTH = 0.125


def decided(*scores):
    """[(time, phase)] for one verb's score each eighth of a second; None while unseen."""
    pair, ids, found = PairState(1, 2, 0, 1, ImpactPeaks(CONFIG.impact)), itertools.count(1), []
    for index, score in enumerate(scores):
        row = None if score is None else np.array([score])
        steps = advance(pair, row, index * EIGHTH, CONFIG, lambda: next(ids))
        found += [(index * EIGHTH, phase) for _, phase in steps]
    return found, pair


def test_a_score_between_the_thresholds_begins_nothing_but_keeps_what_is_on() -> None:
    assert decided(0.3, 0.39, 0.3)[0] == []
    found, pair = decided(0.3, 0.4, 0.3, 0.25, 0.3)
    assert found == [(0.25, Phase.BEGIN)]
    assert (pair.begin[0], pair.last_on[0]) == (0.125, 0.5)


def test_it_is_announced_once_it_held_for_the_confirmation() -> None:
    assert decided(0.5, 0.2, 0.5, 0.2)[0] == []
    assert decided(0.5, 0.5)[0] == [(0.125, Phase.BEGIN)]


def test_it_is_not_announced_on_what_was_not_seen() -> None:
    assert decided(0.9, None, None, None)[0] == []


def test_it_ends_when_off_for_longer_than_the_bridge_at_the_time_it_last_held() -> None:
    low = [0.2] * 5  # off from 0.5 s on; 0.375 + 0.5 is not yet longer, 1.0 is
    found, pair = decided(0.5, 0.5, 0.5, 0.5, *low)
    assert found == [(0.125, Phase.BEGIN), (1.0, Phase.END)]
    assert (pair.begin[0], pair.last_on[0]) == (0.0, 0.375)


def test_a_return_within_the_bridge_goes_on() -> None:
    assert decided(0.5, 0.5, 0.5, 0.2, 0.2, 0.2, 0.3, 0.3)[0] == [(0.125, Phase.BEGIN)]


def test_too_short_a_state_is_retracted() -> None:
    assert decided(0.5, 0.5, *[0.0] * 6)[0] == [(0.125, Phase.BEGIN), (0.75, Phase.RETRACT)]


def test_an_unseen_pair_is_given_more_time() -> None:
    assert decided(0.5, 0.5, 0.5, *[None] * 8)[0] == [(0.125, Phase.BEGIN)]
    assert decided(0.5, 0.5, 0.5, *[None] * 9)[0] == [(0.125, Phase.BEGIN), (1.375, Phase.END)]


def test_scores_are_accounted_while_it_holds() -> None:
    _, pair = decided(0.5, 0.75, 0.1, 0.25)
    assert pair.score_sum[0] / pair.score_count[0] == pytest.approx(0.5)
    assert pair.peak[0] == 0.75


def test_closing_ends_what_is_on_and_drops_what_is_pending() -> None:
    _, pair = decided(0.5, 0.5, 0.5)
    assert list(close(pair, CONFIG)) == [(0, Phase.END)]
    assert pair.idle
    _, pending = decided(0.5)
    assert list(close(pending, CONFIG)) == []
    assert pending.idle


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"tau_seconds": -1.0}, "smooth.tau_seconds"),
        ({"tau_seconds": 0.0}, "smooth.tau_seconds"),
        ({"bridge_seconds": -0.1}, "smooth.bridge_seconds"),
        ({"on_threshold": 0.3, "off_threshold": 0.4}, "off_threshold"),
        ({"on_threshold": 1.2}, "on_threshold"),
        ({"max_verbs_per_pair": 0}, "smooth.max_verbs_per_pair"),
    ],
)
def test_settings_that_cannot_be_are_refused(values, named):
    with pytest.raises(ConfigError, match=named):
        SmoothingConfig(**values)
