"""What every test leaves as it found it."""

import signal

import pytest


@pytest.fixture(autouse=True)
def signal_handlers_stay():
    """The command line's ``main`` keeps its handlers, which end the process: here other tests follow it."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)
