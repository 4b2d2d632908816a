"""Every exception the library raises on purpose.

::

    VideohoiError                 catch this for everything below
    |-- UsageError                the call, option or configuration is wrong          (exit code 2)
    |   `-- ConfigError           a configuration file or value is wrong
    |-- InputError                a video, image or annotation file cannot be used    (exit code 1)
    |   |-- DecodeError           a source cannot be opened or yields no frame
    |   `-- TruthError            an evaluation input is malformed
    |-- ModelError                weights are missing, corrupt or of an unknown form  (exit code 1)
    |-- SinkError                 a result cannot be written                          (exit code 1)
    `-- StageError                a stage of the running graph raised; names stage, source and frame

Messages name the input, what was expected and what to do, on one line.
"""

from __future__ import annotations


class VideohoiError(Exception):
    """Base of all errors raised on purpose."""

    exit_code = 1


class UsageError(VideohoiError):
    """The call, an option or a configuration value is wrong."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file or value is wrong; the message names the key and the nearest valid one."""


class InputError(VideohoiError):
    """An input file cannot be used."""


class DecodeError(InputError):
    """A source cannot be opened or yields no frame."""


class TruthError(InputError):
    """An evaluation input is malformed."""


class ModelError(VideohoiError):
    """Weights are missing, corrupt or of an unknown form."""


class SinkError(VideohoiError):
    """A result cannot be written (no permission, full disk, encoder failure)."""


class StageError(VideohoiError):
    """A stage of the running graph raised; the original exception is ``__cause__``."""

    def __init__(self, stage: str, source_id: str, frame_index: int | None, cause: BaseException) -> None:
        self.stage = stage
        self.source_id = source_id
        self.frame_index = frame_index
        where = f" at frame {frame_index}" if frame_index is not None else ""
        super().__init__(f"stage {stage!r} failed on {source_id}{where}: {cause}")
        self.__cause__ = cause
        if isinstance(cause, VideohoiError):
            self.exit_code = cause.exit_code
