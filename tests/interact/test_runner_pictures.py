"""What the methods that find their own boxes see of a frame, and what goes with which box and column."""

from __future__ import annotations

import numpy as np
import pytest

for package in ("torch", "torchvision", "open_clip", "timm"):
    pytest.importorskip(package, reason=f"the models extra ({package}) is not installed")

import torch  # noqa: E402
from clip_cases import TINY_CLIP, WORDS, frame  # noqa: E402
from runner_cases import detector  # noqa: E402

from videohoi.interact.torch_engine import load_clip  # noqa: E402
from videohoi.layers.clip import tokenize  # noqa: E402
from videohoi.layers.pictures import CLIP_DEVIATION, CLIP_MEAN, IMAGENET_DEVIATION, IMAGENET_MEAN  # noqa: E402  # noqa: E402

pytestmark = pytest.mark.torch


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
    wanted = as_seen(for_detr, IMAGENET_MEAN, IMAGENET_DEVIATION), as_seen(small, CLIP_MEAN, CLIP_DEVIATION)
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
