import hashlib
from importlib import resources

import cv2
import numpy as np
import pytest

from videohoi.demo.photographs import load_cutout
from videohoi.errors import InputError


@pytest.mark.parametrize("name", ["person", "cup"])
def test_the_cutout_is_opaque_inside_and_empty_outside_its_outline(name):
    cutout = load_cutout(name)
    alpha = cutout.colour_alpha[..., 3]
    mask = np.zeros(alpha.shape, np.uint8)
    cv2.fillPoly(mask, [cutout.outline_xy_px.astype(np.int32)], 1)
    deep_inside = cv2.erode(mask, np.ones((15, 15), np.uint8)) > 0
    far_outside = cv2.dilate(mask, np.ones((15, 15), np.uint8)) == 0
    assert alpha[deep_inside].min() == pytest.approx(1.0)
    assert alpha[far_outside].max() == pytest.approx(0.0)
    assert ((alpha > 0.05) & (alpha < 0.95)).any(), "the edge is soft"


def test_colour_is_premultiplied_and_red_comes_first():
    person = load_cutout("person").colour_alpha
    assert (person[..., :3] <= 255 * person[..., 3:] + 1e-3).all()
    red, _, blue = person[420, 60, :3]  # the sleeve of the orange suit
    assert red > 2 * blue


def test_a_missing_photograph_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"astronaut\.webp.*cannot be read.*reinstall") as raised:
        load_cutout("person", tmp_path)
    assert "\n" not in str(raised.value)


def test_a_damaged_photograph_is_named(tmp_path):
    (tmp_path / "coffee.webp").write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"coffee\.webp.*not a readable picture.*reinstall"):
        load_cutout("cup", tmp_path)
    (tmp_path / "coffee.webp").write_bytes(b"")
    with pytest.raises(InputError, match="not a readable picture"):
        load_cutout("cup", tmp_path)


def test_another_picture_of_that_name_is_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "coffee.webp"), np.zeros((20, 30, 3), np.uint8))
    with pytest.raises(InputError, match="is 30x20, expected 600x400"):
        load_cutout("cup", tmp_path)


@pytest.mark.parametrize(
    ("file", "digest"),
    [
        ("astronaut.webp", "f22309ff463ef566bffd5a41b9d9867c5fd9490e9ced354b29d4194820da2033"),
        ("coffee.webp", "9597942f8acc753a928d4a1c3ee1cdb80331d7b5f2b8e62526c6bddfc7804019"),
    ],
)
def test_the_shipped_pixels_are_those_the_outlines_were_traced_on(file, digest):
    path = resources.files("videohoi.demo").joinpath("data", file)
    bgr = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert hashlib.sha256(bgr.tobytes()).hexdigest() == digest
