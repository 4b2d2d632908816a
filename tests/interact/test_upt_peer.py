"""UPT's public interaction head itself beside ours, on the same random weights and the same detections.

Set VIDEOHOI_PEER_PATH to a folder with ``upt_full`` (fredzzhang/upt), ``pocket_full`` (fredzzhang/pocket) and ``detr``.
"""

from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
pytest.importorskip("torchvision", reason="the models extra (torchvision) is not installed")

from detection_cases import KINDS, PERSON, count_parameters, detections, randomised  # noqa: E402
from peer_modules import checkout, peer_modules  # noqa: E402

from videohoi.interact.heads.detr_pairs import chosen_rows, padded_detections  # noqa: E402
from videohoi.interact.heads.upt import IGNORED_KEYS, KEY_MAP, UptHead  # noqa: E402
from videohoi.interact.scoring import certainty  # noqa: E402
from videohoi.layers.box_head import corners_px  # noqa: E402
from videohoi.layers.checkpoints import convert  # noqa: E402
from videohoi.vocabulary import hico_det  # noqa: E402

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore:torch.meshgrid"),  # theirs
]
ROWS = 8
SIZES = torch.tensor([[517.0, 333.0], [1333.0, 800.0], [640.0, 481.0], [97.0, 64.0]])
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def public() -> SimpleNamespace:
    """Their head with random weights (also of norms), and their class UPT without a detector."""
    upt, pocket, detr = checkout("upt_full"), checkout("pocket_full"), checkout("detr")
    with peer_modules((upt, pocket, detr), {}):
        import interaction_head
        import upt as whole
    torch.manual_seed(7)
    verbs = [np.flatnonzero(row).tolist() for row in hico_det().valid]
    head = interaction_head.InteractionHead(torch.nn.Linear(1024, 117), 256, 512, 2048, 117, PERSON, verbs)
    model = whole.UPT(torch.nn.Identity(), None, head, human_idx=PERSON, num_classes=117)
    return SimpleNamespace(head=randomised(head, 3), model=model)


@pytest.fixture(scope="module")
def ours(public: SimpleNamespace) -> UptHead:
    """Our head with their weights, through the table that ``videohoi models import`` applies."""
    published = {f"interaction_head.{key}": value for key, value in public.head.state_dict().items()}
    published["detector.class_embed.bias"] = torch.zeros(81)
    model = UptHead()
    converted = convert(published, model, KEY_MAP, IGNORED_KEYS)
    assert [key for key, _ in converted.ignored] == ["detector.class_embed.bias"]
    model.load_state_dict(converted.state_dict)
    return model.eval()


def props(found: tuple, sizes: "torch.Tensor") -> list[dict]:
    boxes, scores, class_ids, mask, features = found
    corners = corners_px(boxes, sizes)
    return [
        {"boxes": corners[row, keep], "scores": scores[row, keep], "labels": class_ids[row, keep],
         "hidden_states": features[row, keep]}
        for row, keep in enumerate(mask)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "kinds",
    [("crowd",), ("one human",), ("one pair",), ("two humans, no object",),
     ("crowd", "one pair", "nothing", "one human"), ("one human, no object", "crowd", "no human", "crowd"),
     ("nothing", "no human")],
)  # fmt: skip
@pytest.mark.parametrize("seed", [0, 1])
def test_logits_equal(public: SimpleNamespace, ours: UptHead, kinds: tuple[str, ...], seed: int) -> None:
    found = detections([KINDS[kind] for kind in kinds], rows=ROWS, width=256, seed=seed)
    sizes = SIZES[: len(kinds)]
    picture_map = torch.randn(len(kinds), 2048, 4, 6, generator=torch.Generator().manual_seed(seed))
    shapes = sizes.flip(1).long()
    with torch.no_grad():
        logits, priors, humans, others, _, _ = public.head(picture_map, shapes, props(found, sizes))
        output = ours(*found, picture_map, sizes)
    assert len(logits) == int(output.pair_mask.sum())
    torch.testing.assert_close(output.logits[output.pair_mask], logits, atol=TOLERANCE, rtol=0)
    for row in range(len(kinds)):
        kept = output.pair_rows[row, output.pair_mask[row]]
        assert torch.equal(kept, torch.stack((humans[row], others[row]), dim=1))
        boxes = (found.scores[row, kept[:, 0]] * found.scores[row, kept[:, 1]]).numpy()
        valid = hico_det().valid[found.class_ids[row, kept[:, 1]].numpy()]
        prior = torch.from_numpy(certainty(boxes, 2.8) * valid)
        torch.testing.assert_close(prior, priors[row].prod(0), atol=1e-6, rtol=1e-5)


def test_as_many_parameters(public: SimpleNamespace, ours: UptHead) -> None:
    assert count_parameters(ours) == count_parameters(public.head)


@pytest.mark.parametrize("humans", [0, 1, 2, 20])
def test_the_same_detections_are_chosen(public: SimpleNamespace, humans: int) -> None:
    rng = np.random.default_rng(humans)
    boxes = rng.uniform(0, 300, (100, 4)).astype(np.float32)
    boxes[:, 2:] += boxes[:, :2]
    scores = (rng.uniform(0, 1, 100) ** (3 if humans < 20 else 1)).astype(np.float32)
    classes = np.where(np.arange(100) < 3 * humans, PERSON, rng.integers(1, 6, 100))
    features = torch.arange(100.0)[:, None].expand(100, 256)
    result = {"scores": torch.from_numpy(scores), "labels": torch.from_numpy(classes), "boxes": torch.from_numpy(boxes)}
    theirs = public.model.prepare_region_proposals([result], features[None])[0]["hidden_states"][:, 0].long()
    rows = chosen_rows(boxes, scores, classes, person_id=PERSON)
    assert rows.tolist() == theirs.tolist()
    values = (torch.from_numpy(boxes), torch.from_numpy(scores), torch.from_numpy(classes), features)
    found = padded_detections([values], [rows], 30)
    assert int(found.mask.sum()) == len(rows)
    assert found.features[0, : len(rows), 0].long().tolist() == rows.tolist()
