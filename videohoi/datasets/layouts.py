"""Where the files of each data set lie below its folder, where to get them, and what the published files hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from videohoi.datasets.annotations import HoiAnnotations
from videohoi.datasets.folder import ANNOTATIONS, IMAGES, read_folder
from videohoi.datasets.hico_json import read_hico_json
from videohoi.datasets.hico_mat import ImageLabels, read_hico_image_labels, read_hico_mat
from videohoi.datasets.hico_ppdm import read_hico_ppdm
from videohoi.datasets.vcoco_json import read_vcoco_json, read_vcoco_official
from videohoi.datasets.vidhoi_json import read_vidhoi


@dataclass(frozen=True)
class Published:
    """What a published annotation file holds, where that is known."""

    images: int | None = None
    pairs: int | None = None
    source: str = ""


@dataclass(frozen=True)
class Form:
    """One of the files that hold a part's annotations."""

    path: str
    """below the folder"""
    read: Callable[[Path], HoiAnnotations]
    published: Published = Published()


@dataclass(frozen=True)
class Part:
    """One part of a data set: its annotations and its pictures."""

    name: str
    """train, val, test, trainval"""
    files: tuple[Form, ...]
    """the first that is there is taken"""
    pictures: tuple[str, ...]
    """folders of the pictures; the first that is there is taken"""
    required: bool = True
    labels: tuple[tuple[str, Callable[[Path], ImageLabels]], ...] = ()
    """labels of whole pictures, which scoring with known objects asks for; the first that is there is taken"""


@dataclass(frozen=True)
class Layout:
    """A data set on disk."""

    kind: str
    title: str
    parts: tuple[Part, ...]
    annotations_from: str
    """where to get the annotations"""
    pictures_from: str
    """where to get the pictures"""


_HICO_ROOTS = ("", "hico_20160224_det/")
_HICO_TRAIN = Published(38118, 117871, "HICO-DET paper, arXiv 1702.05448")
_HICO_TEST = Published(9658, 33405, "instances_test2015.json of fredzzhang/hicodet")
_PPDM_TRAIN = Published(37633, None, "trainval_hico.json of PPDM: pictures with pairs, boxes of one pair joined")


def _hico_part(name: str, ppdm: str, official: Published, joined: Published) -> Part:
    forms = (
        Form(f"instances_{name}2015.json", read_hico_json, official),
        Form(f"annotations/{ppdm}", read_hico_ppdm, joined),
        Form(ppdm, read_hico_ppdm, joined),
        Form("anno_bbox.mat", partial(read_hico_mat, part=name), official),
    )
    files = tuple(replace(form, path=root + form.path) for form in forms for root in _HICO_ROOTS)
    names = ("anno.mat", f"hico_{name}_image_level_positive.json")
    labels = tuple((root + file, partial(read_hico_image_labels, part=name)) for file in names for root in _HICO_ROOTS)
    return Part(name, files, tuple(f"{root}images/{name}2015" for root in _HICO_ROOTS), labels=labels)


_HICO = Layout(
    "hico-det", "HICO-DET",
    (_hico_part("train", "trainval_hico.json", _HICO_TRAIN, _PPDM_TRAIN),
     _hico_part("test", "test_hico.json", _HICO_TEST, Published())),
    "instances_train2015.json and instances_test2015.json: github.com/fredzzhang/hicodet; trainval_hico.json and "
    "test_hico.json: README of github.com/hitachi-rd-cv/qpic; anno_bbox.mat and anno.mat: in hico_20160224_det.tar.gz",
    "hico_20160224_det.tar.gz: www-personal.umich.edu/~ywchao/hico (unpack it here)",
)  # fmt: skip


def _vcoco_part(name: str, pictures: str, images: int, pairs: int, *, required: bool = True) -> Part:
    path = f"instances_vcoco_{name}.json"
    folders = tuple(f"{root}{pictures}" for root in ("", "images/", "mscoco2014/"))
    published = Published(images, pairs, "instances_vcoco_*.json of fredzzhang/vcoco")
    files = (
        Form(path, read_vcoco_json, published),
        Form(f"annotations/{path}", read_vcoco_json, published),
        Form(f"data/vcoco/vcoco_{name}.json", _official),
    )
    return Part(name, files, folders, required)


def _official(path: Path) -> HoiAnnotations:
    return read_vcoco_official(path, path.parents[1] / "instances_vcoco_all_2014.json")


_VCOCO = Layout(
    "vcoco", "V-COCO",
    (_vcoco_part("trainval", "train2014", 5400, 13817), _vcoco_part("test", "val2014", 4946, 12402),
     _vcoco_part("train", "train2014", 2533, 6400, required=False),
     _vcoco_part("val", "train2014", 2867, 7417, required=False)),
    "instances_vcoco_*.json: github.com/fredzzhang/vcoco; or data/ of github.com/s-gupta/v-coco, whose scripts make "
    "instances_vcoco_all_2014.json",
    "COCO 2014: images.cocodataset.org/zips/train2014.zip and val2014.zip",
)  # fmt: skip


def _vidhoi_part(name: str) -> Part:
    path = f"{name}_frame_annots.json"
    roots = ("", "VidHOI_annotation/", "annotations/", "VidHOI_annotations/")
    return Part(name, tuple(Form(root + path, read_vidhoi) for root in roots), ("frames", "images"))


_VIDHOI = Layout(
    "vidhoi", "VidHOI", (_vidhoi_part("train"), _vidhoi_part("val")),
    "train_frame_annots.json and val_frame_annots.json: README of github.com/coldmanck/VidHOI",
    "VidOR videos: xdshang.github.io/docs/vidor.html; frames: the script of github.com/coldmanck/VidHOI",
)  # fmt: skip

_FOLDER = Layout(
    "folder", "plain folder",
    (Part("all", (Form(ANNOTATIONS, lambda path: read_folder(path.parent)),), (IMAGES,)),),
    f"write {ANNOTATIONS}, one JSON line per picture; see the documentation of videohoi.datasets.folder",
    f"put your pictures into {IMAGES}/",
)  # fmt: skip

LAYOUTS: Mapping[str, Layout] = MappingProxyType({layout.kind: layout for layout in (_HICO, _VCOCO, _VIDHOI, _FOLDER)})
"""data sets by name"""
