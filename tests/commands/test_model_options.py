"""``--model``, ``--weights``, ``--clip-weights``, ``--vocab`` as a user types them, and the list of methods."""

from __future__ import annotations

from pathlib import Path

import pytest

from videohoi.models.methods import METHODS


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "clip_pior"], "unknown model 'clip_pior'; did you mean clip_prior?"),
        (["--vocab", "hold cup"], "model starter has closed classes and cannot take --vocab"),
        (["--model", "eoid", "--vocab", "hold cup"], "model eoid has closed classes"),
        (["--model", "clip_prior", "--vocab", "hodl cup"], "unknown verb 'hodl'; did you mean hold?"),
        (["--model", "lain", "--vocab", "hold unicorn"], "its classes: person, bicycle"),
        (["--model", "clip_prior", "--vocab", ""], "expected phrases as 'hold cup, drink from bottle'"),
        (["--model", "eoid", "--detector", "starter"], "model eoid finds its own boxes; leave --detector starter out"),
        (["--model", "clip_prior", "--weights", "w.pt"], "give w.pt with --clip-weights"),
        (["--model", "clip_prior", "--vocab", "words.txt"], "expected a word list whose name ends in .yaml"),
        (["--set", "model.options.x=1"], "model starter has no use for model.options.x"),
        (["--set", "model.device=cuda"], "model starter has no use for model.device=cuda"),
        (["--set", "model.nme=eoid"], "unknown key model.nme; did you mean model.name?"),
    ],
)
def test_wrong_choices_are_one_line_before_any_work(videohoi, clip, arguments, message):
    outcome = videohoi("annotate", "clip.mp4", "--out", "run", *arguments)
    assert message in outcome.complaint()
    assert outcome.code == 2
    assert not Path("run").exists()


def test_models_lists_every_method_with_its_figures_and_licences(videohoi, monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")
    outcome = videohoi("models")
    assert outcome.code == 0
    lines: dict[str, str] = {}
    for line in outcome.out.splitlines():  # a method has a line in two tables
        if line.startswith("│"):
            lines[line.split()[1]] = lines.get(line.split()[1], "") + line
    assert set(METHODS) <= set(lines)
    assert "191 G at 1280 x 720 px" in lines["eoid"]
    assert "41.7 M" in lines["eoid"]
    assert "Apache-2.0" in lines["eoid"]
    assert "none stated" in lines["hoiclip"]
    assert "--vocab" in lines["lain"]
    assert "arXiv 2203.13954" in outcome.out


def test_help_of_annotate_names_the_options(videohoi):
    outcome = videohoi("annotate", "--help")
    for option in ("--model", "--weights", "--clip-weights", "--vocab"):
        assert option in outcome.out


@pytest.mark.torch
def test_missing_weights_end_the_run_with_what_to_do(videohoi, clip):
    for package in ("torch", "torchvision", "open_clip", "timm"):
        pytest.importorskip(package, reason=f"the models extra ({package}) is not installed")
    outcome = videohoi("annotate", "clip.mp4", "--model", "eoid", "--out", "run")
    assert "https://github.com/mrwu-mac/EoID" in outcome.complaint()
    assert "videohoi models import CKPT --as eoid" in outcome.complaint()
    assert outcome.code == 1
    assert not Path("run").exists()
