"""The command line: one command a verb. Heavy imports happen inside the commands, so that ``--help`` is quick."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from videohoi import __version__
from videohoi.errors import VideohoiError

INTERRUPTED_EXIT_CODE = 1

app = typer.Typer(
    name="videohoi",
    help="Who does what with which thing in a video, from when to when.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
eval_app = typer.Typer(help="How good is a run? Compare it with hand-made truth.", no_args_is_help=True)
models_app = typer.Typer(help="Which detectors exist, and which are on this machine.", invoke_without_command=True)
app.add_typer(eval_app, name="eval")
app.add_typer(models_app, name="models")

OutFolder = Annotated[
    Path | None, typer.Option("--out", "-o", help="Folder for the results. Default: beside each video.", metavar="DIR")
]
DetectorSpec = Annotated[
    str | None,
    typer.Option(
        "--detector", "-d", metavar="NAME",
        help="`starter` (shipped), `onnx:FILE` (any YOLOX-style ONNX file), or a name of `videohoi models`.",
    ),
]  # fmt: skip
ConfigSpec = Annotated[
    str, typer.Option("--config", "-c", metavar="NAME|FILE", help="Shipped configuration or a YAML file.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one setting, as `smooth.tau_seconds=0.3`. Repeatable."),
]
Overlay = Annotated[bool, typer.Option("--overlay/--no-overlay", help="Draw `overlay.mp4`; it is the costly output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no tables; errors only.")]


@app.command(no_args_is_help=True)
def annotate(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Video files, folders of videos, quoted globs, GIFs, folders of images, `frames_%06d.jpg`.",
        ),
    ],
    out: OutFolder = None,
    detector: DetectorSpec = None,
    config: ConfigSpec = "offline_annotation",
    settings: Settings = None,
    overlay: Overlay = True,
    resume: Annotated[
        bool, typer.Option("--resume", help="Skip inputs whose results are complete and of the same settings.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Annotate videos: who does what with which thing, from when to when.

    Writes `CLIP.videohoi/` for each input: `segments.csv` (the interactions), `tracks.csv` (the boxes), `events.jsonl`,
    `frames.jsonl`, `pairs.csv`, `overlay.mp4` (watch it) and `report.json` (speed, versions, what went wrong).

    For example:

        videohoi annotate clip.mp4

        videohoi annotate videos/ --out run1/ --resume

        videohoi annotate clip.mp4 --detector onnx:yolox_nano.onnx --set smooth.on_threshold=0.6

    Exit code: 0 done; 1 an input or output failed, or interrupted; 2 wrong usage; 3 some of several inputs failed.
    """
    from videohoi.commands.annotate import AnnotateRequest, run_annotate

    request = AnnotateRequest(tuple(inputs), out, detector, config, tuple(settings or ()), overlay, resume, quiet)
    raise typer.Exit(run_annotate(request))


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Where the clip and its results go.")] = Path(
        "videohoi-demo"
    ),
    detector: DetectorSpec = None,
    quiet: Quiet = False,
) -> None:
    """Make a short clip, run the main job on it and say where to look. Needs no input and no network.

    The clip shows a person and a cup of coffee that comes and goes; its truth is known, so the result is scored too.
    """
    from videohoi.commands.demo import run_demo

    raise typer.Exit(run_demo(out, detector, quiet=quiet))


@models_app.callback()
def models(context: typer.Context) -> None:
    """List detectors: what they are, their licence, and whether they are on this machine."""
    if context.invoked_subcommand is None:
        from videohoi.commands.models import list_models

        list_models()


@models_app.command("pull", no_args_is_help=True)
def pull_model(
    name: Annotated[str, typer.Argument(help="A name of `videohoi models`.")],
    accept_unverified: Annotated[
        bool, typer.Option("--accept-unverified", help="Take a file whose checksum is not known here.")
    ] = False,
) -> None:
    """Download a public detector by name and check its checksum. Nothing is ever downloaded by itself."""
    from videohoi.commands.models import pull

    pull(name, accept_unverified=accept_unverified)


@app.command()
def doctor() -> None:
    """What can run here, with which engine, what is missing and what to type."""
    from videohoi.commands.models import show_doctor

    raise typer.Exit(show_doctor())


@eval_app.command("segments", no_args_is_help=True)
def eval_segments(
    run: Annotated[Path, typer.Argument(help="A result folder, or a folder of them.", metavar="RUN")],
    truth: Annotated[Path, typer.Argument(help="A truth JSON file, or a folder of them.", metavar="TRUTH")],
    threshold: Annotated[
        float | None,
        typer.Option(help="Keep segments with at least this score. Default: chosen leave-one-clip-out.", min=0, max=1),
    ] = None,
    iou: Annotated[float, typer.Option("--tiou", help="Temporal IoU at which a state counts as found.")] = 0.3,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write every figure as JSON.")
    ] = None,
) -> None:
    """Score predicted segments against hand-made truth, per clip and on average, beside the always-on baseline.

    Strict: human, verb and object must agree. Agnostic: any interaction of the pair. See the documentation of
    `videohoi.evaluate.segments` for the exact rules.
    """
    from videohoi.commands.evaluate import show_segments

    show_segments(run, truth, threshold=threshold, minimum_iou=iou, json_file=json_file)


def _version(show: bool) -> None:
    if show:
        typer.echo(f"videohoi {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Who does what with which thing in a video, from when to when."""


def main() -> None:
    """Entry point: one clear line on stderr and an exit code instead of a traceback."""
    try:
        app()
    except VideohoiError as error:
        _complain(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _complain("interrupted")
        sys.exit(INTERRUPTED_EXIT_CODE)
    except BrokenPipeError:
        sys.exit(1)


def _complain(message: str) -> None:
    typer.echo(f"videohoi: {' '.join(message.split())}", err=True)


if __name__ == "__main__":
    main()
