"""Pipeline files of the user's own that cannot be loaded."""

from __future__ import annotations

import pytest

from videohoi.errors import ConfigError
from videohoi.pipeline.bundled import load_pipeline


@pytest.mark.parametrize("text", ["def build(:\n", "import no_such_module_at_all\n"])
def test_a_pipeline_that_cannot_be_imported_is_one_line(tmp_path, text):
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    (tmp_path / "mine.yaml").write_text("pipeline: mine.py\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.py: the pipeline cannot be loaded") as caught:
        load_pipeline(tmp_path / "mine.yaml")
    assert "\n" not in str(caught.value)


def test_a_missing_pipeline_file_names_the_config(tmp_path):
    (tmp_path / "mine.yaml").write_text("pipeline: gone.py\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.yaml: pipeline: 'gone\.py' not found"):
        load_pipeline(tmp_path / "mine.yaml")


def test_a_folder_as_configuration_is_one_line(tmp_path):
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load_pipeline(tmp_path / "folder.yaml")


@pytest.mark.parametrize("override", ["smooth.tau_seconds=[1", "detect.detector={", "smooth.tau_seconds='"])
def test_a_value_that_is_no_yaml_is_one_line(override):
    with pytest.raises(ConfigError, match="not valid YAML") as caught:
        load_pipeline("offline_annotation", (override,))
    assert "\n" not in str(caught.value)


def test_a_date_where_a_number_is_expected_is_named():
    with pytest.raises(ConfigError, match=r"smooth\.tau_seconds: .*2020"):
        load_pipeline("offline_annotation", ("smooth.tau_seconds=2020-01-01",))


def with_special(tmp_path, special):
    common = "pipeline: offline_annotation\ndetect: {detector: starter}\ntrack: {low_iou: 0.4}\n"
    (tmp_path / "mine.yaml").write_text(f"{common}for_detector: {special}\n", encoding="utf-8")
    return tmp_path / "mine.yaml"


def test_settings_of_a_detector_hold_for_it_alone_and_the_user_has_the_last_word(tmp_path):
    path = with_special(tmp_path, "{starter: {track: {low_iou: 0.3}}}")
    assert load_pipeline(path).config.track.low_iou == 0.3
    assert load_pipeline(path, ("detect.detector=onnx:x.onnx",)).config.track.low_iou == 0.4
    assert load_pipeline(path, ("track.low_iou=0.2",)).config.track.low_iou == 0.2


def test_an_unknown_key_for_a_detector_is_named(tmp_path):
    with pytest.raises(ConfigError, match="low_uio"):
        load_pipeline(with_special(tmp_path, "{starter: {track: {low_uio: 0.3}}}"))


def test_settings_for_a_detector_that_are_none_are_named(tmp_path):
    with pytest.raises(ConfigError, match="for_detector"):
        load_pipeline(with_special(tmp_path, "{starter: 3}"))
