"""Importing a public repository's modules beside ours: their names (models, utils, detr) are anything but unique."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

PEERS = os.environ.get("VIDEOHOI_PEER_PATH")


def checkout(name: str) -> Path:
    """The checkout ``name``; skips the test where it is absent."""
    folder = Path(PEERS or "/nowhere") / name
    if not folder.is_dir():
        pytest.skip(f"VIDEOHOI_PEER_PATH names no folder with a checkout {name}")
    return folder


@contextmanager
def peer_modules(folders: Sequence[Path], stubs: Mapping[str, ModuleType]) -> Iterator[None]:
    """Within the block imports find ``folders`` and ``stubs`` first; afterwards their modules are forgotten."""
    before, path = dict(sys.modules), list(sys.path)
    sys.path[:0] = [str(folder) for folder in folders]
    sys.modules.update(stubs)
    importlib.invalidate_caches()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a public repository warns of is not ours to fix
            yield
    finally:
        for name, module in list(sys.modules.items()):
            # a folder without __init__.py is a package without a file
            places = [getattr(module, "__file__", None) or "", *map(str, vars(module).get("__path__") or ())]
            if name in stubs or any(place.startswith(f"{folder}{os.sep}") for place in places for folder in folders):
                del sys.modules[name]
        sys.modules.update({name: before[name] for name in stubs if name in before})
        sys.path[:] = path
