"""Methods that find their own boxes, from a weights file to rows; tiny models with random weights."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pytest

for package in ("torch", "torchvision", "open_clip", "timm"):
    pytest.importorskip(package, reason=f"the models extra ({package}) is not installed")

import torch  # noqa: E402
from clip_cases import TINY_CLIP, WORDS, frame  # noqa: E402
from one_stage_cases import formula_weights  # noqa: E402

from videohoi.errors import ModelError  # noqa: E402
from videohoi.interact.heads import detr_pairs  # noqa: E402
from videohoi.interact.hoi_detector import HOIDetector, MergeSettings  # noqa: E402
from videohoi.interact.imported import WeightsOrigin, load_imported, load_origin, save_imported  # noqa: E402
from videohoi.interact.methods import TABLE  # noqa: E402
from videohoi.interact.options import ModelOptions  # noqa: E402
from videohoi.interact.scoring import Calibration, score_pairs  # noqa: E402
from videohoi.interact.torch_engine import load_clip  # noqa: E402
from videohoi.layers.clip import CLIP_MEAN, CLIP_STD, tokenize  # noqa: E402
from videohoi.layers.detr_input import detr_input  # noqa: E402
from videohoi.layers.resizing import IMAGENET_DEVIATION, IMAGENET_MEAN  # noqa: E402
from videohoi.pipeline.model_stages import method_config  # noqa: E402
from videohoi.pipeline.words import requested_vocabulary  # noqa: E402

pytestmark = pytest.mark.torch
DETR = {"width": 32, "heads": 4, "feedforward": 48, "encoder_layers": 1, "backbone": "resnet18", "queries": 6}
CLIP = json.loads(json.dumps(dataclasses.asdict(TINY_CLIP)))
SIZES = {
    "eoid": {**DETR, "pair_layers": 1, "interaction_layers": 1},
    "gen_vlkt": {**DETR, "decoder_layers": 1, "text_width": 16},
    "hoiclip": {**DETR, "instance_layers": 1, "fusion_layers": 1, "clip": CLIP},
    "ki2hoi": {**DETR, "instance_layers": 1, "fusion_layers": 1, "clip": CLIP},
    "upt": {
        "head": {"detector_width": 32, "picture_width": 512, "width": 32, "spatial_widths": [16, 16], "heads": 4,
                 "branches": 4, "pair_feedforward": 32},
        "detector": {**DETR, "decoder_layers": 1, "class_outputs": 81},
    },
    "lain": {
        "head": {"clip": CLIP, "detector_width": 32, "token_hidden": 16, "layout_hidden": 16, "adapter_width": 8,
                 "context_tokens": 2},
        "detector": {**DETR, "decoder_layers": 1, "class_outputs": 81},
    },
}  # fmt: skip
READ_TEXT = ["gen_vlkt", "hoiclip", "ki2hoi", "lain"]


@torch.no_grad()
def sees_people_and_cups(detr):
    """In ``frame()``: boxes apart, half of the queries fairly sure of people and half of cups."""
    formula_weights(detr)
    detr.box.mlp[-1].weight *= 12
    detr.box.mlp[-1].bias[2:] = -1.5
    queries = detr(*detr_input([frame().image], short_side_px=96, long_side_px=96)).queries[0]
    direction = queries[3:].mean(0) - queries[:3].mean(0)
    direction /= direction.square().sum()
    scores = queries @ direction
    detr.object_class.weight.zero_()
    detr.object_class.bias.zero_()
    detr.object_class.weight[WORDS.person_id] = 4 * direction
    detr.object_class.bias[WORDS.person_id] = 5 - 4 * scores.median()
    detr.object_class.bias[WORDS.object_id("cup")] = 5.0


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """``weights(name)``: a file of that method with random weights, made once."""
    folder, made = tmp_path_factory.mktemp("weights"), {}

    def make(name):
        if name not in made:
            entry = TABLE[name]
            config = method_config(entry, None, SIZES[name])
            torch.manual_seed(1)
            model = entry.load(entry.model)(config)
            if entry.own_detr:
                sees_people_and_cups(model.detector)
            made[name] = folder / f"{name}.safetensors"
            save_imported(made[name], model.state_dict(), WeightsOrigin(name, "hico-det", SIZES[name]))
        return made[name]

    return make


def detector(name, file, words=None, **more):
    entry = TABLE[name]
    options = ModelOptions(
        WORDS if words is None else requested_vocabulary(words), own_words=words is not None, weights=file,
        config=method_config(entry, file, {}), device="cpu", input_size_px=96, **more,
    )  # fmt: skip
    sizes = (TINY_CLIP,) if name == "gen_vlkt" else ()
    runner = entry.load(entry.runner)(entry, options, *sizes)
    return HOIDetector(runner, MergeSettings(box_score=0.0))


@pytest.mark.parametrize("name", ["eoid", "gen_vlkt", "hoiclip", "ki2hoi", "upt", "lain"])
def test_a_frame_of_any_size_gives_rows_and_verb_scores(name, weights):
    model = detector(name, weights(name))
    model.open()
    for picture in (frame(90, 120), frame(77, 40)):
        detections, scores = model.find(picture)
        assert len(detections) > 0
        assert len(scores) > 0
        assert detections.boxes_xyxy_px[:, 2].max() <= picture.width_px
        assert scores.verb_scores.shape == (len(scores), 117)
        assert ((scores.verb_scores >= 0) & (scores.verb_scores <= 1)).all()
        assert (scores.pairs.human_rows != scores.pairs.object_rows).all()
        assert (detections.class_ids[scores.pairs.human_rows] == WORDS.person_id).all()
        allowed = WORDS.valid[detections.class_ids[scores.pairs.object_rows]] & WORDS.acting_verbs
        assert not scores.verb_scores[~allowed].any()
    assert model.head_info.weights_sha256 == model.info.weights_sha256 is not None
    model.close()
    with pytest.raises(ModelError, match="not open"):
        model.find(frame())


@pytest.mark.parametrize("name", READ_TEXT)
def test_own_words_become_the_columns(name, weights):
    model = detector(name, weights(name), "hold cup, polish bottle", clip_weights="random")
    model.open()
    _, scores = model.find(frame())
    assert scores.verb_scores.shape == (len(scores), 2)
    assert "RANDOM" in model.head_info.note


@pytest.mark.parametrize("name", ["gen_vlkt", "lain"])
def test_new_words_need_clip_where_the_weights_hold_no_tower_that_reads_them(name, weights):
    with pytest.raises(ModelError, match=rf"{name} .*new .*needs CLIP .*--clip-weights FILE"):
        detector(name, weights(name), "hold cup, polish bottle").open()


@pytest.mark.parametrize("name", ["hoiclip", "ki2hoi"])
def test_new_words_are_read_by_the_tower_inside_the_weights(name, weights, monkeypatch, tmp_path):
    """The same rows as from a CLIP file with that tower; the tower is let go when it has read them."""
    monkeypatch.setenv("VIDEOHOI_CACHE", str(tmp_path))
    words, tower = "hold cup, polish bottle", load_imported(weights(name)).state_dict
    clip = load_clip(TINY_CLIP, "random", "test").clip
    text = {key: tower[f"clip_text.{key}"] for key in clip.text.state_dict()}
    renamed = {re.sub("^blocks", "transformer.resblocks", key): value for key, value in text.items()}
    image = {re.sub("^blocks", "transformer.resblocks", key): value for key, value in clip.image.state_dict().items()}
    scale = {"logit_scale": clip.logit_scale.detach()}
    torch.save({f"visual.{key}": value for key, value in image.items()} | renamed | scale, tmp_path / "clip.pt")
    inside, beside = (
        detector(name, weights(name), words, clip_weights=file) for file in (None, str(tmp_path / "clip.pt"))
    )
    inside.open()
    beside.open()
    assert inside._runner.texts.keys() == {"text", "verb_to_interaction", "verb_text"}
    for key, rows in inside._runner.texts.items():
        assert rows.numpy() == pytest.approx(beside._runner.texts[key].numpy(), abs=1e-6)
    assert not hasattr(inside._runner._model, "clip_text")
    assert inside.find(frame())[1].verb_scores.shape[1] == 2


@pytest.mark.parametrize("name", READ_TEXT)
def test_known_words_need_no_clip_and_equal_the_columns_of_the_full_vocabulary(name, weights):
    full = detector(name, weights(name))
    full.open()
    whole = score_pairs(full._runner.run(frame()), full._runner.rule)
    thing = int(np.bincount(whole.object_class_ids).argmax())
    verbs = [int(verb) for verb in np.flatnonzero(WORDS.valid[thing] & WORDS.acting_verbs)[:2]]
    phrases = [f"{WORDS.verbs[verb]} {WORDS.objects[thing]}".replace("_", " ") for verb in verbs]
    few = detector(name, weights(name), ", ".join(phrases))
    few.open()
    part = score_pairs(few._runner.run(frame()), few._runner.rule)
    of_thing = whole.object_class_ids == thing
    assert part.verb_scores[of_thing] == pytest.approx(whole.verb_scores[of_thing][:, verbs], abs=1e-5)
    assert (part.verb_scores[of_thing] > 0).all()
    assert not part.verb_scores[~of_thing].any()
    assert few.head_info.note == full.head_info.note


@pytest.mark.parametrize("name", ["eoid", "lain"])
def test_missing_weights_say_where_to_get_them(name):
    entry = TABLE[name]
    runner = entry.load(entry.runner)(entry, ModelOptions(WORDS, config=entry.load(entry.config)()))
    with pytest.raises(ModelError, match=rf"{name} needs weights: download .*https://github.com") as caught:
        runner.open()
    assert "without a network" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_of_other_verbs_are_refused_by_their_counts_and_by_their_name(weights, tmp_path):
    """Not by a shape on the first frame."""
    sizes = {**SIZES["eoid"], "verb_classes": 29}
    entry = TABLE["eoid"]
    model = entry.load(entry.model)(method_config(entry, None, sizes))
    save_imported(tmp_path / "vcoco.safetensors", model.state_dict(), WeightsOrigin("eoid", "hico-det", sizes))
    with pytest.raises(ModelError, match="29 verbs instead of 117"):
        detector("eoid", tmp_path / "vcoco.safetensors").open()
    named = load_imported(weights("eoid"))
    origin = WeightsOrigin("eoid", "my-words-v7", named.origin.config)
    save_imported(tmp_path / "named.safetensors", named.state_dict, origin)
    with pytest.raises(ModelError, match=r"trained for other classes \(my-words-v7\)"):
        detector("eoid", tmp_path / "named.safetensors").open()


def test_weights_of_another_data_set_are_refused(weights, tmp_path):
    sizes = {**SIZES["gen_vlkt"], "interaction_classes": 263, "object_classes": 81}
    entry = TABLE["gen_vlkt"]
    model = entry.load(entry.model)(method_config(entry, None, sizes))
    save_imported(tmp_path / "vcoco.safetensors", model.state_dict(), WeightsOrigin("gen_vlkt", "hico-det", sizes))
    with pytest.raises(ModelError, match=r"263 interactions instead of 600; 81 objects instead of 80"):
        detector("gen_vlkt", tmp_path / "vcoco.safetensors").open()


def test_a_file_whose_tensors_do_not_fit_its_own_configuration_is_one_line(tmp_path):
    save_imported(
        tmp_path / "e.safetensors", {"queries": torch.rand(2, 2)}, WeightsOrigin("eoid", "hico-det", SIZES["eoid"])
    )
    with pytest.raises(ModelError, match="does not fit its configuration") as caught:
        detector("eoid", tmp_path / "e.safetensors").open()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damaged", [{"config": "{"}, {"config": "[3]"}, {"method": None}])
def test_a_file_with_damaged_metadata_is_one_line(damaged, tmp_path):
    from safetensors.torch import save_file

    about = {"format": "1", "method": "eoid", "vocabulary": "hico-det", "config": "{}", "text_bank": "",
             "source_sha256": "", "source_name": ""} | damaged  # fmt: skip
    metadata = {f"videohoi.{key}": value for key, value in about.items() if value is not None}
    save_file({"queries": torch.rand(2, 2)}, tmp_path / "e.safetensors", metadata=metadata)
    for read in (load_imported, load_origin):
        with pytest.raises(ModelError, match="cannot be read as imported weights") as caught:
            read(tmp_path / "e.safetensors")
        assert "\n" not in str(caught.value)


def test_another_detr_takes_the_place_of_the_one_in_the_weights(weights, tmp_path):
    from safetensors.torch import save_file

    from videohoi.detect.detr import Detr, DetrConfig

    torch.manual_seed(9)
    for width in (32, 64):
        sizes = {**DETR, "decoder_layers": 1, "class_outputs": 81, "width": width, "heads": 8}
        save_file(Detr(DetrConfig(**sizes)).state_dict(), tmp_path / f"{width}.safetensors")
    own, other = detector("upt", weights("upt")), detector("upt", weights("upt"), detector=tmp_path / "32.safetensors")
    own.open()
    other.open()
    first, second = own.find(frame())[0], other.find(frame())[0]
    assert first.boxes_xyxy_px.tolist() != second.boxes_xyxy_px.tolist()
    with pytest.raises(ModelError, match="features have 64 numbers, upt takes 32"):
        detector("upt", weights("upt"), detector=tmp_path / "64.safetensors").open()


def test_lain_leaves_out_pairs_beyond_the_limit_and_counts_them(weights):
    model = detector("lain", weights("lain"), pair_limit=1)
    model.open()
    output = model._runner.run(frame())
    people = int(np.count_nonzero(output.class_ids[0] == WORDS.person_id))
    assert output.pair_mask.shape[1] <= 1
    assert people
    assert int(output.truncated[0]) == people * (output.scores.shape[1] - 1) - 1


GREY_LEVEL = 1 / 255 / 0.224


def as_seen(picture, mean, deviation):
    """Normalised (H, W, 3) of a picture of Pillow's."""
    return (np.asarray(picture, np.float32) / 255 - np.array(mean)) / np.array(deviation)


