"""DETR: its answers, weights under published and own names, class ids, the detector's errors, parity.

Set VIDEOHOI_PEER_PATH to a folder with ``detr`` (facebookresearch/detr) for the comparison with the public code.
"""

import subprocess
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the models extra (torch) is not installed")
pytest.importorskip("timm", reason="the models extra (timm) is not installed")
safetensors = pytest.importorskip("safetensors.torch", reason="the models extra (safetensors) is not installed")

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "interact"))

from one_stage_cases import (  # noqa: E402
    TINY,
    TOLERANCE,
    formula_weights,
    largest_difference,
    parameter_count,
    pictures,
    public_code,
    published,
    published_settings,
    random_weights,
)
from static_export import data_dependent_operators, export_static  # noqa: E402

from videohoi.config import build, read_mapping  # noqa: E402
from videohoi.detect.detr import (  # noqa: E402
    IGNORED_KEYS,
    KEY_MAP,
    Detr,
    DetrConfig,
    DetrOutput,
    best_classes,
    config_of,
    load_detr,
)
from videohoi.detect.torch_detectors import DetrDetector, class_of_output  # noqa: E402
from videohoi.errors import InputError, ModelError, UsageError  # noqa: E402
from videohoi.layers.checkpoints import convert  # noqa: E402
from videohoi.layers.pictures import detr_input  # noqa: E402
from videohoi.structures import Frame  # noqa: E402
from videohoi.vocabulary import hico_det  # noqa: E402

pytestmark = pytest.mark.torch
SMALL = DetrConfig(class_outputs=81, decoder_layers=2, **{**TINY, "heads": 8})
PUBLISHED_NAMES = {
    "decoder.": "transformer.decoder.",
    "queries": "query_embed.weight",
    "object_class.": "class_embed.",
    "box.": "bbox_embed.",
}
PUBLIC_PARAMETERS = 41_524_768
"""of DETR-R50 in facebookresearch/detr without frozen statistics, counted"""


@pytest.fixture(scope="module")
def model() -> Detr:
    return formula_weights(Detr(SMALL))


@pytest.fixture(scope="module")
def checkpoint(model: Detr, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As UPT publishes its fine-tune: torch.save, ``model_state_dict``, DETR's names."""
    path = tmp_path_factory.mktemp("weights") / "detr-r50-hicodet.pth"
    state = published(model, PUBLISHED_NAMES) | {"criterion.empty_weight": torch.ones(81)}
    torch.save({"model_state_dict": state, "epoch": 3, "args": Namespace(lr=1e-4)}, path)
    return path


def frame(height: int, width: int, seed: int = 0) -> Frame:
    return Frame(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8), 0, 0.0, "clip.mp4")


@pytest.mark.parametrize("batch", [1, 4])
@torch.no_grad()
def test_a_batch_gives_what_its_pictures_give_alone(model: Detr, batch: int) -> None:
    pixels, padding = pictures([(64, 96), (96, 70), (50, 33), (96, 96)][:batch])
    found = model(pixels, padding)
    assert found.boxes_cxcywh.shape == (batch, 5, 4)
    assert found.logits.shape == (batch, 5, 81)
    assert found.queries.shape == (batch, 5, 32)
    assert found.image.feature_map.shape[:2] == (batch, 512)
    for row in range(batch):
        alone = model(pixels[row : row + 1], padding[row : row + 1])
        torch.testing.assert_close(found.logits[row], alone.logits[0], atol=TOLERANCE, rtol=0)


@torch.no_grad()
def test_export_gives_equal_outputs_and_depends_on_no_data(model: Detr) -> None:
    program = export_static(model, pictures([(64, 96), (96, 70)]))
    assert data_dependent_operators(program) == []
    other = pictures([(96, 96), (33, 64)], seed=4)
    found, expected = program.module()(*other), model(*other)
    torch.testing.assert_close(found.boxes_cxcywh, expected.boxes_cxcywh, atol=TOLERANCE, rtol=0)
    torch.testing.assert_close(found.logits, expected.logits, atol=TOLERANCE, rtol=0)
    torch.testing.assert_close(found.image.memory, expected.image.memory, atol=TOLERANCE, rtol=0)


