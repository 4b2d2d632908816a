"""Compiled ranking of triplets. The numpy twin and the formula are in ``videohoi.interact.top_triplets``.

float32 like the scores themselves, the same products in the same order as the twin: equal bit for bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videohoi.geometry.compiled_kernels import vectorised

Scores = NDArray[np.float32]
Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]

BUCKETS = 64
"""coarseness of the first ordering: enough that the best pairs come first, few enough to stay in the cache"""
FEW_VERBS = 24
"""so many allowed verbs are read one by one; with more, a look at the whole row first is faster"""
BUFFERED = 3
"""room for so many times the triplets asked for"""
SHORT_RUN = 12
"""runs this short are sorted by insertion"""
TINY = np.float32(1e-45)
"""the least positive float32: a score must reach it"""
SURE = np.float32(1.0)
"""no verb counts more than this: a pair whose prior is too low needs no look at its verbs"""
HALF = np.uint64(32)
LAST = np.uint64(0xFFFFFFFF)
"""highest place a key has room for: 36 million pairs of 117 verbs"""


@vectorised
def _roughly_best_first(prior: Scores) -> Ints:
    """Pairs with a positive prior, ordered by its bucket: a good start makes the heap's least score high at once."""
    top = np.float32(0.0)
    for p in range(len(prior)):
        top = prior[p] if prior[p] > top else top
    bucket = np.full(len(prior), BUCKETS, np.int64)
    begins = np.zeros(BUCKETS + 1, np.int64)
    for p in range(len(prior)):
        if prior[p] > 0.0:
            share = prior[p] / top
            bucket[p] = int((1.0 - share) * (BUCKETS - 1)) if share >= 0.0 else BUCKETS - 1
            begins[bucket[p] + 1] += 1
    for b in range(BUCKETS):
        begins[b + 1] += begins[b]
    order = np.empty(begins[BUCKETS], np.int64)
    for p in range(len(prior)):
        if bucket[p] < BUCKETS:
            order[begins[bucket[p]]] = p
            begins[bucket[p]] += 1
    return order


@vectorised
def _reaches(verb_scores: Scores, p: int, factor: np.float32, least: np.float32) -> bool:
    """Any product of pair ``p`` reaches ``least``; no early exit, so that the loop runs on vectors."""
    hits = np.int32(0)
    for v in range(verb_scores.shape[1]):
        hits |= np.int32(factor * verb_scores[p, v] >= least)
    return bool(hits != 0)


@vectorised
def _partition(keys: Keys, low: int, high: int) -> int:
    """Put ``keys[low:high]`` around one of them, larger ones first; its new place. Lomuto's scheme without a branch."""
    middle, last = (low + high) // 2, high - 1
    if keys[middle] > keys[low]:
        keys[middle], keys[low] = keys[low], keys[middle]
    if keys[last] > keys[low]:
        keys[last], keys[low] = keys[low], keys[last]
    if keys[middle] > keys[last]:
        keys[middle], keys[last] = keys[last], keys[middle]  # the middle one of three is now last
    pivot, place = keys[last], low
    for n in range(low, last):
        key = keys[n]
        keys[n] = keys[place]
        keys[place] = key
        place += np.int64(key > pivot)
    keys[last], keys[place] = keys[place], keys[last]
    return place


@vectorised
def _select(keys: Keys, size: int, count: int) -> None:
    """Put the ``count`` largest of ``keys[:size]`` first, the least of them last among them (quickselect)."""
    low, high = 0, size
    while high - low > 1:
        place = _partition(keys, low, high)
        if place == count - 1:
            return
        if place < count - 1:
            low = place + 1
        else:
            high = place


@vectorised
def _sort(keys: Keys, size: int) -> None:
    """Largest first: quicksort down to short runs, then insertion."""
    stack, top = np.empty((64, 2), np.int64), 0
    low, high = 0, size
    while True:
        while high - low > SHORT_RUN:
            place = _partition(keys, low, high)
            if place - low > high - place:  # the longer part waits: 64 entries are enough for any length
                stack[top, 0], stack[top, 1] = low, place
                low = place + 1
            else:
                stack[top, 0], stack[top, 1] = place + 1, high
                high = place
            top += 1
        if top == 0:
            break
        top -= 1
        low, high = stack[top, 0], stack[top, 1]
    for n in range(1, size):
        key, place = keys[n], n
        while place > 0 and keys[place - 1] < key:
            keys[place] = keys[place - 1]
            place -= 1
        keys[place] = key


