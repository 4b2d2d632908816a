"""Every module is used by a command, a pipeline, a public name or training; no module imports itself in a circle."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import pytest
from import_graph import ROOT, modules, named_in

MODULES = modules()


def reached(known, roots, extra=()) -> set[str]:
    todo = list(roots)
    for path in extra:
        todo += named_in(path, known)
    seen: set[str] = set()
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            todo += named_in(known[module], known)
            todo += {module.rpartition(".")[0]} & known.keys()
    return seen


def circle(known) -> list[str]:
    """The modules of one circle of imports, lazy ones counted; empty when there is none."""
    graph = {module: named_in(path, known, registries=False) - {module} for module, path in known.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_every_module_is_reached() -> None:
    roots = {"videohoi", "videohoi.cli", "videohoi.__main__"} | {
        name for name in MODULES if name.startswith("videohoi.train")
    }
    unused = MODULES.keys() - reached(MODULES, roots, (ROOT / "pipelines").glob("*.py"))
    assert not unused, f"wire these modules in or delete them: {', '.join(sorted(unused))}"


def test_there_is_no_circle_of_imports() -> None:
    found = circle(MODULES)
    assert not found, " -> ".join(found)


@pytest.fixture
def tiny(tmp_path):
    files = {
        "videohoi": "HOMES = {'a': 'videohoi.public'}\n",
        "videohoi.public": "def load():\n    from videohoi.lazy import name\n",
        "videohoi.lazy": 'ROOM = "videohoi.heads."\nTABLE = [ROOM + "one", "videohoi.heads.two:Head"]\n',
        "videohoi.heads.one": "",
        "videohoi.heads.two": "from videohoi.lazy import ROOM\n",
        "videohoi.unwired": "from videohoi.public import load\n",
        "videohoi.spoken_of": "",
        "videohoi.typed": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import videohoi.spoken_of\n",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    return {name: tmp_path / f"{name}.py" for name in files}


def test_the_walk_follows_lazy_imports_and_registries(tiny) -> None:
    expected = {"videohoi", "videohoi.public", "videohoi.lazy", "videohoi.heads.one", "videohoi.heads.two"}
    assert reached(tiny, {"videohoi"}) == expected


def test_the_walk_finds_lazy_circles_and_leaves_types_out(tiny) -> None:
    assert circle(tiny) == []
    tiny["videohoi.heads.two"].write_text("from videohoi.public import load\n")
    tiny["videohoi.public"].write_text(
        "def load():\n    from videohoi.heads import two\n    import videohoi.heads.two\n"
    )
    assert set(circle(tiny)) == {"videohoi.public", "videohoi.heads.two"}
