"""The planar network input: equal to the usual route over OpenCV, from RGB, grey and a video's own planes."""

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videohoi.detect.letterbox import Letterbox
from videohoi.detect.planar import Planar, PlanarForm, PlanarLetterbox, Yuv420, colours_numpy
from videohoi.errors import InputError, UsageError


def picture(height, width, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), np.uint8)


def scenery(height, width, seed=0):
    """A smooth picture inside the colours a video can hold."""
    coarse = np.random.default_rng(seed).integers(60, 190, (4, 6, 3)).astype(np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def by_opencv(image, shape, inside):
    canvas = np.full((*shape, 3), 114, np.uint8)
    canvas[: inside[0], : inside[1]] = cv2.resize(image, inside[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.dnn.blobFromImage(canvas, 1 / 255)[0]


def inside_of(planar: Planar):
    (height, width), (scale_x, scale_y) = planar.picture_hw_px, planar.scale_xy
    return round(height * scale_y), round(width * scale_x)


def yuv_of(image):
    """4:2:0 planes of an RGB picture, by the formulas of BT.601, limited range; chroma is the mean of four."""
    red, green, blue = image.astype(float).transpose(2, 0, 1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    chroma = [(blue - luma) / 1.772, (red - luma) / 1.402]
    half = []
    for plane in chroma:
        plane = np.pad(plane, [(0, side % 2) for side in plane.shape], mode="edge")
        half.append(plane.reshape(plane.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3)))
    planes = [16 + luma * 219 / 255, *(128 + plane * 224 / 255 for plane in half)]
    return Yuv420(*(np.rint(plane).clip(0, 255).astype(np.uint8) for plane in planes))


@pytest.mark.parametrize("size", [(1080, 1920), (97, 131), (131, 97), (64, 64), (1, 1), (3, 200), (20, 9)])
@pytest.mark.parametrize("compiled", [True, False])
def test_values_are_those_of_resize_and_blob(size, compiled):
    image = picture(*size)
    letterbox = PlanarLetterbox(PlanarForm(shape=(64, 96)))
    letterbox.compiled = compiled
    planar = letterbox.of_rgb(image)
    inside = inside_of(planar)
    assert planar.values.shape == (3, 64, 96)
    assert planar.values.dtype == np.float32
    np.testing.assert_allclose(planar.values, by_opencv(image, (64, 96), inside), rtol=0, atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 3))
def test_the_whole_picture_lies_inside_and_padding_elsewhere(height, width, seed):
    planar = PlanarLetterbox(PlanarForm(shape=(48, 80))).of_rgb(np.full((height, width, 3), 7, np.uint8))
    inside = inside_of(planar)
    assert max(inside[0] / 48, inside[1] / 80) == 1.0
    assert (planar.values[:, : inside[0], : inside[1]] == np.float32(7) * np.float32(1 / 255)).all()
    padding = np.float32(114) * np.float32(1 / 255)
    assert (planar.values[:, inside[0] :] == padding).all()
    assert (planar.values[:, :, inside[1] :] == padding).all()


def test_a_new_size_leaves_nothing_of_the_old_one():
    letterbox = PlanarLetterbox(PlanarForm(shape=(32, 32)))
    letterbox.of_rgb(np.full((32, 32, 3), 255, np.uint8))
    values = letterbox.of_rgb(np.zeros((8, 32, 3), np.uint8)).values
    assert values.max() == np.float32(114) * np.float32(1 / 255)


def test_a_picture_of_the_inputs_size_is_only_scaled():
    image = picture(32, 48)
    values = PlanarLetterbox(PlanarForm(shape=(32, 48))).of_rgb(image).values
    assert np.array_equal(values, image.transpose(2, 0, 1).astype(np.float32) * np.float32(1 / 255))


def test_colours_in_the_networks_order_with_its_own_scaling():
    image = np.zeros((8, 8, 3), np.uint8)
    image[:] = (200, 100, 50)
    form = PlanarForm(shape=(8, 8), bgr=True, mean=(100.0, 50.0, 30.0), scale=(0.1, 0.5, 1.0))
    for compiled in (True, False):
        letterbox = PlanarLetterbox(form)
        letterbox.compiled = compiled
        values = letterbox.of_rgb(image).values
        assert values[:, 3, 3] == pytest.approx([20.0, 25.0, 10.0], abs=1e-4)


def test_grey_is_all_three_colours():
    grey = picture(50, 70)[..., 0]
    letterbox = PlanarLetterbox(PlanarForm(shape=(32, 32)))
    values = letterbox.of_rgb(grey).values.copy()
    assert np.array_equal(values, letterbox.of_rgb(np.repeat(grey[..., None], 3, axis=2)).values)


def test_a_view_with_reversed_channels_is_read_right():
    image = picture(40, 40)
    letterbox = PlanarLetterbox(PlanarForm(shape=(32, 32)))
    values = letterbox.of_rgb(image[..., ::-1]).values.copy()
    assert np.array_equal(values[::-1], letterbox.of_rgb(image).values)


def test_averaging_gives_what_the_detectors_letterbox_gives():
    image = picture(720, 1280)
    values = PlanarLetterbox(PlanarForm(shape=(224, 384), bgr=True, scale=(1.0, 1.0, 1.0), average=True)).of_rgb(image)
    canvas = Letterbox(384)(image).canvas_bgr
    assert np.array_equal(values.values, canvas.transpose(2, 0, 1).astype(np.float32))


@pytest.mark.parametrize("size", [(120, 160), (97, 131), (64, 96), (2, 2), (1, 1), (5, 1)])
def test_kernel_equals_twin_on_a_videos_planes(size):
    planes = yuv_of(picture(*size))
    for full_range in (False, True):
        for matrix in ("bt601", "bt709"):
            given_planes = Yuv420(planes.luma, planes.blue, planes.red, matrix, full_range)
            found = []
            for compiled in (True, False):
                letterbox = PlanarLetterbox(PlanarForm(shape=(64, 96)))
                letterbox.compiled = compiled
                found.append(letterbox.of_yuv(given_planes).values)
            np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-6)


def rgb_of(planes):
    """The usual route: a full-size picture rounded to 8 bits; each colour sample serves its four pixels."""
    height, width = planes.luma.shape
    wide = [plane.repeat(2, axis=0).repeat(2, axis=1)[:height, :width] for plane in (planes.blue, planes.red)]
    colours = colours_numpy(planes.luma, *wide, planes.weights)
    return np.rint(colours).astype(np.uint8).transpose(1, 2, 0).copy()


@pytest.mark.parametrize(
    ("size", "mean", "most"),
    [((480, 720), 0.8, 5.0), ((241, 361), 0.8, 5.0), ((128, 192), 1.0, 8.0), ((64, 96), 1.5, 12.0)],
)
def test_a_videos_planes_give_nearly_the_rgb_route(size, mean, most):
    planes = yuv_of(scenery(*size))
    letterbox = PlanarLetterbox(PlanarForm(shape=(64, 96)))
    from_rgb = letterbox.of_rgb(rgb_of(planes)).values.copy()
    difference = np.abs(letterbox.of_yuv(planes).values - from_rgb) * 255
    assert difference.mean() <= mean
    assert difference.max() <= most


@pytest.mark.parametrize(
    ("levels", "matrix", "full_range", "colour"),
    [
        ((235, 128, 128), "bt601", False, (255, 255, 255)),
        ((16, 128, 128), "bt709", False, (0, 0, 0)),
        ((255, 128, 128), "bt601", True, (255, 255, 255)),
        ((81, 90, 240), "bt601", False, (255, 0, 0)),  # the red of the colour bars of BT.601
        ((63, 102, 240), "bt709", False, (255, 0, 0)),  # the same of BT.709
        ((41, 240, 110), "bt601", False, (0, 0, 255)),
        ((173, 42, 26), "bt709", False, (0, 255, 0)),
    ],
)
def test_known_colours(levels, matrix, full_range, colour):
    planes = [np.full(shape, level, np.uint8) for shape, level in zip([(4, 4), (2, 2), (2, 2)], levels, strict=True)]
    values = PlanarLetterbox(PlanarForm(shape=(4, 4))).of_yuv(Yuv420(*planes, matrix, full_range)).values
    np.testing.assert_allclose(values[:, 0, 0] * 255, colour, atol=1.5)


@pytest.mark.parametrize("size", [(64, 96), (50, 70), (34, 62)])
def test_planes_of_a_decoded_frame(size):
    """Lines of a decoded plane are longer than the picture. PyAV's own conversion is off by 1.4/255 in flat areas."""
    frame = av.VideoFrame.from_ndarray(scenery(*size), format="rgb24").reformat(format="yuv420p")
    planes = Yuv420.of_frame(frame)
    assert planes.luma.shape == size
    assert frame.planes[1].line_size >= planes.blue.shape[1]
    letterbox = PlanarLetterbox(PlanarForm(shape=(64, 96)))
    from_rgb = letterbox.of_rgb(frame.to_ndarray(format="rgb24")).values.copy()
    difference = np.abs(letterbox.of_yuv(planes).values - from_rgb) * 255
    assert difference.mean() <= 2.0
    assert np.quantile(difference, 0.99) <= 8.0


def test_wrong_input_is_named():
    letterbox = PlanarLetterbox(PlanarForm(shape=(32, 32)))
    with pytest.raises(ValueError, match=r"image_rgb must have shape \(any, any, 3\), got \(4, 4, 4\)"):
        letterbox.of_rgb(np.zeros((4, 4, 4), np.uint8))
    with pytest.raises(ValueError, match="image_rgb must be uint8"):
        letterbox.of_rgb(np.zeros((4, 4, 3)))
    with pytest.raises(InputError, match="0x4 px has no pixels"):
        letterbox.of_rgb(np.zeros((4, 0, 3), np.uint8))
    with pytest.raises(UsageError, match="'bt2020': expected one of bt601, bt709"):
        Yuv420(np.zeros((2, 2), np.uint8), *(np.zeros((1, 1), np.uint8) for _ in range(2)), "bt2020")
    with pytest.raises(ValueError, match=r"Yuv420.red must have shape \(2, 2\), got \(1, 2\)"):
        Yuv420(np.zeros((3, 3), np.uint8), np.zeros((2, 2), np.uint8), np.zeros((1, 2), np.uint8))
    with pytest.raises(InputError, match="frame format rgb24: expected yuv420p"):
        Yuv420.of_frame(av.VideoFrame.from_ndarray(picture(4, 4), format="rgb24"))
    with pytest.raises(UsageError, match="expected at least 1x1"):
        PlanarForm(shape=(0, 4))


def test_opened_it_gives_the_same():
    letterbox = PlanarLetterbox(PlanarForm(shape=(32, 32)))
    image = picture(40, 40)
    before = letterbox.of_rgb(image).values.copy()
    letterbox.open()
    assert np.allclose(letterbox.of_rgb(image).values, before, atol=1e-6)
