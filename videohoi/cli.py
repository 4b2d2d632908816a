"""Entry point of the command line. The rest is imported inside ``main``, so that an interrupt is one line there too."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from videohoi.errors import VideohoiError

EXIT_FAILED = 1
_STDERR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (default: ``sys.argv``) and return the exit code; an error is one line on stderr.

    0 done; 1 an input or output failed, or interrupted; 2 wrong usage; 3 some of several inputs failed. The handlers
    of SIGINT and SIGTERM stay in place, since the process is about to end.
    """
    signal.signal(signal.SIGINT, _leave_at_once)
    signal.signal(signal.SIGTERM, _interrupt)  # a stopped container or service leaves valid files as well
    _open_standard_streams()
    _print_any_name()
    try:
        from videohoi.commands.app import run_app

        code = run_app(arguments)
        sys.stdout.flush()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a late Ctrl-C must not interrupt the exit
    except VideohoiError as error:
        return _complain(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _complain("interrupted")
    except BrokenPipeError:  # the reader closed the pipe, as "| head" does
        _drop_output()
        return EXIT_FAILED
    except OSError as error:
        _drop_output()
        return _complain(f"{error.filename or 'standard output'}: {error.strerror or error}")
    return code


def _open_standard_streams() -> None:
    """Open streams that the caller closed (``>&-``) on the null device; else the next file would get their number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def _print_any_name() -> None:
    """Print characters that the terminal's encoding lacks as escapes: file names may contain any."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)


def _leave_at_once(_number: int, _frame: FrameType | None) -> None:
    """The handler while nothing is being written; ``pipeline.interrupts`` replaces it during a run.

    A ``KeyboardInterrupt`` in the middle of an import is printed, swallowed or turned into an ImportError by some
    extension modules.
    """
    os.write(_STDERR, b"videohoi: interrupted\n")
    os._exit(EXIT_FAILED)


def _complain(message: str, code: int = EXIT_FAILED) -> int:
    sys.stderr.write(f"videohoi: {' '.join(message.split())}\n")
    return code


def _drop_output() -> None:
    """Point stdout to the null device; else Python would flush it at exit and print an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
