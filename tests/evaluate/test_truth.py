"""Reading truth files: what is understood, and what a malformed file is told."""

import copy
import json
from pathlib import Path

import pytest

from videohoi.errors import TruthError
from videohoi.evaluate.segments.truth import read_truth, read_truths

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
FLAGS = {"hico_verb": True, "hico600": True}
GOOD = {
    "clip": "play.mp4", "width": 640, "height": 360, "fps": 25.0, "frames": 50, "duration_s": 2.0, "scope": "all",
    "persons": [{"id": "p1", "note": "man"}],
    "objects": [
        {"id": "ball", "coco_name": "sports ball", "name": "football"},
        {"id": "cane", "coco_name": None, "name": "cane"},
    ],
    "segments": [
        {"person": "p1", "verb": "hold", "object": "ball", "begin_s": 0.0, "end_s": 1.0, "certainty": "sure",
         "kind": "state", "note": None, **FLAGS},
        {"person": "p1", "verb": "kick", "object": "ball", "begin_s": 1.2, "end_s": 1.36, "certainty": "likely",
         "kind": "event", "contact_frame": 32, **FLAGS},
        {"person": "p1", "verb": "hold", "object": "cane", "begin_s": 0.0, "end_s": 1.96, "certainty": "sure",
         "kind": "state", "hico_verb": True, "hico600": False},
    ],
    "negatives": [{"person": "p1", "verb": "throw", "object": "ball", "begin_s": 0, "end_s": 1.96, **FLAGS}],
    "ignore": [],
    "out_of_view": [{"id": "ball", "begin_s": 1.5, "end_s": 1.96}],
    "keyframes": [
        {"frame": 0, "time_s": 0.0, "boxes": [{"id": "p1", "xyxy": [0, 0, 100, 200], "visible": "full"}]},
        {"frame": 25, "time_s": 1.0, "boxes": [{"id": "ball", "xyxy": [5.5, 5, 20, 20], "visible": "partial"}]},
    ],
}  # fmt: skip


def written(tmp_path, values, name="play.json"):
    file = tmp_path / name
    file.write_text(values if isinstance(values, str) else json.dumps(values))
    return file


def changed(*path, value=None, drop=False):
    """GOOD with the field at ``path`` replaced or dropped."""
    values = copy.deepcopy(GOOD)
    holder = values
    for step in path[:-1]:
        holder = holder[step]
    if drop:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return values


def test_a_good_file_is_understood(tmp_path):
    truth = read_truth(written(tmp_path, GOOD))
    hold, kick, cane = truth.segments
    assert (truth.stem, truth.frame_count, truth.duration_seconds) == ("play", 50, 2.0)
    assert (hold.object_class, hold.sure, hold.contact_seconds, hold.in_scope) == ("sports_ball", True, None, True)
    assert (kick.sure, kick.contact_seconds) == (False, 32 / 25)
    assert (cane.object_class, cane.in_scope) == (None, False)
    assert truth.negatives[0].verb == "throw"
    assert truth.out_of_view[0].subject_id == "ball"
    assert [keyframe.seconds for keyframe in truth.keyframes] == [0.0, 1.0]
    assert truth.keyframes[1].boxes_xyxy_px["ball"].tolist() == [5.5, 5, 20, 20]


def test_an_event_without_contact_frame_happens_at_its_middle(tmp_path):
    truth = read_truth(written(tmp_path, changed("segments", 1, "contact_frame", drop=True)))
    assert truth.segments[1].contact_seconds == pytest.approx(1.28)