@torch.no_grad()
def test_stored_numbers_do_not_drift(model: Detr) -> None:
    found = model(*pictures([(64, 96)], seed=7))
    numbers = torch.cat((found.boxes_cxcywh[0, 1], found.logits[0, 2, :3], found.queries[0, 4, :2]))
    torch.testing.assert_close(numbers, torch.tensor(STORED), atol=1e-3, rtol=0)


def test_the_shipped_configuration_is_the_default_and_as_large_as_the_public_model() -> None:
    config = build(DetrConfig, read_mapping(ROOT / "configs" / "models" / "detr.yaml"))
    assert config == DetrConfig()
    with torch.device("meta"):
        assert parameter_count(Detr(config)) == PUBLIC_PARAMETERS


@pytest.mark.parametrize(
    ("arguments", "dilated"), [({"dilation": True}, True), ({"dilation": False}, False), ({}, False)]
)
def test_a_dc5_file_is_known_by_its_training_arguments(arguments, dilated, tmp_path) -> None:
    """Its weights have the names and shapes of the plain model's."""
    small = DetrConfig(backbone="resnet18", encoder_layers=1, decoder_layers=1, width=32, feedforward=48, queries=5)
    content = {"model": Detr(small).state_dict(), "args": Namespace(**arguments)}
    torch.save(content, tmp_path / "detr.pth")
    assert load_detr(tmp_path / "detr.pth").config.dilated == dilated


def test_sizes_are_read_from_the_weights() -> None:
    for config in (DetrConfig(), DetrConfig(class_outputs=81, queries=30, backbone="resnet101", decoder_layers=3)):
        with torch.device("meta"):
            assert config_of(Detr(config).state_dict()) == config


