import dataclasses
import logging

import av
import cv2
import numpy as np
import pytest

from videohoi.errors import SinkError, UsageError
from videohoi.sink.drawing import Label, LabelPlacer, Style, fit_text, text_width_px, track_colour
from videohoi.sink.overlay import OverlayVideo
from videohoi.sink.strip import GAP_COLOUR
from videohoi.structures import GapReason

VFR_SECONDS = [0.0, 0.0333, 0.1, 0.1001, 0.75, 2.0, 2.0417]


def overlay(path, vocabulary, **options):
    """An overlay that keeps the size of the 320 px wide pictures of these tests."""
    return OverlayVideo(path, vocabulary, **{"max_width_px": 320, **options})


def record(sink, info, results, *, complete=True, size=(320, 240)):
    sink.open(dataclasses.replace(info, width_px=size[0], height_px=size[1]), {})
    for result in results:
        sink.process(result)
    sink.close(complete=complete)


def names(folder):
    return [path.name for path in folder.iterdir()]


def decode(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        times = [float(frame.pts * frame.time_base) for frame in frames]
        return stream.codec_context, times, [frame.to_ndarray(format="rgb24") for frame in frames]


def drawn(sink, info, result, size=(320, 240)):
    sink.open(dataclasses.replace(info, width_px=size[0], height_px=size[1]), {})
    canvas = sink.draw(result).copy()
    sink.abort()
    return canvas


@pytest.mark.parametrize("preset", ["ultrafast", "superfast"])
@pytest.mark.parametrize("begin_seconds", [0.0, 12.5])
def test_codec_frame_count_and_variable_times(tmp_path, info, make_result, vocabulary, preset, begin_seconds):
    path = tmp_path / "o.mp4"
    times = [begin_seconds + seconds for seconds in VFR_SECONDS]
    results = [make_result(index, seconds) for index, seconds in enumerate(times)]
    record(overlay(path, vocabulary, preset=preset), info, results)
    codec, decoded_times, pictures = decode(path)
    assert (codec.name, codec.pix_fmt) == ("h264", "yuv420p")
    assert decoded_times == pytest.approx(times, abs=1e-3)
    assert len(pictures) == len(times)
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_a_player_shows_the_last_frame(tmp_path, info, make_result, vocabulary):
    path = tmp_path / "o.mp4"
    record(overlay(path, vocabulary), info, [make_result(i, s) for i, s in enumerate(VFR_SECONDS)])
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert float(stream.duration * stream.time_base) > VFR_SECONDS[-1]


def test_negative_and_coinciding_times_lose_no_frame(tmp_path, info, make_result, vocabulary):
    path = tmp_path / "o.mp4"
    record(overlay(path, vocabulary), info, [make_result(i, s) for i, s in enumerate([-0.2, 0.0, 0.000001, 0.1])])
    assert decode(path)[1] == pytest.approx([0.0, 0.2, 0.2, 0.3], abs=1e-3)


@pytest.mark.parametrize("size", [(321, 241), (320, 241), (321, 240), (33, 17)])
@pytest.mark.parametrize("lanes", [0, 4])
def test_odd_and_tiny_sizes_keep_every_pixel(tmp_path, info, make_result, vocabulary, size, lanes):
    path = tmp_path / "o.mp4"
    record(overlay(path, vocabulary, lanes=lanes, max_width_px=size[0]), info, [make_result(size=size)], size=size)
    (picture,) = decode(path)[2]
    height, width = picture.shape[:2]
    assert width == size[0] + size[0] % 2
    assert height % 2 == 0
    assert height >= size[1]
    assert height == size[1] + size[1] % 2 or lanes


def test_an_odd_picture_is_drawn_on_and_gets_a_black_column(tmp_path, info, make_result, vocabulary):
    path = tmp_path / "o.mp4"
    record(
        overlay(path, vocabulary, lanes=0, crf=10, max_width_px=321),
        info,
        [make_result(size=(321, 241))],
        size=(321, 241),
    )
    (picture,) = decode(path)[2]
    assert picture.shape == (242, 322, 3)
    assert np.abs(picture[20:50, 250:318].astype(int) - 90).max() < 6
    assert np.abs(picture[130, 38:43].astype(int) - 90).max() > 40
    assert picture[20:50, 321].max() < 50
    scaled = drawn(
        overlay(path, vocabulary, max_width_px=321), info, make_result(size=(107, 80), verbs=()), size=(321, 241)
    )
    assert (scaled[20:50, 250:318] == 90).all()


def test_colours_survive(tmp_path, info, make_result, vocabulary):
    image = np.zeros((240, 320, 3), np.uint8)
    image[:, :160], image[:, 160:] = (200, 30, 40), (20, 160, 220)
    path = tmp_path / "o.mp4"
    record(overlay(path, vocabulary, crf=10), info, [make_result(image=image)])
    (picture,) = decode(path)[2]
    assert np.abs(picture[230, 20].astype(int) - (200, 30, 40)).max() <= 6
    assert np.abs(picture[100, 250].astype(int) - (20, 160, 220)).max() <= 6


def test_the_source_picture_is_copied_and_the_drawing_reaches_the_file(tmp_path, info, make_result, vocabulary):
    image = np.full((240, 320, 3), 90, np.uint8)
    result = make_result(image=image)
    path = tmp_path / "o.mp4"
    record(overlay(path, vocabulary), info, [result])
    assert (image == 90).all()
    (picture,) = decode(path)[2]
    change = np.abs(picture[:240].astype(int) - 90).max(axis=2)
    assert change[130, 38:43].max() > 40, "left edge of the human's box"
    assert change[212, 178:183].max() > 40, "a corner of the object's box"
    assert change[137, 88:92].max() > 40, "the line, a quarter of its way"
    assert change[20:50, 250:310].max() < 12, "nothing is drawn far from all boxes"


@pytest.mark.parametrize(
    ("changes", "line"),
    [({}, True), ({"observed": False}, False), ({"verbs": ()}, False)],
    ids=["active", "unobserved", "inactive"],
)
def test_a_line_joins_only_active_observed_pairs(tmp_path, info, make_result, vocabulary, changes, line):
    canvas = drawn(overlay(tmp_path / "o.mp4", vocabulary), info, make_result(**changes))
    colour = np.array(track_colour(1, human=True))
    # From (70, 130) to (230, 185): outside both boxes at x = 120, y = 147.
    near = canvas[142:153, 120].astype(int)
    assert bool((np.abs(near - colour).max(axis=1) < 40).any()) is line


def test_what_takes_part_is_brighter_than_what_does_not(tmp_path, info, make_result, vocabulary):
    def edge(result):
        return int(drawn(overlay(tmp_path / "o.mp4", vocabulary), info, result)[130, 40].astype(int).max())

    assert edge(make_result()) > edge(make_result(verbs=()))


def test_who_takes_part_is_named_also_while_the_partner_is_hidden(tmp_path, info, make_result, vocabulary):
    canvases = [
        drawn(overlay(tmp_path / "o.mp4", vocabulary), info, make_result(**changes))
        for changes in ({"observed": False}, {"verbs": ()})
    ]
    fill = track_colour(1, human=True)
    named, nameless = ((canvas[40:62, 40:60] == fill).all(axis=2).sum() for canvas in canvases)
    assert named > 20
    assert nameless == 0


@pytest.mark.parametrize("show_all", [False, True])
def test_what_takes_no_part_is_faint_and_nameless_unless_all_is_shown(
    tmp_path, info, make_result, vocabulary, show_all
):  # fmt: skip
    sink = overlay(tmp_path / "o.mp4", vocabulary, lanes=0, show_all=show_all)
    canvas = drawn(sink, info, make_result(verbs=())).astype(int)
    change = np.abs(canvas - 90).max(axis=2)
    assert bool(change[44:58, 40:100].max() > 30) is show_all, "the name above the box"
    assert change[130, 40] > 0, "the box is there"
    assert show_all or change[130, 40] <= 70


def test_a_box_has_the_class_its_interaction_tells(tmp_path, info, make_result, vocabulary):
    """The track is called skateboard by now; the segment that is on says surfboard."""
    result = make_result()
    told = dataclasses.replace(result.interactions, object_class_ids=np.array([vocabulary.object_id("surfboard")]))
    renamed = make_result()
    classes = renamed.tracks.class_ids.copy()
    classes[1] = vocabulary.object_id("surfboard")
    renamed = dataclasses.replace(
        renamed, tracks=dataclasses.replace(renamed.tracks, class_ids=classes), interactions=told
    )  # fmt: skip
    sink = overlay(tmp_path / "o.mp4", vocabulary, lanes=0)
    here = drawn(sink, info, dataclasses.replace(result, interactions=told))
    assert np.array_equal(here, drawn(sink, info, renamed))
    assert not np.array_equal(here, drawn(sink, info, result))


def test_words_are_drawn_without_underscores(tmp_path, info, make_result, vocabulary, monkeypatch):
    texts = []
    put = cv2.putText
    monkeypatch.setattr(cv2, "putText", lambda canvas, text, *rest: (texts.append(text), put(canvas, text, *rest))[1])
    drawn(overlay(tmp_path / "o.mp4", vocabulary), info, make_result(verbs=[("stand_on", 0.8)]))
    assert any("stand on" in text for text in texts)
    assert not any("_" in text for text in texts)


def test_a_cut_is_a_line_through_the_strip(tmp_path, info, make_result, make_event, vocabulary):
    gap = make_event("gap", interaction_id=-1, begin_seconds=0.9, end_seconds=1.0, reason=GapReason.SCENE_CUT)
    sink = overlay(tmp_path / "o.mp4", vocabulary, window_seconds=4.0)
    sink.open(info, {})
    sink.draw(make_result(0, 1.0, verbs=(), events=[gap]))
    strip = sink.draw(make_result(1, 2.0, verbs=()))[240:].copy()
    sink.abort()
    columns = np.flatnonzero((strip == GAP_COLOUR).all(axis=2).sum(axis=0) > 20)
    # One of four seconds ago, in the columns of the time.
    assert len(columns) == 1
    left_px, right_px = 0.45 * 320, 320 - 2 * 2
    assert columns[0] == pytest.approx(right_px - (right_px - left_px) / 4, abs=3)


def test_humans_and_objects_look_different(tmp_path, info, make_result, vocabulary):
    result = make_result(verbs=())
    as_object = result.tracks.class_ids.copy()
    as_object[0] = vocabulary.object_id("dog")
    swapped = dataclasses.replace(result, tracks=dataclasses.replace(result.tracks, class_ids=as_object))
    sink = overlay(tmp_path / "o.mp4", vocabulary)
    assert (drawn(sink, info, result)[62:190, 40] != drawn(sink, info, swapped)[62:190, 40]).any()


def test_the_strip_shows_what_is_on_and_hides_nothing_of_the_picture(
    tmp_path, info, make_result, make_event, vocabulary
):
    sink = overlay(tmp_path / "o.mp4", vocabulary, window_seconds=4.0)
    sink.open(info, {})
    sink.draw(make_result(0, 0.0, events=[make_event("begin", begin_seconds=0.0, end_seconds=0.0)]))
    on = sink.draw(make_result(1, 2.0))[240:].copy()
    sink.abort()
    sink.open(info, {})
    off = sink.draw(make_result(1, 2.0, verbs=()))[240:].copy()
    sink.abort()
    colour = track_colour(1, human=True)
    bar_px = int((on == colour).all(axis=2).any(axis=0).sum())
    left_px = int((on == colour).all(axis=2).any(axis=0).argmax())
    # On for 2 of 4 seconds: the bar fills the right half of the time's columns.
    assert bar_px == pytest.approx((left_px + bar_px - 0.45 * 320) / 2, abs=3)
    assert not (off == colour).all(axis=2).any()


def test_boxes_outside_or_not_finite_do_not_stop_the_video(tmp_path, info, make_result, vocabulary):
    result = make_result()
    result.detections.boxes_xyxy_px[0] = (-1e9, -50, 1e9, 1e9)
    result.detections.boxes_xyxy_px[1, 0] = np.nan
    path = tmp_path / "o.mp4"
    record(overlay(path, vocabulary), info, [result])
    assert len(decode(path)[1]) == 1


def test_a_picture_of_another_size_is_scaled_with_its_boxes(tmp_path, info, make_result, vocabulary):
    sink = overlay(tmp_path / "o.mp4", vocabulary)
    small = make_result(size=(160, 120), verbs=())
    small.detections.boxes_xyxy_px[:] /= 2
    assert np.array_equal(drawn(sink, info, small), drawn(sink, info, make_result(verbs=())))


def striped(width_px, height_px, pixel_aspect_ratio=1.0):
    """White with a black disc in the middle that is round where pixels are shown as wide as they are meant."""
    y, x = np.mgrid[:height_px, :width_px]
    distance = np.hypot((x - width_px / 2 + 0.5) * pixel_aspect_ratio, y - height_px / 2 + 0.5)
    disc = distance < 0.35 * min(width_px * pixel_aspect_ratio, height_px)
    return np.repeat(np.where(disc, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def disc_of(picture):
    """Width and height of the black disc, and the columns and rows that are not black at all."""
    light = picture.max(axis=2) > 128
    bar_free = picture[np.ix_(light.any(axis=1), light.any(axis=0))]
    dark = bar_free.max(axis=2) < 128
    return dark.any(axis=0).sum(), dark.any(axis=1).sum(), bar_free.shape[1], bar_free.shape[0]


@pytest.mark.parametrize("frame_size", [(180, 320), (320, 240), (400, 100), (1280, 960), (77, 300)])
def test_a_frame_of_another_shape_stands_between_bars(tmp_path, info, make_result, vocabulary, frame_size):
    result = make_result(image=striped(*frame_size), verbs=())
    result.detections.boxes_xyxy_px[:] = np.nan  # the picture alone
    canvas = drawn(overlay(tmp_path / "o.mp4", vocabulary, lanes=0), info, result)
    wide, high, columns, rows = disc_of(canvas)
    assert wide == pytest.approx(high, abs=2)
    assert columns / rows == pytest.approx(frame_size[0] / frame_size[1], rel=0.02)
    assert (columns == 320) or (rows == 240), "as large as fits"


def test_boxes_and_bars_follow_a_frame_of_another_shape(tmp_path, info, make_result, vocabulary):
    sink = overlay(tmp_path / "o.mp4", vocabulary, lanes=0)
    sink.open(info, {})
    tall = make_result(0, 0.0, image=np.full((480, 180, 3), 90, np.uint8), verbs=())
    tall.detections.boxes_xyxy_px[:] = np.nan
    tall.detections.boxes_xyxy_px[0] = (40, 100, 140, 400)
    tall.tracks.track_ids[:] = (1, 4, -1)
    canvas = sink.draw(tall).copy()
    # 90 x 240 in the middle of 320 x 240: from column 115 on, half a canvas pixel a source pixel.
    assert (canvas[100, 116:130] == 90).all()
    assert (canvas[100, :110] == 0).all()
    edges = np.flatnonzero(np.abs(canvas[160, 115:205].astype(int) - 90).max(axis=1) > 5)
    assert edges.min() == pytest.approx(20, abs=2)
    assert edges.max() == pytest.approx(70, abs=2)
    wide = sink.draw(make_result(1, 0.1, verbs=()))
    assert (wide[20:50, 250:310] == 90).all(), "nothing of the bars stays"
    again = sink.draw(tall)
    assert np.array_equal(again, canvas), "nothing of the picture before stays in the bars"
    sink.abort()


@pytest.mark.parametrize("ratio", [16 / 11, 4 / 3, 0.75, 2.0])
def test_pixels_of_the_overlay_are_square(tmp_path, info, make_result, vocabulary, ratio):
    path = tmp_path / "o.mp4"
    result = make_result(image=striped(720, 576, ratio), verbs=())
    result.detections.boxes_xyxy_px[:] = np.nan
    anamorphic = dataclasses.replace(info, pixel_aspect_ratio=ratio)
    record(OverlayVideo(path, vocabulary, lanes=0), anamorphic, [result], size=(720, 576))
    (picture,) = decode(path)[2]
    wide, high, columns, rows = disc_of(picture)
    assert wide == pytest.approx(high, rel=0.02)
    assert columns / rows == pytest.approx(720 * ratio / 576, rel=0.02)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((160, 120), (640, 480)), ((639, 479), (640, 480)), ((640, 360), (640, 360)), ((1280, 720), (1280, 720)),
        ((1920, 1080), (1280, 720)), ((2160, 3840), (1280, 2276)), ((2, 2), (640, 640)), ((40, 4000), (26, 2560)),
    ],
    ids=str,
)  # fmt: skip
def test_the_picture_is_readable_and_no_wider_than_asked(tmp_path, info, make_result, vocabulary, size, expected):
    path = tmp_path / "o.mp4"
    record(OverlayVideo(path, vocabulary, lanes=0), info, [make_result(size=size)], size=size)
    codec = decode(path)[0]
    assert (codec.width, codec.height) == expected


def test_a_wider_picture_is_had_by_a_setting(tmp_path, info, make_result, vocabulary):
    path = tmp_path / "o.mp4"
    record(
        OverlayVideo(path, vocabulary, lanes=0, max_width_px=2000),
        info,
        [make_result(size=(1920, 400))],
        size=(1920, 400),
    )
    assert decode(path)[0].width == 1920


def test_an_interrupted_run_is_playable_and_two_runs_are_equal(tmp_path, info, make_result, vocabulary):
    paths = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for path in paths:
        record(overlay(path, vocabulary), info, [make_result(i, i / 30) for i in range(4)], complete=False)
    assert len(decode(paths[0])[1]) == 4
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_name_appears_at_close_only_and_abort_leaves_nothing(tmp_path, info, make_result, vocabulary):
    path = tmp_path / "o.mp4"
    sink = overlay(path, vocabulary)
    sink.open(info, {})
    sink.process(make_result())
    assert names(tmp_path) == [".o.mp4.partial"]
    sink.abort()
    assert names(tmp_path) == []
    sink.close(complete=True)
    assert names(tmp_path) == []


def test_no_frame_is_no_file_and_says_so(tmp_path, info, vocabulary, caplog):
    sink = overlay(tmp_path / "o.mp4", vocabulary)
    sink.open(info, {})
    with caplog.at_level(logging.WARNING):
        sink.close(complete=False)
    assert "no frame arrived" in caplog.text
    assert names(tmp_path) == []


@pytest.mark.parametrize("limit_bytes", [100, 60_000])
def test_a_full_disk_is_one_line_and_abort_cleans_up(tmp_path, info, make_result, vocabulary, full_disk, limit_bytes):
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    sink = overlay(tmp_path / "o.mp4", vocabulary)
    with full_disk(limit_bytes):
        with pytest.raises(SinkError, match=r"o\.mp4") as caught:
            record(sink, info, [make_result(i, i / 30, image=np.roll(noise, 7 * i)) for i in range(20)])
        assert "\n" not in str(caught.value)
        sink.abort()
    assert names(tmp_path) == []


def test_a_disk_that_is_full_at_the_last_moment(tmp_path, info, make_result, vocabulary, no_space_at_sync):
    sink = overlay(tmp_path / "o.mp4", vocabulary)
    with pytest.raises(SinkError, match="full; free some space"):
        record(sink, info, [make_result()])
    sink.abort()
    assert names(tmp_path) == []


def test_opening_again_drops_the_unfinished_run(tmp_path, info, make_result, vocabulary):
    sink = overlay(tmp_path / "o.mp4", vocabulary)
    sink.open(info, {})
    sink.process(make_result())
    record(sink, info, [make_result(i, i / 30) for i in range(2)])
    assert names(tmp_path) == ["o.mp4"]
    assert len(decode(tmp_path / "o.mp4")[1]) == 2


def test_an_impossible_path_fails_at_open(tmp_path, info, vocabulary):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SinkError, match="not a folder"):
        overlay(tmp_path / "file" / "o.mp4", vocabulary).open(info, {})


