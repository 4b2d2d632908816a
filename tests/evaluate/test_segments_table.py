"""Scores as rows of text."""

from segments_cases import make_run, make_truth, predicted, state

from videohoi.evaluate.segments.scores import score_table
from videohoi.evaluate.segments.scoring import score_run

TRUTHS = {"a": make_truth(state(2.0, 6.0), clip="a.mp4"), "b": make_truth(clip="b.mp4"), "c": make_truth(clip="c.mp4")}


def test_rows_are_the_clips_then_the_means():
    scores = score_run(TRUTHS, {"a": make_run(predicted(2.0, 6.5), clip="a"), "b": make_run(predicted(1.0, 2.0))})
    nothing = score_run(TRUTHS, {"a": make_run(clip="a")})
    table = score_table(scores, references={"always-on": nothing})
    assert [row[0] for row in table.rows] == ["a", "b", "mean", "always-on"]
    assert {len(row) for row in table.rows} == {len(table.columns)}
    cells = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert (cells[0]["strict F1"], cells[0]["begin error s"], cells[0]["end error s"]) == ("1.000", "0.000", "0.500")
    assert (cells[1]["strict F1"], cells[1]["false alarms"]) == ("-", "1")
    assert (cells[2]["pair F1"], cells[3]["pair F1"]) == ("1.000", "0.000")


def test_notes_name_every_clip_that_is_not_in_the_means():
    scores = score_run(TRUTHS, {"a": make_run(), "b": make_run(), "z": make_run()})
    assert score_table(scores).notes == (
        "no scorable truth, not in the means: b",
        "truth without prediction, not scored: c",
        "prediction without truth, not scored: z",
    )


def test_the_brief_table_keeps_the_verdict_and_says_where_the_rest_is():
    full = score_table(score_run(TRUTHS, {"a": make_run(predicted(2.0, 6.5), clip="a")}))
    brief = full.brief()
    assert brief.columns == (
        "clip", "predicted", "strict F1", "pair F1", "flips/min", "negatives hit", "false alarms",
    )  # fmt: skip
    assert brief.rows[0][:4] == ("a", "1", "1.000", "1.000")
    assert brief.notes[:-1] == full.notes
    assert "--json" in brief.notes[-1]
