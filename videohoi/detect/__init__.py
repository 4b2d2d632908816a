"""Detectors: humans and objects of a frame.

The package can also be called: ``videohoi.detect(picture)`` is ``videohoi.pipeline.shortcuts.detect``. The room and the
function share the name, and Python binds it to the package.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _CallableRoom(ModuleType):
    def __call__(self, picture: Any, **options: Any) -> Any:
        return import_module("videohoi.pipeline.shortcuts").detect(picture, **options)


sys.modules[__name__].__class__ = _CallableRoom
