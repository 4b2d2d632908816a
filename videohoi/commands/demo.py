"""``videohoi demo``: a generated clip with known truth, annotated by the main job."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from videohoi.commands.annotate import AnnotateRequest, run_annotate
from videohoi.decode.inputs import list_inputs
from videohoi.demo.compose import write_demo
from videohoi.detect.factory import create_detector
from videohoi.folder_lock import FolderLock
from videohoi.pipeline.interrupts import interrupts_raise
from videohoi.pipeline.result_folders import plan_jobs
from videohoi.sink.disk import prepare_output_folder

CLIP_FILE = "demo.mp4"
STARTER_SETTINGS = ("track.new_track_score=0.4",)
"""the starter's scores are lower for the cup, cut out of a photograph, than for real objects; 0.45 would miss it"""


def run_demo(out: Path, detector: str | None, *, quiet: bool) -> int:
    """Write the clip to ``out``, annotate it, print where the results are and the truth; returns the exit code."""
    create_detector(detector or "starter")  # a wrong name is reported before the clip is made
    with FolderLock(prepare_output_folder(out)):
        return _run_demo(out, detector, Console(highlight=False, quiet=quiet))


def _run_demo(out: Path, detector: str | None, console: Console) -> int:
    clip = out / CLIP_FILE
    console.print("Composing a clip from two photographs (a person, a cup of coffee) ...")
    with interrupts_raise():
        truth = write_demo(clip)
    settings = STARTER_SETTINGS if detector in (None, "starter") else ()
    request = AnnotateRequest((str(clip),), None, detector, "offline_annotation", settings, True, False, console.quiet)
    code = run_annotate(request)
    if code == 0:
        begin, end = truth.hold_begin_seconds, truth.hold_end_seconds
        (job,) = plan_jobs(list_inputs([clip]), None)
        folder = job.folder
        console.print(f"Truth of this clip: hold cup {begin:.2f} - {end:.2f} s.")
        console.print(f"Watch {folder / 'overlay.mp4'}; read {folder / 'segments.csv'}.", soft_wrap=True)
        console.print(
            f"Score it: videohoi eval segments {folder} {clip.with_suffix('.json')} --threshold 0", soft_wrap=True
        )
        console.print("Next: videohoi annotate YOUR_VIDEO.mp4")
    return code
