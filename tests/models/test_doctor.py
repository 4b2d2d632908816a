from __future__ import annotations

import sys

import pytest

from videohoi.models import doctor
from videohoi.models.doctor import diagnose


@pytest.fixture
def without_optional(monkeypatch):
    """Keep the slow optional imports out."""
    quick = tuple(package for package in doctor.PACKAGES if package.required)
    monkeypatch.setattr(doctor, "PACKAGES", quick)


@pytest.mark.usefixtures("without_optional")
def test_core_packages_are_found_here():
    found = {finding.name: finding for finding in diagnose()}
    for name in ("python", "onnxruntime", "av", "numpy", "cv2", "numba"):
        assert found[name].status == "ok", found[name]
    assert "CPUExecutionProvider" in found["onnxruntime"].detail
    assert "H.264" in found["av"].detail
    assert found["starter weights"].status in ("ok", "missing")


@pytest.mark.usefixtures("without_optional")
def test_every_fault_comes_with_what_to_type():
    for finding in diagnose():
        assert finding.detail
        assert finding.status == "ok" or finding.fix


def look(monkeypatch, module):
    monkeypatch.setattr(doctor, "PACKAGES", (doctor._Package(module, module, f"pip install {module}"),))
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


def test_a_numba_cache_that_cannot_be_written_is_reported(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file" / "below"))
    finding = doctor._numba_cache()
    assert finding.status == "broken"
    assert "NUMBA_CACHE_DIR" in finding.fix
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "new" / "folder"))
    assert doctor._numba_cache().status == "ok"