def test_lain_sees_pictures_as_its_public_code_makes_them(weights):
    """Bicubic for DETR too, of that CLIP's square, and ImageNet's mean and deviation for both."""
    image = pytest.importorskip("PIL.Image", reason="Pillow is the reference of resizing")
    runner, shot, seen = detector("lain", weights("lain"))._runner, frame(90, 120), []
    runner.open()
    runner._model.detector.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    runner._model.head.register_forward_pre_hook(lambda _, given: seen.append(given[5]))
    runner.run(shot)
    for_detr = image.fromarray(shot.image).resize((96, 72), image.Resampling.BICUBIC)
    for_clip = for_detr.resize((32, 32), image.Resampling.BICUBIC)
    for found, expected in zip(seen, (for_detr, for_clip), strict=True):
        assert found.shape == (1, 3, expected.height, expected.width)
        wanted = as_seen(expected, IMAGENET_MEAN, IMAGENET_DEVIATION)
        assert found[0].permute(1, 2, 0).numpy() == pytest.approx(wanted, abs=2.1 * GREY_LEVEL)


def test_hoiclip_sees_the_centre_of_detrs_picture_as_clips_own_preprocessing_cuts_it(weights):
    """As its datasets/hico.py does, which gives CLIP's transform the picture that was resized for DETR."""
    image = pytest.importorskip("PIL.Image", reason="Pillow is the reference of resizing")
    runner, shot, seen = detector("hoiclip", weights("hoiclip"))._runner, frame(90, 120), []
    runner.open()
    runner._model.register_forward_pre_hook(lambda _, given: seen.extend((given[0], given[2])))
    runner.run(shot)
    for_detr = image.fromarray(shot.image).resize((96, 72), image.Resampling.BILINEAR)
    small = for_detr.resize((42, 32), image.Resampling.BICUBIC).crop((5, 0, 37, 32))
    wanted = as_seen(for_detr, IMAGENET_MEAN, IMAGENET_DEVIATION), as_seen(small, CLIP_MEAN, CLIP_STD)
    for found, expected in zip(seen, wanted, strict=True):
        assert found[0].permute(1, 2, 0).numpy() == pytest.approx(expected, abs=2.1 * GREY_LEVEL)


