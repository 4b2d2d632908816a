"""How often a picture is drawn, so that rare classes are seen at all: repeat-factor sampling.

Gupta, Dollar, Girshick, "LVIS: A Dataset for Large Vocabulary Instance Segmentation", CVPR 2019, arXiv 1908.03195,
section 5.1: r(class) = max(1, sqrt(t / f(class))) with f the share of pictures that show the class; a picture is
repeated as often as its rarest class asks for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

LEAST_PICTURES = 3
"""a class seen in fewer pictures counts as seen in this many: one doubtful label must not rule the order"""
WEIGHT_RANGE = (0.3, 4.0)
"""a class of a handful of pictures is learnt by heart if it weighs more; the commonest must not be forgotten"""


def repeat_factors(classes_of_pictures: Sequence[Collection[int]], common_share: float) -> NDArray[np.float64]:
    """(N,) times each picture is drawn an epoch, 1 or more.

    ``classes_of_pictures``: the classes each picture shows; ``common_share``: t, the share of pictures from which a
    class needs no help (0 switches balancing off). ``ValueError`` outside [0, 1].
    """
    if not 0.0 <= common_share <= 1.0:
        raise ValueError(f"common_share must lie in [0, 1], got {common_share}")
    present = [frozenset(classes) for classes in classes_of_pictures]
    counts: dict[int, int] = {}
    for classes in present:
        for class_id in classes:
            counts[class_id] = counts.get(class_id, 0) + 1
    least = {k: max(count, LEAST_PICTURES) / len(present) for k, count in counts.items()}
    factor = {k: max(1.0, float(np.sqrt(common_share / share))) for k, share in least.items()}
    return np.array([max((factor[k] for k in classes), default=1.0) for classes in present])


def class_weights(
    classes_of_pictures: Sequence[Collection[int]], class_count: int, power: float
) -> NDArray[np.float64]:
    """(O,) weight of each class in a loss: (mean share / own share) ** ``power`` within ``WEIGHT_RANGE``.

    0 weighs all classes alike; 0.5 is the square root of the inverse frequency, midway to equal classes (Mahajan et
    al., "Exploring the Limits of Weakly Supervised Pretraining", ECCV 2018, arXiv 1805.00932, section 2.2).
    """
    counts = np.full(class_count, float(LEAST_PICTURES))
    for classes in classes_of_pictures:
        counts[list(classes)] += 1.0
    weights: NDArray[np.float64] = np.clip((counts.mean() / counts) ** power, *WEIGHT_RANGE)
    return weights


def epoch_order(repeats: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """A shuffled epoch of row numbers: row i appears floor(r) or ceil(r) times, r = ``repeats[i]`` on average."""
    times = np.floor(repeats + rng.random(len(repeats))).astype(np.int64)
    return rng.permutation(np.repeat(np.arange(len(repeats)), times))
