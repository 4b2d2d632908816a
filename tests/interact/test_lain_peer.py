"""LAIN's public model itself beside ours, on the same random weights and the same detections.

Set VIDEOHOI_PEER_PATH to a folder with ``lain`` (OreoChocolate/LAIN).
"""

import os
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
pytest.importorskip("torchvision", reason="the models extra (torchvision) is not installed")
pytest.importorskip("open_clip", reason="the models extra (open_clip) is not installed")

from detection_cases import KINDS, PERSON, count_parameters, detections, randomised  # noqa: E402
from peer_modules import checkout, peer_modules  # noqa: E402

from videohoi.interact.heads.lain import IGNORED_KEYS, KEY_MAP, LainConfig, LainHead  # noqa: E402
from videohoi.layers.box_head import corners_px  # noqa: E402
from videohoi.layers.checkpoints import convert  # noqa: E402
from videohoi.layers.clip import ClipConfig  # noqa: E402
from videohoi.vocabulary import hico_det  # noqa: E402

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore:torch.meshgrid"),  # theirs
]
ROWS = 8
TOLERANCE = 1e-4
CLIP = ClipConfig("two layers", patch_px=16, image_layers=2, text_width=128, text_layers=2, text_heads=2)
ARGUMENTS = {
    "adapt_dim": 32, "adapter_alpha": 1.0, "adapter_num_layers": 1, "N_CTX": 24, "CTX_INIT": "", "CSC": True,
    "CLASS_TOKEN_POSITION": "end", "dataset": "hicodet", "hyper_lambda": 2.8, "use_insadapter": True,
    "use_prompt": True, "use_hotoken": True, "use_prior": True,
}  # fmt: skip
"""theirs for HICO-DET, rare-first"""


class Public(SimpleNamespace):
    """Their model and modules."""

    def clip(self, config: ClipConfig, options: SimpleNamespace) -> torch.nn.Module:
        return self.clip_module.CLIP(
            config.embed_dim, config.image_size_px, config.image_layers, config.image_width, config.patch_px,
            config.context_length, config.vocabulary_size, config.text_width, config.text_heads, config.text_layers,
            use_adapter=True, args=options, adapter_layers=list(range(config.image_layers)),
        )  # fmt: skip

    def model(self, config: ClipConfig, **changed: object) -> torch.nn.Module:
        """With random weights, norms and gammas too."""
        options = SimpleNamespace(**{**ARGUMENTS, **changed})
        torch.manual_seed(7)
        custom = self.custom.CustomCLIP(options, self.sentences, self.clip(config, options))
        verbs = [np.flatnonzero(row).tolist() for row in hico_det().valid]
        objects = torch.zeros(81, config.embed_dim)
        model = self.lain.LAIN(
            options, torch.nn.Identity(), None, custom, objects, human_idx=PERSON, num_classes=117,
            object_class_to_target_class=verbs, object_n_verb_to_interaction=[[0]],
        )  # fmt: skip
        if not objects.is_meta:
            model.object_embedding.copy_(torch.randn(objects.shape, generator=torch.Generator().manual_seed(8)))
            randomised(model, 3, deviation=0.3)
        return model


@pytest.fixture(scope="module")
def public() -> Public:
    root, before = checkout("lain"), Path.cwd()
    os.chdir(root)  # theirs finds its DETR relative to the working directory
    try:
        with peer_modules((root,), {"wandb": ModuleType("wandb")}):
            from CLIP import clip, customCLIP
            from models import LAIN
            from utils.hico_list import hico_verbs_sentence
    finally:
        os.chdir(before)
    return Public(lain=LAIN, custom=customCLIP, clip_module=clip, sentences=hico_verbs_sentence)


