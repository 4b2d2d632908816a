"""The table of methods."""

from __future__ import annotations

import subprocess
import sys

import pytest

from videohoi.errors import ModelError, UsageError
from videohoi.interact.methods import STARTER, TABLE, method
from videohoi.models.methods import METHODS, weights_advice
from videohoi.vocabulary.prompts import PROMPTS


def test_every_method_has_its_facts_and_every_fact_a_method():
    assert set(METHODS) == {STARTER, *TABLE}
    for name, entry in TABLE.items():
        assert entry.name == name == entry.facts.name
        assert (entry.head is None) == entry.facts.finds_boxes == (entry.runner is not None)
        assert entry.facts.open_vocabulary == (entry.prompts is not None)
        assert entry.prompts is None or entry.prompts in PROMPTS


def test_a_wrong_name_offers_the_nearest():
    with pytest.raises(UsageError, match="did you mean hoiclip"):
        method("hoiclp")
    with pytest.raises(UsageError, match="expected one of starter, clip_prior"):
        method("###")


def test_naming_methods_and_their_facts_loads_no_torch():
    code = (
        "import sys\nfrom videohoi.interact.methods import TABLE, method\nmethod('lain').facts\n"
        "sys.exit(bool({'torch', 'open_clip', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_package_is_one_line_with_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [name for name in sys.modules if name.startswith(("videohoi.interact.heads.", "videohoi.layers."))]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(
        ModelError, match=r"model eoid needs torch, which is not installed; pip install 'videohoi\[models\]'"
    ):
        method("eoid").load()


@pytest.mark.torch
@pytest.mark.parametrize("name", list(TABLE))
def test_what_the_table_names_is_there(name):
    for package in ("torch", "torchvision", "open_clip", "timm"):
        pytest.importorskip(package, reason=f"the models extra ({package}) is not installed")
    entry = method(name)
    config = entry.load(entry.config)()
    assert callable(entry.load(entry.model))
    assert callable(entry.load(entry.head or entry.runner))
    if name != "clip_prior":
        key_map, ignored = entry.tables(config)
        assert key_map
        assert all(len(row) == 2 for row in (*key_map, *ignored))


def test_advice_names_the_place_and_the_command():
    assert "https://github.com/mrwu-mac/EoID" in weights_advice("eoid")
    assert "videohoi models import CKPT --as eoid" in weights_advice("eoid")
    assert "nobody publishes any" in weights_advice("ki2hoi")
