import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from videohoi.evaluate.hico.ground_truth_boxes import truth_picture  # noqa: E402
from videohoi.geometry.pair_features import Instances, pair_features  # noqa: E402
from videohoi.train import pair_appearance, pair_geometry  # noqa: E402
from videohoi.train.hico_geometry import Augmentation, draw, pack  # noqa: E402
from videohoi.train.pair_actions import ACTIONS, action_verbs, decided_verbs  # noqa: E402
from videohoi.train.pair_network import PairNetwork, PairNetworkSize  # noqa: E402
from videohoi.vocabulary import hico_det  # noqa: E402

pytestmark = pytest.mark.torch
ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "configs" / "train" / "starter_pair_head.yaml"
CORPUS_LABELS = ROOT.parent / "shared" / "corpus" / "labels.jsonl.gz"
VOCABULARY = hico_det()
SMALL = PairNetworkSize(width=16, layers=1, hidden=24, pooled=8, heads=2, feature_channels=4, dropout=0.0)


def hoi(verb, name):
    return VOCABULARY.interactions.index((VOCABULARY.verb_id(verb), VOCABULARY.object_id(name)))


def random_rows(count, seed=0):
    """Riders sit on their bicycle, others stand beside one; the verb follows from the boxes."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        x, y = random.integers(100, 300, 2).tolist()
        rides = bool(random.random() < 0.5)
        bike = [x, y, x + 120, y + 80]
        human = [x + 30, y - 90, x + 90, y + 50] if rides else [x + 150, y - 90, x + 200, y + 80]
        near = [value + 300 for value in human]
        rows.append(
            {
                "boxes_h": [human, near],
                "boxes_o": [bike, bike],
                "hoi": [hoi("ride" if rides else "no_interaction", "bicycle"), hoi("no_interaction", "bicycle")],
            }
        )
    return rows  # fmt: skip


def pictures(count, seed=0):
    return [pictured(str(k), row) for k, row in enumerate(random_rows(count, seed))]


def pictured(name, row):
    boxes = np.array([*row["boxes_h"], *row["boxes_o"]], np.float32)
    return truth_picture(name, (640, 640), np.array(row["hoi"], np.int64), boxes, VOCABULARY)


def test_training_and_run_time_compute_the_same_features():
    drawn = pictures(6)
    packed = pack(drawn)
    batch = draw(packed, np.array([4, 1, 5]), 0, Augmentation(), np.random.default_rng(0))
    alone = []
    for picture in (drawn[4], drawn[1], drawn[5]):
        instances = Instances.of_picture(picture.boxes_xyxy_px, picture.class_ids, (640, 640))
        alone.append(pair_features(instances, picture.human_rows, picture.object_rows, 0))
    np.testing.assert_array_equal(batch.features, np.concatenate(alone))
    np.testing.assert_array_equal(batch.verbs, np.concatenate([drawn[k].verbs for k in (4, 1, 5)]))


def test_augmentation_keeps_labels_with_their_pair():
    packed = pack(pictures(40))
    strong = Augmentation(jitter=0.05, drop_share=0.5, drop_probability=0.5, distractor_share=0.5, pair_limit=5)
    batch = draw(packed, np.arange(40), 0, strong, np.random.default_rng(0))
    assert (batch.verbs[batch.certain] == packed.verbs[batch.sampled_from[batch.certain]]).all()
    assert not batch.verbs[~batch.certain].any()
    assert (~batch.certain).any()
    assert (batch.human_rows != batch.object_rows).all()
    assert np.bincount(batch.picture_ids).max() <= 5
    assert np.isfinite(batch.features).all()


def test_a_short_run_learns_where_riders_sit_and_is_calibrated(tmp_path):
    annotations = {
        "filenames": [str(k) for k in range(300)],
        "size": [[640, 640]] * 300,
        "annotation": random_rows(300),
    }
    (tmp_path / "train.json").write_text(json.dumps(annotations))
    training = pair_geometry.PairTraining(
        tmp_path / "train.json", tmp_path / "run", epochs=8, pictures_per_step=32, learning_rate=1e-2, warmup_steps=5,
        ema_decay=0.9, hold_out_share=0.2, network=SMALL,
    )  # fmt: skip
    figures = pair_geometry.train(training)
    assert figures["held_out"]["full"] > 0.95
    assert figures["calibration"]["error_after"] < 0.05
    from videohoi.train.pair_export import load_network

    network, appearance = load_network(tmp_path / "run" / "geometry.pt")
    assert not appearance
    fresh = pictures(20, seed=1)
    scores = pair_geometry.score(network, fresh, 0)
    ride = VOCABULARY.verb_id("ride")
    truth = np.concatenate([picture.verbs[:, ride] for picture in fresh])
    bicycles = np.concatenate([picture.class_ids[picture.object_rows] for picture in fresh]) == 1
    found = np.concatenate(scores)[:, ride] > 0
    assert (found == truth)[bicycles].mean() > 0.95


def test_calibration_error_by_hand():
    probabilities, truth = np.array([0.9, 0.9, 0.1, 0.1]), np.array([1.0, 0.0, 0.0, 0.0])
    assert pair_geometry.expected_calibration_error(probabilities, truth) == pytest.approx((0.8 + 0.2) / 4)


def test_every_named_action_verb_is_valid_for_its_object():
    for action, objects in ACTIONS.items():
        for name, verbs in objects.items():
            assert action_verbs(VOCABULARY, action, VOCABULARY.object_id(name)).sum() == len(verbs), (action, name)
    phone = VOCABULARY.object_id("cell_phone")
    decided = {VOCABULARY.verbs[verb] for verb in np.nonzero(decided_verbs(VOCABULARY, phone))[0]}
    assert decided == {"talk_on", "text_on"}
    assert not action_verbs(VOCABULARY, "climbing", phone).any()


def action_pairs(count, seed):
    """Phoning looks one way, texting another; the geometry cannot tell."""
    random = np.random.default_rng(seed)
    phone = VOCABULARY.object_id("cell_phone")
    phoning = random.random(count) < 0.5
    names = np.where(phoning, "phoning", "texting_message")
    targets = np.stack([action_verbs(VOCABULARY, name, phone) for name in names])
    look = np.where(phoning[:, None], 1.0, -1.0) + 0.1 * random.standard_normal((count, 12))
    return pair_appearance.ActionPairs(
        torch.zeros(count, 16), torch.zeros(count, 117), torch.tensor(look, dtype=torch.float32) * torch.arange(12),
        np.full(count, phone), targets, np.tile(decided_verbs(VOCABULARY, phone), (count, 1)) | targets,
    )  # fmt: skip


def test_appearance_learns_what_geometry_cannot_and_leaves_geometry_alone(tmp_path):
    torch.manual_seed(0)
    network = PairNetwork(VOCABULARY, SMALL).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    settings = pair_appearance.AppearanceTraining(*[tmp_path] * 4, epochs=20, pairs_per_step=32, learning_rate=1e-2)
    pair_appearance.fit(network, action_pairs(200, 0), settings, VOCABULARY)
    held = action_pairs(50, 1)
    assert pair_appearance.mean_precision(network, held, with_appearance=False) < 0.8
    assert pair_appearance.mean_precision(network, held, with_appearance=True) > 0.99
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all(name.startswith("appearance.") for name in changed)


def test_the_acting_persons_drawn_box_replaces_the_teachers():
    row = {"boxes": [[10, 10, 50, 90], [100, 10, 150, 90], [40, 40, 60, 60], [0, 0, 5, 5]], "classes": [0, 0, 67, 5],
           "scores": [0.9, 0.9, 0.15, 0.1], "person_box": [12, 10, 52, 92], "hoi_object": 2}  # fmt: skip
    boxes, classes, human, obj = pair_appearance.scene_of(row, 0.25, 0)
    assert classes.tolist() == [0, 0, 67]  # drawn person, the other person, the promoted object; not the doubtful bus
    assert boxes[human].tolist() == [12, 10, 52, 92]
    assert boxes[obj].tolist() == [40, 40, 60, 60]


def test_the_configuration_file_loads():
    assert pair_geometry.load_training(CONFIG).epochs > 0
    assert pair_appearance.load_training(CONFIG).source == "s40"


@pytest.mark.shared
def test_the_action_names_are_those_of_the_corpus():
    if not CORPUS_LABELS.is_file():
        pytest.skip(f"{CORPUS_LABELS} is absent")
    with gzip.open(CORPUS_LABELS, "rt") as stream:
        named = set(re.findall(r'"action":"(\w+)"', stream.read()))
    assert set(ACTIONS) <= named
