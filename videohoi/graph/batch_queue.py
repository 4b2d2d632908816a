"""When a batch leaves, and with what: no thread, no clock of its own, so that a test can say what time it is."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from videohoi.errors import UsageError

Item = TypeVar("Item")
Reason = Literal["full", "waited", "nobody else"]


@dataclass(frozen=True)
class BatchPolicy:
    """When a batch leaves for the model.

    At ``batch_size`` items; or when its oldest item has waited ``max_wait_seconds``; or, earlier than both, when every
    source that is still being read waits for its result, since then nobody else could join. Raises ``UsageError``.
    """

    batch_size: int = 8
    """most items of a batch"""
    max_wait_seconds: float = 0.01
    """longest wait of an item for others; a source that stalls costs the others no more than this"""
    in_flight: int = 1
    """items of one source that may be with the model at once. 1 is for live use: a result goes on as soon as there is
    one. 2 or more keep the model busy while results are taken on, for files: a result then leaves with the source's
    next item"""

    def __post_init__(self) -> None:
        if self.batch_size < 1 or self.in_flight < 1 or not 0 <= self.max_wait_seconds < float("inf"):
            raise UsageError(
                f"BatchPolicy needs batch_size >= 1, in_flight >= 1 and a finite max_wait_seconds >= 0, got {self}"
            )


class BatchQueue(Generic[Item]):
    """Items of all sources in order of arrival; at most ``in_flight`` of each, so none can crowd the others out."""

    def __init__(self, policy: BatchPolicy) -> None:
        self._policy = policy
        self._items: deque[tuple[Item, float]] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: Item, now_seconds: float) -> None:
        """One item arrived."""
        self._items.append((item, now_seconds))

    def due(self, now_seconds: float, nobody_else: bool) -> Reason | None:
        """Why a batch should leave now; None if it should not."""
        if len(self._items) >= self._policy.batch_size:
            return "full"
        if not self._items:
            return None
        if nobody_else:
            return "nobody else"
        return "waited" if self.seconds_left(now_seconds) == 0.0 else None

    def seconds_left(self, now_seconds: float) -> float | None:
        """How long the oldest item may still wait, 0 or more; None without items."""
        if not self._items:
            return None
        leaves_seconds = self._items[0][1] + self._policy.max_wait_seconds
        return max(leaves_seconds - now_seconds, 0.0)

    def take(self) -> list[tuple[Item, float]]:
        """The oldest items, at most ``batch_size``, each with the time it arrived at."""
        return [self._items.popleft() for _ in range(min(len(self._items), self._policy.batch_size))]

    def remove(self, item: Item) -> bool:
        """Take ``item`` out unused; False if it has left already."""
        for position, (waiting, _) in enumerate(self._items):
            if waiting is item:
                del self._items[position]
                return True
        return False
