"""``videohoi models``, ``videohoi models pull`` and ``videohoi doctor``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from videohoi.commands.tables import print_table
from videohoi.compile.registry import ENGINES
from videohoi.detect.registry import KINDS
from videohoi.models.doctor import Finding, diagnose
from videohoi.models.methods import METHODS, MethodFacts
from videohoi.models.pull import pull as pull_file
from videohoi.models.registry import CATALOGUE, cached_model
from videohoi.pipeline.interrupts import interrupts_raise
from videohoi.plugins import package_of, plugins
from videohoi.shipped_weights import DETECTOR
from videohoi.track.kernel_cache import NO_PLACE, compile_now

_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (0, ""))
_DIGITS = 3
_COLOURS = {"ok": "green", "missing": "yellow", "broken": "red"}


def list_models() -> None:
    """Print the tables of methods, detectors and engines."""
    console = Console(highlight=False)
    print_table(console, _methods())
    print_table(console, _origins())
    print_table(console, _detectors())
    print_table(console, _engines())
    console.print("What each method needs and how to get it: docs/methods.md", soft_wrap=True)


def _detectors() -> Table:
    table = Table(title="Detectors", title_justify="left")
    for column in ("name", "what it is", "licence", "here", "use"):
        table.add_column(column)
    shipped = "yes" if DETECTOR.is_present else "no"
    for kind in KINDS:
        what = f"{kind.what}; needs {kind.needs}" if kind.needs else kind.what
        here, use = ("-", f"--detector {kind.usage}") if kind.argument else (shipped, "default")
        table.add_row(kind.usage, what, kind.licence, here, use)
    for name, model in sorted(CATALOGUE.items()):
        here = "yes" if cached_model(name) is not None else "no"
        pull_it = f"videohoi models pull {name}{'' if model.sha256 else ' --accept-unverified'}"
        table.add_row(name, model.what, model.licence, here, f"--detector {name}" if here == "yes" else pull_it)
    for name, point in plugins("detectors").items():
        table.add_row(name, f"of {package_of(point)}", "its own", "yes", f"--detector {name}")
    return table


def _methods() -> Table:
    table = Table(title="Methods that name verbs (--model NAME)", title_justify="left")
    for column in ("name", "parameters", "FLOPs", "own words", "needs"):
        table.add_column(column)
    for facts in METHODS.values():
        table.add_row(
            facts.name, _count(facts.parameters), _flops(facts), "--vocab" if facts.open_vocabulary else "no",
            ", ".join(facts.needs) or "nothing",
        )  # fmt: skip
    for name, point in plugins("heads").items():
        table.add_row(name, "-", "-", "-", f"nothing; of {package_of(point)}")
    return table


def _origins() -> Table:
    table = Table(title="Where the methods come from", title_justify="left")
    for column in ("name", "paper", "code, licence", "weights, licence"):
        table.add_column(column)
    for facts in METHODS.values():
        table.add_row(facts.name, facts.paper, facts.code, facts.weights)
    return table


def _engines() -> Table:
    table = Table(title="Engines of ONNX files (--set detect.engine=NAME)", title_justify="left")
    for column in ("name", "what it is", "here"):
        table.add_column(column)
    for kind in ENGINES.values():
        table.add_row(kind.name, kind.what, escape(kind.missing) or "yes")
    for name, point in plugins("engines").items():
        table.add_row(name, f"of {package_of(point)}", "yes")
    return table


def _flops(facts: MethodFacts) -> str:
    return "-" if facts.flops is None else f"{_count(facts.flops)} at {facts.flops_at}"


def _count(number: int | None) -> str:
    if number is None:
        return "-"
    rounded = float(f"{number:.{_DIGITS}g}")
    unit, letter = next(step for step in _UNITS if rounded >= step[0])
    return f"{rounded / (unit or 1):.{_DIGITS}g} {letter}".rstrip()


def pull(name: str, *, accept_unverified: bool) -> None:
    """Download a model with a progress bar; raises ``ModelError`` that says what to do when it cannot."""
    console = Console(stderr=True, highlight=False)
    with interrupts_raise(), Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=None)
        pulled = pull_file(
            name,
            accept_unverified=accept_unverified,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    state = "checksum verified" if pulled.verified else f"checksum could not be verified: sha256 {pulled.sha256}"
    Console(highlight=False).print(f"{pulled.path} ({state}); use it with --detector {name}", soft_wrap=True)


def show_doctor(*, warm: bool = False, as_json: bool = False) -> int:
    """Print the findings; 1 when something required is missing or broken. ``warm`` compiles the kernels first."""
    console = Console(highlight=False)
    if warm:
        _compile_kernels(Console(stderr=True, highlight=False))
    findings = diagnose()
    if as_json:
        console.print_json(data=[asdict(finding) for finding in findings])
    else:
        print_table(console, _findings(findings))
    return int(any(finding.required and finding.status != "ok" for finding in findings))


def _findings(findings: Sequence[Finding]) -> Table:
    table = Table(title="videohoi doctor", title_justify="left")
    for column in ("part", "state", "detail", "what to type"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        colour = _COLOURS.get(finding.status, "white")
        state = finding.status if finding.status == "ok" or finding.required else f"{finding.status} (optional)"
        table.add_row(finding.name, f"[{colour}]{state}[/]", escape(finding.detail), escape(finding.fix))
    return table


def _compile_kernels(console: Console) -> None:
    with console.status("compiling kernels, once for this machine: some 10 seconds"):
        is_kept = compile_now()
    console.print("kernels are compiled" if is_kept else NO_PLACE, soft_wrap=True)
