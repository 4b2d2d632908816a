"""The stages as nodes of a graph: each takes and gives back a ``FrameResult``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videohoi.decode.scene_cuts import CutSettings, SceneCuts
from videohoi.detect.protocol import Detector
from videohoi.errors import UsageError
from videohoi.graph import BaseNode, BatchNode
from videohoi.interact.hoi_detector import HOIDetector
from videohoi.interact.protocol import HOIHead
from videohoi.sink.protocol import Sink
from videohoi.smooth.smoother import InteractionSmoother
from videohoi.structures import Detections, Discontinuity, Frame, FrameResult, Interactions, SourceInfo, Tracks
from videohoi.track.confidence import TrackConfidence
from videohoi.track.protocol import Tracker


class CutNode(BaseNode[Frame, Frame]):
    """Marks the frames that begin another shot, or another picture size.

    It comes after the edge where a live run drops frames: a change on a dropped frame is found on the next one.
    """

    def __init__(self, settings: CutSettings) -> None:
        super().__init__("cuts")
        self._looks_for_cuts = settings.enabled
        self._cuts = SceneCuts(settings)
        self._last_shape: tuple[int, ...] | None = None
        self.cut_seconds: list[float] = []
        """times of the first frames of new shots so far"""

    def open(self, info: SourceInfo) -> None:
        """Start a source."""
        self.reset()
        self.cut_seconds = []

    def process(self, item: Frame) -> Iterable[Frame]:
        """The frame, marked if it does not continue the one before; a mark of its source stays."""
        reason = item.discontinuity
        if self._last_shape not in (None, item.image.shape):
            reason = reason or Discontinuity.PICTURE_SIZE
        self._last_shape = item.image.shape
        if reason is not None:
            self._cuts.reset()
        if self._looks_for_cuts and self._cuts.is_cut(item.image, item.pts_seconds):
            reason = Discontinuity.SCENE_CUT
        if reason is Discontinuity.SCENE_CUT:
            self.cut_seconds.append(item.pts_seconds)
        return (item if reason is item.discontinuity else replace(item, discontinuity=reason),)

    def reset(self) -> None:
        """Forget the shot so far."""
        self._cuts.reset()
        self._last_shape = None

    def facts(self) -> dict[str, Any]:
        """When shots began."""
        return {"cuts": list(self.cut_seconds)}


class HOIDetectNode(BaseNode[Frame, FrameResult]):
    """Humans, objects and their verb scores of a frame, by a method that finds all at once."""

    def __init__(self, model: HOIDetector) -> None:
        super().__init__("detect")
        self._model = model
        self.truncated = 0
        """pairs the cap cut so far"""

    def open(self, info: SourceInfo) -> None:
        """Load the weights."""
        self.truncated = 0
        self._model.open()

    def process(self, item: Frame) -> Iterable[FrameResult]:
        """The frame with detections and pair scores over the same rows."""
        detections, scores = self._model.find(item)
        self.truncated += scores.pairs.truncated
        return (FrameResult(item, detections=detections, pair_scores=scores),)

    def facts(self) -> dict[str, Any]:
        """Which method it is, known after ``open``, and how many pairs its cap cut."""
        head, detector = asdict(self._model.head_info), asdict(self._model.info)
        return {"detector": detector, "head": head, "truncated_pairs": self.truncated}

    def close(self, *, complete: bool) -> None:
        """Free the model."""
        self._model.close()


class DetectBatch(BatchNode[Frame, FrameResult]):
    """Humans and objects of frames of several sources at once; goes into a ``Batcher``."""

    def __init__(self, detector: Detector) -> None:
        super().__init__("detect")
        self._detector = detector

    def open(self) -> None:
        """Load the weights."""
        self._detector.open()

    def process_batch(self, items: Sequence[Frame]) -> Sequence[FrameResult]:
        """Each frame with its detections."""
        return [FrameResult(*pair) for pair in zip(items, self._detector.detect(items), strict=True)]

    def facts(self) -> dict[str, Any]:
        """Which detector it is; known after ``open``."""
        return {"detector": asdict(self._detector.info)}

    def close(self) -> None:
        """Free the engine."""
        self._detector.close()


class TrackNode(BaseNode[FrameResult, FrameResult]):
    """Identity of the detections."""

    def __init__(self, tracker: Tracker) -> None:
        super().__init__("track")
        self._tracker = tracker
        self._confidence = TrackConfidence()
        self._held: set[int] = set()  # ids seen or waited for

    def open(self, info: SourceInfo) -> None:
        """Start a source."""
        self._tracker.open(info)
        self._confidence = TrackConfidence()
        self._held = set()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the run report says of this node."""
        return tuple(getattr(self._tracker, "notes", ()))

    def process(self, item: FrameResult) -> Iterable[FrameResult]:
        """The result with its tracks; a frame that does not continue the one before ends all older ones."""
        ended: tuple[int, ...] = ()
        if item.frame.discontinuity is not None:
            ended = tuple(sorted(self._held))
            self._tracker.reset()
        tracks = self._tracker.update(item.detections, item.frame.pts_seconds)
        self._held = {*tracks.track_ids.tolist(), *tracks.lost_ids} - {-1}
        tracks = replace(tracks, ended_ids=(*ended, *tracks.ended_ids))
        tracks = self._confidence.update(tracks, item.detections, item.frame.pts_seconds)
        return (replace(item, tracks=tracks, pair_scores=as_voted(item, tracks)),)

    def reset(self) -> None:
        """Forget the tracks."""
        self._tracker.reset()
        self._held = set()

    def close(self, *, complete: bool) -> None:
        """Free the state."""
        self._tracker.close()


