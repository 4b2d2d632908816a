"""clip_prior and hts from a frame to scores in the asked words; what is refused."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
pytest.importorskip("torchvision", reason="the models extra (torchvision) is not installed")
pytest.importorskip("open_clip", reason="the models extra (open_clip) is not installed")

from clip_cases import BOTTLE, CUP, PERSON, TINY_CLIP, WORDS, detections, frame  # noqa: E402
from torch.nn import functional  # noqa: E402

from videohoi.errors import ModelError, UsageError  # noqa: E402
from videohoi.interact.heads.clip_prior import ClipPriorConfig, ClipPriorHead  # noqa: E402
from videohoi.interact.heads.hts import Hts, HtsConfig, HtsHead  # noqa: E402
from videohoi.interact.imported import WeightsOrigin, save_imported  # noqa: E402
from videohoi.interact.protocol import ModelOptions  # noqa: E402
from videohoi.interact.torch_engine import RANDOM_NOTE, load_clip  # noqa: E402
from videohoi.layers.clip import tokenize  # noqa: E402
from videohoi.layers.pictures import CLIP_DEVIATION, CLIP_MEAN  # noqa: E402
from videohoi.pipeline.words import requested_vocabulary  # noqa: E402
from videohoi.structures import Detections  # noqa: E402
from videohoi.vocabulary.prompts import prompts  # noqa: E402

pytestmark = pytest.mark.torch


def options(**more):
    words = more.pop("words", None)
    vocabulary = WORDS if words is None else requested_vocabulary(words)
    return ModelOptions(vocabulary, own_words=words is not None, device="cpu", **more)


def opened(words="hold cup, open bottle, polish bottle", **more):
    head = ClipPriorHead(options(words=words, clip_weights="random", **more), TINY_CLIP)
    head.open()
    return head


def test_clip_prior_scores_pairs_of_a_frame_in_the_asked_words():
    head = opened(box_lambda=0.5)
    scores = head.score(frame(), detections(PERSON, CUP, BOTTLE))
    assert scores.verb_scores.shape == (2, 3)
    by_object = dict(zip(scores.pairs.object_rows.tolist(), scores.verb_scores, strict=True))
    assert by_object[1][0] > 0
    assert by_object[1][1:].tolist() == [0, 0], "cups are only held here"
    assert (by_object[2][1:] > 0).all()
    assert by_object[2].sum() < 0.81, "the object's other interactions take their share of the certainty"
    assert head.info.note == f"{RANDOM_NOTE.rstrip('.')}; its scores are not calibrated"
    assert head.info.weights_sha256 is None
    head.close()
    with pytest.raises(ModelError, match="closed; call open"):
        head.score(frame(), detections(PERSON, CUP))


def shares_by_hand(clip, crop, thing, *new, nothing=True):
    """verb -> its share of the picture ``crop`` (32, 32, 3) among the interactions of ``thing`` and ``new`` ones.

    ``nothing``: against as many sentences without a verb.
    """
    picture = torch.from_numpy(crop.copy()).permute(2, 0, 1) / 255
    picture = (picture - torch.tensor(CLIP_MEAN)[:, None, None]) / torch.tensor(CLIP_DEVIATION)[:, None, None]
    sentences = {
        WORDS.verbs[verb]: sentence
        for (verb, obj), sentence in zip(WORDS.interactions, prompts(WORDS, "eoid"), strict=True)
        if WORDS.objects[obj] == thing and WORDS.verbs[verb] != "no_interaction"
    } | dict(new)
    idle = [f"a picture of person and {thing}"] * len(sentences) if nothing else []
    text = functional.normalize(clip.text(tokenize([*sentences.values(), *idle])), dim=-1)
    cosines = text @ functional.normalize(clip.image(picture[None]).pooled[0], dim=-1)
    shares = (clip.logit_scale.exp() * cosines).softmax(0)[: len(sentences)]
    return dict(zip(sentences, shares.tolist(), strict=True))


@torch.no_grad()
def test_scores_of_a_frame_worked_by_hand():
    """Each union box is 32 x 32 px, CLIP's size here: what CLIP sees is cut out of the frame and nothing else."""
    head, clip = opened("hold cup, open bottle, polish bottle", box_lambda=0.5), load_clip(TINY_CLIP, "random", "").clip
    boxes = np.array([[40, 20, 56, 52], [56, 22, 72, 50], [24, 30, 48, 40]], np.float32)
    sure = np.array([0.9, 0.8, 0.6], np.float32)
    scores = head.score(frame(), Detections(boxes, sure, np.array([PERSON, CUP, BOTTLE])))
    found = dict(zip(scores.pairs.object_rows.tolist(), scores.verb_scores, strict=True))
    pixels = frame().image[20:52]
    cup = shares_by_hand(clip, pixels[:, 40:72], "cup")
    bottle = shares_by_hand(clip, pixels[:, 24:56], "bottle", ("polish", "a picture of person polishing bottle"))
    assert found[1] == pytest.approx([cup["hold"] * (0.9 * 0.8) ** 0.5, 0, 0], abs=1e-5)
    assert found[2] == pytest.approx([0, *(bottle[v] * (0.9 * 0.6) ** 0.5 for v in ("open", "polish"))], abs=1e-5)


