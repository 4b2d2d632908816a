"""Segment scoring: what a user reads in the table, on clips worked out by hand and on the real truth."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segments_cases import (
    CUP,
    CUP_BOX,
    FAR_BOX,
    FAR_CUP,
    HUMAN,
    OTHER_HUMAN,
    PERSON_BOX,
    event,
    make_run,
    make_track,
    make_truth,
    predicted,
    score_clip,
    span,
    state,
    truth_as_prediction,
)

from videohoi.errors import InputError
from videohoi.evaluate.segments.scoring import score_run
from videohoi.evaluate.segments.truth import read_truths

SHARED = Path(__file__).resolve().parents[2].parent / "shared"


def strict(truth, run, minimum_iou=0.5):
    return score_clip(truth, run).at("strict", minimum_iou)


def agnostic(truth, run, minimum_iou=0.5):
    return score_clip(truth, run).at("agnostic", minimum_iou)


def counts(scores):
    return (scores.hits, scores.false_alarms, scores.misses, scores.neutral)


def test_a_perfect_prediction_scores_one():
    scores = strict(make_truth(state(2.0, 6.0)), make_run(predicted(2.0, 6.0)))
    assert counts(scores) == (1, 0, 0, 0)
    assert (scores.precision, scores.recall, scores.f1) == (1.0, 1.0, 1.0)
    assert (scores.begin_errors_seconds, scores.end_errors_seconds) == ((0.0,), (0.0,))


def test_no_prediction_scores_zero():
    scores = strict(make_truth(state(2.0, 6.0)), make_run())
    assert (scores.precision, scores.recall, scores.f1) == (0.0, 0.0, 0.0)


def test_a_shift_of_half_its_length_passes_only_the_low_overlap():
    """4 s shifted by 2 s: 2.0 s shared of 6.0 s: IoU 1/3 (first and last frame inclusive: 39 + 1 frames)."""
    truth, run = make_truth(state(2.0, 5.9)), make_run(predicted(4.0, 7.9))
    assert strict(truth, run, 0.3).f1 == 1.0
    assert strict(truth, run, 0.5).f1 == 0.0
    assert strict(truth, run, 0.3).begin_errors_seconds == pytest.approx((2.0,))


def test_times_include_the_last_frame():
    """One frame each, the same one: with the frame's own duration the overlap is whole, without it there is none."""
    assert strict(make_truth(state(3.0, 3.0)), make_run(predicted(3.0, 3.0))).f1 == 1.0
    assert strict(make_truth(state(3.0, 3.0)), make_run(predicted(3.1, 3.1)), 0.3).f1 == 0.0


def test_split_in_two_finds_it_once_and_raises_one_false_alarm():
    scores = strict(make_truth(state(0.0, 8.0)), make_run(predicted(0.0, 5.0), predicted(5.3, 8.0)), 0.3)
    assert counts(scores) == (1, 1, 0, 0)
    assert scores.precision == 0.5


@pytest.mark.parametrize(
    "wrong",
    [
        predicted(2.0, 6.0, thing=FAR_CUP),  # another cup, elsewhere
        predicted(2.0, 6.0, human=OTHER_HUMAN),  # another person
        predicted(2.0, 6.0, "wash"),  # another verb
        predicted(2.0, 6.0, object_class="bowl"),  # another class at the right place
    ],
)
def test_wrong_pair_verb_or_class_is_a_false_alarm_and_a_miss(wrong):
    assert counts(strict(make_truth(state(2.0, 6.0)), make_run(wrong), 0.3)) == (0, 1, 1, 0)


def test_a_wrong_verb_still_finds_the_pair():
    truth, run = make_truth(state(2.0, 6.0)), make_run(predicted(2.0, 6.0, "wash"))
    assert agnostic(truth, run).f1 == 1.0


def test_the_pair_question_unites_verbs_on_both_sides():
    truth = make_truth(state(1.0, 4.0, "hold"), state(4.1, 7.0, "wash"))
    run = make_run(predicted(1.0, 5.0, "wash"), predicted(3.0, 7.0, "hold"))
    scores = agnostic(truth, run)
    assert counts(scores) == (1, 0, 0, 0)
    assert scores.begin_errors_seconds == pytest.approx((0.0,))
    assert scores.end_errors_seconds == pytest.approx((0.0,))


