"""The command line in this process: as a user types it, with what it prints and its exit code."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from videohoi.cli import main
from videohoi.demo.compose import compose_demo, write_demo


@dataclass(frozen=True)
class Outcome:
    """What came of a command line."""

    code: int
    out: str
    err: str

    def complaint(self) -> str:
        """The one line on stderr; fails when there is none, or more."""
        assert "Traceback" not in self.err + self.out
        (line,) = self.err.splitlines()
        assert line.startswith("videohoi: ")
        return line


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """``main`` leaves its handlers in place, and with them a later test's Ctrl-C would end the whole test run."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def videohoi(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """``videohoi("annotate", path)`` -> ``Outcome``."""
    monkeypatch.setenv("COLUMNS", "160")

    def run(*arguments: object) -> Outcome:
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def made_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds at 5 frames/s, 320 x 240; its truth lies beside it."""
    path = tmp_path_factory.mktemp("clips") / "made.mp4"
    write_demo(path, compose_demo(4.0, 5.0, height_px=240))
    return path


@pytest.fixture
def clip(made_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``clip.mp4`` in an empty current folder."""
    monkeypatch.chdir(tmp_path)
    path = Path("clip.mp4")
    path.write_bytes(made_clip.read_bytes())
    return path