@vectorised
def rank_kernel(
    prior: Scores, classes: Ints, verb_scores: Scores, verbs_of_class: Ints, verb_counts: Ints, limit: int
) -> Keys:
    """Keys of the best ``limit`` positive products, best first.

    ``prior`` (P,), ``classes`` (P,) the object's, ``verb_scores`` (P, V), ``verbs_of_class`` (O, V) with the first
    ``verb_counts`` (O,) of each row in use. A key is the score's bits above the place (pair * V + verb) counted down:
    positive floats order like their bits, so one comparison of keys is the whole order, ties included. Candidates
    gather in a buffer; when it is full its best ``limit`` stay, and only what is better enters from then on.
    """
    verb_count = verb_scores.shape[1]
    room = min(BUFFERED * limit, len(prior) * verb_count)
    keys, size = np.empty(room + verb_count, np.uint64), 0
    least_key, least = np.uint64(0), TINY
    bits = np.empty(verb_count, np.float32)
    whole = bits.view(np.uint32)
    for p in _roughly_best_first(prior):
        factor, thing, count = prior[p], classes[p], verb_counts[classes[p]]
        if limit == 0 or factor < least or (count > FEW_VERBS and not _reaches(verb_scores, p, factor, least)):
            continue
        # rows are named by their indices: a view of each would cost as much as reading it
        for n in range(count):
            score = verb_scores[p, verbs_of_class[thing, n]]
            bits[n] = factor * (SURE if score > SURE else score)
        for n in range(count):
            place = np.uint64(p * verb_count + verbs_of_class[thing, n])
            key = (np.uint64(whole[n]) << HALF) | (LAST - place)
            keys[size] = key
            size += np.int64((bits[n] >= least) & (key > least_key))
        if size > room or (size >= room and size > limit):
            _select(keys, size, limit)
            size = limit
            least_key = keys[limit - 1]
            least = _score_of(least_key)
    if size > limit:
        _select(keys, size, limit)
        size = limit
    _sort(keys, size)
    return keys[:size]


@vectorised
def _score_of(key: np.uint64) -> np.float32:
    score: np.float32 = np.uint32(key >> HALF).view(np.float32)
    return score


@vectorised
def rank_grid_kernel(
    human_prior: Scores,
    object_prior: Scores,
    object_classes: Ints,
    verb_scores: Scores,
    verbs_of_class: Ints,
    verb_counts: Ints,
    limit: int,
) -> tuple[bool, Ints, Ints, Ints, Scores]:
    """Whether all classes are known; human rows, object rows, verbs and scores of the best triplets of the grid."""
    count = len(object_prior)
    for o in range(count):
        if not 0 <= object_classes[o] < len(verb_counts):
            none = np.empty(0, np.int64)
            return False, none, none, none, np.empty(0, np.float32)
    prior = np.empty(len(human_prior) * count, np.float32)
    classes = np.empty(len(prior), np.int64)
    for h in range(len(human_prior)):
        for o in range(count):
            sure = human_prior[h] > 0.0 and object_prior[o] > 0.0
            prior[h * count + o] = human_prior[h] * object_prior[o] if sure else np.float32(0.0)
            classes[h * count + o] = object_classes[o]
    keys = rank_kernel(prior, classes, verb_scores, verbs_of_class, verb_counts, limit)
    size = len(keys)
    humans, objects, verbs = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    scores = np.empty(size, np.float32)
    for n in range(size):
        place = np.int64(LAST - (keys[n] & LAST))
        scores[n] = _score_of(keys[n])
        pair = place // verb_scores.shape[1]
        verbs[n] = place - pair * verb_scores.shape[1]
        humans[n] = pair // count
        objects[n] = pair - humans[n] * count
    return True, humans, objects, verbs, scores
