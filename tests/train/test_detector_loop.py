"""The training loop's settings and command line."""

import dataclasses
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra (torch)")
pytest.importorskip("onnx", reason="needs the train extra (onnx)")

from videohoi.train import detector_loop


def test_help_names_the_training_file(capsys):
    with pytest.raises(SystemExit) as exit_:
        detector_loop.main(["--help"])
    assert exit_.value.code == 0
    assert "configs/train/starter_detector.yaml" in capsys.readouterr().out.replace("\n", " ")


def test_every_setting_is_used():
    source = Path(detector_loop.__file__).read_text(encoding="utf-8")
    unused = [
        field.name for field in dataclasses.fields(detector_loop.DetectorTraining) if f".{field.name}" not in source
    ]
    assert unused == []
