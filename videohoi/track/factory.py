"""The tracker by name of its behaviour."""

from __future__ import annotations

from typing import Literal

from videohoi.errors import ConfigError
from videohoi.track.byte import ByteTracker
from videohoi.track.byte_config import ByteConfig
from videohoi.track.original import OriginalByteTracker
from videohoi.track.original_config import OriginalByteConfig
from videohoi.track.protocol import Tracker

Parity = Literal["none", "original"]


def byte_tracker(
    config: ByteConfig | OriginalByteConfig | None = None, *, human_class_id: int = 0, parity: Parity = "none"
) -> Tracker:
    """A ``ByteTracker`` (seconds, classes), or with ``parity="original"`` an ``OriginalByteTracker`` (frames).

    ``config``: a ``ByteConfig`` for the former, an ``OriginalByteConfig`` for the latter; None takes the defaults.
    ``human_class_id`` means nothing to the latter. ``ConfigError`` when they do not fit together.
    """
    if parity == "original" and not isinstance(config, ByteConfig):
        return OriginalByteTracker(config)
    if parity == "none" and not isinstance(config, OriginalByteConfig):
        return ByteTracker(config, human_class_id=human_class_id)
    if parity not in ("none", "original"):
        raise ConfigError(f'parity must be "none" or "original", got {parity!r}')
    raise ConfigError(
        f'parity="{parity}" takes {"an OriginalByteConfig" if parity == "original" else "a ByteConfig"}, '
        f"got {type(config).__name__}"
    )
