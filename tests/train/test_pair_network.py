import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from videohoi.geometry.pair_features import FEATURE_COUNT  # noqa: E402
from videohoi.train.pair_export import export  # noqa: E402
from videohoi.train.pair_network import (  # noqa: E402
    PairNetwork,
    PairNetworkSize,
    multiplied_sum,
    parameter_count,
    scattered_sum,
)
from videohoi.vocabulary import hico_det  # noqa: E402

pytestmark = pytest.mark.torch
SMALL = PairNetworkSize(width=16, layers=2, hidden=24, pooled=8, heads=2, feature_channels=4)


def randomised(size=SMALL):
    torch.manual_seed(0)
    network = PairNetwork(hico_det(), size).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return network


def inputs(count, channels=4):
    random = np.random.default_rng(count)
    return {
        "features": random.standard_normal((count, FEATURE_COUNT)).astype(np.float32),
        "object_classes": random.integers(0, 80, count),
        "human_rows": np.arange(count) // 3,
        "object_rows": 100 + np.arange(count) % 3,
        "appearance": random.standard_normal((count, 3 * channels)).astype(np.float32),
        "has_appearance": np.ones(1, np.float32),
    }


def run(network, values, sums=multiplied_sum):
    tensors = {name: torch.from_numpy(value) for name, value in values.items()}
    picture = torch.zeros_like(tensors["human_rows"])
    groups = [sums(tensors["human_rows"]), sums(tensors["object_rows"]), sums(picture)]
    with torch.inference_mode():
        return network(tensors["features"], tensors["object_classes"], groups, tensors["appearance"],
                       tensors["has_appearance"]).numpy()  # fmt: skip


def test_both_ways_to_sum_over_a_group_agree():
    network, values = randomised(), inputs(11)
    np.testing.assert_allclose(run(network, values), run(network, values, scattered_sum), atol=1e-4)


def test_pairs_may_come_in_any_order():
    network, values = randomised(), inputs(9)
    order = np.random.default_rng(0).permutation(9)
    moved = {name: value[order] if len(value) == 9 else value for name, value in values.items()}
    np.testing.assert_allclose(run(network, moved), run(network, values)[order], atol=1e-4)


def test_pairs_see_their_scene():
    network, values = randomised(), inputs(9)
    other = dict(values, features=values["features"].copy())
    other["features"][8] += 1
    assert np.abs(run(network, other)[0] - run(network, values)[0]).max() > 1e-4


def test_appearance_corrects_nothing_before_it_is_trained_nor_when_absent():
    torch.manual_seed(0)
    fresh, values = PairNetwork(hico_det(), SMALL).eval(), inputs(5)
    absent = dict(values, has_appearance=np.zeros(1, np.float32))
    np.testing.assert_array_equal(run(fresh, values), run(fresh, absent))
    trained = randomised()
    assert np.abs(run(trained, values) - run(trained, absent)).max() > 1e-3
    blind = dict(absent, appearance=np.zeros_like(values["appearance"]))
    np.testing.assert_array_equal(run(trained, blind), run(trained, absent))


def test_the_exported_head_equals_the_network_at_any_number_of_pairs(tmp_path):
    network = randomised()
    export(network, tmp_path / "head.onnx", appearance_trained=True)
    session = onnxruntime.InferenceSession(tmp_path / "head.onnx", providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map["appearance"] == "trained"
    for count in (1, 2, 64):
        values = inputs(count)
        (logits,) = session.run(None, values)
        np.testing.assert_allclose(logits, run(network, values), atol=2e-2, rtol=2e-3)  # weights in half precision


def test_the_shipped_size_is_small():
    assert parameter_count(PairNetwork(hico_det())) <= 500_000
