from __future__ import annotations

from pathlib import Path

import pytest

from videohoi.errors import UsageError
from videohoi.models.registry import CATALOGUE, cache_folder, cached_model, lookup


def test_every_entry_states_its_facts():
    for name, model in CATALOGUE.items():
        assert model.name == name
        assert model.url.startswith("https://")
        assert model.licence
        assert model.sha256 is None or len(model.sha256) == 64
        assert model.input_size_px % 32 == 0


def test_unknown_name_offers_the_nearest():
    with pytest.raises(UsageError, match="did you mean yolox_tiny"):
        lookup("yolox_tny")
    with pytest.raises(UsageError, match="known: yolox_nano"):
        lookup("###")


def test_cache_folder_follows_the_variables(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("VIDEOHOI_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "videohoi"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "videohoi"
    monkeypatch.setenv("VIDEOHOI_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    assert not cache_folder().exists()


def test_cached_model_is_found_once_it_is_there(monkeypatch, tmp_path):
    monkeypatch.setenv("VIDEOHOI_CACHE", str(tmp_path))
    assert cached_model("yolox_s") is None
    (tmp_path / "yolox_s.onnx").write_bytes(b"x")
    assert cached_model("yolox_s") == tmp_path / "yolox_s.onnx"
