"""Record what a live run did with each frame, and replay it: the same frames reach the same nodes at any speed.

The composition of batches (``Batcher``) is not recorded: a model must give an item the same result in any batch. The
format is in ``run_record``.
"""

from __future__ import annotations

import json
import threading
from functools import partial
from pathlib import Path
from typing import IO, Any

from videohoi.errors import InputError, SinkError, UsageError
from videohoi.graph.edge import Edge, EdgePolicy, Loss
from videohoi.graph.measuring import Clock
from videohoi.graph.node import frame_of
from videohoi.graph.run_record import SCHEMA, VERSION, Identity, Losses, RunRecord, identity_of


class Tape:
    """Sees every item that the source yields, and creates the edges. Called by the threads of the stages."""

    item_limit: int | None = None
    """the source is read no further than this; None: to its end"""

    def begin(self, source_id: str) -> None:
        """The source is open; called before any thread starts. Raises ``SinkError``."""

    def read(self, number: int, item: object) -> None:
        """Item ``number`` (from 0) came out of the source. Raises ``InputError`` or ``SinkError``."""

    def ended(self, count: int) -> None:
        """The source ended by itself after ``count`` items. Raises ``InputError``."""

    def edge(self, number: int, name: str, policy: EdgePolicy, clock: Clock) -> Edge[Any]:
        """The edge of this number."""
        return Edge(name, policy, clock)

    def finish(self, source_ended: bool, cut: bool) -> None:
        """The run is over; called after the last thread. ``cut``: items in flight were lost. Raises ``SinkError``."""

    def notes(self) -> tuple[str, ...]:
        """For the run report."""
        return ()


NO_TAPE = Tape()
"""the default of a graph; it has no state"""


class RecordingTape(Tape):
    """Writes ``path`` during the run, in constant memory."""

    def __init__(self, path: Path | str, plan: str) -> None:
        self._path = Path(path)
        self._plan = plan
        self._lock = threading.Lock()
        self._file: IO[str] | None = None
        self._count = 0
        self._edges: list[Edge[Any]] = []

    def begin(self, source_id: str) -> None:
        """Create the file, in the place of one that was there."""
        header = {"schema": SCHEMA, "version": VERSION, "plan": self._plan, "source": source_id}
        try:
            self._file = self._path.open("w", encoding="utf-8")
        except OSError as error:
            raise self._error(error) from error
        self._write(header)

    def read(self, number: int, item: object) -> None:
        """Write which frame it is."""
        self._count = number + 1
        self._write(["read", *identity_of(item)])

    def edge(self, number: int, name: str, policy: EdgePolicy, clock: Clock) -> Edge[Any]:
        """An edge that reports what it drops."""
        edge: Edge[Any] = Edge(name, policy, clock, on_loss=partial(self._lost, number))
        self._edges.append(edge)
        return edge

    def finish(self, source_ended: bool, cut: bool) -> None:
        """Write the end and close the file; a thread left behind writes nothing more."""
        put = [edge.counts().put for edge in self._edges]
        self._write(["end", {"read": self._count, "source_ended": source_ended, "cut": cut, "put": put}])
        with self._lock:
            file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
        except OSError as error:
            raise self._error(error) from error

    def _lost(self, edge: int, loss: Loss, ordinal: int, item: object) -> None:
        frame = frame_of(item)
        self._write([loss, edge, ordinal, None if frame is None else frame.index])

    def _write(self, line: object) -> None:
        text = json.dumps(line, separators=(",", ":")) + "\n"
        with self._lock:
            try:
                if self._file is not None:
                    self._file.write(text)
            except OSError as error:
                raise self._error(error) from error

    def _error(self, error: OSError) -> SinkError:
        return SinkError(
            f"cannot write the run record {self._path}: {error.strerror or error}; free space or choose another path"
        )


