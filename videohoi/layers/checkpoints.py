"""Published weights under the names of a model of ours, by an explicit table.

A conversion is strict both ways. Every published key is mapped or ignored for a stated reason, every value of the model
is filled, every shape fits; otherwise one error lists all differences. Nothing is loaded in part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from videohoi.errors import ModelError
from videohoi.layers.checkpoint_files import StateDict, printable

NOT_FINITE, OTHER_TYPE = "not finite", "of another type"
NAMED = 5
"""names of each kind that an error spells out"""
Table = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Converted:
    """A checkpoint under the model's own names."""

    state_dict: StateDict
    """every parameter and persistent buffer of the model, of its shape and dtype; loads with ``strict=True``"""
    ignored: tuple[tuple[str, str], ...]
    """(published key, why it is not needed)"""


class MisfitError(ModelError):
    """A checkpoint is not the model's."""

    def __init__(self, message: str, kinds: frozenset[str]) -> None:
        """``kinds``: what differs, of ``unexpected``, ``missing``, ``shapes`` and others that the message names."""
        super().__init__(message)
        self.kinds = kinds


def unfilled(build: Callable[[], nn.Module]) -> nn.Module:
    """The model on the meta device, without memory for values: enough to compare names, shapes and types."""
    with torch.device("meta"):
        return build()


def convert(
    state_dict: Mapping[str, Tensor],
    model: nn.Module,
    key_map: Table,
    ignored: Table = (),
    *,
    name: str = "checkpoint",
) -> Converted:
    r"""Published weights under the names of ``model``; the model is not changed and may be on the meta device.

    Args:
        state_dict: published key -> tensor.
        model: all of its ``state_dict()`` must be filled.
        key_map: ordered (regex of the published key, replacement). A regex is matched at the key's beginning
            (``re.match``); the matched part is replaced (groups as ``\1``) and the rest of the key kept. The first
            row that matches counts.
        ignored: (regex of the published key, reason), matched in the same way and asked before ``key_map``.
        name: how the error calls the checkpoint.

    Raises:
        MisfitError: keys that no row names, values of the model that remain unfilled, keys mapped onto names that the
            model lacks, two keys mapped onto one, shapes or types that differ, values that are not finite.
    """
    mapped, left_out, problems = _mapped(state_dict, key_map, ignored)
    wanted = model.state_dict()
    problems["not in the model"] = [f"{source} -> {key}" for key, (source, _) in mapped.items() if key not in wanted]
    problems["missing"] = [key for key in wanted if key not in mapped]
    problems["shapes"] = [
        f"{key}: {tuple(value.shape)} in the checkpoint, {tuple(wanted[key].shape)} in the model"
        for key, (_, value) in mapped.items()
        if key in wanted and value.shape != wanted[key].shape
    ]
    problems[OTHER_TYPE] = [
        f"{key}: {value.dtype} in the checkpoint, {wanted[key].dtype} in the model"
        for key, (_, value) in mapped.items()
        if key in wanted and value.is_floating_point() != wanted[key].is_floating_point()
    ]
    fitting = (key for key, (_, value) in mapped.items() if key in wanted and value.shape == wanted[key].shape)
    problems[NOT_FINITE] = [key for key in fitting if not _finite(mapped[key][1])]
    messages = {kind: _summary(kind, lines) for kind, lines in problems.items() if lines}
    if messages:
        raise MisfitError(
            f"{name} does not fit {type(model).__name__}: {'; '.join(messages.values())}", frozenset(messages)
        )
    values = {key: mapped[key][1].to(wanted[key].dtype) for key in wanted}
    return Converted(values, tuple(left_out))


def _finite(value: Tensor) -> bool:
    return not value.is_floating_point() or value.is_meta or bool(value.isfinite().all())


def unknown_keys(state_dict: Mapping[str, Tensor], key_map: Table, ignored: Table) -> int:
    """How many published keys no row of a method's tables names."""
    patterns = [re.compile(pattern) for pattern, _ in (*key_map, *ignored)]
    return sum(not any(pattern.match(key) for pattern in patterns) for key in state_dict)


def _mapped(
    state_dict: Mapping[str, Tensor], key_map: Table, ignored: Table
) -> tuple[dict[str, tuple[str, Tensor]], list[tuple[str, str]], dict[str, list[str]]]:
    """Own name -> (published key, value); ignored keys with reasons; problems so far."""
    names = [(re.compile(pattern), text) for pattern, text in key_map]
    reasons = [(re.compile(pattern), text) for pattern, text in ignored]
    mapped: dict[str, tuple[str, Tensor]] = {}
    left_out: list[tuple[str, str]] = []
    unknown: list[str] = []
    twice: list[str] = []
    for key, value in state_dict.items():
        reason = next((text for pattern, text in reasons if pattern.match(key)), None)
        match, text = next(((matched, text) for pattern, text in names if (matched := pattern.match(key))), (None, ""))
        if reason is not None:
            left_out.append((key, reason))
        elif match is None:
            unknown.append(key)
        else:
            own = match.expand(text) + key[match.end() :]
            if own in mapped:
                twice.append(f"{mapped[own][0]} and {key} -> {own}")
            mapped[own] = (key, value)
    return mapped, left_out, {"unexpected": unknown, "mapped twice": twice}


def _summary(kind: str, lines: Sequence[str]) -> str:
    more = f", and {len(lines) - NAMED} more" if len(lines) > NAMED else ""
    return f"{len(lines)} {kind} ({', '.join(printable(line) for line in lines[:NAMED])}{more})"


def ignored_lines(ignored: Iterable[tuple[str, str]]) -> list[str]:
    """One line a reason, with how many keys it took and the first of them."""
    by_reason: dict[str, list[str]] = {}
    for key, reason in ignored:
        by_reason.setdefault(reason, []).append(key)
    return [
        f"{len(keys)} x {reason} ({keys[0]}{', ...' if len(keys) > 1 else ''})" for reason, keys in by_reason.items()
    ]


def renamed(values: Mapping[str, Tensor], key_map: Table, ignored: Table) -> dict[str, Tensor]:
    """``values`` under the model's names: the first row whose regex matches a key's beginning replaces that part.

    Keys that a row of ``ignored`` matches are left out; keys that no row names stay as they are.
    """
    return {_renamed(key, key_map): value for key, value in values.items() if not _matches(key, ignored)}


def _matches(key: str, table: Table) -> bool:
    return any(re.match(pattern, key) for pattern, _ in table)


def _renamed(key: str, key_map: Table) -> str:
    for pattern, text in key_map:
        if match := re.match(pattern, key):
            return match.expand(text) + key[match.end() :]
    return key
