"""Figures, players and widgets draw what the library computed."""

import base64
import re
from fractions import Fraction
from io import BytesIO

import av
import cv2
import matplotlib as mpl
import numpy as np
import pytest

mpl.use("agg")

import matplotlib.pyplot as plt

import lipwise as lw
from lipwise.errors import MediaError
from lipwise.media.probe import probe
from lipwise.media.read import read_frames
from lipwise.media.write import write_video
from lipwise.models.viseme import VisemeGenerator
from lipwise.notebook import show, widgets
from lipwise.sample import SPEECH, sample_frames
from lipwise.stages.clean import track_faces
from lipwise.stages.lipsync import lipsync_frames, lipsync_steps, prepare_lipsync
from lipwise.stages.speech import load_speech
from lipwise.timeline import Timeline

FRAMES = 8


@pytest.fixture(scope="module")
def made(tmp_path_factory, face_mesh):
    """The sample's first frames, and what the chain makes of them."""
    folder = tmp_path_factory.mktemp("short clip")
    source = [frame for frame, _ in zip(sample_frames(), range(FRAMES), strict=False)]
    clip = probe(write_video(folder / "clip.mp4", source, fps=Fraction(25), quality=14))
    track, speech, generator = track_faces(clip), load_speech(SPEECH), VisemeGenerator()
    timeline = Timeline.for_speech(track.has_face, clip.fps, 2 * FRAMES)  # forward, then backward
    state = prepare_lipsync(clip, track, timeline, speech, generator=generator)
    frames = lipsync_frames(clip, track, timeline, speech, generator=generator, state=state)
    result = probe(write_video(folder / "result.mp4", frames, fps=clip.fps, sound=None))
    step = lipsync_steps(source[3:4], np.array([3]), track, timeline, speech, generator=generator, state=state)[0]
    return {"clip": clip, "track": track, "speech": speech, "timeline": timeline, "result": result, "step": step}


def embedded(page, folder):
    path = folder / "embedded.mp4"
    path.write_bytes(base64.b64decode(re.search(r"data:video/mp4;base64,([^\"]+)", page.data)[1]))
    return probe(path)


# --- the player ---


def test_a_small_video_is_embedded_byte_for_byte(made, tmp_path):
    page = show.play(made["result"].path)
    assert embedded(page, tmp_path).path.read_bytes() == made["result"].path.read_bytes()
    assert "preview" not in page.data


def test_a_large_video_is_shown_as_a_small_one_with_sound(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (5, 540, 960, 3), np.uint8)
    tone = np.sin(np.arange(48_000) / 20).astype(np.float32)[:, None].repeat(2, 1)
    path = write_video(tmp_path / "large.mp4", noise, fps=25, sound=[tone], quality=1)
    before = sorted(tmp_path.iterdir())
    assert path.stat().st_size > show.EMBED_BYTES
    page = show.play(path)
    assert sorted(tmp_path.iterdir()) == before
    shown = embedded(page, tmp_path)
    assert (shown.codec, shown.pixel_format, shown.size_wh) == ("h264", "yuv420p", (480, 270))
    assert (shown.has_audio, shown.frame_count, shown.fps) == (True, 5, 25)
    assert "preview" in page.data


def test_a_video_that_browsers_do_not_play_is_shown_as_one_that_they_do(tmp_path):
    path = tmp_path / "old <b>.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))))
        container.mux(stream.encode(None))
    page = show.play(path)
    assert "old &lt;b&gt;.avi" in page.data
    shown = embedded(page, tmp_path)
    assert (shown.codec, shown.size_wh, shown.has_audio) == ("h264", (64, 48), False)


def test_a_video_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MediaError, match="nothing here"):
        show.play(tmp_path / "nothing here.mp4")


# --- figures ---


def test_figures_are_closed_so_that_a_notebook_shows_them_once(made):
    frame = next(read_frames(made["clip"], [0]))
    figures = [
        show.face(frame, made["track"], 0),
        show.mel(made["speech"], Fraction(25), frame=3),
        show.step(made["step"]),
        show.before_after(made["clip"], made["result"], made["timeline"]),
        show.opening({"before": np.ones(3)}, Fraction(25)),
    ]
    assert plt.get_fignums() == []
    assert all(np.ptp(drawn(figure)) > 0.5 for figure in figures)


def drawn(figure):
    file = BytesIO()
    figure.savefig(file, format="png", dpi=40)
    return plt.imread(BytesIO(file.getvalue()))[..., :3]


def test_the_box_is_drawn_where_the_track_says(made):
    whole = show.face(next(read_frames(made["clip"], [2])), made["track"], 2).axes[0]
    box = whole.patches[0]
    assert np.allclose(box.get_bbox().extents, made["track"].boxes_xyxy[2])
    five = next(line for line in whole.lines if len(line.get_xdata()) == 5)
    assert np.allclose(np.transpose(five.get_data()), made["track"].landmarks_xy[2])


