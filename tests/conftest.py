"""What every test leaves as it found it, and a disk that fills up."""

import contextlib
import errno
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


@pytest.fixture
def full_disk(monkeypatch):
    """Inside ``with full_disk(limit_bytes):`` no file can grow beyond the limit; the system refuses the write."""
    resource = pytest.importorskip("resource", reason="limits of a process exist on POSIX only")

    @contextlib.contextmanager
    def limited(limit_bytes):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited


@pytest.fixture
def no_space_at_sync(monkeypatch):
    """The disk turns out to be full when the file is flushed to it."""

    def refuse(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
