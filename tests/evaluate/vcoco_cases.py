"""A small made-up V-COCO: annotations, COCO instances and pickled predictions, all seeded."""

import json
import pickle

import numpy as np

ACTIONS = (
    ("hold", ["agent", "obj"]), ("stand", ["agent"]), ("ride", ["agent", "instr"]), ("cut", ["agent", "instr", "obj"]),
    ("point", ["agent", "instr"]),
)  # fmt: skip
IMAGES, PEOPLE, THINGS = 12, 3, 3


def boxes_of(rng, count):
    corner = rng.uniform(0, 300, (count, 2))
    return np.concatenate([corner, rng.uniform(40, 200, (count, 2))], axis=1).round(2)


def instances(rng):
    rows = []
    for image in range(1, IMAGES + 1):
        for slot, box in enumerate(boxes_of(rng, PEOPLE + THINGS)):
            rows.append(
                {
                    "id": 100 * image + slot, "image_id": image, "category_id": 1 if slot < PEOPLE else 2,
                    "bbox": box.tolist(), "area": float(box[2] * box[3]), "iscrowd": 0,
                }
            )  # fmt: skip
    images = [{"id": image, "width": 520, "height": 480} for image in range(1, IMAGES + 1)]
    categories = [{"id": 1, "name": "person"}, {"id": 2, "name": "thing"}]
    return {"images": images, "annotations": rows, "categories": categories}


def annotations(rng):
    """The third person of every third picture has no labels; some roles have no box."""
    people = [(i, 100 * i + p) for i in range(1, IMAGES + 1) for p in range(PEOPLE) if p < PEOPLE - 1 or i % 3]
    values = []
    for name, roles in ACTIONS:
        label = (rng.random(len(people)) < 0.5).astype(int)
        things = [[person for _, person in people]]
        for _ in roles[1:]:
            boxed = label * (rng.random(len(people)) < 0.7)
            things.append(
                [
                    int(b) * (100 * i + PEOPLE + int(rng.integers(THINGS)))
                    for (i, _), b in zip(people, boxed, strict=True)
                ]
            )
        values.append(
            {
                "action_name": name, "role_name": roles, "image_id": [i for i, _ in people],
                "ann_id": [person for _, person in people], "label": label.tolist(),
                "role_object_id": [thing for column in things for thing in column],
            }
        )  # fmt: skip
    return values


def corners(box):
    return np.array([box[0], box[1], box[0] + box[2] - 1, box[1] + box[3] - 1])


def predictions(rng, coco):
    """Each box jittered, some doubled; scores all different; some actions not predicted (nan)."""
    found = []
    by_image = {}
    for row in coco["annotations"]:
        by_image.setdefault(row["image_id"], []).append(row)
    for image, rows in by_image.items():
        things = [corners(row["bbox"]) for row in rows[PEOPLE:]]
        for row in rows[:PEOPLE]:
            for _ in range(1 + int(rng.random() < 0.4)):
                found.append(one(rng, image, corners(row["bbox"]), things))
    return found


def one(rng, image, person, things):
    record = {"image_id": image, "person_box": jitter(rng, person)}
    for name, roles in ACTIONS:
        record[f"{name}_agent"] = float("nan") if rng.random() < 0.1 else float(rng.random())
        for role in roles[1:]:
            score = float("nan") if rng.random() < 0.1 else float(rng.random())
            kind = rng.random()
            box = [0.0] * 4 if kind < 0.15 else [float("nan")] * 4 if kind < 0.3 else None
            record[f"{name}_{role}"] = [
                *(jitter(rng, things[int(rng.integers(THINGS))]) if box is None else box),
                score,
            ]
    return record


def jitter(rng, box):
    size = np.tile(box[2:] - box[:2], 2)
    return (box + rng.normal(0, 0.06, 4) * size).round(2).tolist()


def write_case(folder, seed=0):
    """Paths of annotations, instances, predictions and image ids."""
    rng = np.random.default_rng(seed)
    coco = instances(rng)
    paths = [folder / name for name in ("vcoco.json", "instances.json", "found.pkl", "images.ids")]
    paths[0].write_text(json.dumps(annotations(rng)), encoding="utf-8")
    paths[1].write_text(json.dumps(coco), encoding="utf-8")
    paths[2].write_bytes(pickle.dumps(predictions(rng, coco), protocol=2))
    paths[3].write_text("\n".join(str(image) for image in range(1, IMAGES + 1)), encoding="utf-8")
    return paths
