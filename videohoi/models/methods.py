"""Facts about the interaction methods; their code is in ``interact``. See docs/methods.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

INSTALL = "pip install 'videohoi[models]'"
"""what gives torch, torchvision, open_clip, timm, transformers and safetensors"""


@dataclass(frozen=True)
class MethodFacts:
    """What a user wants to know before choosing."""

    name: str
    """as after ``--model``"""
    paper: str
    code: str
    """the public code, and its licence"""
    weights: str
    """who publishes weights, and under which licence"""
    weights_url: str
    """page with links to them; empty: none"""
    needs: tuple[str, ...]
    """beyond this package; empty: nothing"""
    parameters: int | None = None
    """of everything it loads: CLIP towers and its own detector included, a separate detector not"""
    flops: int | None = None
    """multiply-adds times two for one frame of ``flops_at``, by torch.utils.flop_counter; without text, computed only
    once, and without a separate detector"""
    flops_at: str = ""
    """input size and number of pairs of ``flops``"""
    open_vocabulary: bool = False
    """compares with text, so that ``--vocab`` can name other words"""
    finds_boxes: bool = False
    """finds humans and objects itself; otherwise any detector does"""
    clip: str = ""
    """the CLIP model it uses at inference by default; empty: none"""
    weights_file: str = ""
    """which of the published files fits the shipped configuration, as the page calls it"""


_FRAME, _PAIRS = "1280 x 720 px", "8 pairs"
"""a 720p frame is 1333 x 750 px to DETR's family; 8 pairs are 2 humans with 3 things and each other"""
_AUTHORS = "authors, none stated for weights"
_NOBODY = "nobody publishes any"


def _own(name: str, paper: str, code: str, weights: str, url: str, **more: Any) -> MethodFacts:
    """A method that finds its own boxes."""
    needs = ("torch", "weights" if url else "trained weights")
    return MethodFacts(name, paper, code, weights, url, needs, finds_boxes=True, **more)


_ALL = (
    MethodFacts(
        "starter", "none: pair geometry as in UPT and SCG, trained by this project", "this project, Apache-2.0",
        "ships with the package, Apache-2.0", "", (), parameters=474_315, flops=7_276_544, flops_at=_PAIRS,
    ),
    MethodFacts(
        "clip_prior", "EoID (AAAI 2023, arXiv 2204.03541), its CLIP teacher alone", "mrwu-mac/EoID, Apache-2.0",
        "none but CLIP's, MIT", "", ("torch", "CLIP weights", "any detector"), parameters=151_277_312,
        flops=70_545_899_520, flops_at=_PAIRS, open_vocabulary=True, clip="ViT-B/32",
    ),
    MethodFacts(
        "hts", "HTS (ICIP 2023), from its abstract; DEFR (arXiv 2112.06392)", "none found", _NOBODY, "",
        ("torch", "trained weights", "any detector"), parameters=86_499_842, flops=281_020_170_240, flops_at=_PAIRS,
        open_vocabulary=True, clip="ViT-B/16",
    ),
    _own("eoid", "EoID (AAAI 2023, arXiv 2204.03541)", "mrwu-mac/EoID, Apache-2.0", _AUTHORS,
         "https://github.com/mrwu-mac/EoID",
         weights_file="the model of the row EoID(R50) under 'HICO-DET under UA setting'",
         parameters=41_676_432, flops=191_088_311_168, flops_at=_FRAME),
    _own("gen_vlkt", "GEN-VLKT (CVPR 2022, arXiv 2203.13954)", "YueLiao/gen-vlkt, MIT", _AUTHORS,
         "https://github.com/YueLiao/gen-vlkt",
         weights_file="hico_gen_vlkt_s.pth, the model of the row GEN-VLKT-S (R50) on HICO-DET",
         parameters=42_272_371, flops=191_949_585_280, flops_at=_FRAME,
         open_vocabulary=True),
    _own("hoiclip", "HOICLIP (CVPR 2023, arXiv 2303.15786)", "Artanic30/HOICLIP, none stated", _AUTHORS,
         "https://github.com/Artanic30/HOICLIP",
         weights_file="the model of the row HOICLIP on HICO-DET",
         parameters=217_838_707, flops=210_894_452_608, flops_at=_FRAME,
         open_vocabulary=True, clip="ViT-B/32"),
    _own("ki2hoi", "KI2HOI (arXiv 2403.07246)", "xwyscut/K2HOI, none stated", _NOBODY, "",
         parameters=222_776_040, flops=218_546_986_880, flops_at=_FRAME, open_vocabulary=True, clip="ViT-B/32"),
    _own("upt", "UPT (CVPR 2022, arXiv 2112.01838)", "fredzzhang/upt, BSD-3-Clause", _AUTHORS,
         "https://github.com/fredzzhang/upt",
         weights_file="upt-r50-hicodet.pt, the UPT weights of the row UPT-R50, HICO-DET",
         parameters=54_762_778, flops=192_171_192_192,
         flops_at=f"{_FRAME}, {_PAIRS}"),
    _own("lain", "LAIN (CVPR 2025, arXiv 2505.19503)", "OreoChocolate/LAIN, MIT", _AUTHORS,
         "https://github.com/OreoChocolate/LAIN",
         weights_file="the model of RF-UC among those linked under 'Model Zoo'",
         parameters=170_087_606, flops=226_922_269_056,
         flops_at=f"{_FRAME}, {_PAIRS}", open_vocabulary=True, clip="ViT-B/16"),
)  # fmt: skip
METHODS: Mapping[str, MethodFacts] = MappingProxyType({facts.name: facts for facts in _ALL})
"""by name"""


def weights_advice(name: str) -> str:
    """What to say where a method's weights are missing: which file, from where, how large, and the way offline."""
    facts = METHODS[name]
    if not facts.weights_url:
        return (
            f"{name} needs weights and {facts.weights}: train it, save it with "
            "videohoi.interact.imported.save_imported, and give the file with --weights"
        )
    size_mib = (facts.parameters or 0) * 4 / 2**20
    return (
        f"{name} needs weights: download {facts.weights_file}, from {facts.weights_url} (the weights in it take about "
        f"{size_mib:.0f} MiB), then `videohoi models import CKPT --as {name} --out FILE` and --weights FILE; without a "
        "network do both elsewhere and copy FILE"
    )
