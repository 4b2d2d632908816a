"""Every number of every settings class has a range, and is held to it from YAML, ``--set`` and Python alike."""

from __future__ import annotations

import dataclasses
import math
import typing

import pytest

from videohoi import config as strict_config
from videohoi.errors import ConfigError
from videohoi.pipeline.bundled import load_pipeline
from videohoi.ranges import Range, ranges_of

PIPELINES = ("offline_annotation", "robot_perception")


def sections(kind, prefix=""):
    """(dotted prefix, class) of a config and of all classes in it."""
    yield prefix, kind
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(hints[field.name]):
            yield from sections(hints[field.name], f"{prefix}{field.name}.")


def numbers(kind):
    """Names of the fields that hold numbers."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        parts = {hints[field.name], *typing.get_args(hints[field.name])}
        if parts & {int, float}:
            yield field.name


CASES = sorted(
    {
        (pipeline, f"{prefix}{name}")
        for pipeline in PIPELINES
        for prefix, kind in sections(type(load_pipeline(pipeline).config))
        for name in numbers(kind)
    }
)


def allowed(pipeline, key):
    kind = type(load_pipeline(pipeline).config)
    *parents, name = key.split(".")
    for parent in parents:
        kind = typing.get_type_hints(kind)[parent]
    return ranges_of(kind).get(name)


@pytest.mark.parametrize(("pipeline", "key"), CASES)
def test_a_number_out_of_its_range_is_one_line_that_names_the_key(pipeline, key):
    limits = allowed(pipeline, key)
    assert limits is not None, f"{key} has no range"
    wrong = [math.nan, math.inf, -math.inf, limits.least - 1]
    if math.isfinite(limits.most):
        wrong.append(limits.most * 2 + 1)
    for value in wrong:
        text = {math.inf: ".inf", -math.inf: "-.inf"}.get(value, ".nan" if value != value else f"{value:g}")
        with pytest.raises(ConfigError) as caught:
            load_pipeline(pipeline, (f"{key}={text}",))
        message = str(caught.value)
        assert key.split(".")[-1] in message
        assert "\n" not in message


@pytest.mark.parametrize(("pipeline", "key"), CASES)
def test_the_same_holds_in_python(pipeline, key):
    config = load_pipeline(pipeline).config
    *parents, name = key.split(".")
    for parent in parents:
        config = getattr(config, parent)
    with pytest.raises(ConfigError, match=name):
        dataclasses.replace(config, **{name: math.nan})


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("interact.human_score=5", r"interact\.human_score=5.*: expected a number from 0 to 1"),
        ("interact.pair_limit=-3", r"interact\.pair_limit=-3: expected a number from 1 to 10000"),
        ("track.high_score=0.9", "low_score <= high_score <= new_track_score"),
        ("smooth.motion.moving_sizes_per_second=0.15", "still.*below.*moving"),
        ("smooth.off_threshold=0.9", "off_threshold"),
        ("detect.threads=0", r"detect\.threads=0: expected a number from 1"),
    ],
)
def test_values_that_passed_once(setting, message):
    with pytest.raises(ConfigError, match=message):
        load_pipeline("offline_annotation", (setting,))


def test_ranges_read_well():
    assert str(Range(0, 1)) == "a number from 0 to 1"
    assert str(Range(0, above=True)) == "a number above 0"
    assert str(Range(1)) == "a number of 1 or more"
    assert str(Range(0, 5, above=True)) == "a number above 0 and up to 5"
    assert 1 in Range(1, 1)
    assert True not in Range(0, 1)
    assert math.inf in Range(0, unlimited=True)


@dataclasses.dataclass(frozen=True)
class Plain:
    name: str = "x"


def test_a_class_without_numbers_has_no_ranges():
    assert ranges_of(Plain) == {}
    assert strict_config.build(Plain, {}) == Plain()
