"""Which module names which: by imports, also inside functions, and by texts like "videohoi.room:name"."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = re.compile(r"videohoi(\.\w+)+(:\w+)?")


def modules() -> dict[str, Path]:
    """Every module of the package by name."""
    files = [path for path in (ROOT / "videohoi").rglob("*.py") if "_bundled" not in path.parts]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def imported(tree: ast.AST) -> Iterator[str]:
    """Names after ``import`` and ``from``; a name of a module that is imported from may itself be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def without_type_checking(tree: ast.AST) -> ast.AST:
    """``tree`` without what stands under ``if TYPE_CHECKING``."""

    class Dropper(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
            self.generic_visit(node)
            return node.orelse if "TYPE_CHECKING" in ast.unparse(node.test) else node

    return Dropper().visit(tree)


def texts(tree: ast.AST) -> Iterator[str]:
    """Constant texts, and sums of them and of names that are assigned one in the same file."""
    known = {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    def value(node: ast.AST) -> str | None:
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            return known.get(node.id)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = value(node.left), value(node.right)
            return None if left is None or right is None else left + right
        return None

    yield from (text for node in ast.walk(tree) if (text := value(node)) is not None)


def named_in(path: Path, known: dict[str, Path], *, registries: bool = True) -> set[str]:
    """Modules of ``known`` that the file imports, or, with ``registries``, names in a text."""
    tree = without_type_checking(ast.parse(path.read_text(encoding="utf-8")))
    names = set(imported(tree))
    if registries:
        names |= {text.partition(":")[0] for text in texts(tree) if TARGET.fullmatch(text)}
    return {module for name in names if (module := nearest_module(name, known))} - {"videohoi"}


def nearest_module(name: str, known: dict[str, Path]) -> str:
    """``videohoi.files`` of ``videohoi.files.write_whole``; empty for what is outside of the package."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name
