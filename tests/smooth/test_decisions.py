"""The threshold logic on its own, worked by hand on eighths of a second (exact in binary)."""

from dataclasses import replace

import numpy as np
import pytest
from smooth_scenes import LIVE, WORDS, Pair, Thing, events, frames, segments, smoothed, still, times

from videohoi.errors import ConfigError
from videohoi.smooth.config import SmoothingConfig
from videohoi.smooth.decisions import Decider, Step
from videohoi.smooth.pair_table import OFF, PairTable
from videohoi.smooth.scoring import PairScores
from videohoi.structures import Phase

CONFIG = SmoothingConfig(on_threshold=0.4, off_threshold=0.25, confirm_seconds=0.125, min_seconds=0.25,
                         bridge_seconds=0.5, hold_unseen_seconds=1.0, update_seconds=10.0)  # fmt: skip
EIGHTH = 0.125
ROW = 1


class OnePair:
    """A table with one pair of one verb, scored by hand."""

    def __init__(self, *, final: bool = False) -> None:
        self.table = PairTable(1)
        assert self.table._take((1, 2), 0.0) == ROW
        self.decider = Decider(self.table, np.ones((3, 1), np.bool_), CONFIG, final=final)
        self.index = 0

    def step(self, score):
        """One eighth of a second further; None: not seen."""
        pts, seen = self.index * EIGHTH, score is not None
        observed = np.array([False, seen])
        self.table.note_observed(observed, pts, EIGHTH if self.index else 0.0)
        self.index += 1
        scores = PairScores(np.array([[0.0], [score or 0.0]]), observed)
        step = Step(pts, scores, observed, may_go_on=observed, may_begin=observed)
        return [(pts, decision.phase) for decision in self.decider.advance(step)]

    def state(self):
        return self.table.begin[ROW, 0], self.table.last_on[ROW, 0]


def decided(*scores, final=False):
    """[(time, phase)] for one verb's score each eighth of a second; None while unseen."""
    pair = OnePair(final=final)
    return [decision for score in scores for decision in pair.step(score)], pair


def test_a_score_between_the_thresholds_begins_nothing_but_keeps_what_is_on() -> None:
    assert decided(0.3, 0.39, 0.3)[0] == []
    found, pair = decided(0.3, 0.4, 0.3, 0.25, 0.3)
    assert found == [(0.25, Phase.BEGIN)]
    assert pair.state() == (0.125, 0.5)


def test_it_is_announced_once_it_held_for_the_confirmation() -> None:
    assert decided(0.5, 0.2, 0.5, 0.2)[0] == []
    assert decided(0.5, 0.5)[0] == [(0.125, Phase.BEGIN)]


def test_what_is_final_is_announced_once_it_held_for_the_least() -> None:
    assert decided(0.5, 0.5, final=True)[0] == []
    assert decided(0.5, 0.5, 0.5, final=True)[0] == [(0.25, Phase.BEGIN)]


def test_it_is_not_announced_on_what_was_not_seen() -> None:
    assert decided(0.9, None, None, None)[0] == []
    assert decided(None, None, 0.9, None)[0] == []


def test_time_out_of_sight_counts_neither_for_the_confirmation_nor_for_the_least() -> None:
    """Seen at 0 and at 0.5 s: one eighth of a second, whatever lies between."""
    assert decided(0.5, None, None, None, 0.5)[0] == [(0.5, Phase.BEGIN)]
    assert decided(0.5, None, None, None, 0.5, final=True)[0] == []
    assert decided(0.5, None, None, None, 0.5, 0.5, final=True)[0] == [(0.625, Phase.BEGIN)]


def test_it_ends_when_off_for_longer_than_the_bridge_at_the_time_it_last_held() -> None:
    low = [0.2] * 5  # off from 0.5 s on; 0.375 + 0.5 is not yet longer, 1.0 is
    found, pair = decided(0.5, 0.5, 0.5, 0.5, *low)
    assert found == [(0.125, Phase.BEGIN), (1.0, Phase.END)]
    assert pair.state() == (0.0, 0.375)


def test_a_return_within_the_bridge_goes_on() -> None:
    assert decided(0.5, 0.5, 0.5, 0.2, 0.2, 0.2, 0.3, 0.3)[0] == [(0.125, Phase.BEGIN)]