def test_an_event_united_with_a_state_is_a_state():
    truth = make_truth(event(2.0), state(2.0, 8.0))
    assert counts(agnostic(truth, make_run(predicted(2.0, 8.0)))) == (1, 0, 0, 0)
    assert counts(agnostic(make_truth(event(2.0)), make_run(predicted(1.9, 2.1)))) == (1, 0, 0, 0)
    assert counts(agnostic(make_truth(event(2.0)), make_run(predicted(1.9, 3.1)))) == (0, 1, 1, 0)


def test_a_union_ranks_by_its_best_member():
    tracks = [make_track(HUMAN, PERSON_BOX), make_track(CUP, CUP_BOX), make_track(9, CUP_BOX)]
    parts = predicted(2.0, 4.0, score=0.1), predicted(4.0, 6.0, "wash", score=0.9)
    run = make_run(*parts, predicted(2.5, 6.0, thing=9, score=0.5), tracks=tracks)
    scores = agnostic(make_truth(state(2.0, 6.0)), run)
    assert counts(scores) == (1, 1, 0, 0)
    assert scores.begin_errors_seconds == (0.0,)


def test_unions_apart_stay_apart():
    near = make_truth(state(1.0, 3.0), state(3.3, 5.0))
    assert agnostic(near, make_run(predicted(1.0, 3.0), predicted(3.3, 5.0))).hits == 2
    truth = make_truth(state(1.0, 3.0), state(6.0, 8.0))
    assert counts(agnostic(truth, make_run(predicted(1.0, 8.0)))) == (0, 1, 2, 0)
    assert counts(agnostic(truth, make_run(predicted(1.0, 3.0), predicted(6.0, 8.0, "wash")))) == (2, 0, 0, 0)


def test_the_box_must_agree_on_half_of_the_common_keyframes():
    truth = make_truth(state(0.0, 9.9))
    half, less = range(50), range(45)  # keyframes at frames 0, 5, 10, ...: 10 and 9 of 20

    def run(right_frames):
        boxes = make_track(CUP, CUP_BOX)
        boxes.boxes_xyxy_px[len(right_frames) :] = FAR_BOX
        return make_run(predicted(0.0, 9.9), tracks=[make_track(HUMAN, PERSON_BOX), boxes])

    assert strict(truth, run(half)).hits == 1
    assert strict(truth, run(less)).hits == 0


def test_keyframes_at_which_the_track_is_unseen_do_not_count_against_it():
    seen = make_track(CUP, CUP_BOX, frames=[*range(12), *range(80, 100)])
    run = make_run(predicted(0.0, 9.9), tracks=[make_track(HUMAN, PERSON_BOX), seen])
    assert strict(make_truth(state(0.0, 9.9)), run).f1 == 1.0


def test_a_small_object_is_met_by_its_centre_a_large_one_is_not():
    big_box = (0.0, 0.0, 400.0, 400.0)
    small, large = (190.0, 190.0, 210.0, 210.0), (170.0, 170.0, 230.0, 230.0)
    run = make_run(predicted(2.0, 6.0), tracks=[make_track(HUMAN, PERSON_BOX), make_track(CUP, big_box)])
    for box, hits in ((small, 1), (large, 0)):
        truth = make_truth(state(2.0, 6.0), boxes={"p1": PERSON_BOX, "cup": box})
        assert strict(truth, run).hits == hits


def test_a_short_segment_between_keyframes_is_placed_by_its_neighbours():
    truth = make_truth(state(2.2, 2.4))
    assert strict(truth, make_run(predicted(2.2, 2.4))).f1 == 1.0
    assert strict(truth, make_run(predicted(2.2, 2.4, thing=FAR_CUP))).f1 == 0.0


def test_keyframes_too_far_away_say_nothing():
    truth = make_truth(state(5.0, 6.0), keyframe_frames=[0, 30, 75])
    assert strict(truth, make_run(predicted(5.0, 6.0))).hits == 0


def test_likely_segments_are_neither_missed_nor_false():
    truth = make_truth(state(0.0, 3.0), state(5.0, 8.0, "wash", sure=False))
    assert counts(strict(truth, make_run(predicted(0.0, 3.0)))) == (1, 0, 0, 0)
    assert counts(strict(truth, make_run(predicted(0.0, 3.0), predicted(5.0, 8.0, "wash")))) == (1, 0, 0, 1)
    assert counts(strict(truth, make_run(predicted(0.0, 3.0), predicted(6.0, 6.5, "wash")))) == (1, 0, 0, 1)
    assert counts(strict(truth, make_run(predicted(0.0, 3.0), predicted(5.0, 8.0, "fill")))) == (1, 1, 0, 0)