BROKEN = [
    (changed("fps", value="25"), r"play\.json: fps: expected a finite number, got '25'"),
    (changed("fps", value=0), r"fps: expected a number above 0, got 0"),
    (changed("frames", value=2.5), r"frames: expected a whole number >= 0, got 2\.5"),
    (changed("width", value=True), r"width: expected a whole number >= 0, got True"),
    (changed("clip", value=""), r"clip: expected a non-empty string, got ''"),
    (changed("segments", drop=True), r"segments: expected a list, it is missing"),
    (changed("segments", 1, value=3), r"segments\[1\]: expected an object, got int"),
    (changed("segments", 0, "verb", drop=True), r"segments\[0\]\.verb: expected a non-empty string, it is missing"),
    (changed("segments", 0, "person", value="p9"), r"segments\[0\]\.person: expected one of p1, got 'p9'"),
    (changed("segments", 0, "object", value="cup"), r"segments\[0\]\.object: expected one of ball, cane, got 'cup'"),
    (changed("segments", 0, "certainty", value="maybe"), r"certainty: expected one of sure, likely, got 'maybe'"),
    (changed("segments", 0, "kind", value=None), r"kind: expected one of state, event, got None"),
    (changed("segments", 0, "hico_verb", value=False), r"hico_verb: expected true for verb 'hold', got False"),
    (changed("segments", 0, "verb", value="juggle"), r"hico_verb: expected false for verb 'juggle', got True"),
    (changed("segments", 0, "hico600", value="yes"), r"hico600: expected true or false, got 'yes'"),
    (
        changed("segments", 0, "end_s", value=-0.5),
        r"segments\[0\]\.end_s: expected begin_s <= end_s inside 0 \.\. 1\.96",
    ),
    (changed("negatives", 0, "end_s", value=2.2), r"negatives\[0\]\.end_s: expected begin_s <= end_s inside"),
    (changed("segments", 1, "contact_frame", value=49), r"contact_frame: expected a frame between begin_s and end_s"),
    (changed("objects", 0, "coco_name", value="ball"), r"objects\[0\]\.coco_name: expected a COCO class name or null"),
    (changed("objects", 0, "coco_name", drop=True), r"objects\[0\]\.coco_name: .* it is missing"),
    (changed("objects", 1, "id", value="p1"), r"objects: expected ids that are used once"),
    (changed("out_of_view", 0, "id", value="x"), r"out_of_view\[0\]\.id: expected one of p1, ball, cane, got 'x'"),
    (changed("keyframes", value=[]), r"keyframes: expected at least one keyframe"),
    (changed("keyframes", 1, "frame", value=0), r"keyframes\[1\]\.frame: expected frames in increasing order below 50"),
    (
        changed("keyframes", 1, "frame", value=50),
        r"keyframes\[1\]\.frame: expected frames in increasing order below 50",
    ),
    (changed("keyframes", 0, "boxes", 0, "xyxy", value=[0, 0, 9]), r"keyframes\[0\]\.boxes\[0\]\.xyxy: expected four"),
    (changed("keyframes", 0, "boxes", 0, "xyxy", value=[9, 0, 0, 9]), r"xyxy: expected four numbers x1 < x2"),
    (changed("keyframes", 0, "boxes", 0, "xyxy", value=[0, 0, 641, 9]), r"inside the 640x360 picture"),
    (
        changed("keyframes", 0, "boxes", value=GOOD["keyframes"][0]["boxes"] * 2),
        r"boxes\[1\]\.id: expected an id that is",
    ),
    ([], r"whole file: expected an object, got list"),
    ("{", r"cannot be read as a JSON truth file"),
]


@pytest.mark.parametrize(("values", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_a_malformed_file_is_named_with_field_and_expectation(tmp_path, values, message):
    file = written(tmp_path, values)
    with pytest.raises(TruthError, match=message) as caught:
        read_truth(file)
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


def test_a_folder_is_read_whole(tmp_path):
    written(tmp_path, GOOD)
    written(tmp_path, changed("clip", value="other.gif"), "other.json")
    assert list(read_truths(tmp_path)) == ["other", "play"]
    assert list(read_truths(tmp_path / "other.json")) == ["other"]


def test_one_clip_described_twice_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(TruthError, match="no truth file found"):
        read_truths(tmp_path)
    written(tmp_path, GOOD)
    written(tmp_path, GOOD, "twin.json")
    with pytest.raises(TruthError, match=r"twin\.json: clip: 'play\.mp4' is already described"):
        read_truths(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TruthError, match=r"gone\.json: cannot be read"):
        read_truth(tmp_path / "gone.json")


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "clips/truth").is_dir(), reason="the annotated clips (../shared) are not here")
def test_the_real_truth_is_read_with_its_known_counts():
    truths = read_truths(SHARED / "clips/truth")
    assert len(truths) == 13
    assert sum(len(truth.negatives) for truth in truths.values()) == 91
    events = [s for truth in truths.values() for s in truth.segments if s.contact_seconds is not None and s.sure]
    assert len(events) == 15
    raw = [json.loads(file.read_text()) for file in sorted((SHARED / "clips/truth").glob("*.json"))]
    boxes = [len(keyframe.boxes_xyxy_px) for truth in truths.values() for keyframe in truth.keyframes]
    assert boxes == [len(keyframe["boxes"]) for values in raw for keyframe in values["keyframes"]]