@torch.no_grad()
def test_published_and_own_names_load_to_the_same_model(model: Detr, checkpoint: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.safetensors"
    safetensors.save_file(model.state_dict(), own)
    expected = model(*pictures([(64, 64)])).logits
    for path in (checkpoint, own):
        torch.testing.assert_close(load_detr(path)(*pictures([(64, 64)])).logits, expected)


def test_best_classes_are_probabilities_without_nothing_and_corners() -> None:
    logits = torch.tensor([[[0.0, 2.0, 1.0], [1.0, 0.0, 9.0]]])
    boxes = torch.tensor([[[0.5, 0.4, 0.2, 0.6], [0.1, 0.1, 0.4, 0.2]]])
    (best,) = best_classes(DetrOutput(boxes, logits, logits, None))
    assert best.labels.tolist() == [1, 0]
    total = 1 + np.exp(2) + np.exp(1)
    np.testing.assert_allclose(best.scores[0], np.exp(2) / total, rtol=1e-6)
    np.testing.assert_allclose(best.boxes_xyxy, [[0.4, 0.1, 0.6, 0.7], [-0.1, 0.0, 0.3, 0.2]], atol=1e-6)


def test_class_ids_go_by_name_whatever_the_weights_were_trained_on() -> None:
    coco, fine_tuned = class_of_output(92, "w"), class_of_output(81, "w")
    objects = hico_det().objects
    assert objects[coco[1]] == objects[fine_tuned[0]] == "person"
    assert objects[coco[90]] == objects[fine_tuned[79]] == "toothbrush"
    assert [coco[gap] for gap in (0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91)] == [-1] * 12
    assert sorted(coco[coco >= 0]) == sorted(fine_tuned[:-1]) == list(range(80))
    assert fine_tuned[80] == -1
    with pytest.raises(ModelError, match="has 12 class outputs; expected 92"):
        class_of_output(12, "w")


@torch.no_grad()
def test_the_detector_gives_the_models_boxes_in_pixels_best_first(model: Detr, checkpoint: Path) -> None:
    detector = DetrDetector(checkpoint, score_threshold=0.0, short_side_px=64, long_side_px=128)
    detector.open()
    frames = [frame(50, 70), frame(90, 60, seed=1)]
    found = detector.detect(frames)
    batch = detr_input([each.image for each in frames], short_side_px=64, long_side_px=128)
    for detections, best, each in zip(found, best_classes(model(*batch)), frames, strict=True):
        order = np.argsort(-best.scores)
        np.testing.assert_allclose(detections.scores, best.scores[order], rtol=1e-4)
        size = np.array([each.width_px, each.height_px] * 2)
        np.testing.assert_allclose(detections.boxes_xyxy_px, best.boxes_xyxy[order].clip(0, 1) * size, atol=1e-2)
        assert (np.diff(detections.scores) <= 0).all()
    assert detector.detect([]) == []
    assert len(detector.info.weights_sha256) == 64
    detector.close()
    detector.close()
    with pytest.raises(ModelError, match=r"not open; call open\(\) first"):
        detector.detect(frames)


def test_the_threshold_drops_and_an_empty_picture_is_refused(checkpoint: Path) -> None:
    detector = DetrDetector(checkpoint, score_threshold=1.0, short_side_px=64, long_side_px=128)
    detector.open()
    assert len(detector.detect([frame(50, 70)])[0]) == 0
    with pytest.raises(InputError, match=r"clip\.mp4: frame 0 has no pixels"):
        detector.detect([replace(frame(50, 70), image=np.zeros((0, 7, 3), np.uint8))])


@pytest.mark.parametrize("weights", [None, "no/such/detr.pth"])
def test_missing_weights_are_one_line_that_says_what_to_do(weights: "str | None") -> None:
    with pytest.raises(ModelError) as caught:
        DetrDetector(weights).open()
    message = str(caught.value)
    assert "\n" not in message
    for part in ("detr-r50-e632da11.pth", "159 MB", "https://dl.fbaipublicfiles.com/detr/", "without a network"):
        assert part in message
    assert weights is None or weights in message


def test_a_file_that_is_no_detr_is_one_line(tmp_path: Path) -> None:
    torch.save({"model": {"conv.weight": torch.zeros(2)}}, tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("hello")
    torch.save({"epoch": 3}, tmp_path / "epoch.pth")
    for name, expected in (
        ("other", "not the weights of a DETR"),
        ("text", "not a checkpoint"),
        ("epoch", "no weights"),
    ):
        with pytest.raises(ModelError, match=expected) as caught:
            DetrDetector(tmp_path / f"{name}.pth").open()
        assert "\n" not in str(caught.value)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(UsageError, match="score threshold"):
        DetrDetector("w", score_threshold=1.5)
    with pytest.raises(UsageError, match="32 px"):
        DetrDetector("w", short_side_px=16)


def test_the_detector_is_known_without_torch() -> None:
    code = "import sys, videohoi.detect.torch_detectors; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("outputs", [92, 81])
@torch.no_grad()
def test_outputs_equal_the_public_code(outputs: int) -> None:
    pytest.importorskip("torchvision", reason="the models extra (torchvision) is not installed")
    with public_code("detr", {}):
        import models.backbone
        from models.detr import DETR
        from models.transformer import Transformer
        from util.misc import NestedTensor

        models.backbone.is_main_process = lambda: False  # it would download ImageNet's weights
        transformer = Transformer(d_model=256, return_intermediate_dec=True)
        theirs = DETR(models.backbone.build_backbone(published_settings()), transformer, outputs - 1, 100)
    random_weights(theirs, 4)
    with torch.device("meta"):
        ours = Detr(DetrConfig(class_outputs=outputs)).eval()
    converted = convert(theirs.state_dict(), ours, KEY_MAP, IGNORED_KEYS)
    assert not converted.ignored
    ours.load_state_dict(converted.state_dict, assign=True)
    for sizes in ([(333, 517)], [(333, 517), (421, 300)]):
        pixels, padding = pictures(sizes)
        found, expected = ours(pixels, padding), theirs(NestedTensor(pixels, padding))
        assert largest_difference(found.logits, expected["pred_logits"]) < TOLERANCE
        assert largest_difference(found.boxes_cxcywh, expected["pred_boxes"]) < TOLERANCE
    assert parameter_count(ours) == parameter_count(theirs)


STORED = [0.43184, 0.45358, 0.53282, 0.41912, 0.16793, -0.38335, 1.05332, 0.31518, -2.35773]
