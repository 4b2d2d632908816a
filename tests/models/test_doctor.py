from __future__ import annotations

import importlib.metadata
import re
import sys

import pytest

from videohoi import shipped_weights
from videohoi.models import doctor
from videohoi.models.doctor import diagnose


@pytest.fixture
def without_optional(monkeypatch):
    """Keep the slow optional imports out."""
    monkeypatch.setattr(doctor, "OPTIONAL", ())


@pytest.mark.usefixtures("without_optional")
def test_everything_that_the_package_depends_on_is_listed_with_its_version():
    findings = {finding.name: finding for finding in diagnose()}
    stated = [line for line in importlib.metadata.requires("videohoi") if "extra ==" not in line]
    assert len(stated) >= 10
    for line in stated:
        name = re.match(r"[A-Za-z0-9-]+", line)[0].lower()
        finding = findings[doctor.MODULES.get(name, name)]
        assert finding.required
        assert finding.status == "ok", finding
        assert re.match(r"\d", finding.detail)
    assert "CPUExecutionProvider" in findings["onnxruntime"].detail
    assert "H.264" in findings["av"].detail


@pytest.mark.usefixtures("without_optional")
def test_nothing_without_code_behind_it_is_recommended():
    offered = set(importlib.metadata.metadata("videohoi").get_all("Provides-Extra"))
    extras = {name for finding in diagnose() for name in re.findall(r"videohoi\[(\w+)\]", finding.fix)}
    assert extras <= offered
    assert "tensorrt" not in offered


def test_an_old_version_is_broken():
    package = doctor._Package("numpy", "numpy", "pip install numpy", required=True)
    assert doctor._required(package, "1.0").status == "ok"
    finding = doctor._required(package, "999.1")
    assert finding.status == "broken"
    assert "needs 999.1 or newer" in finding.detail


DAMAGES = {
    "cut": lambda data: data[:-100],
    "a flipped byte": lambda data: data[:5000] + bytes([data[5000] ^ 1]) + data[5001:],
    "empty": lambda data: b"",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_weights_are_broken_and_undamaged_ones_are_loaded(monkeypatch, tmp_path, damage):
    shipped = shipped_weights.DETECTOR
    assert doctor._shipped(shipped).status == "ok"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / shipped.file).write_bytes(damage(shipped.read()))
    monkeypatch.setattr(shipped_weights.resources, "files", lambda package: tmp_path)
    finding = doctor._shipped(shipped)
    assert (finding.status, finding.required) == ("broken", True)
    assert "damaged" in finding.detail
    assert "pip install" in finding.fix


@pytest.mark.usefixtures("without_optional")
def test_every_fault_comes_with_what_to_type():
    for finding in diagnose():
        assert finding.detail
        assert finding.status == "ok" or finding.fix


def look(monkeypatch, module):
    monkeypatch.setattr(doctor, "OPTIONAL", (doctor._Package(module, module, f"pip install {module}"),))
    return next(finding for finding in diagnose() if finding.name == module)


def test_a_package_that_is_not_there_is_missing(monkeypatch):
    finding = look(monkeypatch, "no_such_package_at_all")
    assert (finding.status, finding.fix) == ("missing", "pip install no_such_package_at_all")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise OSError('libnvinfer.so.10: cannot open shared object file')", "OSError: libnvinfer.so.10"),
        ("import a_part_that_is_gone", "a_part_that_is_gone"),
        ("raise RuntimeError('operator torchvision::nms does not exist')", "torchvision::nms"),
    ],
)
def test_a_package_that_does_not_import_is_broken(monkeypatch, tmp_path, source, said):
    (tmp_path / "half_a_package.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    finding = look(monkeypatch, "half_a_package")
    assert finding.status == "broken"
    assert said in finding.detail
    assert "\n" not in finding.detail
    sys.modules.pop("half_a_package", None)


def test_kernels_without_a_place_say_what_to_set(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "cache_folder", lambda: None)
    finding = doctor._kernels()
    assert finding.status == "missing"
    assert "NUMBA_CACHE_DIR" in finding.fix
    monkeypatch.setattr(doctor, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(doctor, "are_compiled", lambda: False)
    assert doctor._kernels().fix == "videohoi doctor --warm"
    monkeypatch.setattr(doctor, "are_compiled", lambda: True)
    assert doctor._kernels().status == "ok"
