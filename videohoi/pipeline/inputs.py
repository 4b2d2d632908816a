"""Opens what a user passes: a path, an address, a camera number, arrays, or a source."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from videohoi.decode.arrays import EXPECTED, array_source
from videohoi.decode.protocol import Source
from videohoi.errors import InputError, UsageError
from videohoi.files import user_path
from videohoi.pipeline.settings import DecodeSettings

_SOURCE_NAMES = ("open", "frames", "close", "report")


def open_input(
    given: Any,
    settings: DecodeSettings,
    *,
    channels: str = "rgb",
    frame_rate_hz: float | None = None,
    source_id: str | None = None,
) -> Source:
    """The source of ``given``; nothing is decoded yet.

    Args:
        given: a path or address (text, bytes or ``Path``), a camera number, what ``array_source`` takes, or a
            ``Source``.
        settings: how files are read.
        channels: ``rgb`` or ``bgr``, of arrays.
        frame_rate_hz: pictures a second of arrays; of files, in place of their own times.
        source_id: name of the source; None: that of the file, camera or address.

    Raises:
        InputError: it cannot be read; one line says why and what is expected.
        UsageError: an option that does not go with the input.
    """
    spec = _spec(given)
    if spec is not None:
        if channels != "rgb":
            raise UsageError(f"channels={channels!r} is for arrays; {spec} is decoded to RGB")
        if frame_rate_hz is not None:
            settings = replace(settings, frame_rate_hz=frame_rate_hz)
        return settings.open(spec, source_id=source_id)
    if all(hasattr(given, name) for name in _SOURCE_NAMES):
        if channels != "rgb" or frame_rate_hz is not None or source_id is not None:
            raise UsageError("channels, frame_rate_hz and source_id are for arrays and files; this source has its own")
        return cast("Source", given)
    rate = settings.frame_rate_hz if frame_rate_hz is None else frame_rate_hz
    return array_source(given, channels=channels, frame_rate_hz=rate, source_id=source_id)


def _spec(given: Any) -> str | int | Path | None:
    """What ``open_source`` takes; None for what is neither path, address nor camera number."""
    if isinstance(given, (bool, np.bool_)) or given is None:
        raise InputError(f"cannot read pictures from {given}; expected {EXPECTED}")
    if isinstance(given, (int, np.integer)):
        if given < 0:
            raise InputError(f"camera {given}: expected a number from 0 on")
        return int(given)
    if not isinstance(given, (str, bytes, os.PathLike)):
        return None
    text = os.fsdecode(given)
    if not text:
        raise InputError(f"an empty path; expected {EXPECTED}")
    if isinstance(given, os.PathLike):
        return user_path(text)
    return str(user_path(text)) if text.startswith("~") else text
