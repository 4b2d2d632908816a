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
        ({"lost_seconds": 0}, r"track\.lost_seconds=0.*: expected a number above 0"),
        ({"lost_seconds": -1.0}, r"track\.lost_seconds=-1\.0: expected a number above 0"),
        ({"vote_tau_seconds": float("nan")}, r"track\.vote_tau_seconds="),
        ({"high_iou": "0.1"}, r"track\.high_iou='0\.1': expected a number from 0 to 1"),
        ({"confirm_hits": True}, r"track\.confirm_hits="),
        ({"rename_ratio": 0.5}, r"track\.rename_ratio=0\.5: expected a number from 1"),
    ],
)
def test_impossible_values_are_named(values, message):
    with pytest.raises(ConfigError, match=message):
        ByteConfig(**values)


def test_settings_cannot_change_under_a_running_tracker():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ByteConfig().high_score = 0.9
