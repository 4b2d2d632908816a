"""Clips made by hand for the tests of segment scoring: 10 s at 10 frames/s, a keyframe every half second."""

import numpy as np

from videohoi.evaluate.segments.run_files import RunClip, TrackBoxes
from videohoi.evaluate.segments.scoring import MINIMUM_IOUS, ClipScorer
from videohoi.evaluate.segments.truth import ClipTruth, Keyframe, TruthObject, TruthSegment, TruthSpan
from videohoi.structures import Segment

RATE_HZ = 10.0
FRAMES = 100
PERSON_BOX = (100.0, 100.0, 300.0, 400.0)
CUP_BOX = (250.0, 200.0, 320.0, 280.0)
FAR_BOX = (600.0, 300.0, 670.0, 380.0)
OTHER_PERSON_BOX = (700.0, 100.0, 900.0, 400.0)
HUMAN, CUP, FAR_CUP, OTHER_HUMAN = 1, 2, 3, 4
BOXES = {HUMAN: PERSON_BOX, CUP: CUP_BOX, FAR_CUP: FAR_BOX, OTHER_HUMAN: OTHER_PERSON_BOX}


def span(begin, end, verb="hold", *, person="p1", thing="cup", object_class="cup", hico_verb=True):
    return TruthSpan(person, verb, thing, object_class, begin, end, hico_verb, hico_verb)


def state(begin, end, verb="hold", *, sure=True, **names):
    return TruthSegment(**vars(span(begin, end, verb, **names)), sure=sure, contact_seconds=None)


def event(contact, verb="kick", *, sure=True, **names):
    return TruthSegment(**vars(span(contact - 0.2, contact + 0.2, verb, **names)), sure=sure, contact_seconds=contact)


def make_truth(*segments, negatives=(), ignore=(), boxes=None, clip="made.mp4", keyframe_frames=range(0, FRAMES, 5)):
    """``boxes``: id -> box at every keyframe."""
    placed = {"p1": PERSON_BOX, "cup": CUP_BOX} if boxes is None else boxes
    keyframes = tuple(
        Keyframe(frame, frame / RATE_HZ, {name: np.array(box, np.float64) for name, box in placed.items()})
        for frame in keyframe_frames
    )
    return ClipTruth(
        clip=clip, width_px=1000, height_px=500, frame_rate_hz=RATE_HZ, frame_count=FRAMES, person_ids=("p1", "p2"),
        objects=(TruthObject("cup", "cup", "cup"), TruthObject("far", "cup", "other cup")),
        segments=segments, negatives=tuple(negatives), ignore=tuple(ignore), out_of_view=(), keyframes=keyframes,
    )  # fmt: skip


def make_track(track_id, box, *, object_class=None, frames=range(FRAMES)):
    name = object_class or ("person" if track_id in (HUMAN, OTHER_HUMAN) else "cup")
    times = np.array(list(frames), np.float64) / RATE_HZ
    return TrackBoxes(track_id, name, times, np.tile(np.array(box, np.float64), (len(times), 1)))


def predicted(begin, end, verb="hold", *, human=HUMAN, thing=CUP, score=0.9, object_class="cup"):
    return Segment("made.mp4", human, verb, thing, object_class, begin, end, score, score)


def make_run(*segments, tracks=None, clip="made", pair_verbs=None):
    placed = [make_track(track_id, box) for track_id, box in BOXES.items()] if tracks is None else tracks
    return RunClip(clip, segments, {track.track_id: track for track in placed}, pair_verbs)


def truth_as_prediction(truth):
    """The annotation itself as a run: tracks interpolated between keyframes, sure scored segments with score 1."""
    subjects = sorted({name for keyframe in truth.keyframes for name in keyframe.boxes_xyxy_px})
    classes = dict.fromkeys(truth.person_ids, "person") | {o.object_id: o.object_class for o in truth.objects}
    ids = {name: row for row, name in enumerate(subjects, start=1)}
    tracks = {ids[name]: _interpolated(truth, name, ids[name], classes[name] or "thing") for name in subjects}
    segments = tuple(
        Segment(truth.clip, ids[s.person_id], s.verb, ids[s.object_id], s.object_class, s.begin_seconds,
                s.end_seconds, 1.0, 1.0)
        for s in truth.segments if s.in_scope and s.sure
    )  # fmt: skip
    return RunClip(truth.stem, segments, tracks)


def _interpolated(truth, name, track_id, object_class):
    boxed = [k for k in truth.keyframes if name in k.boxes_xyxy_px]
    seconds = np.array([k.seconds for k in boxed])
    frames = np.arange(boxed[0].frame_index, boxed[-1].frame_index + 1) / truth.frame_rate_hz
    corners = np.stack([k.boxes_xyxy_px[name] for k in boxed])
    boxes = np.stack([np.interp(frames, seconds, corners[:, c]) for c in range(4)], axis=1)
    return TrackBoxes(track_id, object_class, frames, boxes)


def score_clip(truth, run, *, minimum_score=0.0):
    return ClipScorer(truth, run, MINIMUM_IOUS).scores(minimum_score)