class ReplayTape(Tape):
    """Holds a run to its record. Raises ``InputError`` if the graph's plan is not the recorded one."""

    def __init__(self, record: RunRecord, plan: str) -> None:
        if record.plan != plan:
            raise InputError(f"{record.path} was recorded with the graph '{record.plan}', this one is '{plan}'")
        self._record = record
        self._edges: list[Edge[Any]] = []
        self.item_limit = None if record.source_ended else len(record.identities)

    def read(self, number: int, item: object) -> None:
        """Compare the item with the record."""
        identity, count = identity_of(item), len(self._record.identities)
        if number >= count:
            raise InputError(
                f"{self._record.path} does not fit this source: it has more items than the {count} that were "
                "recorded; replay exactly the frames that were recorded"
            )
        expected = self._record.identities[number]
        if expected != identity:
            raise InputError(
                f"{self._record.path} does not fit this source: item {number} is {_text(identity)}, "
                f"the record says {_text(expected)}; replay exactly the frames that were recorded"
            )

    def ended(self, count: int) -> None:
        """A source shorter than the record is not the recorded one."""
        if count < len(self._record.identities):
            raise InputError(
                f"{self._record.path} does not fit this source: it ended after {count} items, "
                f"the record holds {len(self._record.identities)}; replay exactly the frames that were recorded"
            )

    def edge(self, number: int, name: str, policy: EdgePolicy, clock: Clock) -> Edge[Any]:
        """An edge that loses the recorded items and no others."""
        edge = ReplayEdge(name, policy, clock, self._record.losses.get(number, {}), self._record.path)
        self._edges.append(edge)
        return edge

    def finish(self, source_ended: bool, cut: bool) -> None:
        """Compare how many items came to each edge, unless either run was cut. Raises ``InputError``."""
        if cut or self._record.cut:
            return
        both = min(len(self._edges), len(self._record.put))  # ``iterate`` has one more edge than ``run``
        for edge, expected in zip(self._edges[:both], self._record.put[:both], strict=True):
            count = edge.counts().put
            if count != expected:
                raise InputError(
                    f"{self._record.path} does not fit this run: {count} items came to {edge.name!r}, the record says "
                    f"{expected}; a node gave different results than in the recorded run"
                )

    def notes(self) -> tuple[str, ...]:
        """Names the record that is replayed."""
        cut = "; the recorded run was cut, so its last frames may not have got as far" if self._record.cut else ""
        return (f"replayed from {self._record.path}{cut}",)


def make_tape(plan: str, record_to: Path | str | None, replay: RunRecord | None) -> Tape:
    """The tape a graph asks for; ``UsageError`` for both at once, ``InputError`` for a record of another plan."""
    if record_to is not None and replay is not None:
        raise UsageError("a replay would only make the same record again: give record_to or replay, not both")
    if replay is not None:
        return ReplayTape(replay, plan)
    return NO_TAPE if record_to is None else RecordingTape(record_to, plan)


class ReplayEdge(Edge[Any]):
    """Waits like a lossless edge, whatever its policy; drops the recorded items and counts them as recorded."""

    def __init__(self, name: str, policy: EdgePolicy, clock: Clock, losses: Losses, record_path: Path) -> None:
        super().__init__(name, EdgePolicy.lossless(policy.capacity), clock)
        self._losses = losses
        self._record_path = record_path

    def _loss_of(self, ordinal: int, item: Any) -> Loss | None:
        """The recorded loss of this item; ``InputError`` if the record means another frame by it."""
        if ordinal not in self._losses:
            return None
        loss, expected = self._losses[ordinal]
        frame = frame_of(item)
        if frame is not None and frame.index != expected:
            raise InputError(
                f"{self._record_path} does not fit this run: item {ordinal} on {self.name!r} is frame {frame.index}, "
                f"the record dropped frame {expected}; a node gave different results than in the recorded run"
            )
        return loss


def _text(identity: Identity) -> str:
    index, pts_seconds, picture = identity
    return "no frame" if index is None else f"frame {index} at {pts_seconds} s with picture sum {picture}"
