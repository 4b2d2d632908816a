"""Makes a checkpoint from an exported detector, to go on training where the original checkpoint is lost.

::

    python -m videohoi.train.import_detector DETECTOR.onnx CORPUS CHECKPOINT

The export folds each batch norm into its convolution. The norm is rebuilt here from the statistics of the
folded convolution on training pictures: with mean m and variance v of its output x and folded bias b, the norm gets
running mean m, running variance v, weight sqrt(v + eps) and bias m + b. In evaluation mode it then only adds b; in
training mode its statistics fit from the first step on. The optimiser starts afresh.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import ModelProto, numpy_helper
from torch import Tensor, nn

from videohoi.detect.network import ConvNormAct, StarterNetwork
from videohoi.errors import InputError, VideohoiError
from videohoi.train.corpus import corpus_hash, read_corpus
from videohoi.train.sampling import ViewRecipe, ViewSampler

STATISTICS_PICTURES, STATISTICS_BATCH, STATISTICS_PX = 256, 16, 320
"""pictures that the statistics are taken from: 256 of 320 px have 10,000 or more cells in the coarsest map"""


def load_folded(path: Path) -> tuple[StarterNetwork, int]:
    """The network of an exported detector, with norms that only add the folded bias, and the step it was exported at.

    Raises:
        InputError: the file is missing, or is not an export of this network.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected an export of videohoi.train.export_detector")
    try:
        model = onnx.load(str(path))
        network = StarterNetwork()
        values = _tensors(model)
        for node in model.graph.node:
            if node.op_type == "Conv":
                _set_convolution(network, node.name, [values[name] for name in node.input[1:]])
    except (AttributeError, KeyError, ValueError, RuntimeError, onnx.checker.ValidationError) as error:
        raise InputError(
            f"{path}: not an export of the starter detector ({' '.join(str(error).split())[:120]})"
        ) from error
    facts = {entry.key: entry.value for entry in model.metadata_props}
    return network.eval(), int(facts.get("step") or 0)


def _tensors(model: ModelProto) -> dict[str, Tensor]:
    """Weights by name in float32; those stored in half precision under the name after their cast."""
    tensors = {
        tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in model.graph.initializer
    }
    casts = {
        node.output[0]: tensors[node.input[0]]
        for node in model.graph.node
        if node.op_type == "Cast" and node.input[0] in tensors
    }
    return {name: tensor.float() for name, tensor in {**tensors, **casts}.items()}


@torch.no_grad()
def _set_convolution(network: StarterNetwork, node_name: str, values: Sequence[Tensor]) -> None:
    """Copy the weights of one node, named as ``/network/backbone/stem/stem.1/conv/Conv``."""
    path = _module_path(node_name)
    convolution = network.get_submodule(path)
    assert isinstance(convolution, nn.Conv2d)
    weight, bias = values
    convolution.weight.copy_(weight)
    if convolution.bias is not None:
        convolution.bias.copy_(bias)
        return
    norm = network.get_submodule(path.removesuffix("conv") + "norm")
    assert isinstance(norm, nn.BatchNorm2d)
    norm.reset_parameters()
    norm.weight.fill_((1.0 + norm.eps) ** 0.5)  # mean 0 and variance 1: nothing but the bias is added
    norm.bias.copy_(bias)


def _module_path(node_name: str) -> str:
    """``backbone.stem.1.conv`` of ``/network/backbone/stem/stem.1/conv/Conv``: the exporter repeats a list's name."""
    scopes = node_name.strip("/").split("/")[1:-1]
    names = [
        scope.rpartition(".")[2] if before == scope.rpartition(".")[0] else scope
        for before, scope in pairwise(["", *scopes])
    ]
    return ".".join(names)


@torch.no_grad()
def restore_norms(network: StarterNetwork, batches: Sequence[Tensor]) -> None:
    """Give every norm the statistics of its convolution's output on ``batches``; the network's output stays the same.

    ``batches``: each (B, 3, H, W) BGR in [0, 255].
    """
    blocks = [module for module in network.modules() if isinstance(module, ConvNormAct)]
    sums = [torch.zeros(2, block.norm.num_features, dtype=torch.float64) for block in blocks]
    counts = [0] * len(blocks)

    def add(index: int, _module: nn.Module, _inputs: Any, output: Tensor) -> None:
        cells = output.double()
        sums[index] += torch.stack((cells.sum((0, 2, 3)), cells.square().sum((0, 2, 3))))
        counts[index] += cells[:, 0].numel()

    hooks = [block.conv.register_forward_hook(partial(add, index)) for index, block in enumerate(blocks)]
    for batch in batches:
        network(batch)
    for hook in hooks:
        hook.remove()
    for block, (total, squares), count in zip(blocks, sums, counts, strict=True):
        mean = total / count
        variance = (squares / count - mean.square()).clamp_min(0.0)
        norm = block.norm
        norm.bias.copy_(norm.bias + mean)
        norm.get_buffer("running_mean").copy_(mean)
        norm.get_buffer("running_var").copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())


def import_detector(path: Path, corpus: Path, checkpoint: Path) -> int:
    """Write a checkpoint at step 0 of a new schedule for ``detector_loop``; returns the step of the export.

    Raises:
        InputError: the detector or the corpus cannot be read.
    """
    network, step = load_folded(path)
    try:
        pictures = read_corpus(corpus, "train", leave_out=("clips",))
    except (FileNotFoundError, ValueError) as error:
        raise InputError(str(error)) from error
    rng = np.random.default_rng(0)
    chosen = [pictures[row] for row in rng.permutation(len(pictures))[:STATISTICS_PICTURES]]
    decoded = [picture.pixels_bgr() for picture in chosen]
    sampler = ViewSampler(decoded, ViewRecipe(), rng, np.ones(len(decoded)))
    batches = [
        torch.from_numpy(sampler.batch(STATISTICS_BATCH, STATISTICS_PX)).permute(0, 3, 1, 2).float()
        for _ in range(STATISTICS_PICTURES // STATISTICS_BATCH)
    ]
    restore_norms(network, batches)
    state = {
        "network": network.state_dict(),
        "average": network.state_dict(),
        "step": 0,
        "data_hash": corpus_hash(pictures),
    }
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, checkpoint)
    return step


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m videohoi.train.import_detector", description=__doc__)
    parser.add_argument("detector", type=Path, help="ONNX file of videohoi.train.export_detector")
    parser.add_argument("corpus", type=Path, help="folder with labels.jsonl.gz and the shards")
    parser.add_argument("checkpoint", type=Path, help="checkpoint.pt to write")
    options = parser.parse_args(arguments)
    try:
        step = import_detector(options.detector, options.corpus, options.checkpoint)
    except (VideohoiError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code if isinstance(error, VideohoiError) else 1
    sys.stdout.write(f"{options.checkpoint}: weights of step {step}, to be trained on from step 0\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
