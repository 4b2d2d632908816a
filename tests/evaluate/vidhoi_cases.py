"""Made-up frames in the layout of the gaze transformer's result files."""

import numpy as np

OBJECTS, PREDICATES = 4, 5
PERSON = 0


def box_in(rng):
    corner = rng.uniform(0, 300, 2)
    return [*corner.tolist(), *(corner + rng.uniform(40, 200, 2)).tolist()]


def jittered(rng, box, by):
    size = np.tile(np.array(box[2:]) - box[:2], 2)
    return (np.array(box) + rng.normal(0, by, 4) * size).tolist()


def frame(rng, number, *, jitter=0.05, duplicates=False, gone=False):
    """Two persons, three things; all pairs annotated and predicted, plus a predicted thing that is not there.

    ``jitter`` 0 predicts the annotated boxes and no other.
    """
    boxes = [box_in(rng) for _ in range(5)]
    labels = [PERSON, PERSON, *rng.integers(1, OBJECTS, 3).tolist()]
    pairs = [[h, o] for h in (0, 1) for o in (2, 3, 4)]
    found, found_labels, found_pairs = [jittered(rng, box, jitter) for box in boxes], [*labels], [*pairs]
    if jitter:
        found.append(box_in(rng))
        found_labels.append(1)
        found_pairs += [[0, 5], [1, 5]]
    if duplicates:
        found.append(list(found[0]))
        found_labels.append(PERSON)
        found_pairs += [[len(found) - 1, 2], [len(found) - 1, 3]]
    record = {
        "video_name": "0001/1234", "frame_id": f"{number:06d}",
        "bboxes": found, "pred_labels": found_labels, "confidences": rng.uniform(0.3, 1, len(found)).tolist(),
        "pair_idxes": found_pairs,
        "interaction_distribution": rng.uniform(0, 1, (len(found_pairs), PREDICATES)).tolist(),
        "bboxes_gt": boxes, "labels_gt": labels, "pair_idxes_gt": pairs,
        "interactions_gt": (rng.random((len(pairs), PREDICATES)) < 0.3).astype(float).tolist(),
    }  # fmt: skip
    if gone:
        record |= {"exist_mask": (rng.random(len(pairs)) < 0.7).tolist(), "future_frame_id": f"{number + 30:06d}"}
    return record


def frames(count=12, seed=0, **options):
    rng = np.random.default_rng(seed)
    return [frame(rng, number, **options) for number in range(count)]
