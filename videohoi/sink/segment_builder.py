"""From decisions to finished interactions: events in, segments out."""

from __future__ import annotations

from collections.abc import Iterable

from videohoi.structures import FrameResult, InteractionEvent, Phase, Segment


class SegmentBuilder:
    """Folds ``InteractionEvent``s into ``Segment``s. Holds only the interactions that are open.

    ``begin`` opens an interaction, ``update`` refreshes it, ``end`` finishes it with the event's own begin, end and
    scores, ``retract`` drops it, ``gap`` changes nothing. An event whose beginning was never seen counts as one.
    """

    def __init__(self, momentary_verbs: frozenset[str] = frozenset()) -> None:
        """``momentary_verbs``: verbs whose segments are of kind "event" (a moment counts) instead of "state"."""
        self.momentary_verbs = momentary_verbs
        self._open: dict[tuple[str, int], InteractionEvent] = {}

    def feed(self, events: Iterable[InteractionEvent]) -> list[Segment]:
        """Take events in order of decision; return the segments they finish."""
        finished = []
        for event in events:
            key = (event.source_id, event.interaction_id)
            if event.phase in (Phase.BEGIN, Phase.UPDATE):
                self._open[key] = event
            elif event.phase is Phase.END:
                self._open.pop(key, None)
                finished.append(self._segment(event))
            elif event.phase is Phase.RETRACT:
                self._open.pop(key, None)
        return finished

    def finish(self) -> list[Segment]:
        """The interactions still open, ended at the last time they are known to hold. Empties the builder."""
        finished = [self._segment(event) for event in self._open.values()]
        self._open.clear()
        return finished

    def _segment(self, event: InteractionEvent) -> Segment:
        return Segment(
            source_id=event.source_id,
            human_id=event.human_id,
            verb=event.verb,
            object_id=event.object_id,
            object_class=event.object_class,
            begin_seconds=event.begin_seconds,
            end_seconds=event.end_seconds,
            score=event.mean_score,
            peak_score=event.peak_score,
            kind="event" if event.verb in self.momentary_verbs else "state",
        )


class RunSegments:
    """The segments of one run, built once for all sinks of a branch: each gives it every result it takes."""

    def __init__(self, momentary_verbs: frozenset[str] = frozenset()) -> None:
        """``momentary_verbs``: see ``SegmentBuilder``."""
        self._builder = SegmentBuilder(momentary_verbs)
        self._finished: list[Segment] = []
        self._latest: FrameResult | None = None

    def take(self, result: FrameResult) -> None:
        """Add the events of a frame, unless another sink just gave the same result."""
        if result is not self._latest:
            self._latest = result
            self._finished += self._builder.feed(result.events)

    def close(self) -> list[Segment]:
        """All segments; interactions still open end at the last time they are known to hold."""
        self._finished += self._builder.finish()
        self._latest = None
        return self._finished

    def clear(self) -> None:
        """Forget everything: another run begins."""
        self._builder.finish()
        self._finished, self._latest = [], None
