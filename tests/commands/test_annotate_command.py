"""``videohoi annotate`` as it is used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from quick_settings import QUICK

from videohoi.pipeline.annotate import OUTPUT_FILES


def files_of(folder: str) -> dict[str, float]:
    return {path.name: path.stat().st_mtime_ns for path in Path(folder).iterdir()}


def test_results_lie_beside_the_clip_and_the_summary_says_so(videohoi, clip):
    outcome = videohoi("annotate", clip, *QUICK)
    assert outcome.code == 0
    assert outcome.err == ""
    assert set(files_of("clip.videohoi")) == set(OUTPUT_FILES)
    assert "20 frames" in outcome.out
    assert "results in clip.videohoi" in outcome.out
    assert "Detector: starter (onnxruntime). " in outcome.out
    assert "--detector onnx:FILE" in outcome.out, "what would be better"
    assert "Verbs: starter" in outcome.out


def test_quiet_prints_nothing_and_no_overlay_draws_none(videohoi, clip):
    outcome = videohoi("annotate", clip, "--out", "run", "-q", "--no-overlay", *QUICK)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert set(files_of("run/clip.videohoi")) == set(OUTPUT_FILES) - {"overlay.mp4"}


def test_settings_and_detector_reach_the_report(videohoi, clip):
    videohoi("annotate", clip, "-q", "--no-overlay", "--set", "smooth.on_threshold=0.6", *QUICK)
    config = json.loads(Path("clip.videohoi/report.json").read_text(encoding="utf-8"))["config"]
    assert config["smooth"]["on_threshold"] == 0.6


def test_resume_skips_what_is_done_and_does_the_rest(videohoi, clip):
    Path("videos").mkdir()
    for name in ("a.mp4", "b.mp4"):
        Path("videos", name).write_bytes(clip.read_bytes())
    assert videohoi("annotate", "videos/a.mp4", "--out", "run", "--no-overlay", *QUICK).code == 0
    before = files_of("run/a.videohoi")
    outcome = videohoi("annotate", "videos", "--out", "run", "--no-overlay", "--resume", *QUICK)
    assert outcome.code == 0
    assert "1 of 2 inputs was complete already and skipped" in outcome.out
    assert files_of("run/a.videohoi") == before
    assert (Path("run/b.videohoi") / "report.json").is_file()
    Path("videos/a.mp4").write_bytes(clip.read_bytes() + b"\0")
    videohoi("annotate", "videos", "--out", "run", "--no-overlay", "--resume", *QUICK)
    assert files_of("run/a.videohoi") != before, "another video of that name"


def test_a_cut_file_is_done_as_far_as_it_goes_and_the_summary_says_where(videohoi, clip):
    whole = clip.read_bytes()
    Path("cut.mp4").write_bytes(whole[: len(whole) * 3 // 5])
    outcome = videohoi("annotate", "cut.mp4", "--no-overlay", *QUICK)
    assert outcome.code == 0
    assert "the file ended early, at " in outcome.out


@pytest.mark.parametrize("spec", ["frames", "frames/%03d.png", "'*.gif'"])
def test_folders_patterns_and_globs_of_pictures_are_inputs(videohoi, clip, spec):
    cv2 = pytest.importorskip("cv2")
    numpy = pytest.importorskip("numpy")
    Path("frames").mkdir()
    for number in range(3):
        cv2.imwrite(f"frames/{number:03d}.png", numpy.full((64, 64, 3), 40 * number, numpy.uint8))
    Path("clip.mp4").rename("clip.gif")  # the content decides, not the name
    outcome = videohoi("annotate", spec.strip("'"), "--no-overlay", "--out", "run", *QUICK)
    assert outcome.code == 0
    (folder,) = Path("run").iterdir()
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["decode"]["frames"] == (20 if "gif" in spec else 3)