class InteractNode(BaseNode[FrameResult, FrameResult]):
    """Verb scores of the frame's pairs, over confirmed tracks and with the class each track voted for."""

    def __init__(self, head: HOIHead) -> None:
        super().__init__("interact")
        self._head = head
        self.truncated = 0
        """pairs the cap cut so far"""

    def open(self, info: SourceInfo) -> None:
        """Load the weights."""
        self.truncated = 0
        self._head.open()

    def process(self, item: FrameResult) -> Iterable[FrameResult]:
        """The result with its pair scores; the detector's feature map is released."""
        detections, rows = item.detections, np.flatnonzero(item.tracks.confirmed)
        scores = on_rows(self._head.score(item.frame, followed(detections, item.tracks).select(rows)), rows)
        self.truncated += scores.pairs.truncated
        return (replace(item, pair_scores=scores, detections=replace(detections, feature_map=None)),)

    def facts(self) -> dict[str, Any]:
        """Which head it is, known after ``open``, and how many pairs its cap cut."""
        return {"head": asdict(self._head.info), "truncated_pairs": self.truncated}

    def close(self, *, complete: bool) -> None:
        """Free the engine."""
        self._head.close()


def as_voted(item: FrameResult, tracks: Tracks) -> Interactions | None:
    """The scores of a method that found its own boxes, under the classes that the tracks voted for."""
    scores = item.pair_scores
    if scores is None or scores.rescore is None:
        return scores
    if np.array_equal(tracks.class_ids, item.detections.class_ids):
        return replace(scores, rescore=None)
    return scores.rescore(tracks.class_ids)


def followed(detections: Detections, tracks: Tracks) -> Detections:
    """``detections`` as their tracks see them: the voted class, and the confidence of the track."""
    scores = detections.scores if tracks.confidence is None else tracks.confidence
    return replace(detections, scores=scores, class_ids=tracks.class_ids)


def on_rows(scores: Interactions, rows: NDArray[np.int64]) -> Interactions:
    """``scores`` over a selection of detections as scores over all of them; ``rows`` are those selected."""
    pairs = scores.pairs
    return replace(scores, pairs=replace(pairs, human_rows=rows[pairs.human_rows], object_rows=rows[pairs.object_rows]))


class SmoothNode(BaseNode[FrameResult, FrameResult]):
    """Interactions over time; results leave by the look-ahead later."""

    def __init__(self, smoother: InteractionSmoother) -> None:
        super().__init__("smooth")
        self._smoother = smoother

    def open(self, info: SourceInfo) -> None:
        """Forget other sources."""
        self._smoother.open(info)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the run report says of this node."""
        return self._smoother.notes

    def process(self, item: FrameResult) -> Iterable[FrameResult]:
        """Results that can be decided now."""
        return self._smoother.process(item)

    def drain(self) -> Iterable[FrameResult]:
        """The rest."""
        return self._smoother.drain()

    def reset(self) -> None:
        """Forget all pairs."""
        self._smoother.reset()


class SinkNode(BaseNode[FrameResult, FrameResult]):
    """A sink at the end of a graph, which opens and closes it.

    After a failure it is closed with ``complete`` False, so that its files are valid and say that they end early. A run
    that removes its files instead, as ``annotate``, wraps it in ``HeldSink``.
    """

    def __init__(self, sink: Sink, header: dict[str, Any]) -> None:
        super().__init__(sink.name)
        self._sink: Sink | None = sink
        self._header = header

    def open(self, info: SourceInfo) -> None:
        """Begin the output."""
        self._opened().open(info, self._header)

    def process(self, item: FrameResult) -> Iterable[FrameResult]:
        """Write one result."""
        self._opened().process(item)
        return (item,)

    def close(self, *, complete: bool) -> None:
        """Finish the output and release the sink, since a graph may be kept for its report."""
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.close(complete=complete)

    def _opened(self) -> Sink:
        if self._sink is None:
            raise UsageError(f"sink {self.name}: its graph has ended; a graph runs once")
        return self._sink


class HeldSink:
    """A sink whose end is decided after the graph's: the graph's ``close`` leaves it open."""

    def __init__(self, sink: Sink) -> None:
        self.name = sink.name
        self._sink = sink

    def open(self, info: SourceInfo, header: dict[str, Any]) -> None:
        """Begin the output."""
        self._sink.open(info, header)

    def process(self, result: FrameResult) -> None:
        """Write one result."""
        self._sink.process(result)

    def close(self, *, complete: bool) -> None:
        """Left to the owner of the run."""

    def abort(self) -> None:
        """Remove partial output."""
        self._sink.abort()