def test_a_frame_without_a_face_is_shown_and_said_so(made):
    track = made["track"]
    track.origin[5] = 0
    try:
        figure = show.face(next(read_frames(made["clip"], [5])), track, 5)
    finally:
        track.origin[5] = 1
    assert "no face" in figure.axes[0].get_title()
    assert not figure.axes[0].patches


def test_the_window_is_marked_where_the_frame_hears(made):
    speech = made["speech"]
    figure = show.mel(speech, Fraction(25), frame=50, offset_s=-0.05)
    mark = figure.axes[0].patches[0]
    assert mark.get_x() == pytest.approx(50 / 25 - 0.05, abs=1 / 80)
    assert mark.get_width() == pytest.approx(0.2)
    alone = np.asarray(figure.axes[1].images[0].get_array())
    assert np.array_equal(alone, speech.windows(Fraction(25), first=50, count=1, offset_s=-0.05)[0])


def test_the_steps_are_the_step_s_own_pictures(made):
    step = made["step"]
    pictures = [np.asarray(axes.images[0].get_array()) for axes in show.step(step).axes]
    assert np.array_equal(pictures[2], step.mask)
    assert np.array_equal(pictures[3], step.box.of(step.frame))
    assert np.array_equal(pictures[4], step.box.of(step.result))
    assert pictures[5][step.mask == 0].max() == 0 < pictures[5].max()


def test_the_sheet_pairs_each_frame_with_the_one_it_was_made_from(made):
    numbers = [1, 9, 15]
    figure = show.before_after(made["clip"], made["result"], made["timeline"], numbers=numbers)
    pictures = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    expected = [
        *read_frames(made["clip"], made["timeline"].source_index[numbers]),
        *read_frames(made["result"], numbers),
    ]
    assert all(np.array_equal(*pair) for pair in zip(pictures, expected, strict=True))
    assert [axes.get_title() for axes in figure.axes[:3]] == ["0.04 s", "0.36 s", "0.60 s"]


def test_the_sheet_is_cut_to_the_face_when_there_is_a_track(made):
    figure = show.before_after(made["clip"], made["result"], made["timeline"], track=made["track"])
    assert len(figure.axes) == 12
    assert all(axes.images[0].get_array().shape[0] < made["clip"].size_wh[1] for axes in figure.axes)


def test_the_sheet_shows_the_same_part_of_an_enlarged_result(made, tmp_path):
    large = lw.enhance(made["result"].path, tmp_path / "large.mp4", upscale="lanczos", scale=2, progress=False).out
    sheets = (
        show.before_after(made["clip"], after, made["timeline"], track=made["track"])
        for after in (made["result"], large)
    )
    small, enlarged = (sheet.axes[-1].images[0].get_array() for sheet in sheets)
    assert np.abs(np.array(enlarged.shape[:2]) - 2 * np.array(small.shape[:2])).max() <= 4
    again = cv2.resize(enlarged, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(again.astype(int) - small).mean() < 4


def test_the_opening_is_drawn_in_seconds_and_points_at_a_frame():
    gaps = {"before": np.array([0.2, 0.2, 0.2]), "after": np.array([0.0, np.nan, 0.3])}
    axes = show.opening(gaps, Fraction(10), marked=2).axes[0]
    assert np.allclose(axes.lines[0].get_xdata(), [0, 0.1, 0.2])
    assert np.allclose(axes.lines[1].get_ydata(), gaps["after"], equal_nan=True)
    assert axes.lines[2].get_xdata()[0] == pytest.approx(0.2)


# --- the slider ---


def test_the_slider_shows_the_pair_and_the_line_of_code(made):
    slider = widgets.BeforeAfter(made["clip"], made["result"].path, made["timeline"], number=3)
    assert (slider.slider.value, slider.slider.max) == (3, 2 * FRAMES - 1)
    at_three = bytes(slider.picture.value)
    slider.slider.value = 9
    assert bytes(slider.picture.value) != at_three
    assert "[9]" in slider.caption.value
    before, after = slider.frames(9)
    assert np.array_equal(before, next(read_frames(made["clip"], [5])))  # the clip plays backward from frame 7 on
    assert np.array_equal(after, next(read_frames(made["result"], [9])))
    assert widgets.as_jpeg(widgets.side_by_side(before, after)) == bytes(slider.picture.value)
    assert "needs a kernel" in repr(slider)


def test_a_result_one_pixel_larger_than_an_odd_clip_still_fits_beside_it():
    before, after = np.zeros((45, 61, 3), np.uint8), np.full((46, 62, 3), 255, np.uint8)
    pair = widgets.side_by_side(before, after, height=45)
    assert pair.shape == (45, 122, 3)
    assert pair[:, :61].max() == 0
    assert pair[:, 61:].min() == 255