def test_too_short_a_state_is_retracted() -> None:
    assert decided(0.5, 0.5, *[0.0] * 6)[0] == [(0.125, Phase.BEGIN), (0.75, Phase.RETRACT)]
    assert decided(0.5, 0.5, *[0.0] * 6, final=True)[0] == []


def test_an_unseen_pair_is_given_more_time() -> None:
    assert decided(0.5, 0.5, 0.5, *[None] * 8)[0] == [(0.125, Phase.BEGIN)]
    assert decided(0.5, 0.5, 0.5, *[None] * 9)[0] == [(0.125, Phase.BEGIN), (1.375, Phase.END)]


def test_an_unseen_pair_that_returns_with_a_low_score_has_the_whole_bridge() -> None:
    found, _ = decided(0.5, 0.5, 0.5, *[None] * 6, 0.1, 0.1, 0.5)
    assert found == [(0.125, Phase.BEGIN)]


def test_scores_are_accounted_while_it_holds() -> None:
    _, pair = decided(0.5, 0.75, 0.1, 0.25)
    assert pair.table.mean_score(ROW, 0) == pytest.approx(0.5)
    assert pair.table.peak[ROW, 0] == 0.75


def test_closing_ends_what_is_on_and_drops_what_is_pending() -> None:
    _, pair = decided(0.5, 0.5, 0.5)
    assert [decision.phase for decision in pair.decider.close()] == [Phase.END]
    assert not pair.table.phase.any()
    _, pending = decided(0.5)
    assert pending.decider.close() == []
    assert (pending.table.phase == OFF).all()


# objects that change their class


TV, FRIDGE = "tv", "refrigerator"


def renamed(first, second, at_seconds, scores, config, seconds=4.0):
    """Results of a human with one track that is a ``first`` before ``at_seconds`` and a ``second`` from then on."""
    box = still((150.0, 200.0, 300.0, 380.0))
    results = []
    for name in (first, second):
        things = [Thing(1, "person", still()), Thing(2, name, box)]
        items = frames(times(30, seconds), things, [Pair(1, 2, scores)])
        results.append([item for item in items if (item.frame.pts_seconds < at_seconds) == (name == first)])
    return smoothed([*results[0], *results[1]], config)


BOTH = pytest.mark.parametrize("config", [SmoothingConfig(), LIVE], ids=["offline", "live"])


def assert_words_fit(results):
    """Whatever is told or shown is a verb that goes with the class it is told with."""
    for event in events(results):
        assert WORDS.valid[WORDS.object_id(event.object_class), WORDS.verb_id(event.verb)], event
    for result in results:
        found = result.interactions
        for row, verb in np.argwhere(found.active):
            assert WORDS.valid[found.object_class_ids[row], verb]


@BOTH
@pytest.mark.parametrize("at_seconds", [0.1, 0.3, 1.0, 2.5])
def test_what_is_reported_goes_with_the_class_it_is_reported_with(config, at_seconds) -> None:
    results = renamed(TV, FRIDGE, at_seconds, lambda pts: {"watch": 0.9, "open": 0.2}, config)
    assert_words_fit(results)
    assert {s.object_class for s in segments(results) if s.verb == "watch"} <= {TV}
    assert all(s.end_seconds < at_seconds for s in segments(results) if s.verb == "watch")


@BOTH
def test_a_verb_that_goes_with_both_classes_is_reported_under_each_in_its_time(config) -> None:
    config = replace(config, min_seconds=0.2)
    results = renamed(
        "vase", "bottle", 2.0, lambda pts: {"hold": 0.9 if pts < 3.0 else 0.0}, replace(config, motion=OFF_MOTION)
    )
    assert_words_fit(results)
    vase, bottle = segments(results)
    assert (vase.object_class, bottle.object_class) == ("vase", "bottle")
    lookahead = config.lookahead_seconds
    assert 2.0 - lookahead - 0.1 <= vase.end_seconds < bottle.begin_seconds <= 2.0
    assert len({(e.interaction_id, e.object_class) for e in events(results)}) == 2


def test_offline_a_name_that_changes_before_anybody_was_told_is_the_name_from_the_begin() -> None:
    config = replace(SmoothingConfig(), motion=OFF_MOTION)
    (segment,) = segments(renamed("vase", "bottle", 0.3, lambda pts: {"hold": 0.9}, config))
    assert (segment.object_class, segment.begin_seconds) == ("bottle", 0.0)


OFF_MOTION = replace(SmoothingConfig().motion, resting_logit=0.0)


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
