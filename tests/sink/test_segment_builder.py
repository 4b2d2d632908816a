from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.sink.pairs_csv import PairsCsv
from videohoi.sink.segment_builder import RunSegments, SegmentBuilder
from videohoi.sink.segments_csv import SegmentsCsv
from videohoi.structures import InteractionEvent, Phase


def test_begin_update_end_give_one_segment_with_the_ends_own_values(make_event):
    builder = SegmentBuilder()
    assert builder.feed([make_event("begin", begin_seconds=1.0, end_seconds=1.2)]) == []
    assert builder.feed([make_event("update", begin_seconds=1.0, end_seconds=2.2)]) == []
    (segment,) = builder.feed([make_event("end", begin_seconds=0.9, end_seconds=3.1, mean_score=0.7, peak_score=0.95)])
    assert (segment.human_id, segment.verb, segment.object_id, segment.object_class) == (1, "ride", 4, "skateboard")
    assert (segment.begin_seconds, segment.end_seconds) == (0.9, 3.1)
    assert (segment.score, segment.peak_score) == (0.7, 0.95)
    assert (segment.kind, segment.source_id) == ("state", "clip.mp4")
    assert builder.finish() == []


def test_open_interaction_ends_at_its_last_known_time(make_event):
    builder = SegmentBuilder()
    builder.feed([make_event("begin", end_seconds=1.0, mean_score=0.6)])
    builder.feed([make_event("update", end_seconds=2.5, mean_score=0.75, peak_score=0.8)])
    (segment,) = builder.finish()
    assert (segment.end_seconds, segment.score, segment.peak_score) == (2.5, 0.75, 0.8)
    assert builder.finish() == []


def test_retract_drops(make_event):
    builder = SegmentBuilder()
    assert builder.feed([make_event("begin"), make_event("update"), make_event("retract")]) == []
    assert builder.finish() == []


def test_gap_changes_nothing(make_event):
    builder = SegmentBuilder()
    builder.feed([make_event("begin"), make_event("gap", interaction_id=-1)])
    assert len(builder.finish()) == 1


def test_end_without_begin_is_a_segment(make_event):
    assert len(SegmentBuilder().feed([make_event("end")])) == 1


def test_the_same_id_in_two_sources_is_two_interactions(make_event):
    builder = SegmentBuilder()
    builder.feed([make_event("begin"), make_event("begin", source_id="other.mp4")])
    builder.feed([make_event("retract")])
    assert [segment.source_id for segment in builder.finish()] == ["other.mp4"]


def test_momentary_verbs_are_events(make_event):
    builder = SegmentBuilder(momentary_verbs=frozenset({"kick"}))
    segments = builder.feed([make_event("end", verb="kick"), make_event("end", verb="hold")])
    assert [segment.kind for segment in segments] == ["event", "state"]


def test_sinks_of_a_run_share_segments_that_are_built_once(tmp_path, vocabulary, info, make_event, make_result):
    shared = RunSegments(frozenset({"kick"}))
    table, pairs = SegmentsCsv(tmp_path / "segments.csv", shared), PairsCsv(tmp_path / "pairs.csv", vocabulary, shared)
    for _run in range(2):  # the second one begins with none of the first
        for sink in (table, pairs):
            sink.open(info, {})
        for events in ([make_event("end", verb="kick")], [], [make_event("begin", interaction_id=8, end_seconds=0.7)]):
            result = make_result(events=events)
            for sink in (table, pairs):
                sink.process(result)
        for sink in (table, pairs):
            sink.close(complete=True)
        told = [(segment.verb, segment.kind, segment.end_seconds) for segment in shared.close()]
        assert told == [("kick", "event", 0.5), ("ride", "state", 0.7)]
        assert len((tmp_path / "segments.csv").read_text().splitlines()) == 3


PHASES = st.sampled_from([Phase.BEGIN, Phase.UPDATE, Phase.END, Phase.RETRACT])


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), PHASES), max_size=30))
def test_each_interaction_that_is_not_retracted_comes_out_once_per_end_or_at_the_end(steps):
    builder = SegmentBuilder()
    events = [
        InteractionEvent(i, phase, "s", 0, 0.0, i, 9, "ball", "hold", 0.0, 1.0, 0.5, 0.5, 0.0) for i, phase in steps
    ]
    finished = builder.feed(events)
    assert [s.human_id for s in finished] == [i for i, phase in steps if phase is Phase.END]
    last = dict(steps)
    still_open = {i for i, phase in last.items() if phase in (Phase.BEGIN, Phase.UPDATE)}
    assert {s.human_id for s in builder.finish()} == still_open