@pytest.mark.parametrize("name", ["upt", "lain"])
def test_each_box_goes_with_its_own_features_and_the_picture_is_wide_not_high(name, weights):
    """What the detector says of a query reaches the head together."""
    runner, shot, found, given = detector(name, weights(name))._runner, frame(60, 120), [], []
    runner.open()
    runner._model.detector.register_forward_hook(lambda *call: found.append(call[2]))
    runner._model.head.register_forward_pre_hook(lambda _, values: given.append(values))
    runner.run(shot)
    boxes, scores, class_ids, mask, features = (values[0] for values in given[0][:5])
    queries = found[0].boxes_cxcywh[0]
    assert mask.all()
    rows = [int((queries == box).all(1).nonzero()[0, 0]) for box in boxes]
    assert len(set(rows)) == len(rows) > 1
    assert torch.equal(features, found[0].queries[0][rows])
    probabilities = found[0].logits[0, rows].softmax(-1)[:, :-1]
    assert torch.allclose(scores, probabilities.max(1).values)
    assert class_ids.tolist() == probabilities.argmax(1).tolist()
    if name == "upt":
        assert torch.equal(given[0][5], found[0].image.feature_map)
        assert given[0][6].tolist() == [[96.0, 48.0]]


@pytest.mark.parametrize("name", ["hoiclip", "ki2hoi"])
def test_each_column_has_its_sentence_and_its_verb(name, weights):
    runner = detector(name, weights(name), "hold cup, polish bottle, hold bottle", clip_weights="random")._runner
    runner.open()
    clip = load_clip(TINY_CLIP, "random", "").clip
    sentences = ["a photo of a person holding a cup", "a photo of a person polishing a bottle",
                 "a photo of a person holding a bottle"]  # fmt: skip
    verbs = ["a photo of a person holding something", "a photo of a person polishing something"]
    with torch.inference_mode():
        for key, texts in (("text", sentences), ("verb_text", verbs)):
            rows = clip.text(tokenize(texts))
            expected = (rows / rows.norm(dim=1, keepdim=True)).numpy()
            assert runner.texts[key].numpy() == pytest.approx(expected, abs=1e-5)
    assert runner.texts["verb_to_interaction"].tolist() == [[1, 0, 1], [0, 1, 0]]
    assert runner.rule.rows.verb_ids.tolist() == [0, 1, 0]
    assert [WORDS.objects[row] for row in runner.rule.rows.object_ids] == ["cup", "bottle", "bottle"]


