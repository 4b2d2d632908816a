"""The commands and their options. Heavy imports happen inside the commands, so that ``--help`` is quick."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast

import typer

from videohoi import __version__
from videohoi.commands.data import data_app
from videohoi.commands.eval_app import eval_app
from videohoi.commands.vocab import vocab_app
from videohoi.decode.registry import SOURCES
from videohoi.detect.registry import KINDS as DETECTORS
from videohoi.errors import UsageError

_WRONG_USAGE = cast("type[Exception]", typer.BadParameter.__bases__[0])
"""click's UsageError; newer releases of typer contain a copy of click"""
_HELP_WAS_SHOWN = "NoArgsIsHelpError"
"""typer does not export this class"""
_INTERRUPTED_CODE = 130
"""typer's exit code after a KeyboardInterrupt"""
_GREETING = """videohoi: who does what with which thing in a video, from when to when.

  videohoi demo                 make a short clip and annotate it
  videohoi annotate clip.mp4    write clip.videohoi/: tables, events, a video with everything drawn on
  videohoi doctor               what this machine has and lacks

All commands: videohoi --help"""
_START = """Start here:

`videohoi demo` makes a short clip and annotates it

`videohoi annotate clip.mp4` writes `clip.videohoi/`

`videohoi doctor` says what this machine lacks"""

app = typer.Typer(
    name="videohoi",
    help="Who does what with which thing in a video, from when to when.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog=_START,
)
models_app = typer.Typer(help="Which detectors and methods exist, and what they need.", invoke_without_command=True)
app.add_typer(eval_app, name="eval")
app.add_typer(models_app, name="models")
app.add_typer(vocab_app, name="vocab")
app.add_typer(data_app, name="data")

