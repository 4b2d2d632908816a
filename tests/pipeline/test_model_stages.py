"""Which nodes a run is made of, and the methods through the whole graph."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from videohoi.config import read_mapping
from videohoi.decode.inputs import list_inputs
from videohoi.errors import ConfigError, ModelError, UsageError
from videohoi.interact.methods import TABLE
from videohoi.interact.scoring import Calibration
from videohoi.pipeline.annotate import OUTPUT_FILES, annotate
from videohoi.pipeline.bundled import bundled_folder
from videohoi.pipeline.model_stages import _calibration, check_model, method_config, model_stages, shipped_calibration
from videohoi.pipeline.pipeline import Pipeline
from videohoi.pipeline.result_folders import is_done
from videohoi.pipeline.settings import DetectSettings, InteractSettings, ModelSettings
from videohoi.vocabulary import hico_det

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
QUICK = ("detect.workers=1", "detect.input_size_px=96")


def stages(model, detect=None):
    return model_stages(model, detect or DetectSettings(), InteractSettings(), hico_det())


def test_the_starter_has_a_detector_before_and_a_head_after_tracking():
    made = stages(ModelSettings())
    assert [node.name for node in made.before] == ["detect"]
    assert [node.name for node in made.after] == ["interact"]


def test_closed_methods_take_no_words_and_say_which_do():
    for name in ("starter", "eoid", "upt"):
        with pytest.raises(UsageError, match=rf"model {name} has closed classes .* clip_prior, hts"):
            stages(ModelSettings(name, words="hold cup"))


def test_words_and_names_are_checked_before_any_work():
    for setting, message in (
        ('model.name="clip_pior"', "did you mean clip_prior"),
        ('model.words="hold cup"', "closed classes"),
    ):
        with pytest.raises(UsageError, match=message):
            check_model(Pipeline.from_config("offline_annotation", [setting]).config)
    config = Pipeline.from_config("offline_annotation", ["model.name=clip_prior", 'model.words="hodl cup"']).config
    with pytest.raises(UsageError, match="did you mean hold"):
        check_model(config)


def test_every_method_has_a_calibration_and_it_is_the_identity():
    assert {shipped_calibration(name) for name in ("clip_prior", "eoid", "lain")} == {Calibration()}
    with pytest.raises(ConfigError, match=r"unknown key model\.calibration\.slop; did you mean .*slope"):
        Pipeline.from_config("offline_annotation", ["model.calibration.slop=2"])


def test_a_users_calibration_goes_before_the_shipped_one():
    settings = Pipeline.from_config("offline_annotation", ["model.calibration.slope=2"]).config.model
    assert _calibration("eoid", settings.calibration) == Calibration(2.0, 0.0)
    rows = read_mapping(bundled_folder("configs") / "models" / "calibration.yaml")
    assert set(rows) == {"starter", *TABLE}


def test_settings_for_the_starter_detector_do_not_reach_methods_that_find_their_own_boxes():
    starter = Pipeline.from_config("offline_annotation").config
    prior = Pipeline.from_config("offline_annotation", ["model.name=clip_prior"]).config
    eoid = Pipeline.from_config("offline_annotation", ["model.name=eoid"]).config
    other = Pipeline.from_config("offline_annotation", ["detect.detector=yolox_nano"]).config
    assert starter.track == prior.track != eoid.track == other.track
    assert eoid.interact.box_lambda == other.interact.box_lambda


def test_the_vocabulary_of_a_run_is_in_its_header():
    pipeline = Pipeline.from_config("offline_annotation", ["model.name=clip_prior", 'model.words="hold cup, ride dog"'])
    assert pipeline.vocabulary.verbs == ("hold", "ride")
    assert pipeline.header()["vocabulary"] == {"name": "own words", "version": 1}


@pytest.mark.torch
class TestWithTorch:
    @pytest.fixture(autouse=True)
    def packages(self):
        for package in ("torch", "torchvision", "open_clip", "timm"):
            pytest.importorskip(package, reason=f"the models extra ({package}) is not installed")

    @pytest.fixture
    def eoid(self, tmp_path):
        """A tiny EoID with random weights."""
        import torch

        from videohoi.interact.heads.eoid import EoID, EoIDConfig
        from videohoi.interact.imported import WeightsOrigin, save_imported

        sizes = {"width": 32, "heads": 4, "feedforward": 48, "encoder_layers": 1, "pair_layers": 1,
                 "interaction_layers": 1, "backbone": "resnet18", "queries": 6}  # fmt: skip
        torch.manual_seed(0)
        path = tmp_path / "eoid.safetensors"
        save_imported(path, EoID(EoIDConfig(**sizes)).state_dict(), WeightsOrigin("eoid", "hico-det", sizes))
        return path

    def test_a_one_stage_method_finds_boxes_itself(self, eoid):
        made = stages(ModelSettings("eoid", weights=str(eoid)))
        assert [node.name for node in made.before] == ["detect"]
        assert made.after == ()
        with pytest.raises(UsageError, match="finds its own boxes; leave --detector"):
            stages(ModelSettings("eoid", weights=str(eoid)), DetectSettings("onnx:x.onnx"))

    def test_a_method_with_a_detr_of_its_own_takes_another_detr_but_no_other_detector(self, tmp_path):
        made = stages(ModelSettings("upt", weights=None), DetectSettings("detr:other.pth"))
        assert [node.name for node in made.before] == ["detect"]
        with pytest.raises(UsageError, match=r"leave --detector onnx:x\.onnx out or give detr:FILE"):
            stages(ModelSettings("upt"), DetectSettings("onnx:x.onnx"))

    def test_another_detr_that_is_not_there_says_where_to_get_one(self, tmp_path):
        with pytest.raises(UsageError, match="leave --detector detr: out or give detr:FILE"):
            stages(ModelSettings("upt"), DetectSettings("detr:"))
        (node,) = stages(ModelSettings("upt", weights=None), DetectSettings("detr:nothing.pth")).before
        runner = node._model._runner
        assert "the DETR in nothing.pth" in runner.boxes_note
        with pytest.raises(ModelError, match=r"detr:nothing.pth: weights .*download detr-r50-e632da11.pth"):
            runner.build_model(tmp_path / "not read before.safetensors")

    def test_a_two_stage_method_takes_any_detector(self):
        made = stages(ModelSettings("clip_prior"), DetectSettings("onnx:x.onnx"))
        assert [node.name for node in made.after] == ["interact"]

    @pytest.mark.parametrize("name", list(TABLE))
    def test_the_shipped_settings_of_a_method_are_its_papers(self, name):
        entry = TABLE[name]
        assert method_config(entry, None, {}) == entry.load(entry.config)()

    def test_settings_of_a_method_are_checked(self, eoid):
        with pytest.raises(ConfigError, match=r"settings of clip_prior .*unknown key gama; did you mean gamma"):
            stages(ModelSettings("clip_prior", options={"gama": 10}))
        with pytest.raises(ModelError, match="holds weights of eoid, expected gen_vlkt; use --model eoid"):
            stages(ModelSettings("gen_vlkt", weights=str(eoid)))

    def test_eoid_annotates_and_resumes_until_its_weights_change(self, eoid, clip_file, tmp_path):
        settings = ["model.name=eoid", f'model.weights="{eoid}"', "detect.score_threshold=0.0", *QUICK]
        pipeline = Pipeline.from_config("offline_annotation", settings)
        (item,) = list_inputs([clip_file])
        done = annotate(pipeline, item, tmp_path / "out")
        report = json.loads((done.folder / "report.json").read_text())
        assert {path.name for path in done.folder.iterdir()} == set(OUTPUT_FILES)
        assert report["head"]["name"] == report["detector"]["name"] == "eoid"
        assert report["run"]["frames_out"] == 20
        assert report["files"]["weights"] == report["head"]["weights_sha256"]
        assert report["files"].keys() == {"weights", "method", "calibration"}
        assert report["machine"]["torch"]
        assert report["detector"]["note"] == "the method finds its own boxes"
        assert is_done(done.folder, pipeline, item, overlay=True)
        content = eoid.read_bytes()
        eoid.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert not is_done(done.folder, pipeline, item, overlay=True)

    @pytest.mark.shared
    @pytest.mark.slow
    @pytest.mark.skipif(not SHARED.is_dir(), reason="clips and detectors are not beside the project (../shared)")
    def test_clip_prior_with_a_real_detector_and_random_clip_writes_all_files(self, tmp_path):
        detector = SHARED / "teachers" / "yolox_nano_416.onnx"
        settings = [
            "model.name=clip_prior", "model.clip_weights=random", 'model.words="ride skateboard, stand on skateboard"',
            f'detect.detector="onnx:{detector}"', "detect.workers=1",
        ]  # fmt: skip
        pipeline = Pipeline.from_config("offline_annotation", settings)
        clip = few_frames(SHARED / "clips" / "skateboard_dog.mp4", tmp_path / "few", 3)
        done = annotate(pipeline, list_inputs([clip])[0], tmp_path / "out")
        report = json.loads((done.folder / "report.json").read_text())
        assert {path.name for path in done.folder.iterdir()} == set(OUTPUT_FILES)
        assert report["run"]["frames_out"] == 3
        assert "RANDOMLY INITIALISED" in report["head"]["note"]
        assert (done.folder / "pairs.csv").read_text().count("skateboard") > 0


def few_frames(clip, folder, count):
    """The first frames of a clip as a folder of pictures."""
    import cv2

    from videohoi.decode.factory import open_source

    folder.mkdir()
    source = open_source(clip)
    source.open()
    for number, frame in zip(range(count), source.frames(), strict=False):
        cv2.imwrite(str(folder / f"{number:03}.png"), frame.image[..., ::-1])
    source.close()
    return folder


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["model.weights=w.safetensors"], "model starter takes no --weights; say with --model NAME"),
        (["model.clip_weights=c.pt"], "model starter takes no --clip-weights"),
        (["model.name=eoid", "model.clip_weights=c.pt"], "model eoid never reads CLIP's own weights"),
        (["model.name=upt", "model.clip_weights=c.pt"], "model upt never reads CLIP's own weights"),
        (["model.name=gen_vlkt", "model.clip_weights=c.pt"], "for words of --vocab only; give both or neither"),
        (["model.name=lain", "model.clip_weights=c.pt"], "for words of --vocab only"),
    ],
)
def test_a_file_that_nothing_would_read_is_an_error(settings, said, clip_file):
    """Also from Python, where nobody checks before."""
    pipeline = Pipeline.from_config("offline_annotation", settings)
    with pytest.raises(UsageError, match=said):
        check_model(pipeline.config)
    with pytest.raises(UsageError, match=said):
        next(iter(pipeline.run(clip_file)))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("detect.input_size_px=0", "expected a number from 32 to 8192"),
        ("detect.score_threshold=2", "expected a number from 0 to 1"),
        ("detect.workers=0", "detect.workers=0: expected a number from 1 to 64"),
        ("detect.threads=0", "detect.threads=0: expected a number from 1 to 1024"),
    ],
)
def test_settings_of_the_detector_are_checked_by_name(setting, said):
    with pytest.raises(UsageError, match=said):
        Pipeline.from_config("offline_annotation", [setting])


def test_the_pair_head_runs_on_the_engine_of_its_settings():
    head = model_stages(
        ModelSettings(), DetectSettings(), InteractSettings(engine="auto", threads=2), hico_det()
    ).after[0]
    head.open(None)
    assert head.facts()["head"]["engine"] in ("onnxruntime", "openvino")
    head.close(complete=True)
    for section in ("interact", "detect"):
        with pytest.raises(ConfigError, match=rf"{section}\.engine='openvinoo'.*did you mean openvino"):
            Pipeline.from_config("offline_annotation", [f"{section}.engine=openvinoo"])


@pytest.mark.parametrize("setting", ["interact.engine=auto", "interact.threads=2"])
def test_methods_of_torch_refuse_an_engine(setting):
    with pytest.raises(UsageError, match=rf"model eoid has no use for {setting}"):
        check_model(Pipeline.from_config("offline_annotation", ["model.name=eoid", setting]).config)
