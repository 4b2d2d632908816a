"""Leave-one-clip-out choice of the score threshold."""

import pytest
from segments_cases import make_run, make_truth, predicted, state

from videohoi.errors import UsageError
from videohoi.evaluate.segments.threshold import leave_one_out

THRESHOLDS = (0.2, 0.5, 0.8)
TRUTHS = {name: make_truth(state(2.0, 6.0), clip=f"{name}.mp4") for name in "abc"}


def clip(name, right_score, wrong_score):
    """The true segment with one score, a false one with another."""
    return make_run(predicted(2.0, 6.0, score=right_score), predicted(7.0, 9.0, score=wrong_score), clip=name)


def test_each_clip_is_scored_with_what_suits_the_others():
    run = {"a": clip("a", 0.9, 0.7), "b": clip("b", 0.9, 0.7), "c": clip("c", 0.4, 0.1)}
    result = leave_one_out(run, TRUTHS, THRESHOLDS)
    # c alone would take 0.2, but a and b, which choose for it, want 0.8: there c loses its hit
    assert result.thresholds["c"] == 0.8
    f1 = {scores.clip: scores.at("strict", 0.5).f1 for scores in result.scores.clips}
    assert f1["c"] == 0.0
    # for a the others are b (best at 0.8) and c (best at 0.2): means (2/3 + 1)/2, (2/3 + 0)/2, (1 + 0)/2
    assert result.thresholds["a"] == result.thresholds["b"] == 0.2
    assert f1["a"] == f1["b"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("scores", [(0.9, 0.1), (0.1, 0.9), (0.3, 0.3), (0.6, 0.4)])
def test_a_clip_has_no_say_in_its_own_threshold(scores):
    run = {"a": clip("a", *scores), "b": clip("b", 0.9, 0.6), "c": clip("c", 0.9, 0.3)}
    assert leave_one_out(run, TRUTHS, THRESHOLDS).thresholds["a"] == 0.8


def test_among_equals_the_lowest_threshold_wins():
    run = {name: make_run(predicted(2.0, 6.0, score=0.9), clip=name) for name in "abc"}
    assert set(leave_one_out(run, TRUTHS, (0.8, 0.2, 0.5)).thresholds.values()) == {0.2}


def test_the_pair_question_can_choose():
    run = {
        name: make_run(predicted(2.0, 6.0, "wash", score=0.3), predicted(7.0, 9.0, score=0.1), clip=name)
        for name in "abc"
    }
    result = leave_one_out(run, TRUTHS, (0.05, 0.2, 0.5), question="agnostic")
    assert set(result.thresholds.values()) == {0.2}
    assert result.scores.mean("agnostic", 0.5).f1 == 1.0
    assert result.to_dict()["thresholds"]["a"] == 0.2


def test_unscorable_clips_do_not_vote_but_get_a_threshold():
    truths = {**TRUTHS, "d": make_truth(clip="d.mp4")}
    run = {name: clip(name, 0.9, 0.7) for name in "abcd"}
    result = leave_one_out(run, truths, THRESHOLDS)
    assert result.thresholds["d"] == 0.8
    assert result.scores.unscorable == ("d",)


def test_wrong_calls_are_named():
    run = {name: clip(name, 0.9, 0.7) for name in "abc"}
    with pytest.raises(UsageError, match="at least one candidate"):
        leave_one_out(run, TRUTHS, ())
    with pytest.raises(UsageError, match=r"got 'loose' at 0\.5"):
        leave_one_out(run, TRUTHS, THRESHOLDS, question="loose")
    with pytest.raises(UsageError, match=r"got 'strict' at 0\.4"):
        leave_one_out(run, TRUTHS, THRESHOLDS, minimum_iou=0.4)
    with pytest.raises(UsageError, match="no scorable clip besides 'a'"):
        leave_one_out({"a": run["a"]}, TRUTHS, THRESHOLDS)