def test_process_before_open_is_an_error(tmp_path, make_result, vocabulary):
    with pytest.raises(SinkError, match="not open"):
        overlay(tmp_path / "o.mp4", vocabulary).process(make_result())


@pytest.mark.parametrize(
    "options",
    [{"preset": "warp"}, {"crf": 60}, {"lanes": -1}, {"threads": 0}, {"window_seconds": 0}, {"max_width_px": 8}],
)
def test_wrong_options_are_usage_errors(tmp_path, vocabulary, options):
    with pytest.raises(UsageError, match=next(iter(options))):
        overlay(tmp_path / "o.mp4", vocabulary, **options)


def test_track_colours_are_stable_and_apart():
    colours = [track_colour(track_id, human=True) for track_id in range(1, 9)]
    assert colours == [track_colour(track_id, human=True) for track_id in range(1, 9)]
    distances = [np.abs(np.subtract(a, b)).max() for i, a in enumerate(colours) for b in colours[:i]]
    assert min(distances) > 30


def test_labels_stay_inside_and_apart():
    canvas = np.zeros((270, 480, 3), np.uint8)
    style = Style.for_picture(480, 270)
    placer = LabelPlacer(canvas, style)
    fills = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    for fill in fills:
        placer.draw(Label("person 1", fill, fill), 470, 3)
    height = style.text_height_px + 2 * style.pad_px
    width = text_width_px("person 1", style) + 2 * style.pad_px
    for fill in fills:  # a text in the fill's own colour: the label is one whole rectangle unless covered or cut
        assert int((canvas == fill).all(axis=2).sum()) == height * width


def test_fit_text_cuts_to_the_width():
    style = Style.for_picture(480, 270)
    width = text_width_px("person 1 ride skateboard 4", style)
    assert fit_text("person 1 ride skateboard 4", width, style) == "person 1 ride skateboard 4"
    cut = fit_text("person 1 ride skateboard 4", width // 2, style)
    assert cut.endswith("..")
    assert text_width_px(cut, style) <= width // 2
    assert fit_text("person", 0, style) == ""
