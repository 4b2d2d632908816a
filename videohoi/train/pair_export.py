"""Write a trained pair head as ONNX for ``videohoi.interact.heads.starter``. Run it with::

python -m videohoi.train.pair_export runs/starter_pair_head/geometry.pt OUTPUT.onnx
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from videohoi.geometry.pair_features import FEATURE_COUNT
from videohoi.train.pair_network import PairNetwork, PairNetworkSize, multiplied_sum
from videohoi.vocabulary import hico_det

OPSET = 18
HALF_FROM_NUMBERS = 1024
"""Weight arrays of at least this many numbers are stored in half precision (they are 99 % of the file)."""
EXAMPLE_PAIRS = 5


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
    channels = network.size.feature_channels
    rows = torch.arange(EXAMPLE_PAIRS)
    example = (
        torch.zeros(EXAMPLE_PAIRS, FEATURE_COUNT), rows, rows // 2, rows + EXAMPLE_PAIRS,
        torch.zeros(EXAMPLE_PAIRS, 3 * channels), torch.ones(1),
    )  # fmt: skip
    pairs = torch.export.Dim("pairs", min=1, max=4096)
    names = ("features", "object_classes", "human_rows", "object_rows", "appearance", "has_appearance")
    shapes = {name: {0: pairs} for name in names[:-1]} | {"has_appearance": None}
    program = torch.onnx.export(
        FramePairs(network).eval(), example, input_names=names, output_names=["verb_logits"], opset_version=OPSET,
        dynamo=True, dynamic_shapes=shapes, verbose=False,
    )  # fmt: skip
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program; check the installed torch and onnxscript")
    model = halved(program.model_proto)
    properties = {
        "kind": "videohoi pair head", "vocabulary": hico_det().name, "features": str(FEATURE_COUNT),
        "channels": str(channels), "appearance": "trained" if appearance_trained else "none",
    }  # fmt: skip
    helper.set_model_props(model, properties)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store large float weights in half precision with a cast back; arithmetic stays in single precision."""
    for initializer in list(model.graph.initializer):
        values = numpy_helper.to_array(initializer)
        if values.dtype != np.float32 or values.size < HALF_FROM_NUMBERS:
            continue
        stored = initializer.name + "_half"
        model.graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), stored))
        cast = helper.make_node("Cast", [stored], [initializer.name], to=TensorProto.FLOAT)
        model.graph.node.insert(0, cast)
        model.graph.initializer.remove(initializer)
    del model.graph.value_info[:]
    return model


def main(arguments: list[str]) -> None:
    """Entry point."""
    network, appearance_trained = load_network(Path(arguments[0]))
    export(network, Path(arguments[1]), appearance_trained=appearance_trained)


if __name__ == "__main__":
    main(sys.argv[1:])
