"""The always-on baseline: every human-object pair interacts, with its most likely verb, whenever both are visible."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from videohoi.evaluate.segments.run_files import PairVerb, RunClip, TrackBoxes
from videohoi.structures import Segment
from videohoi.vocabulary import Vocabulary, hico_det

BRIDGED_SECONDS = 0.5
"""a pair unseen for no longer is taken as visible throughout: a detector's flicker is no absence"""

USUAL_VERBS = ("ride", "wear", "sit_at", "sit_on", "hold")
"""what is done with a thing if it can be done at all, most telling first: one rides a bicycle more often than one holds
it. A rule of thumb for runs without pairs.csv, not a measured frequency"""

VerbOfPair = Callable[[TrackBoxes, TrackBoxes], PairVerb | None]
"""(human track, object track) -> most likely verb, None to leave the pair out"""


def usual_verb(human: TrackBoxes, thing: TrackBoxes) -> PairVerb | None:
    """The first of ``USUAL_VERBS`` that HICO-DET knows for the object class, else its first verb; score 1."""
    vocabulary = hico_det()
    if thing.object_class not in vocabulary.objects:
        return None
    valid = vocabulary.valid[vocabulary.object_id(thing.object_class)] & vocabulary.acting_verbs
    usual = (verb for verb in USUAL_VERBS if valid[vocabulary.verb_id(verb)])
    first = vocabulary.verbs[int(np.argmax(valid))]
    return PairVerb(next(usual, first), 1.0)


def listed_verb(pairs: Mapping[tuple[int, int], PairVerb]) -> VerbOfPair:
    """Verbs as ``pairs.csv`` lists them by (human track, object track); pairs it does not list are left out."""
    return lambda human, thing: pairs.get((human.track_id, thing.track_id))


def always_on(
    tracks: Mapping[int, TrackBoxes],
    verb_of_pair: VerbOfPair = usual_verb,
    *,
    source_id: str = "",
    bridged_seconds: float = BRIDGED_SECONDS,
) -> list[Segment]:
    """A segment for each human track and object track over each time both are seen.

    Args:
        tracks: by track id. Tracks of class person are the humans; a person is not taken as another one's object.
        verb_of_pair: most likely verb and score of a pair.
        source_id: written into the segments.
        bridged_seconds: absences up to this long do not end a segment.
    """
    vocabulary = hico_det()
    segments: list[Segment] = []
    for human in _of_class(tracks, vocabulary, person=True):
        for thing in _of_class(tracks, vocabulary, person=False):
            likely = verb_of_pair(human, thing)
            if likely is not None:
                segments += _segments(human, thing, likely, source_id, bridged_seconds)
    return segments


def always_on_clip(clip: RunClip) -> RunClip:
    """``clip`` with the baseline's segments in place of its own; verbs from its ``pairs.csv`` if it has one."""
    verb_of_pair = usual_verb if clip.pair_verbs is None else listed_verb(clip.pair_verbs)
    return replace(clip, segments=tuple(always_on(clip.tracks, verb_of_pair, source_id=clip.clip)))


def _of_class(tracks: Mapping[int, TrackBoxes], vocabulary: Vocabulary, *, person: bool) -> list[TrackBoxes]:
    name = vocabulary.objects[vocabulary.person_id]
    return [track for _, track in sorted(tracks.items()) if (track.object_class == name) == person]


def _segments(
    human: TrackBoxes, thing: TrackBoxes, likely: PairVerb, source_id: str, bridged_seconds: float
) -> list[Segment]:
    return [
        Segment(
            source_id=source_id,
            human_id=human.track_id,
            verb=likely.verb,
            object_id=thing.track_id,
            object_class=thing.object_class,
            begin_seconds=float(times[0]),
            end_seconds=float(times[-1]),
            score=likely.mean_score,
            peak_score=likely.mean_score,
        )
        for times in _stretches(np.intersect1d(human.pts_seconds, thing.pts_seconds), bridged_seconds)
        if len(times) > 0
    ]


def _stretches(times: NDArray[np.float64], bridged_seconds: float) -> list[NDArray[np.float64]]:
    """``times`` cut where two neighbours are further apart than ``bridged_seconds``."""
    return np.split(times, np.flatnonzero(np.diff(times) > bridged_seconds) + 1)
