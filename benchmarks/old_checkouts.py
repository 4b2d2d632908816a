"""Imports single modules of a checkout that was written for an older numpy, without running its packages' own code."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np


class OldNumpy(types.ModuleType):
    """numpy with the two names that were taken out of it in 1.24; other modules keep the numpy they have."""

    float, int = float, int

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def import_old(checkout: Path, names: Sequence[str], left_out: Sequence[str] = ()) -> list[types.ModuleType]:
    """Modules ``names`` (dotted) of ``checkout``, given an old numpy; ``left_out`` are imported as empty modules.

    Their packages become empty ones that only know where their files lie: a package's own imports (a whole training
    framework) are not needed.
    """
    for name in names:
        parts = name.split(".")[:-1]
        for depth in range(1, len(parts) + 1):
            package = types.ModuleType(".".join(parts[:depth]))
            package.__path__ = [str(checkout.joinpath(*parts[:depth]))]
            sys.modules.setdefault(package.__name__, package)
    with _empty(left_out):
        modules = [importlib.import_module(name) for name in names]
    for module in modules:
        vars(module)["np"] = OldNumpy("numpy")
    return modules


@contextmanager
def _empty(names: Sequence[str]) -> Iterator[None]:
    """``names`` as empty modules while importing, then as they were."""
    before = {name: sys.modules.get(name) for name in names}
    for name in names:
        sys.modules[name] = types.ModuleType(name)
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, sys.modules[name])
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