def test_ignore_spans_are_scored_neither_way_when_the_prediction_is_mostly_inside():
    truth = make_truth(state(0.0, 2.0), ignore=[span(4.0, 6.0, "wash")])
    right = predicted(0.0, 2.0)
    assert counts(strict(truth, make_run(right, predicted(5.0, 7.0, "wash")))) == (1, 0, 0, 1)
    assert counts(strict(truth, make_run(right, predicted(5.5, 9.0, "wash")))) == (1, 1, 0, 0)
    assert counts(strict(truth, make_run(right, predicted(4.0, 6.0, "wash", thing=FAR_CUP)))) == (1, 1, 0, 0)


def test_overlapping_ignore_spans_count_once():
    truth = make_truth(state(0.0, 2.0), ignore=[span(4.0, 5.0, "wash"), span(4.0, 5.0, "wash")])
    assert counts(strict(truth, make_run(predicted(0.0, 2.0), predicted(4.0, 7.9, "wash")))) == (1, 1, 0, 0)


def test_truth_out_of_scope_is_not_asked_for_and_neutral_for_the_pair():
    truth = make_truth(state(0.0, 2.0), state(4.0, 8.0, "juggle", hico_verb=False))
    run = make_run(predicted(0.0, 2.0), predicted(4.0, 8.0, "wash"))
    assert counts(strict(truth, run)) == (1, 1, 0, 0), "a wrong verb is wrong"
    assert counts(agnostic(truth, run)) == (1, 0, 0, 1), "but the pair does interact"


@pytest.mark.parametrize(("middle", "hit"), [(5.0, True), (5.2, True), (4.8, True), (5.3, False), (4.7, False)])
def test_an_event_is_hit_within_a_fifth_of_a_second(middle, hit):
    scores = strict(make_truth(event(5.0)), make_run(predicted(middle - 0.1, middle + 0.1, "kick")))
    assert scores.hits == hit
    assert scores.begin_errors_seconds == (), "edge errors are of states only"


def test_a_long_kick_does_not_hit_every_contact():
    truth = make_truth(event(2.0), event(3.0), event(4.0), event(6.0))
    assert counts(strict(truth, make_run(predicted(2.0, 7.0, "kick")))) == (0, 1, 4, 0)
    assert counts(strict(truth, make_run(predicted(1.5, 6.5, "kick")))) == (1, 0, 3, 0), "its middle is at 4 s"


def test_one_prediction_hits_one_of_two_near_events():
    truth = make_truth(event(5.0), event(5.3))
    assert counts(strict(truth, make_run(predicted(5.1, 5.2, "kick")))) == (1, 0, 1, 0)
    assert counts(strict(truth, make_run(predicted(5.1, 5.2, "kick"), predicted(4.9, 5.0, "kick")))) == (2, 0, 0, 0)


def test_a_prediction_takes_the_nearest_of_two_events():
    """Middle 5.2 s reaches both contacts; taking the nearer one leaves the other to the second prediction."""
    truth = make_truth(event(5.0), event(5.3))
    run = make_run(predicted(5.2, 5.2, "kick", score=0.9), predicted(4.8, 4.9, "kick", score=0.5))
    assert counts(strict(truth, run)) == (2, 0, 0, 0)


def test_a_prediction_takes_the_state_it_overlaps_most():
    scores = strict(make_truth(state(0.0, 6.0), state(3.0, 7.0)), make_run(predicted(0.0, 9.9)), 0.3)
    assert scores.begin_errors_seconds == (0.0,), "IoU 0.61 against 0.41, though the middles say otherwise"


def test_one_to_one_best_score_first():
    better, worse = predicted(2.0, 7.0, score=0.9), predicted(2.0, 6.0, score=0.4)
    scores = strict(make_truth(state(2.0, 6.0)), make_run(worse, better))
    assert counts(scores) == (1, 1, 0, 0)
    assert scores.end_errors_seconds == pytest.approx((1.0,)), "the higher score is matched, not the better overlap"


