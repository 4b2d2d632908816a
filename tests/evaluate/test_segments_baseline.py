"""The always-on baseline."""

import numpy as np
from segments_cases import (
    CUP,
    CUP_BOX,
    FAR_CUP,
    HUMAN,
    OTHER_HUMAN,
    PERSON_BOX,
    make_run,
    make_track,
    make_truth,
    predicted,
    score_clip,
    span,
    state,
)

from videohoi.evaluate.segments.baseline import always_on, always_on_clip, listed_verb, usual_verb
from videohoi.evaluate.segments.run_files import PairVerb


def tracks_of(*tracks):
    return {track.track_id: track for track in tracks}


def test_a_segment_over_the_time_both_are_seen():
    tracks = tracks_of(make_track(HUMAN, PERSON_BOX, frames=range(60)), make_track(CUP, CUP_BOX, frames=range(20, 100)))
    (segment,) = always_on(tracks)
    assert (segment.human_id, segment.verb, segment.object_id, segment.object_class) == (HUMAN, "hold", CUP, "cup")
    assert (segment.begin_seconds, segment.end_seconds, segment.score) == (2.0, 5.9, 1.0)


def test_a_flicker_is_bridged_an_absence_is_not():
    tracks = tracks_of(make_track(HUMAN, PERSON_BOX), make_track(CUP, CUP_BOX, frames=[0, 1, 5, 6, 20, 21]))
    times = [(s.begin_seconds, s.end_seconds) for s in always_on(tracks)]
    assert times == [(0.0, 0.6), (2.0, 2.1)]
    assert len(always_on(tracks, bridged_seconds=0.2)) == 3


def test_never_seen_together_never_interacts():
    apart = tracks_of(make_track(HUMAN, PERSON_BOX, frames=range(5)), make_track(CUP, CUP_BOX, frames=range(50, 60)))
    assert always_on(apart) == []


def test_every_pair_of_a_person_and_a_thing_and_no_pair_of_persons():
    run = make_run()
    pairs = {(s.human_id, s.object_id) for s in always_on(run.tracks)}
    assert pairs == {(HUMAN, CUP), (HUMAN, FAR_CUP), (OTHER_HUMAN, CUP), (OTHER_HUMAN, FAR_CUP)}


def test_listed_verbs_are_used_and_unlisted_pairs_left_out():
    verb_of_pair = listed_verb({(HUMAN, CUP): PairVerb("wash", 0.4)})
    (segment,) = always_on(make_run().tracks, verb_of_pair)
    assert (segment.verb, segment.score, segment.peak_score) == ("wash", 0.4, 0.4)


def test_the_usual_verb_is_one_the_class_can_take():
    human = make_track(HUMAN, PERSON_BOX)

    def verb(name):
        return usual_verb(human, make_track(9, CUP_BOX, object_class=name))

    assert verb("bicycle").verb == "ride"
    assert verb("tie").verb == "wear"
    assert verb("dining_table").verb == "sit_at"
    assert verb("chair").verb == "sit_on"
    assert verb("cup").verb == "hold"
    assert verb("traffic_light").verb == "install", "no usual verb fits: the first that HICO-DET lists"
    assert verb("letter block") is None


def test_the_baseline_of_a_clip_is_scored_like_any_prediction():
    """Cup held for 4 of 10 s, a second cup never touched: one false alarm, both spans over the whole clip."""
    boxes = {"p1": PERSON_BOX, "cup": CUP_BOX, "far": (600.0, 300.0, 670.0, 380.0)}
    truth = make_truth(state(2.0, 5.9), negatives=[span(0.0, 9.9, thing="far")], boxes=boxes)
    pair_verbs = {(HUMAN, CUP): PairVerb("hold", 0.8), (HUMAN, FAR_CUP): PairVerb("hold", 0.3)}
    baseline = always_on_clip(make_run(predicted(2.0, 5.9), pair_verbs=pair_verbs))
    scores = score_clip(truth, baseline)
    assert scores.at("strict", 0.3).f1 == 2 / 3, "IoU 0.4 passes 0.3; one of two predictions is right"
    assert scores.at("strict", 0.5).f1 == 0.0
    assert scores.predictions_in_negatives == 1
    assert scores.flips_per_minute == 0.0
    assert score_clip(truth, baseline, minimum_score=0.5).at("strict", 0.3).f1 == 1.0


def test_without_pairs_file_the_usual_verb_serves():
    baseline = always_on_clip(make_run(tracks=[make_track(HUMAN, PERSON_BOX), make_track(CUP, CUP_BOX)]))
    assert [segment.verb for segment in baseline.segments] == ["hold"]
    assert np.isclose(baseline.segments[0].end_seconds, 9.9)
