"""D-FINE and RT-DETRv2 from a folder, with tiny random weights."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
transformers = pytest.importorskip("transformers", reason="the models extra (transformers) is not installed")
import huggingface_hub  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from videohoi.detect.factory import create_detector, detector_files  # noqa: E402
from videohoi.detect.hub import best_labels  # noqa: E402
from videohoi.detect.torch_detectors import HubDetector, class_of_label  # noqa: E402
from videohoi.errors import InputError, ModelError, UsageError  # noqa: E402
from videohoi.structures import Frame  # noqa: E402
from videohoi.vocabulary import hico_det  # noqa: E402
from videohoi.vocabulary.shipped import coco  # noqa: E402

pytestmark = pytest.mark.torch
SMALL = {
    "d_model": 32, "encoder_hidden_dim": 32, "encoder_layers": 1, "encoder_ffn_dim": 32, "encoder_attention_heads": 2,
    "decoder_layers": 2, "decoder_ffn_dim": 32, "decoder_attention_heads": 2, "num_queries": 10,
    "encoder_in_channels": [8, 16, 32], "decoder_in_channels": [32, 32, 32], "hidden_expansion": 1.0,
    "num_denoising": 0,
}  # fmt: skip
LABELS = dict(enumerate(coco().objects))


def rt_detr_v2():
    backbone = transformers.RTDetrResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 16, 32], depths=[1, 1, 1, 1], out_features=["stage2", "stage3", "stage4"]
    )
    config = transformers.RTDetrV2Config(backbone_config=backbone, id2label=LABELS, **SMALL)
    return transformers.RTDetrV2ForObjectDetection(config)


def d_fine():
    backbone = transformers.HGNetV2Config(
        stem_channels=[3, 8, 8], hidden_sizes=[8, 8, 16, 32], depths=[1, 1, 1, 1], out_indices=[2, 3, 4],
        stage_in_channels=[8, 8, 8, 16], stage_mid_channels=[8, 8, 8, 8], stage_out_channels=[8, 8, 16, 32],
        stage_num_blocks=[1, 1, 1, 1], stage_numb_of_layers=[1, 1, 1, 1],
    )  # fmt: skip
    small = {**SMALL, "encoder_in_channels": [8, 16, 32]}
    config = transformers.DFineConfig(backbone_config=backbone, id2label=LABELS, **small)
    return transformers.DFineForObjectDetection(config)


@pytest.fixture(scope="module", params=[rt_detr_v2, d_fine], ids=["rt_detr_v2", "d_fine"])
def folder(request, tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("hub") / request.param.__name__
    request.param().save_pretrained(path)
    (path / "preprocessor_config.json").write_text(
        json.dumps({"size": {"height": 96, "width": 128}, "do_rescale": True, "do_normalize": False})
    )
    return path


def frame(height=90, width=160):
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Frame(pixels, 0, 0.0, "clip")


def test_a_model_from_a_folder_detects_on_frames_of_any_size(folder):
    detector = create_detector(f"hf:{folder}", score_threshold=0.0)
    detector.open()
    first, second = detector.detect([frame(), frame(111, 77)])
    assert len(first) == len(second) == 10, "as many answers as queries"
    assert (np.diff(first.scores) <= 0).all()
    assert first.boxes_xyxy_px.max() <= 160
    assert second.boxes_xyxy_px[:, 2].max() <= 77
    assert set(first.class_ids) <= set(range(80))
    assert detector.info.weights_sha256 == detector_files(f"hf:{folder}")["detector"]
    assert detector.info.input_size_px == 128
    detector.close()
    with pytest.raises(ModelError, match="not open"):
        detector.detect([frame()])


def test_answers_equal_those_of_transformers_own_forward(folder):
    detector = HubDetector(str(folder), score_threshold=0.0)
    detector.open()
    (found,) = detector.detect([frame(96, 128)])  # the model's own size: nothing is resized
    model = transformers.AutoModelForObjectDetection.from_pretrained(folder).eval()
    with torch.inference_mode():
        pixels = torch.from_numpy(frame(96, 128).image).permute(2, 0, 1)[None] / 255
        output = model(pixel_values=pixels)
    best = output.logits[0].sigmoid().max()
    assert found.scores[0] == pytest.approx(best.item(), abs=1e-5)
    query = output.logits[0].sigmoid().amax(dim=1).argmax()
    centre_x, _, width, _ = output.pred_boxes[0, query].tolist()
    expected = np.clip([centre_x - width / 2, centre_x + width / 2], 0, 1) * 128
    assert found.boxes_xyxy_px[0, [0, 2]] == pytest.approx(expected, abs=1e-2)


def test_a_model_in_the_hubs_cache_is_found_by_its_name_without_a_network(folder, tmp_path, monkeypatch):
    """The folders that ``hf download someone/model`` leaves."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    kept = tmp_path / "models--someone--model"
    shutil.copytree(folder, kept / "snapshots" / commit)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(commit)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    by_name, by_folder = (create_detector(spec, score_threshold=0.0) for spec in ("hf:someone/model", f"hf:{folder}"))
    by_name.open()
    by_folder.open()
    assert by_name.info.input_size_px == 128, "the processor's file is read from the cache too"
    assert detector_files("hf:someone/model") == detector_files(f"hf:{folder}")
    assert by_name.detect([frame()])[0].scores == pytest.approx(by_folder.detect([frame()])[0].scores)