def test_negatives_count_predictions_at_least_half_inside():
    truth = make_truth(
        state(0.0, 2.0),
        negatives=[span(5.0, 9.0), span(0.0, 9.9, "wash"), span(0.0, 9.9, "juggle", hico_verb=False)],
    )
    run = make_run(predicted(0.0, 2.0), predicted(6.0, 7.0), predicted(4.0, 6.5), predicted(1.0, 5.5))
    scores = score_clip(truth, run)
    assert (scores.negatives, scores.negatives_hit, scores.predictions_in_negatives) == (2, 1, 2)
    assert scores.negatives_hit_share == 0.5
    elsewhere = make_run(predicted(6.0, 7.0, thing=FAR_CUP), predicted(6.0, 7.0, human=OTHER_HUMAN))
    assert score_clip(truth, elsewhere).predictions_in_negatives == 0


def test_a_negative_about_a_thing_that_is_not_there_is_hit_by_its_class():
    """A detector fires on a cup that does not exist: no box can be annotated, the person and the class decide."""
    truth = make_truth(negatives=[span(0.0, 9.9, thing="far")])
    assert score_clip(truth, make_run(predicted(2.0, 6.0, thing=FAR_CUP))).predictions_in_negatives == 1
    assert score_clip(truth, make_run(predicted(2.0, 6.0, human=OTHER_HUMAN))).predictions_in_negatives == 0


def test_a_negative_is_not_hit_by_the_neighbour_that_passes_it():
    """Two cups overlap by more than IoU 0.3; each track belongs to the one it fits best."""
    beside = tuple(edge + 20.0 if row % 2 == 0 else edge for row, edge in enumerate(CUP_BOX))
    boxes = {"p1": PERSON_BOX, "cup": CUP_BOX, "far": beside}
    truth = make_truth(state(2.0, 6.0), negatives=[span(0.0, 9.9, thing="far")], boxes=boxes)
    tracks = [make_track(HUMAN, PERSON_BOX), make_track(CUP, CUP_BOX), make_track(FAR_CUP, beside)]
    assert score_clip(truth, make_run(predicted(2.0, 6.0), tracks=tracks)).predictions_in_negatives == 0
    wrong = make_run(predicted(2.0, 6.0, thing=FAR_CUP), tracks=tracks)
    assert score_clip(truth, wrong).predictions_in_negatives == 1


def test_a_refuted_prediction_is_not_neutral():
    likely_hidden = state(0.0, 9.9, thing="far", sure=False)  # never boxed: any cup could be it ...
    truth = make_truth(likely_hidden, negatives=[span(0.0, 9.9)])  # ... but this one is declared untouched
    assert counts(strict(truth, make_run(predicted(2.0, 6.0)))) == (0, 1, 0, 0)
    assert counts(strict(truth, make_run(predicted(2.0, 6.0, thing=FAR_CUP)))) == (0, 0, 0, 1)


def test_flips_are_begins_and_ends_inside_the_clip():
    truth = make_truth(state(0.0, 9.9))
    assert score_clip(truth, make_run(predicted(0.0, 9.9))).flips_per_minute == 0.0
    assert score_clip(truth, make_run(predicted(0.0, 5.0))).flips_per_minute == pytest.approx(6.0), "1 in 10 s"
    assert score_clip(truth, make_run(predicted(0.1, 9.8))).flips_per_minute == pytest.approx(12.0)
    assert score_clip(truth, make_run(predicted(1.0, 2.0), predicted(3.0, 9.9))).flips_per_minute == pytest.approx(18.0)


def test_predictions_outside_the_vocabulary_are_counted_not_scored():
    odd = (
        predicted(2.0, 6.0, "juggle"),
        predicted(2.0, 6.0, object_class="cane"),
        predicted(1.0, 2.0, "no_interaction"),
    )
    scores = score_clip(make_truth(state(2.0, 6.0)), make_run(predicted(2.0, 6.0), *odd))
    assert (scores.predicted, scores.out_of_scope, scores.at("strict", 0.5).f1) == (1, 3, 1.0)


def test_a_score_threshold_leaves_out_what_is_below():
    truth, run = make_truth(state(2.0, 6.0)), make_run(predicted(2.0, 6.0), predicted(7.0, 9.0, score=0.3))
    assert score_clip(truth, run).at("strict", 0.5).false_alarms == 1
    assert score_clip(truth, run, minimum_score=0.3).at("strict", 0.5).false_alarms == 1
    assert score_clip(truth, run, minimum_score=0.31).at("strict", 0.5).false_alarms == 0


