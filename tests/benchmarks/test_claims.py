"""Every benchmark's comparison holds on small inputs; no time is taken here."""

import importlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

import benchmarks
from benchmarks.__main__ import CLAIMS, app, claim
from benchmarks.harness import Claim, NotEqualError, Options, Row, Timing

FOLDER = Path(benchmarks.__path__[0])
NO_CLAIMS = {"__init__", "__main__", "harness", "results"}


@pytest.mark.parametrize("name", CLAIMS)
def test_subject_and_peers_give_the_same_answers(name):
    assert claim(name).check(Options(quick=True))


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_goes_by_its_module(name):
    assert claim(name).name == name
    assert claim(name).text


def test_every_script_with_a_claim_is_run():
    scripts = {path.stem for path in FOLDER.glob("*.py")} - NO_CLAIMS
    with_claim = {name for name in scripts if hasattr(importlib.import_module(f"benchmarks.{name}"), "CLAIM")}
    assert with_claim == set(CLAIMS)


def test_an_unknown_claim_names_the_known_ones():
    result = CliRunner().invoke(app, ["no_such_claim"])
    assert result.exit_code == 2
    assert "no_such_claim" in result.output


def test_a_difference_makes_the_quick_run_fail(monkeypatch):
    def differs(options):
        raise NotEqualError("row 3: 1 against 2")

    name = "differs"
    module = type("module", (), {"CLAIM": benchmarks.harness.Claim(name, "text", differs, lambda options: [])})
    monkeypatch.setattr("benchmarks.__main__.CLAIMS", (name,))
    monkeypatch.setattr("benchmarks.__main__.importlib.import_module", lambda path: module)
    result = CliRunner().invoke(app, ["--quick"])
    assert result.exit_code == 1
    assert "row 3: 1 against 2" in result.output


def test_a_difference_takes_the_old_ratio_out_of_the_results_and_the_next_claim_is_measured(monkeypatch, tmp_path):
    def differs(options):
        raise NotEqualError("row 3: 1 against 2")

    rows = [Row("case", "all equal", (Timing("ours", (1.0,)), Timing("peer", (30.0,))))]
    claims = {
        "broken": Claim("broken", "text", differs, lambda options: rows),
        "sound": Claim("sound", "text", str, lambda options: rows),
    }
    monkeypatch.setattr("benchmarks.__main__.CLAIMS", tuple(claims))
    monkeypatch.setattr("benchmarks.__main__.claim", lambda name: claims[name])
    for name in ("RECORDS", "RESULTS"):
        monkeypatch.setattr(f"benchmarks.__main__.{name}", tmp_path / name)
    assert CliRunner().invoke(app, []).exit_code == 0
    assert (tmp_path / "RESULTS").read_text(encoding="utf-8").count("| 30 (30-30) |") == 2
    claims["broken"] = Claim("broken", "text", differs, differs)
    assert CliRunner().invoke(app, []).exit_code == 1
    results = (tmp_path / "RESULTS").read_text(encoding="utf-8")
    assert results.count("| 30 (30-30) |") == 1
    assert "NOT EQUAL: row 3: 1 against 2" in results
