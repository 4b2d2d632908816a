"""A small clip with real pictures, and one run over it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from videohoi.decode.inputs import InputItem, list_inputs
from videohoi.demo.compose import compose_demo, write_demo
from videohoi.pipeline.annotate import AnnotatedVideo, annotate
from videohoi.pipeline.pipeline import Pipeline


@pytest.fixture(scope="session")
def clip_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds at 5 frames/s, 320 x 240."""
    path = tmp_path_factory.mktemp("clips") / "small.mp4"
    write_demo(path, compose_demo(4.0, 5.0, height_px=240))
    return path


@pytest.fixture(scope="session")
def pipeline() -> Pipeline:
    """Small pictures for the detector: what it finds does not matter here."""
    return Pipeline.from_config("offline_annotation", ["detect.workers=1", "detect.input_size_px=96"])


@pytest.fixture(scope="session")
def item(clip_file: Path) -> InputItem:
    return list_inputs([clip_file])[0]


@pytest.fixture(scope="session")
def finished(pipeline: Pipeline, item: InputItem, tmp_path_factory: pytest.TempPathFactory) -> AnnotatedVideo:
    """A complete run; do not change its folder."""
    return annotate(pipeline, item, tmp_path_factory.mktemp("finished") / "small.videohoi")


@pytest.fixture
def copied(finished: AnnotatedVideo, tmp_path: Path) -> Path:
    """The folder of a complete run, to be changed."""
    return Path(shutil.copytree(finished.folder, tmp_path / "copied.videohoi"))
