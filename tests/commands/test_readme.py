"""Every command and every Python name in the README exists."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from importlib import metadata
from pathlib import Path

import pytest
import typer

from videohoi.commands.app import app

README = Path(__file__).resolve().parents[2] / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCK.findall(README.read_text(encoding="utf-8")) if name == language]


def commands() -> list[list[str]]:
    """The words of each command of the bash blocks; ``a && b`` are two."""
    lines = "\n".join(blocks("bash")).replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    return [part for line in words for part in split_at(line, "&&") if part]


def split_at(words: list[str], separator: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == separator:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def own_commands() -> list[list[str]]:
    return [words[1:] for words in commands() if Path(words[0]).name == "videohoi"]


def installs() -> list[str]:
    """What each ``pip install`` names."""
    return [word for words in commands() if "install" in words for word in words[words.index("install") + 1 :]]


def test_there_is_something_to_check():
    assert own_commands()
    assert blocks("python")
    assert installs()


@pytest.mark.parametrize("words", own_commands(), ids=" ".join)
def test_a_command_line_parses(words):
    """Options and arguments are known and complete; nothing is run."""
    command, context = typer.main.get_command(app), None
    while hasattr(command, "commands"):
        context = command.make_context("videohoi", [], parent=context, resilient_parsing=True)
        if not words or words[0] not in command.commands:
            break
        command, words = command.commands[words[0]], words[1:]
    else:
        command.make_context(command.name, list(words), parent=context)
        return
    assert not words, f"{words[0]} is no command"


def test_what_is_installed_has_the_extras_that_are_named():
    offered = set(metadata.metadata("videohoi").get_all("Provides-Extra") or ())
    named = {extra for word in installs() for extras in re.findall(r"\[(.+?)\]", word) for extra in extras.split(",")}
    assert named <= offered


def test_a_fresh_machine_gets_the_demo_and_the_tests_from_one_line_each():
    lines = [line for text in blocks("bash") for line in text.splitlines() if "pip install" in line]
    assert any("videohoi demo" in line for line in lines)
    assert any("pytest" in line and "[dev]" in line for line in lines)


@pytest.mark.parametrize("text", blocks("python"))
def test_python_blocks_compile_and_import_what_exists(text):
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module or "")
            assert all(hasattr(module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "videohoi":
            assert hasattr(importlib.import_module("videohoi"), node.attr)


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)#]+)", README.read_text(encoding="utf-8")))
def test_links_lead_to_files_of_the_repository(link):
    assert (README.parent / link).exists(), link
