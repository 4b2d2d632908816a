"""Strict YAML to typed config: frozen dataclasses, unknown keys refused with the nearest valid one named."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import pydantic
import yaml

from videohoi.errors import ConfigError
from videohoi.files import decoded_text
from videohoi.names import did_you_mean, nearest_names

Config = TypeVar("Config")


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        ConfigError: missing, unreadable, not YAML, or not a mapping.
    """
    try:
        values = yaml.safe_load(decoded_text(path.read_bytes()))
    except OSError as error:
        raise ConfigError(f"configuration {path}: cannot be read ({error.strerror}); check the path") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = str(error).replace("\n", " ")
        raise ConfigError(f"configuration {path}: not valid YAML ({where})") from error
    if not isinstance(values, dict):
        raise ConfigError(f"configuration {path}: expected keys and values, got {type(values).__name__}")
    return values


def build(kind: type[Config], values: Mapping[str, Any], *, origin: str = "configuration") -> Config:
    """A ``kind`` (dataclass) from nested mappings, defaults where a key is absent.

    Raises:
        ConfigError: an unknown key (the nearest valid one is named), a missing one, or a value of the wrong type.
    """
    _refuse_unknown(kind, values, origin, prefix="")
    try:
        return pydantic.TypeAdapter(kind).validate_python(dict(values))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{origin}: {key}: {first['msg'].lower()}, got {first.get('input')!r}") from error


def apply_overrides(values: Mapping[str, Any], overrides: typing.Iterable[str]) -> dict[str, Any]:
    """``values`` with ``a.b=c`` assignments applied; ``c`` is read as YAML.

    Raises:
        ConfigError: an override without ``=``, or whose ``c`` is no YAML.
    """
    result: dict[str, Any] = copy.deepcopy(dict(values))
    for override in overrides:
        dotted, separator, text = override.partition("=")
        if not separator or not dotted:
            raise ConfigError(f"--set {override!r}: expected KEY=VALUE, for example smooth.tau_seconds=0.3")
        target = result
        *parents, last = dotted.split(".")
        for parent in parents:
            target = target.setdefault(parent, {})
            if not isinstance(target, dict):
                raise ConfigError(f"--set {override!r}: {parent} holds a value, not a section")
        target[last] = _parsed(override, text)
    return result


def _parsed(override: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        reason = getattr(error, "problem", None) or "unreadable"
        raise ConfigError(
            f"--set {override!r}: the value is not valid YAML ({reason}); check quotes and brackets"
        ) from error


def to_mapping(config: Any) -> dict[str, Any]:
    """The nested plain values of a config, ready for YAML or JSON."""
    values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config), default=str))
    return values


def fingerprint(config: Any) -> str:
    """SHA-256 of a config's values: the same hash means the same settings."""
    return hashlib.sha256(json.dumps(to_mapping(config), sort_keys=True).encode()).hexdigest()


def _refuse_unknown(kind: Any, values: Any, origin: str, prefix: str) -> None:
    kind = _dataclass_of(kind)
    if kind is None or not isinstance(values, Mapping):
        return
    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind) if field.init]
    for key, value in values.items():
        if key not in names:
            near = (f"{prefix}{name}" for name in nearest_names(str(key), names)[:1])
            hint = did_you_mean(near) or f"; expected one of {', '.join(sorted(names))}"
            raise ConfigError(f"{origin}: unknown key {prefix}{key}{hint}")
        _refuse_unknown(hints[key], value, origin, prefix=f"{prefix}{key}.")


def _dataclass_of(kind: Any) -> Any:
    """``kind`` if it is a dataclass, the only one in a union such as ``Section | None``, else None."""
    options = typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else (kind,)
    sections = [option for option in options if dataclasses.is_dataclass(option)]
    return sections[0] if len(sections) == 1 else None