def test_a_file_that_lacks_weights_is_refused_and_nothing_of_transformers_is_printed(folder, tmp_path, capfd):
    weights = load_file(folder / "model.safetensors")
    gone = sorted(weights)[len(weights) // 2]
    shutil.copytree(folder, tmp_path / "gap")
    save_file({key: value for key, value in weights.items() if key != gone}, tmp_path / "gap" / "model.safetensors",
              metadata={"format": "pt"})  # fmt: skip
    capfd.readouterr()
    with pytest.raises(ModelError, match=r"1 weights are missing or of another size .*; copy config.json and model"):
        HubDetector(str(tmp_path / "gap")).open()
    HubDetector(str(folder)).open()
    told = capfd.readouterr()
    assert told.out + told.err == ""


def test_a_file_without_the_counters_of_training_is_whole(folder, tmp_path):
    weights = load_file(folder / "model.safetensors")
    shutil.copytree(folder, tmp_path / "counted")
    kept = {key: value for key, value in weights.items() if not key.endswith("num_batches_tracked")}
    assert len(kept) < len(weights)
    save_file(kept, tmp_path / "counted" / "model.safetensors", metadata={"format": "pt"})
    HubDetector(str(tmp_path / "counted")).open()


@pytest.mark.parametrize("shown", [True, False])
def test_progress_bars_of_transformers_are_afterwards_as_they_were(folder, shown):
    log = transformers.utils.logging
    switch = {True: log.enable_progress_bar, False: log.disable_progress_bar}
    switch[shown]()
    try:
        HubDetector(str(folder)).open()
        assert log.is_progress_bar_enabled() == shown
    finally:
        switch[True]()


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "preprocessor_config.json"])
def test_each_file_of_a_model_counts(folder, tmp_path, name):
    shutil.copytree(folder, tmp_path / "model")
    before = detector_files(f"hf:{tmp_path / 'model'}")
    (tmp_path / "model" / name).write_bytes(b"{}")
    after = detector_files(f"hf:{tmp_path / 'model'}")
    assert len([role for role in before if before[role] != after[role]]) == 1


def test_weights_saved_in_half_precision_run_in_single(folder, tmp_path):
    half = transformers.AutoModelForObjectDetection.from_pretrained(folder).half()
    half.save_pretrained(tmp_path)
    detector = HubDetector(str(tmp_path), score_threshold=0.0)
    detector.open()
    (found,) = detector.detect([frame()])
    assert len(found) == 10
    assert np.isfinite(found.scores).all()


def test_the_best_pairs_of_query_and_label_are_taken_worked_by_hand():
    logits = torch.tensor([[2.0, 1.5, -9.0], [-9.0, -9.0, 0.0]])
    boxes = torch.tensor([[0.5, 0.5, 0.2, 0.4], [0.9, 0.9, 0.4, 0.2]])
    best = best_labels(logits, boxes, 0.6)
    assert best.labels.tolist() == [0, 1], "the first query answers twice, the second falls below the threshold"
    assert best.scores == pytest.approx([1 / (1 + np.exp(-2.0)), 1 / (1 + np.exp(-1.5))], abs=1e-6)
    assert best.boxes_xyxy[0] == pytest.approx([0.4, 0.3, 0.6, 0.7])
    assert best_labels(logits, boxes, 0.99).boxes_xyxy.shape == (0, 4)


def test_labels_are_matched_by_name_and_80_of_them_by_place():
    person = hico_det().person_id
    table, dropped = class_of_label({0: "Zebra", 1: "N/A", 2: "Person", 3: "cell phone"}, "hf:x")
    assert (table[2], dropped) == (person, 1)
    assert [hico_det().objects[row] for row in table[[0, 3]]] == ["zebra", "cell_phone"]
    odd = {**LABELS, 60: "diningtable", 58: "pottedplant", 62: "tvmonitor"}
    table, dropped = class_of_label(odd, "hf:x")
    assert dropped == 0
    assert hico_det().objects[table[60]] == "dining_table"
    with pytest.raises(ModelError, match="none of its 2 labels is a person"):
        class_of_label({0: "ship", 1: "buoy"}, "hf:x")


def test_what_is_not_here_or_no_such_model_is_one_line(tmp_path):
    for name in ("nobody/no-such-model", str(tmp_path)):
        with pytest.raises(ModelError, match=r"hf download nobody/|copy config.json and model.safetensors") as caught:
            HubDetector(name).open()
        assert "\n" not in str(caught.value)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ModelError, match=r"is a bert; expected one of d_fine"):
        HubDetector(str(tmp_path)).open()


def test_a_damaged_weights_file_is_one_line(folder, tmp_path):
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        HubDetector(str(tmp_path)).open()
    assert "\n" not in str(caught.value)


def test_bad_settings_and_pictures_are_refused(folder):
    with pytest.raises(UsageError, match="from 0 to 1"):
        HubDetector("x", score_threshold=1.5)
    with pytest.raises(UsageError, match="multiple of 32"):
        HubDetector("x", input_size_px=100)
    detector = HubDetector(str(folder))
    detector.open()
    with pytest.raises(InputError, match="no pixels"):
        detector.detect([Frame(np.zeros((0, 0, 3), np.uint8), 3, 0.0, "clip")])