OutFolder = Annotated[
    Path | None, typer.Option("--out", "-o", help="Folder for the results. Default: beside each video.", metavar="DIR")
]
DetectorSpec = Annotated[
    str | None,
    typer.Option(
        "--detector", "-d", metavar="NAME",
        help="".join(f"`{kind.usage}`: {kind.what}; " for kind in DETECTORS)
        + "a name of `videohoi models`, or one that a package adds.",
    ),
]  # fmt: skip
ModelName = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", metavar="NAME", help="What names the verbs: `starter`, or a method of `videohoi models`."
    ),
]
Weights = Annotated[
    Path | None, typer.Option("--weights", metavar="FILE", help="The method's weights, from `videohoi models import`.")
]
ClipWeights = Annotated[
    str | None,
    typer.Option("--clip-weights", metavar="FILE", help="CLIP's weights; `random` only to try that all parts fit."),
]
Words = Annotated[
    str | None,
    typer.Option(
        "--vocab", metavar="WORDS",
        help="Your own words, as `'hold cup, drink from bottle'` or a word list FILE.yaml; for methods that read text.",
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


@app.command()
def annotate(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="".join(f"`{kind.usage}`: {kind.what}; " for kind in SOURCES if not kind.is_live)
            + "a folder of videos, a quoted glob such as `'videos/**/*.mp4'`, or what an installed package reads.",
        ),
    ],
    out: OutFolder = None,
    detector: DetectorSpec = None,
    model: ModelName = None,
    weights: Weights = None,
    clip_weights: ClipWeights = None,
    vocab: Words = None,
    config: ConfigSpec = "offline_annotation",
    settings: Settings = None,
    overlay: Overlay = True,
    resume: Annotated[
        bool, typer.Option("--resume", help="Skip inputs whose results are there, of the same settings.")
    ] = False,
    whole_hash: Annotated[
        bool, typer.Option("--whole-hash", help="Tell inputs apart by all their bytes, not by samples. Slower.")
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

        videohoi annotate clip.mp4 --model clip_prior --clip-weights ViT-B-32.pt --vocab "hold cup, drink from bottle"

    Exit code: 0 done; 1 an input or output failed, or interrupted; 2 wrong usage; 3 some of several inputs failed.
    """
    from videohoi.commands.annotate import AnnotateRequest, run_annotate

    request = AnnotateRequest(
        tuple(inputs), out, detector, config, tuple(settings or ()), overlay, resume, quiet,
        model, weights, clip_weights, vocab, whole_hash,
    )  # fmt: skip
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

    The clip shows a person and a cup of coffee that comes and goes; its truth is known, so the result can be scored.

    For example:

        videohoi demo --out my-demo/
    """
    from videohoi.commands.demo import run_demo

    raise typer.Exit(run_demo(out, detector, quiet=quiet))


@models_app.callback()
def models(context: typer.Context) -> None:
    """List detectors and methods: what they are, what they need, their licences, what is on this machine."""
    if context.invoked_subcommand is None:
        from videohoi.commands.models import list_models

        list_models()


@models_app.command("pull")
def pull_model(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of `videohoi models`.")],
    accept_unverified: Annotated[
        bool, typer.Option("--accept-unverified", help="Take a file whose checksum is not known here.")
    ] = False,
) -> None:
    """Download a public detector by name and check its checksum. Nothing is ever downloaded by itself.

    For example:

        videohoi models pull yolox_nano
    """
    from videohoi.commands.models import pull

    pull(name, accept_unverified=accept_unverified)


@models_app.command("import")
def import_model(
    checkpoint: Annotated[Path, typer.Argument(metavar="CKPT", help="A published checkpoint, .pth or .safetensors.")],
    name: Annotated[str, typer.Option("--as", metavar="NAME", help="The method it belongs to, as `eoid`.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to write. Default: beside it.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A size that differs from the paper's, as `queries=100`."),
    ] = None,
) -> None:
    """Turn a published checkpoint into a file for `--weights`; refuses what does not fit and says what differs.

    For example:

        videohoi models import hico_gen_vlkt_s.pth --as gen_vlkt

        videohoi models import rf_uc.pth --as gen_vlkt --set seen_classes=480 --out gen_rf_uc.safetensors
    """
    from videohoi.commands.import_weights import import_checkpoint

    import_checkpoint(checkpoint, name, out, tuple(settings or ()))


@app.command()
def doctor(
    warm: Annotated[
        bool, typer.Option("--warm", help="Also compile the kernels now (some 10 s), so that no later run has to.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """What can run here, with which engine, what is missing and what to type.

    Exit code: 0 when everything that the starter needs is there, 1 otherwise.

    For example:

        videohoi doctor --warm
    """
    from videohoi.commands.models import show_doctor

    raise typer.Exit(show_doctor(warm=warm, as_json=as_json))


def _version(show: bool) -> None:
    if show:
        typer.echo(f"videohoi {__version__}")
        raise typer.Exit


@app.callback()
def common(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Who does what with which thing in a video, from when to when."""
    if context.invoked_subcommand is None:
        typer.echo(_GREETING)


def run_app(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (default: the process's own); gives the exit code.

    Raises:
        UsageError: an unknown command or option, a missing or impossible value; says where help is.
        VideohoiError: what the command raised.
        KeyboardInterrupt: interrupted.
    """
    try:
        code = app(args=arguments, prog_name="videohoi", standalone_mode=False)
    except typer.Abort as abort:
        raise KeyboardInterrupt from abort
    except _WRONG_USAGE as error:
        if type(error).__name__ == _HELP_WAS_SHOWN:
            return UsageError.exit_code
        raise UsageError(_usage_line(error)) from error
    if code == _INTERRUPTED_CODE:
        raise KeyboardInterrupt
    return int(code or 0)


def _usage_line(error: Exception) -> str:
    context, message = getattr(error, "ctx", None), getattr(error, "format_message", error.__str__)()
    command = "videohoi" if context is None else context.command_path
    return f"{message.rstrip('.')}; see: {command} --help"
