"""Write a trained pair head as ONNX for ``videohoi.interact.heads.starter``.

Run it with::

    python -m videohoi.train.pair_export runs/starter_pair_head/geometry.pt OUTPUT.onnx
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from onnx import helper
from torch import Tensor, nn

from videohoi.files import write_whole
from videohoi.geometry.pair_features import FEATURE_COUNT
from videohoi.train.export_detector import store_half
from videohoi.train.pair_network import PairNetwork, PairNetworkSize, multiplied_sum
from videohoi.vocabulary import hico_det

OPSET = 18
EXAMPLE_PAIRS = 5
INPUTS = ("features", "object_classes", "human_rows", "object_rows", "appearance", "has_appearance")


class FramePairs(nn.Module):
    """The network on the pairs of one frame, in the form the runtime feeds it."""

    def __init__(self, network: PairNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        features: Tensor,
        object_classes: Tensor,
        human_rows: Tensor,
        object_rows: Tensor,
        appearance: Tensor,
        has_appearance: Tensor,
    ) -> Tensor:
        """(P, V) calibrated logits."""
        groups = [multiplied_sum(human_rows), multiplied_sum(object_rows), multiplied_sum(torch.zeros_like(human_rows))]
        logits: Tensor = self.network(features, object_classes, groups, appearance, has_appearance)
        return logits


def load_network(path: Path) -> tuple[PairNetwork, bool]:
    """A trained network from ``geometry.pt`` or ``appearance.pt``, and whether its appearance branch is trained."""
    state = torch.load(path, weights_only=True)
    network = PairNetwork(hico_det(), PairNetworkSize(**state["size"]))
    network.load_state_dict(state["weights"])
    return network.eval(), bool(state.get("appearance", False))


def export(network: PairNetwork, path: Path, *, appearance_trained: bool) -> None:
    """Write ``network`` with the properties the runtime checks; P is free."""
    model = trace(network)
    store_half(model)
    properties = {
        "kind": "videohoi pair head",
        "vocabulary": hico_det().name,
        "features": str(FEATURE_COUNT),
        "channels": str(network.size.feature_channels),
        "appearance": "trained" if appearance_trained else "none",
    }
    helper.set_model_props(model, properties)
    onnx.checker.check_model(model)
    write_whole(path, model.SerializeToString(deterministic=True))


def trace(network: PairNetwork) -> onnx.ModelProto:
    """The network as an ONNX graph in single precision."""
    rows = torch.arange(EXAMPLE_PAIRS)
    features = torch.zeros(EXAMPLE_PAIRS, FEATURE_COUNT)
    appearance = torch.zeros(EXAMPLE_PAIRS, 3 * network.size.feature_channels)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        file = Path(folder) / "head.onnx"
        # the TorchScript exporter is announced as old; the new one needs packages the train extra does not have
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            FramePairs(network).eval(),
            (features, rows, rows // 2, rows + EXAMPLE_PAIRS, appearance, torch.ones(1)),
            file,
            input_names=list(INPUTS),
            output_names=["verb_logits"],
            opset_version=OPSET,
            dynamo=False,
            dynamic_axes={name: {0: "pairs"} for name in [*INPUTS[:-1], "verb_logits"]},
        )
        model = onnx.load(str(file))
    for node in model.graph.node:
        node.doc_string = ""  # source paths differ between machines
    return model


def main(arguments: list[str]) -> None:
    """Entry point."""
    network, appearance_trained = load_network(Path(arguments[0]))
    export(network, Path(arguments[1]), appearance_trained=appearance_trained)


if __name__ == "__main__":
    main(sys.argv[1:])
