"""``videohoi eval``: the commands and their options. Heavy imports happen inside the commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

eval_app = typer.Typer(help="How good is a run? Compare it with hand-made truth.", no_args_is_help=True)

JsonFile = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write every figure as JSON.")]
HtmlFile = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Also write one HTML page with plots.")]
DataFolder = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", envvar="VIDEOHOI_DATA", help="Folder that holds `hicodet/` and the like."),
]

Outside = Annotated[
    str, typer.Option(metavar="RULE", help="Boxes that leave their picture: `error`, `keep` or `clip`.")
]


@eval_app.command("segments")
def eval_segments(
    run: Annotated[Path, typer.Argument(help="A result folder, or a folder of them.", metavar="RUN")],
    truth: Annotated[Path, typer.Argument(help="A truth JSON file, or a folder of them.", metavar="TRUTH")],
    threshold: Annotated[
        float | None,
        typer.Option(help="Keep segments with at least this score. Default: chosen leave-one-clip-out.", min=0, max=1),
    ] = None,
    choose_by: Annotated[
        str,
        typer.Option(help="Whose F1 on the other clips chooses a clip's threshold: strict or agnostic."),
    ] = "strict",
    iou: Annotated[
        float, typer.Option("--tiou", help="Temporal IoU at which a state counts as found: 0.3 or 0.5.")
    ] = 0.3,
    json_file: JsonFile = None,
) -> None:
    """Score predicted segments against hand-made truth, per clip and on average, beside the always-on baseline.

    Strict: human, verb and object must agree. Agnostic: any interaction of the pair. See the documentation of
    `videohoi.evaluate.segments.scoring` for the exact rules.

    For example:

        videohoi eval segments run1/ truth/

        videohoi eval segments clip.videohoi/ clip.json --threshold 0.5 --tiou 0.5 --json scores.json
    """
    from videohoi.commands.evaluate import show_segments

    show_segments(run, truth, threshold=threshold, choose_by=choose_by, minimum_iou=iou, json_file=json_file)


@eval_app.command("hico")
def eval_hico(
    predictions: Annotated[
        Path, typer.Argument(metavar="PRED", help="A run of this project, or a JSON or pickled list of predictions.")
    ],
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="`instances_test2015.json`, `test_hico.json` or `anno_bbox.mat`. Default: from --data."
        ),
    ] = None,
    image_labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Image-level labels for Known Object, JSON or `anno.mat`. Default: from --data, or the boxes.",
        ),
    ] = None,
    data: DataFolder = None,
    split: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Zero-shot split: rf-uc, nf-uc, uo, uv, ua, uc0 to uc4, uc (all five)."),
    ] = None,
    convention: Annotated[
        str, typer.Option(metavar="NAME", help="Whose rules: official, qpic, pocket, gen or upt.")
    ] = "official",
    object_order: Annotated[
        str, typer.Option(metavar="NAME", help="Order of the file's object ids: coco, hico (alphabetical) or coco91.")
    ] = "coco",
    outside: Outside = "error",
    json_file: JsonFile = None,
    html_file: HtmlFile = None,
) -> None:
    """Score predictions on HICO-DET: full, rare and non-rare, seen and unseen, Default and Known Object.

    PRED may be `frames.jsonl` or a folder of runs, or a list in the form of QPIC, GEN-VLKT or UPT (pocket).
    See the documentation of `videohoi.evaluate.conventions` for what the conventions differ in.

    For example:

        videohoi eval hico PRED.jsonl --split rf-uc --convention qpic --data data/

        videohoi eval hico upt.pkl --truth instances_test2015.json --convention pocket --object-order hico --html r.html
    """
    from videohoi.commands.evaluate_hico import HicoRequest, show_hico

    show_hico(
        HicoRequest(
            predictions, truth, image_labels, data, split, convention, object_order, outside, json_file, html_file
        )
    )


@eval_app.command("vcoco")
def eval_vcoco(
    predictions: Annotated[Path, typer.Argument(metavar="PRED", help="Pickled or JSON list in the form of vsrl_eval.")],
    truth: Annotated[Path, typer.Option(metavar="FILE", help="`vcoco_test.json` of s-gupta/v-coco.")],
    coco: Annotated[Path, typer.Option(metavar="FILE", help="COCO's `instances_*2014.json` with the pictures.")],
    outside: Outside = "error",
    json_file: JsonFile = None,
    html_file: HtmlFile = None,
) -> None:
    """Score predictions on V-COCO: agent AP, role AP in scenarios 1 and 2.

    For example:

        videohoi eval vcoco cache.pkl --truth vcoco_test.json --coco instances_vcoco_all_2014.json
    """
    from videohoi.commands.evaluate_data_sets import show_vcoco

    show_vcoco(predictions, truth, coco, outside, json_file, html_file)


@eval_app.command("vidhoi")
def eval_vidhoi(
    results: Annotated[
        list[Path], typer.Argument(metavar="RESULT...", help="Result files with predictions and annotations.")
    ],
    only: Annotated[
        Path | None, typer.Option("--only-frames", metavar="FILE", help="JSON list of the frames to score.")
    ] = None,
    without: Annotated[
        Path | None, typer.Option("--without-frames", metavar="FILE", help="JSON list of frames to leave out.")
    ] = None,
    k: Annotated[int, typer.Option(help="Triplets of a person that count, person-wise.", min=1)] = 5,
    threshold: Annotated[
        float, typer.Option(help="Least interaction score of a positive, person-wise.", min=0, max=1)
    ] = 0.3,
    json_file: JsonFile = None,
    html_file: HtmlFile = None,
) -> None:
    """Score predictions on VidHOI, one result file a horizon: mean AP, temporal predicates, person-wise top k.

    Also shows the figure of the public metric, which counts a second prediction of an annotation as right.

    For example:

        videohoi eval vidhoi results_f0.json results_f1.json results_f3.json --only-frames common_frames.json
    """
    from videohoi.commands.evaluate_data_sets import VidhoiRequest, show_vidhoi

    show_vidhoi(VidhoiRequest(tuple(results), only, without, k, threshold, json_file, html_file))


@eval_app.command("hico-images")
def eval_hico_images(
    scores: Annotated[Path, typer.Argument(metavar="SCORES", help="JSON or pickled list of {filename, scores}.")],
    image_labels: Annotated[
        Path, typer.Option(metavar="FILE", help="Image-level labels of the pictures: JSON or `anno.mat`.")
    ],
    split: Annotated[str | None, typer.Option(metavar="NAME", help="Zero-shot split, as for `eval hico`.")] = None,
    json_file: JsonFile = None,
    html_file: HtmlFile = None,
) -> None:
    """Score image-level predictions on HICO: which of the 600 interactions a picture shows.

    For example:

        videohoi eval hico-images scores.json --image-labels hico_test_image_level_positive.json
    """
    from videohoi.commands.evaluate_hico import show_hico_images

    show_hico_images(scores, image_labels, split, json_file, html_file)


@eval_app.command("boxes")
def eval_boxes(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="List in COCO's results form.")],
    truth: Annotated[Path, typer.Option(metavar="FILE", help="COCO's `instances_*.json`.")],
    outside: Outside = "error",
    json_file: JsonFile = None,
    html_file: HtmlFile = None,
) -> None:
    """Score a detector's boxes with COCO's average precision.

    For example:

        videohoi eval boxes results.json --truth instances_val2017.json
    """
    from videohoi.commands.evaluate_data_sets import show_boxes

    show_boxes(results, truth, outside, json_file, html_file)
