"""Every shipped configuration is loaded by the code that takes it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from videohoi.config import apply_overrides, build, fingerprint, read_mapping
from videohoi.errors import ConfigError
from videohoi.pipeline.bundled import bundled_folder, load_pipeline

ROOT = Path(__file__).resolve().parents[1]
PIPELINE_CONFIGS = sorted((ROOT / "configs" / "pipelines").glob("*.yaml"))
TRAIN_CONFIGS = sorted((ROOT / "configs" / "train").glob("*.yaml"))


@pytest.mark.parametrize("path", PIPELINE_CONFIGS, ids=lambda path: path.stem)
def test_pipeline_configs_load_by_name_and_by_path(path: Path) -> None:
    by_name, by_path = load_pipeline(path.stem), load_pipeline(path)
    assert fingerprint(by_name.config) == fingerprint(by_path.config)
    assert callable(by_name.module.build)


def test_every_pipeline_module_has_a_config_and_is_short() -> None:
    for path in sorted((ROOT / "pipelines").glob("*.py")):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 100
        assert path.stem in {read_mapping(config)["pipeline"] for config in PIPELINE_CONFIGS}


@pytest.mark.torch
@pytest.mark.parametrize("path", TRAIN_CONFIGS, ids=lambda path: path.stem)
def test_train_configs_load(path: Path) -> None:
    pytest.importorskip("torch", reason="the train extra (torch) is not installed")
    if path.stem == "starter_detector":
        pytest.importorskip("onnx", reason="the train extra (onnx) is not installed")
        from videohoi.train.detector_loop import load_training

        assert load_training(path).phases
    else:
        assert read_mapping(path)


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"unknown key smooth\.tau_second; did you mean smooth\.tau_seconds\?"):
        load_pipeline("offline_annotation", ("smooth.tau_second=0.3",))


@dataclass(frozen=True)
class Inner:
    size_px: int = 1


@dataclass(frozen=True)
class Outer:
    section: Inner | None = None


def test_a_section_that_may_be_left_out_is_read_as_strictly_as_the_others() -> None:
    assert build(Outer, {"section": {"size_px": 3}}) == Outer(Inner(3))
    assert build(Outer, {"section": None}) == Outer()
    with pytest.raises(ConfigError, match=r"unknown key section\.sise_px; did you mean section\.size_px\?"):
        build(Outer, {"section": {"sise_px": 3}})


def test_a_wrong_type_names_the_key_and_the_value() -> None:
    with pytest.raises(ConfigError, match=r"smooth\.tau_seconds: .*valid number.*'fast'"):
        load_pipeline("offline_annotation", ("smooth.tau_seconds=fast",))


def test_an_unknown_configuration_offers_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean offline_annotation"):
        load_pipeline("offline_anotation")


def test_overrides_reach_nested_values_and_change_the_fingerprint() -> None:
    plain = load_pipeline("offline_annotation").config
    changed = load_pipeline("offline_annotation", ("smooth.motion.moving_logit=2.5",)).config
    assert changed.smooth.motion.moving_logit == 2.5
    assert fingerprint(plain) != fingerprint(changed)


@pytest.mark.parametrize("override", ["smooth.tau_seconds", "=3", "detect.detector.name=x"])
def test_malformed_overrides_are_refused(override: str) -> None:
    with pytest.raises(ConfigError, match="--set"):
        apply_overrides({"detect": {"detector": "starter"}}, [override])


def test_a_file_that_is_not_yaml_is_one_clear_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: [1, 2\nb: }", encoding="utf-8")
    with pytest.raises(ConfigError, match="not valid YAML") as caught:
        read_mapping(bad)
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_mapping(tmp_path / "missing.yaml")


def test_a_users_own_pipeline_file_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\n\n\n@dataclass(frozen=True)\nclass Config:\n    size: int = 1\n\n\n"
        "def build(config, source, branches=(), header=None):\n    return None\n",
        encoding="utf-8",
    )
    (tmp_path / "mine.yaml").write_text("pipeline: mine.py\nsize: 3\n", encoding="utf-8")
    assert load_pipeline(tmp_path / "mine.yaml").config.size == 3


def test_a_pipeline_without_build_is_refused(tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text("Config = dict\n", encoding="utf-8")
    (tmp_path / "half.yaml").write_text("pipeline: half.py\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="build is missing"):
        load_pipeline(tmp_path / "half.yaml")


def test_shipped_folders_exist() -> None:
    assert (bundled_folder("pipelines") / "offline_annotation.py").is_file()
    assert (bundled_folder("configs") / "pipelines" / "offline_annotation.yaml").is_file()


def test_build_refuses_unknown_keys_of_plain_dataclasses() -> None:
    from videohoi.pipeline.settings import OverlaySettings

    with pytest.raises(ConfigError, match="did you mean preset"):
        build(OverlaySettings, {"presett": "fast"})
