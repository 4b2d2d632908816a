"""Wrong settings are refused where they are given."""

import dataclasses

import pytest

from videohoi.errors import ConfigError
from videohoi.track.byte_config import ByteConfig


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"low_score": 0.6}, r"low_score <= high_score <= new_track_score, got 0.6, 0.4, 0.4"),
        ({"new_track_score": 0.3}, "low_score <= high_score <= new_track_score"),
        ({"lost_seconds": 0}, "lost_seconds must be more than 0"),
        ({"lost_seconds": -1.0}, "lost_seconds must be a finite number of 0 or more, got -1.0"),
        ({"vote_tau_seconds": float("nan")}, "vote_tau_seconds must be a finite number"),
        ({"high_iou": "0.1"}, "high_iou must be a finite number of 0 or more, got '0.1'"),
        ({"confirm_hits": True}, "confirm_hits must be a finite number"),
        ({"rename_ratio": 0.5}, "rename_ratio must be 1 or more, got 0.5"),
    ],
)
def test_impossible_values_are_named(values, message):
    with pytest.raises(ConfigError, match=message):
        ByteConfig(**values)


def test_settings_cannot_change_under_a_running_tracker():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ByteConfig().high_score = 0.9
