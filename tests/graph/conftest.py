"""No test may hang, and no thread may outlive one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from graph_parts import LIMIT_SECONDS


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before]
    assert left == []


@pytest.fixture
def finishes() -> Callable[[Callable[[], object]], object]:
    """Run a call in a thread, so that a hang fails the test instead of stopping the suite; raises what it raised."""

    def run(call: Callable[[], object]) -> object:
        outcome: list[tuple[bool, object]] = []

        def target() -> None:
            try:
                outcome.append((True, call()))
            except BaseException as error:  # noqa: BLE001 - handed to the test below
                outcome.append((False, error))

        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        thread.join(LIMIT_SECONDS)
        assert not thread.is_alive(), "the graph did not come back"
        worked, value = outcome[0]
        if not worked:
            raise value
        return value

    return run
