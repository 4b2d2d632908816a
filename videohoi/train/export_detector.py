"""Turns a training checkpoint into the ONNX file that the starter detector runs.

::

    python -m videohoi.train.export_detector CHECKPOINT TARGET

The graph takes uint8 pictures (N, H, W, 3) BGR with H and W multiples of 32 and yields ``grid`` (N, A, 85), a YOLOX
raw grid with probabilities, and ``features`` (N, 128, H/16, W/16), the neck's stride-16 map. Batch norms are folded.
Weights are stored as float16 and cast back when the file is loaded: half the size, float32 arithmetic.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import onnx
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn

from videohoi.detect.network import HINT_NAMES, DetectorMaps, StarterNetwork
from videohoi.errors import InputError, VideohoiError
from videohoi.files import write_whole

OPSET = 17
EXAMPLE_HW_PX = (64, 96)
"""size of the traced picture; any other works, height unlike width so that a swap would show"""
SMALLEST_HALVED = 1024
"""tensors with fewer numbers (biases, folded norms) stay float32: they weigh nothing and carry the most precision"""


class ExportedDetector(nn.Module):
    """The network with pixels in and a flat grid out."""

    def __init__(self, network: StarterNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """``images`` (N, H, W, 3) uint8 BGR to grid (N, A, 5 + O) and features (N, 128, H/16, W/16)."""
        maps: DetectorMaps = self.network(images.permute(0, 3, 1, 2).float())
        levels = [
            torch.cat((boxes, objectness.sigmoid(), classes.sigmoid()), dim=1).flatten(2)
            for boxes, objectness, classes in zip(maps.boxes, maps.objectness, maps.classes, strict=True)
        ]
        return torch.cat(levels, dim=2).transpose(1, 2), maps.hints[HINT_NAMES.index("p4")]


def load_checkpoint(checkpoint: Path) -> tuple[StarterNetwork, dict[str, Any]]:
    """The averaged network of a run, in evaluation mode, and the whole saved state.

    Raises:
        InputError: the file is missing or is no checkpoint of the detector's training.
    """
    if not checkpoint.is_file():
        raise InputError(f"{checkpoint}: no such file; expected the checkpoint.pt of a detector training run")
    network = StarterNetwork()
    try:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        network.load_state_dict(state["average"])
    except (RuntimeError, KeyError, TypeError, ValueError, EOFError, OSError, UnpicklingError) as error:
        raise InputError(f"{checkpoint}: not a checkpoint of the detector's training ({_gist(error)})") from error
    return network.eval(), state


def _gist(error: BaseException) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:160]


def export(checkpoint: Path, target: Path, *, half: bool = True) -> None:
    """Write the ONNX file of ``checkpoint``'s averaged weights to ``target``, whole or not at all.

    The same checkpoint gives the same bytes with the same versions of torch and onnx.

    Raises:
        InputError: the checkpoint cannot be read.
    """
    network, state = load_checkpoint(checkpoint)
    model = trace(network)
    if half:
        store_half(model)
    _tidy(model, {"step": str(state.get("step", "")), "data_sha256": str(state.get("data_hash", ""))})
    onnx.checker.check_model(model)
    write_whole(target, model.SerializeToString(deterministic=True))


def trace(network: StarterNetwork) -> ModelProto:
    """The network as an ONNX graph, sizes left open, batch norms folded into the convolutions."""
    height, width = EXAMPLE_HW_PX
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        file = Path(folder) / "detector.onnx"
        # the TorchScript exporter is announced as old; the new one needs packages the train extra does not have
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            ExportedDetector(network).eval(),
            (torch.zeros((1, height, width, 3), dtype=torch.uint8),),
            file,
            input_names=["images"],
            output_names=["grid", "features"],
            opset_version=OPSET,
            dynamo=False,
            dynamic_axes={
                "images": {0: "batch", 1: "height", 2: "width"},
                "grid": {0: "batch", 1: "cells"},
                "features": {0: "batch", 2: "rows", 3: "columns"},
            },
        )
        return onnx.load(str(file))


def store_half(model: ModelProto) -> None:
    """Store large float32 weights as float16, each followed by a cast that engines fold away on loading."""
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < SMALLEST_HALVED:
            continue
        if np.abs(values).max() > np.finfo(np.float16).max:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], name=f"{name}.cast", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _tidy(model: ModelProto, facts: dict[str, str]) -> None:
    """Drop what differs between machines (source paths) and describe the file."""
    del model.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    model.doc_string = "videohoi starter detector: uint8 BGR (N, H, W, 3) to a YOLOX raw grid and a stride-16 map"
    helper.set_model_props(model, facts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m videohoi.train.export_detector", description=export.__doc__)
    parser.add_argument("checkpoint", type=Path, help="checkpoint.pt of a training run")
    parser.add_argument("target", type=Path, help="ONNX file to write")
    parser.add_argument("--full", action="store_true", help="store float32 weights: twice the size")
    options = parser.parse_args(arguments)
    try:
        export(options.checkpoint, options.target, half=not options.full)
    except (VideohoiError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code if isinstance(error, VideohoiError) else 1
    sys.stdout.write(f"{options.target}: {options.target.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
