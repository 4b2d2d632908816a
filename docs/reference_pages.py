"""Pages of the site that are made from the code while mkdocs builds it: command line, settings, tables of parts."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import textwrap
import typing
from collections.abc import Iterator
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from videohoi.commands.app import app
from videohoi.compile.registry import ENGINES
from videohoi.decode.registry import BACKENDS, SOURCES
from videohoi.detect.registry import KINDS
from videohoi.pipeline.bundled import bundled_folder, load_pipeline
from videohoi.ranges import ranges_of
from videohoi.sink.registry import OUTPUTS

CONFIGS = ("offline_annotation", "robot_perception")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages (an event of mkdocs)."""
    pages = {"command_line": command_line(), "settings": settings(), "parts": parts()}
    for name, text in pages.items():
        path = f"reference/{name}.md"
        files.append(File.generated(config, path, content=text))
    return files


def command_line() -> str:
    """Every command with its help, arguments and options."""
    parts = ["# Command line", "What `videohoi COMMAND --help` says, on one page."]
    root = typer.main.get_command(app)
    for path, command in _commands(root, ("videohoi",)):
        parts += [f"## {' '.join(path)}", inspect.cleandoc(command.help or ""), *_parameters(command)]
    return "\n\n".join(parts) + "\n"


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    children = getattr(command, "commands", {})
    if not children:
        yield path, command
    for name, child in children.items():
        yield from _commands(child, (*path, name))


def _parameters(command: Any) -> list[str]:
    rows = []
    for parameter in command.params:
        is_argument = parameter.param_type_name == "argument"
        names = (
            [parameter.metavar or parameter.name.upper()]
            if is_argument
            else [*parameter.opts, *parameter.secondary_opts]
        )
        text = " ".join((getattr(parameter, "help", "") or "").split()).replace("|", "\\|")
        rows.append(f"| {' '.join(f'`{name}`' for name in names)} | {text} |")
    return ["\n".join(["| | |", "|---|---|", *rows])] if rows else []


def parts() -> str:
    """The tables of inputs, detectors, engines and outputs."""
    tables = (
        ("Inputs", "`videohoi annotate INPUT`; a folder of videos and a quoted glob stand for the files in them.",
         [(kind.usage, kind.what) for kind in SOURCES]),
        ("Backends of video files", "`decode.backend`",
         [(name, backend.what + _needs(backend.extra)) for name, backend in BACKENDS.items()]),
        ("Detectors", "`--detector` or `detect.detector`; also a name of `videohoi models`, once it was downloaded.",
         [(kind.usage, kind.what + _needs("models" if kind.needs else "")) for kind in KINDS]),
        ("Engines of ONNX files", "`detect.engine` and `interact.engine`; `auto` takes OpenVINO where it is installed.",
         [(kind.name, kind.what + _needs(kind.package)) for kind in ENGINES.values()]),
        ("Outputs", "`outputs`, a list", [(output.name, f"writes `{output.file}`") for output in OUTPUTS]),
    )  # fmt: skip
    text = [
        "# Inputs, detectors, engines, outputs",
        "Packages add to each of these tables: `videohoi doctor` lists them.",
    ]
    for title, use, rows in tables:
        text += [
            f"## {title}",
            use,
            "\n".join(["| | |", "|---|---|", *(f"| `{name}` | {what} |" for name, what in rows)]),
        ]
    return "\n\n".join(text) + "\n"


def _needs(extra: str) -> str:
    return f" (needs `pip install 'videohoi[{extra}]'`)" if extra else ""


def settings() -> str:
    """Every key of the shipped configurations: default, meaning."""
    parts = [
        "# Settings",
        "Every key can be set in a YAML file (`--config FILE`) or with `--set KEY=VALUE`. An unknown key and a number "
        "out of its range are errors.",
    ]
    for name in CONFIGS:
        loaded = load_pipeline(name)
        source = (bundled_folder("configs") / "pipelines" / f"{name}.yaml").read_text(encoding="utf-8")
        parts += [f"## {name}", f"```yaml\n{source.strip()}\n```"]
        if name == CONFIGS[0]:
            parts += _section(type(loaded.config), "")
        else:
            known = {field.name for field in dataclasses.fields(load_pipeline(CONFIGS[0]).config)}
            own = [row for row in _rows(type(loaded.config), "") if row.split("`")[1].split(".")[0] not in known]
            parts += ["Its own keys, beside those of offline annotation:", _table(own)]
    return "\n\n".join(parts) + "\n"


def _section(kind: type, prefix: str) -> list[str]:
    parts = []
    own = _rows(kind, prefix)
    if own:
        parts.append(_table(own))
    for field, inner in _nested(kind):
        document = (inner.__doc__ or "").split("\n\n")[0]
        parts += [f"### {prefix}{field}", " ".join(document.split()), *_section(inner, f"{prefix}{field}.")]
    return parts


def _nested(kind: type) -> list[tuple[str, type]]:
    hints = typing.get_type_hints(kind)
    return [
        (field.name, hints[field.name])
        for field in dataclasses.fields(kind)
        if dataclasses.is_dataclass(hints[field.name])
    ]


def _rows(kind: type, prefix: str) -> list[str]:
    texts, hints, ranges = _attribute_docstrings(kind), typing.get_type_hints(kind), ranges_of(kind)
    rows = []
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(hints[field.name]):
            continue
        value = getattr(kind(), field.name)
        text = " ".join(texts.get(field.name, "").split()).replace("|", "\\|")
        allowed = str(ranges.get(field.name, "")).removeprefix("a number ").removeprefix("of ")
        rows.append(f"| `{prefix}{field.name}` | `{value}` | {allowed} | {text} |")
    return rows


def _table(rows: list[str]) -> str:
    return "\n".join(["| key | default | allowed | |", "|---|---|---|---|", *rows])


def _attribute_docstrings(kind: type) -> dict[str, str]:
    """The string under each field, of the class and of those it extends."""
    texts: dict[str, str] = {}
    for part in reversed(kind.__mro__[:-1]):
        tree = ast.parse(textwrap.dedent(inspect.getsource(part)))
        body = typing.cast(ast.ClassDef, tree.body[0]).body
        for before, node in itertools.pairwise(body):
            if (
                isinstance(before, ast.AnnAssign)
                and isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
            ):
                texts[ast.unparse(before.target)] = str(node.value.value)
    return texts
