"""Methods that find their own boxes, from a weights file to rows; tiny models with random weights."""

from __future__ import annotations

import re

import numpy as np
import pytest

for package in ("torch", "torchvision", "open_clip", "timm"):
    pytest.importorskip(package, reason=f"the models extra ({package}) is not installed")

import torch  # noqa: E402
from clip_cases import TINY_CLIP, WORDS, frame  # noqa: E402
from runner_cases import DETR, READ_TEXT, SIZES, detector  # noqa: E402

from videohoi.errors import ModelError  # noqa: E402
from videohoi.interact.heads import detr_pairs  # noqa: E402
from videohoi.interact.hoi_detector import HOIDetector, MergeSettings  # noqa: E402
from videohoi.interact.imported import WeightsOrigin, load_imported, save_imported  # noqa: E402
from videohoi.interact.methods import TABLE  # noqa: E402
from videohoi.interact.scoring import Calibration, score_pairs  # noqa: E402
from videohoi.interact.torch_engine import load_clip  # noqa: E402
from videohoi.layers.clip import tokenize  # noqa: E402
from videohoi.pipeline.model_stages import method_config  # noqa: E402

pytestmark = pytest.mark.torch


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


def test_lain_says_that_it_had_no_use_for_clip(weights):
    model = detector("lain", weights("lain"), "hold cup", clip_weights="nowhere.pt")
    model.open()
    assert "CLIP's weights were not read" in model.head_info.note


def test_a_users_calibration_is_said(weights):
    model = detector("eoid", weights("eoid"), calibration=Calibration(2.0, 0.5))
    model.open()
    assert "its scores are calibrated (slope 2, offset 0.5)" in model.head_info.note


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
