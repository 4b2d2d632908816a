"""Fixtures of the tracking tests; the scenes are in ``track_scenes``."""

from track_scenes import tracker

__all__ = ["tracker"]
