"""Damaged weights of the package are told as such."""

import hashlib
import shutil

import pytest

from videohoi import shipped_weights
from videohoi.detect.starter import StarterDetector
from videohoi.errors import ModelError
from videohoi.interact.heads.starter import StarterPairHead
from videohoi.shipped_weights import DETECTOR, PAIR_HEAD, SHIPPED

OPENERS = {DETECTOR.file: StarterDetector, PAIR_HEAD.file: StarterPairHead}


def flipped(content: bytes) -> bytes:
    return content[:5000] + bytes([content[5000] ^ 0xFF]) + content[5001:]


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def emptied(content: bytes) -> bytes:
    return b""


@pytest.fixture
def copies(tmp_path, monkeypatch):
    """The package's data folders, copied to where they may be damaged."""
    for weights in (DETECTOR, PAIR_HEAD):
        folder = tmp_path / weights.package / "data"
        folder.mkdir(parents=True)
        source = shipped_weights.resources.files(weights.package) / "data" / weights.file
        shutil.copy(str(source), folder / weights.file)
    files, own = shipped_weights.resources.files, {DETECTOR.package, PAIR_HEAD.package}
    monkeypatch.setattr(
        shipped_weights.resources, "files", lambda package: tmp_path / package if package in own else files(package)
    )
    return tmp_path


def test_the_files_are_those_whose_hashes_are_written_down():
    for weights in SHIPPED:
        assert hashlib.sha256(weights.read()).hexdigest() == weights.sha256


@pytest.mark.parametrize("damage", [flipped, truncated, emptied])
@pytest.mark.parametrize("weights", [DETECTOR, PAIR_HEAD], ids=lambda weights: weights.file)
def test_damaged_weights_are_one_line_that_says_reinstall(copies, weights, damage):
    file = copies / weights.package / "data" / weights.file
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ModelError, match=f"{weights.title} that came with videohoi is damaged.*reinstall") as caught:
        OPENERS[weights.file]().open()
    assert "\n" not in str(caught.value)


def test_missing_weights_of_the_pair_head_say_reinstall(copies):
    (copies / PAIR_HEAD.package / "data" / PAIR_HEAD.file).unlink()
    with pytest.raises(ModelError, match=r"starter pair head cannot be read.*reinstall"):
        StarterPairHead().open()