def test_lain_says_that_it_had_no_use_for_clip(weights):
    model = detector("lain", weights("lain"), "hold cup", clip_weights="nowhere.pt")
    model.open()
    assert "CLIP's weights were not read" in model.head_info.note


def test_a_users_calibration_is_said(weights):
    model = detector("eoid", weights("eoid"), calibration=Calibration(2.0, 0.5))
    model.open()
    assert "calibrated as the settings say" in model.head_info.note


def test_a_new_verb_of_lain_is_its_plain_sentence_read_at_its_end_and_clip_is_loaded_once(weights, monkeypatch):
    loads = []
    monkeypatch.setattr(detr_pairs, "load_clip", lambda *given: loads.append(given) or load_clip(*given))
    runner = detector("lain", weights("lain"), "hold cup, polish bottle, juggle bottle", clip_weights="random")._runner
    runner.open()
    assert len(loads) == 1
    text = load_clip(TINY_CLIP, "random", "").clip.text
    with torch.inference_mode():
        for row, verb in ((1, "polishing"), (2, "juggling")):
            tokens = tokenize([f"a photo of a person is {verb} the object."])
            vectors = text.token_embedding(tokens) + text.positional_embedding
            for block in text.blocks:
                vectors = block(vectors)
            end = tokens[0].tolist().index(49407)  # CLIP's end token
            expected = text.ln_final(vectors)[0, end] @ text.text_projection
            assert runner.verb_text[row].numpy() == pytest.approx((expected / expected.norm()).numpy(), abs=1e-5)


def test_a_frame_leaves_the_model_as_it_was(weights):
    for name in ("upt", "lain"):
        model = detector(name, weights(name))
        model.open()
        before = model._runner._model.head.config
        model.find(frame())
        assert model._runner._model.head.config == before


@pytest.mark.parametrize("name", ["eoid", "gen_vlkt", "hoiclip"])
def test_a_method_of_one_query_finds_one_pair_or_none(name, tmp_path):
    sizes = {**SIZES[name], "queries": 1}
    entry = TABLE[name]
    torch.manual_seed(2)
    model = entry.load(entry.model)(method_config(entry, None, sizes))
    save_imported(tmp_path / "one.safetensors", model.state_dict(), WeightsOrigin(name, "hico-det", sizes))
    found = detector(name, tmp_path / "one.safetensors")
    found.open()
    assert len(found.find(frame())[1]) == 1
    none = HOIDetector(found._runner, MergeSettings(box_score=1.0))
    detections, scores = none.find(frame())
    assert (len(detections), len(scores)) == (0, 0)
