"""From a 1080p picture to a network's float input: letterboxed, planar, scaled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Claim, Contestant, NotEqualError, Options, Row, interleave
from videohoi.detect.letterbox import PAD_VALUE
from videohoi.detect.planar import PlanarForm, PlanarLetterbox, Yuv420

OPENCV = "cv2.resize + blobFromImage"
OPENCV_YUV = "cv2.cvtColor + resize + blobFromImage"
SIDE_PX = 640
SIZES = ((720, 1280), (1080, 1920))
GOAL = 2.0
MOST_RGB, MEAN_YUV = 1.0 / 255.0, 2.0 / 255.0

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


def scenery(height: int, width: int) -> Image:
    """A smooth picture with some grain, all colours inside what a video holds."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(60, 190, (9, 16, 3)).astype(np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    return np.clip(smooth + rng.integers(-4, 5, smooth.shape, dtype=np.int16), 0, 255).astype(np.uint8)


def planes_of(image: Image) -> tuple[NDArray[np.uint8], Yuv420]:
    """OpenCV's own stacked form, and its planes."""
    height, width = image.shape[:2]
    stacked = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420), np.uint8)
    half, flat = (height // 2, width // 2), stacked[height:].reshape(-1)
    middle = half[0] * half[1]
    return stacked, Yuv420(stacked[:height], flat[:middle].reshape(half), flat[middle:].reshape(half))


def by_opencv(image: NDArray[np.uint8]) -> Floats:
    """The usual route: resize, pad, and a blob."""
    height, width = image.shape[:2]
    scale = min(SIDE_PX / height, SIDE_PX / width)
    inside = (round(width * scale), round(height * scale))
    canvas = np.full((SIDE_PX, SIDE_PX, 3), PAD_VALUE, np.uint8)
    canvas[: inside[1], : inside[0]] = cv2.resize(image, inside, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.dnn.blobFromImage(canvas, 1 / 255)[0], np.float32)


def yuv_by_opencv(stacked: NDArray[np.uint8]) -> Floats:
    """The usual route from a decoder's planes: a full RGB picture first."""
    return by_opencv(np.asarray(cv2.cvtColor(stacked, cv2.COLOR_YUV2RGB_I420), np.uint8))


@contextmanager
def one_thread() -> Iterator[None]:
    """OpenCV on one thread, as everything here."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def compare_rgb(image: Image) -> str:
    """Greatest difference; ``NotEqualError`` above one level."""
    ours = PlanarLetterbox(PlanarForm((SIDE_PX, SIDE_PX))).of_rgb(image).values
    worst = float(np.abs(ours - by_opencv(image)).max())
    if worst > MOST_RGB:
        raise NotEqualError(f"a value is {worst * 255:.3g}/255 from OpenCV's")
    return f"{ours.size} values, at most {worst * 255:.2g}/255 apart"


def compare_yuv(image: Image) -> str:
    """Mean and greatest difference; ``NotEqualError`` above two levels on average."""
    stacked, planes = planes_of(image)
    ours = PlanarLetterbox(PlanarForm((SIDE_PX, SIDE_PX))).of_yuv(planes).values
    apart = np.abs(ours - yuv_by_opencv(stacked)) * 255
    if apart.mean() > MEAN_YUV * 255:
        raise NotEqualError(f"values are {apart.mean():.3g}/255 from OpenCV's on average")
    return f"{ours.size} values, {apart.mean():.2g}/255 apart on average, at most {apart.max():.2g}/255"


def check(options: Options) -> str:
    """Both routes on a small picture."""
    image = scenery(360, 640)
    return f"RGB: {compare_rgb(image)}; YUV: {compare_yuv(image)}"


def _row(case: str, equality: str, ours: Callable[[], object], name: str, peer: Callable[[], object],
         options: Options) -> Row:  # fmt: skip
    timings = interleave([Contestant("ours", ours), Contestant(name, peer)], options.rounds)
    return Row(case, equality, timings, goals={name: GOAL})


def _rows(size: tuple[int, int], options: Options) -> list[Row]:
    image = scenery(*size)
    stacked, planes = planes_of(image)
    letterbox = PlanarLetterbox(PlanarForm((SIDE_PX, SIDE_PX)))
    return [
        _row(f"{size[0]}p RGB to {SIDE_PX}", compare_rgb(image), lambda: letterbox.of_rgb(image), OPENCV,
             lambda: by_opencv(image), options),
        _row(f"{size[0]}p YUV 4:2:0 to {SIDE_PX}", compare_yuv(image), lambda: letterbox.of_yuv(planes), OPENCV_YUV,
             lambda: yuv_by_opencv(stacked), options),
    ]  # fmt: skip


def measure(options: Options) -> Sequence[Row]:
    """720p and 1080p, from RGB and from a decoder's planes, one thread."""
    with one_thread():
        return [row for size in SIZES for row in _rows(size, options)]


CLAIM = Claim(
    "preprocess",
    f"A video's picture as a network takes it (letterboxed to {SIDE_PX}, planar float32): from RGB OpenCV's values to "
    f"1/255, from YUV 4:2:0 to 2/255 on average (the greatest difference is in the row: chroma is drawn smoothly here, "
    f"repeated there), both at least {GOAL:g} times as fast as OpenCV's route on one thread.",
    check,
    measure,
)
