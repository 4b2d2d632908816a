"""What every test leaves as it found it."""

import os
import signal
from pathlib import Path

import pytest

PEERS = "VIDEOHOI_PEER_PATH"
"""names the folder with checkouts of public code that opt-in tests compare with"""


def pytest_addoption(parser):
    parser.addoption("--peer-path", help="folder with checkouts of public code to compare with, see CONTRIBUTING.md")


def pytest_configure(config):
    if config.getoption("--peer-path"):  # before any test module reads it
        os.environ[PEERS] = str(Path(config.getoption("--peer-path")).resolve())


@pytest.fixture(autouse=True)
def signal_handlers_stay():
    """The command line's ``main`` keeps its handlers, which end the process: here other tests follow it."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)