def test_a_clip_without_scorable_truth_reports_false_alarms_but_no_f1():
    truths = {"a": make_truth(state(2.0, 6.0)), "b": make_truth()}
    scores = score_run(truths, {"a": make_run(predicted(2.0, 6.0)), "b": make_run(predicted(1.0, 2.0), clip="b")})
    assert scores.clips[1].at("strict", 0.5).f1 is None
    assert scores.clips[1].at("strict", 0.5).false_alarms == 1
    assert scores.mean("strict", 0.5).f1 == 1.0
    assert scores.mean("strict", 0.5).false_alarms == 1


def test_clips_on_one_side_only_are_listed():
    truths = {"a": make_truth(state(2.0, 6.0)), "b": make_truth(state(2.0, 6.0))}
    scores = score_run(truths, {"a": make_run(), "c": make_run()})
    assert (scores.without_prediction, scores.without_truth) == (("b",), ("c",))
    assert len(scores.clips) == 1
    with pytest.raises(InputError, match=r"run holds c; expected a clip with truth, as a, b"):
        score_run(truths, {"c": make_run()})


def test_results_can_be_written_as_json():
    truth = make_truth(state(2.0, 6.0))
    values = json.loads(json.dumps(score_run({"made": truth}, {"made": make_run(predicted(2.0, 6.0))}).to_dict()))
    assert values["mean"]["strict"]["0.3"]["f1"] == 1.0
    assert values["clips"][0]["agnostic"]["0.5"]["hits"] == 1


TENTHS = st.integers(0, 99)
PREDICTIONS = st.lists(
    st.builds(
        lambda a, b, verb, thing, score: predicted(min(a, b) / 10, max(a, b) / 10, verb, thing=thing, score=score / 4),
        TENTHS, TENTHS, st.sampled_from(["hold", "wash", "kick"]), st.sampled_from([CUP, FAR_CUP]), st.integers(1, 4),
    ),
    max_size=8,
)  # fmt: skip
RICH = (state(0.0, 2.0), state(4.0, 7.0), state(5.0, 9.0, "wash", sure=False), event(3.0), event(3.5), event(8.0))


@settings(deadline=None, max_examples=40)
@given(PREDICTIONS, st.randoms(use_true_random=False))
def test_the_order_of_the_files_does_not_matter(predictions, random):
    shuffled, truths = list(predictions), list(RICH)
    random.shuffle(shuffled)
    random.shuffle(truths)
    extras = {"negatives": [span(2.1, 3.9)], "ignore": [span(7.2, 9.9)]}
    first = score_clip(make_truth(*RICH, **extras), make_run(*predictions)).to_dict()
    assert score_clip(make_truth(*truths, **extras), make_run(*shuffled)).to_dict() == first


@settings(deadline=None, max_examples=40)
@given(PREDICTIONS)
def test_every_prediction_and_every_sure_segment_is_accounted_for_once(predictions):
    scores = strict(make_truth(*RICH), make_run(*predictions), 0.3)
    assert scores.hits + scores.false_alarms + scores.neutral == len(predictions)
    assert scores.hits + scores.misses == sum(segment.sure for segment in RICH)
    assert 0.0 <= scores.f1 <= 1.0


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "clips/truth").is_dir(), reason="the annotated clips (../shared) are not here")
def test_the_real_truth_as_prediction_scores_one_and_nothing_scores_zero():
    truths = read_truths(SHARED / "clips/truth")
    run = {name: truth_as_prediction(truth) for name, truth in truths.items()}
    scores = score_run(truths, run)
    assert scores.unscorable == ("blocks_hands", "cloth_magic", "table_visitors")
    for clip in scores.clips:
        for question in ("strict", "agnostic"):
            for iou in (0.3, 0.5):
                result = clip.at(question, iou)
                assert result.f1 == (1.0 if clip.scorable else None), (clip.clip, question, iou)
                assert result.false_alarms == 0
        assert clip.predictions_in_negatives == 0
        assert clip.flips_per_minute == pytest.approx(clip.true_flips_per_minute)
    nothing = score_run(truths, {name: make_run(clip=name) for name in truths})
    assert nothing.mean("strict", 0.3).f1 == 0.0
    assert nothing.mean("agnostic", 0.5).recall == 0.0