@torch.no_grad()
def test_eoids_own_softmax_is_a_setting_and_even_odds_are_the_rule():
    boxes = Detections(np.array([[40, 20, 56, 52], [56, 22, 72, 50]], np.float32), np.array([0.9, 0.8], np.float32),
                       np.array([PERSON, CUP]))  # fmt: skip
    plain = ClipPriorHead(
        options(clip_weights="random", box_lambda=0.0, config=ClipPriorConfig(nothing=False)), TINY_CLIP
    )
    plain.open()
    scores = plain.score(frame(), boxes).verb_scores[0]
    clip = load_clip(TINY_CLIP, "random", "").clip
    expected = shares_by_hand(clip, frame().image[20:52, 40:72], "cup", nothing=False)
    assert {WORDS.verbs[verb]: scores[verb] for verb in np.flatnonzero(scores)} == pytest.approx(expected, abs=1e-5)
    assert scores.sum() == pytest.approx(1, abs=1e-5), "something is always done"
    blind = ClipPriorHead(options(clip_weights="random", box_lambda=0.0, config=ClipPriorConfig(gamma=1e-9)), TINY_CLIP)
    blind.open()
    assert blind.score(frame(), boxes).verb_scores[0].sum() == pytest.approx(0.5, abs=1e-5)


@torch.no_grad()
def test_two_humans_are_two_pairs_and_one_crop():
    head, seen = opened("hold cup, hug person"), []
    head._loaded.model.tower.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    scores = head.score(frame(), detections(PERSON, PERSON))
    assert len(scores) == 2
    assert seen == [1]
    assert scores.verb_scores[0] == pytest.approx(scores.verb_scores[1])


@pytest.mark.parametrize("gamma", [0.0, -1.0, float("inf")])
def test_a_factor_that_is_none_is_refused(gamma):
    with pytest.raises(UsageError, match="gamma="):
        ClipPriorConfig(gamma=gamma)


@pytest.mark.parametrize("classes", [(), (CUP, BOTTLE), (PERSON,)])
def test_no_pair_is_an_empty_answer(classes):
    assert opened("hold cup").score(frame(), detections(*classes)).verb_scores.shape == (0, 1)


def test_pairs_beyond_the_cap_are_counted():
    scores = opened("hold cup", pair_limit=2).score(frame(), detections(PERSON, PERSON, CUP))
    assert len(scores) == 2
    assert scores.pairs.truncated == 2


def test_missing_clip_weights_say_which_where_how_large_and_what_else():
    head = ClipPriorHead(options())
    with pytest.raises(ModelError) as caught:
        head.open()
    message = str(caught.value)
    for part in ("clip_prior needs CLIP ViT-B/32", "ViT-B-32.pt", "338 MiB", "https://", "without a network", "random"):
        assert part in message
    assert "\n" not in message


def test_hts_without_weights_says_that_nobody_publishes_any(tmp_path):
    with pytest.raises(ModelError, match=r"none are published.*save_imported"):
        HtsHead(options()).open()


def hts_file(path, classes=600):
    torch.manual_seed(3)
    model = Hts(HtsConfig(classes=classes), TINY_CLIP)
    torch.nn.init.normal_(model.rows)
    model.bias.data.zero_()
    save_imported(path, model.state_dict(), WeightsOrigin("hts", "hico-det", {"classes": classes}))
    return path


def test_hts_weights_of_an_impossible_size_are_an_error_of_one_line(tmp_path):
    weights = hts_file(tmp_path / "hts.safetensors")
    with pytest.raises(ModelError, match="hts: a model of classes=-1 cannot be built"):
        HtsHead(options(words="polish cup", weights=weights, config=HtsConfig(classes=-1)), TINY_CLIP).open()
    with pytest.raises(ModelError, match="7 interactions instead of 600"):
        HtsHead(options(weights=weights, config=HtsConfig(classes=7)), TINY_CLIP).open()


def test_hts_scores_with_its_trained_rows_and_with_text_of_other_words(tmp_path):
    weights = hts_file(tmp_path / "hts.safetensors")
    head = HtsHead(options(weights=weights), TINY_CLIP)
    head.open()
    scores = head.score(frame(), detections(PERSON, CUP))
    assert scores.verb_scores.shape == (1, 117)
    assert set(np.flatnonzero(scores.verb_scores[0])) == set(np.flatnonzero(WORDS.valid[CUP] & WORDS.acting_verbs))
    other = HtsHead(options(words="polish cup", weights=weights, clip_weights="random"), TINY_CLIP)
    other.open()
    assert 0 < other.score(frame(), detections(PERSON, CUP)).verb_scores[0, 0] < 1
    assert "RANDOM" in other.info.note
    assert "RANDOM" not in head.info.note
    known = HtsHead(options(words="drink with cup, hold cup", weights=weights), TINY_CLIP)
    known.open()
    chosen = [WORDS.verb_id("drink_with"), WORDS.verb_id("hold")]
    few = known.score(frame(), detections(PERSON, CUP)).verb_scores
    assert few == pytest.approx(scores.verb_scores[:, chosen], abs=1e-6), "known words keep their trained rows"
    with pytest.raises(ModelError, match="hts --vocab with new words needs CLIP"):
        HtsHead(options(words="polish cup", weights=weights), TINY_CLIP).open()


def test_hts_weights_of_another_size_are_refused_on_one_line(tmp_path):
    weights = hts_file(tmp_path / "hts.safetensors", classes=30)
    with pytest.raises(ModelError, match="does not fit its configuration") as caught:
        HtsHead(options(weights=weights), TINY_CLIP).open()
    assert "\n" not in str(caught.value)
