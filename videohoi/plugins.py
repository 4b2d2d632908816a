"""What the rows of the rooms' tables are built by: functions of this package, or entry points of installed packages.

A package names a builder in its ``pyproject.toml``::

    [project.entry-points."videohoi.detectors"]
    my_detector = "my_package.detector:build"

and ``--detector my_detector`` calls it. Nothing of the package is imported before its name is used.
"""

from __future__ import annotations

from importlib import import_module, metadata
from typing import Any, Literal

from videohoi.errors import ModelError, VideohoiError

Kind = Literal["sources", "detectors", "heads", "engines", "sinks"]
KINDS: tuple[Kind, ...] = ("sources", "detectors", "heads", "engines", "sinks")


def plugins(kind: Kind) -> dict[str, metadata.EntryPoint]:
    """The entry points of the group ``videohoi.<kind>``, by name, sorted."""
    points = metadata.entry_points(group=f"videohoi.{kind}")
    return {point.name: point for point in sorted(points, key=lambda point: point.name)}


def load_plugin(kind: Kind, name: str) -> Any:
    """The builder that a package registered.

    Raises:
        ModelError: importing it fails; the message names the package and the cause.
    """
    point = plugins(kind)[name]
    try:
        builder = point.load()
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ModelError(f"{name} of {package_of(point)} cannot be loaded ({point.value}): {reason}") from error
    if not callable(builder):
        raise ModelError(f"{name} of {package_of(point)} is no builder: {point.value} cannot be called")
    return builder


def build_part(builder: str, request: Any) -> Any:
    """What ``module:function`` of this package makes of ``request``; the module is imported now."""
    module, _, function = builder.partition(":")
    return getattr(import_module(module), function)(request)


def build_plugin(kind: Kind, name: str, request: Any) -> Any:
    """What a package's builder makes of ``request``.

    Raises:
        ModelError: as ``load_plugin``, or the builder failed.
        VideohoiError: what the builder raised of these.
    """
    builder = load_plugin(kind, name)
    try:
        return builder(request)
    except VideohoiError:
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ModelError(f"{name} of {package_of(plugins(kind)[name])} cannot be built: {reason}") from error


def package_of(point: metadata.EntryPoint) -> str:
    """Name and version of the package that an entry point belongs to."""
    return "an installed package" if point.dist is None else f"{point.dist.name} {point.dist.version}"
