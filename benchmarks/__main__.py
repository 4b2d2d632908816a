"""``python -m benchmarks``: run all claims (or the named ones) and rewrite their part of ``benchmarks/RESULTS.md``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from benchmarks.harness import ROUNDS, Claim, NotEqualError, Options, Row
from benchmarks.results import RECORDS, RESULTS, Measured, as_json, as_markdown, from_json, machine

CLAIMS: tuple[str, ...] = (
    "tracking_default_speed",
    "tracking_flat",
    "tracking_quality",
    "post_stage",
    "hand_off",
    "graph_throughput",
    "graph_vs_process_video",
    "live_latency",
    "graph_failures",
    "hico_evaluation",
    "lain_patch_stream",
)
"""modules of this package, in the order of the results"""

app = typer.Typer(add_completion=False)


def claim(name: str) -> Claim:
    """The claim of module ``name``."""
    found: Claim = importlib.import_module(f"benchmarks.{name}").CLAIM
    return found


@app.command()
def run(
    names: Annotated[list[str] | None, typer.Argument(help="Claims to run; all when none is named.")] = None,
    peer_path: Annotated[Path | None, typer.Option(help="Folder with checkouts of peers, see README.md here.")] = None,
    rounds: Annotated[
        int, typer.Option(min=1, help="Rounds of each measurement; 5 or more for a figure to publish.")
    ] = ROUNDS,
    quick: Annotated[bool, typer.Option(help="Compare answers only, on small inputs; take no figure.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write everything as JSON.")] = None,
) -> None:
    """Compare answers with the peers, then measure ratios; no ratio is printed where answers differ."""
    unknown = sorted(set(names or ()) - set(CLAIMS))
    if unknown:
        raise typer.BadParameter(f"unknown claim {', '.join(unknown)}; known: {', '.join(CLAIMS)}")
    chosen = tuple(name for name in CLAIMS if not names or name in names)
    options = Options(peer_path, rounds, quick)
    console = Console()
    if quick:
        sys.exit(_compare(chosen, options, console))
    measured = from_json(RECORDS.read_text(encoding="utf-8")) if RECORDS.is_file() else {}
    different = 0
    for name in track(chosen, description="measuring", console=console):
        about, found = machine(), claim(name)
        try:
            rows = tuple(found.measure(options))
        except NotEqualError as error:  # an earlier ratio must not outlive this
            different += 1
            rows = (Row("answers differ, nothing was timed", f"NOT EQUAL: {error}", met=False),)
        measured[name] = Measured(found.text, rows, about)
        console.print(as_markdown({name: measured[name]}), markup=False)
        _keep({known: measured[known] for known in CLAIMS if known in measured})
    if json_file is not None:
        json_file.write_text(as_json({name: measured[name] for name in chosen}), encoding="utf-8")
    if different:
        sys.exit(1)


def _keep(measured: Mapping[str, Measured]) -> None:
    RECORDS.write_text(as_json(measured), encoding="utf-8")
    RESULTS.write_text(as_markdown(measured), encoding="utf-8")


def _compare(names: tuple[str, ...], options: Options, console: Console) -> int:
    """Number of claims whose answers differ."""
    different = 0
    for name in names:
        try:
            console.print(f"{name}: {claim(name).check(options)}", markup=False)
        except NotEqualError as error:
            different += 1
            console.print(f"{name}: NOT EQUAL: {error}", markup=False)
    return different


if __name__ == "__main__":
    app()