@pytest.fixture
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their adapter moves one constant to a GPU by name."""
    monkeypatch.setattr(torch.Tensor, "cuda", lambda self: self)


def theirs_as_ours(theirs: torch.nn.Module, config: LainConfig) -> LainHead:
    """Our head with their weights, through the table that ``videohoi models import`` applies."""
    model = LainHead(config)
    published = {**theirs.state_dict(), "detector.query_embed.weight": torch.zeros(100, 256)}
    converted = convert(published, model, KEY_MAP, IGNORED_KEYS)
    assert sorted(key for key, _ in converted.ignored) == ["clip_head.logit_scale", "detector.query_embed.weight"]
    model.load_state_dict(converted.state_dict)
    return model.eval()


def their_logits(model: torch.nn.Module, found: tuple, pictures: torch.Tensor) -> tuple[torch.Tensor, list]:
    """(all pairs, 117) logits of the batch and each picture's (humans, others)."""
    boxes, scores, class_ids, mask, features = found
    corners = corners_px(boxes, torch.full((len(boxes), 2), 224.0))
    props = [
        {"boxes": corners[row, keep], "scores": scores[row, keep], "labels": class_ids[row, keep],
         "feat": features[row, keep]}
        for row, keep in enumerate(mask)
    ]  # fmt: skip
    sizes = torch.full((len(boxes), 2), 224)
    priors = model.get_prior(props, sizes)
    image = SimpleNamespace(tensors=pictures, decompose=lambda: (pictures, None))
    logits, _, humans, others, _ = model.compute_sim_scores(props, image, priors)
    return torch.cat([*logits, torch.zeros(0, 117)]), list(zip(humans, others, strict=True))


def reaching_out(found: tuple) -> tuple:
    """The same with boxes that stick out of the picture on every side."""
    boxes = found[0].clone()
    boxes[:, ::2, :2] = torch.tensor([[0.05, 0.1], [0.97, 0.5], [0.5, 0.98], [0.02, 0.95]])
    boxes[:, ::2, 2:] = 0.6
    return (torch.where(found[3][..., None], boxes, found[0]), *found[1:])


@pytest.mark.usefixtures("on_the_cpu")
@pytest.mark.parametrize(("tokens", "specific"), [(24, True), (36, True), (36, False)])
def test_logits_equal(public: Public, tokens: int, specific: bool) -> None:
    theirs = public.model(CLIP, N_CTX=tokens, CSC=specific)
    config = LainConfig(clip=CLIP, context_tokens=tokens, class_specific=specific, max_pairs=40, pair_chunk=9)
    ours = theirs_as_ours(theirs, config)
    kinds = (("crowd",), ("one pair",), ("one human", "two humans, no object", "nothing", "crowd"))
    for seed, case in enumerate(kinds if tokens == 24 else kinds[:1]):
        found = detections([KINDS[kind] for kind in case], rows=ROWS, width=256, seed=seed)
        pictures = torch.randn(len(case), 3, 224, 224, generator=torch.Generator().manual_seed(seed))
        for boxes in (found, reaching_out(found)):
            with torch.no_grad():
                expected, pairs = their_logits(theirs, boxes, pictures)
                output = ours(*boxes, pictures)
            torch.testing.assert_close(output.logits[output.pair_mask], expected, atol=TOLERANCE, rtol=0)
            for row, (humans, others) in enumerate(pairs):
                kept = output.pair_rows[row, output.pair_mask[row]]
                assert torch.equal(kept, torch.stack((humans, others), dim=1))


@pytest.mark.usefixtures("on_the_cpu")
def test_pairs_under_a_cap_keep_their_logits(public: Public) -> None:
    theirs = public.model(CLIP)
    ours = theirs_as_ours(theirs, LainConfig(clip=CLIP, max_pairs=5))
    found = detections([KINDS["crowd"]], rows=ROWS, width=256)
    pictures = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected, ((humans, others),) = their_logits(theirs, found, pictures)
        output = ours(*found, pictures)
    places = {pair: row for row, pair in enumerate(zip(humans.tolist(), others.tolist(), strict=True))}
    rows = [places[tuple(pair)] for pair in output.pair_rows[0].tolist()]
    assert output.truncated.tolist() == [10]
    torch.testing.assert_close(output.logits[0], expected[rows], atol=TOLERANCE, rtol=0)


def test_as_many_parameters_at_full_size(public: Public) -> None:
    with torch.device("meta"):
        theirs = public.model(LainConfig().clip)
        ours = LainHead()
    assert count_parameters(ours) == pytest.approx(count_parameters(theirs), rel=0.01)
    assert count_parameters(ours) == count_parameters(theirs) - 1  # CLIP's own factor
