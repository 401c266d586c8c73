"""Figures, measures and the cursor of the lip-sync lesson show what the library computed, and failures as failures."""

from fractions import Fraction
from io import BytesIO
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("agg")

from lipwise.landmarks import MOUTH_CORNERS, OUTER_LIPS, mouth_gap
from lipwise.media.audio import load_audio, mel_spectrogram
from lipwise.media.probe import probe
from lipwise.media.sound import save_wav
from lipwise.media.write import write_video
from lipwise.models.generator import GeneratorState
from lipwise.models.viseme import VisemeGenerator
from lipwise.notebook import show_lipsync, show_lipsync_failures, show_lipsync_offset
from lipwise.notebook.show_lipsync_cursor import WindowCursor
from lipwise.notebook.show_lipsync_stand_in import StandIn, hears, through_box
from lipwise.sample import SPEECH, sample_frames
from lipwise.stages.clean import track_faces
from lipwise.stages.lipsync import LipsyncSettings, lipsync_frames, lipsync_steps, prepare_lipsync
from lipwise.stages.speech import load_speech
from lipwise.timeline import Timeline

FPS = Fraction(25)
SHOWN, COUNT = 4, 40  # frames of the clip, and of the result that plays them to and fro
WIDE = 8  # in this frame of the result the mouth is open


@pytest.fixture(scope="module")
def made(tmp_path_factory, face_mesh):
    """The sample's first frames, laid under the sample's first words."""
    source = [frame for frame, _ in zip(sample_frames(), range(SHOWN), strict=False)]
    clip = probe(write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", source, fps=FPS, quality=14))
    track, speech, builtin = track_faces(clip), load_speech(SPEECH), VisemeGenerator()
    timeline = Timeline.for_speech(track.has_face, clip.fps, COUNT)
    chain = (clip, track, timeline, speech)
    state = prepare_lipsync(*chain, generator=builtin)
    index = int(timeline.source_index[WIDE])
    frame, mesh = source[index], track.mesh_xy[index]
    return SimpleNamespace(**locals())


def step_of(made, generator, **settings):
    chosen = {"state": made.state, "settings": LipsyncSettings(**settings)}
    numbers = np.array([WIDE])
    return lipsync_steps([made.frame], numbers, *made.chain[1:], generator=generator, **chosen)[0]


def drawn(figure):
    content = BytesIO()
    figure.savefig(content, format="png")
    assert content.getvalue().startswith(b"\x89PNG")


# --- what a frame hears ---


@pytest.fixture(scope="module")
def waveform():
    return load_audio(SPEECH)


def test_the_window_is_marked_where_it_is_cut(made, waveform):
    figure = show_lipsync.heard(waveform, made.speech, FPS, frame=63)
    wave, wave_near, mel, mel_near = figure.axes
    for place in (wave, mel):
        (box,) = place.patches
        assert (box.get_x(), box.get_width()) == (pytest.approx(201 / 80), pytest.approx(0.2))
    window = made.speech.windows(FPS, first=63, count=1)[0]
    assert np.array_equal(mel_near.images[0].get_array(), window)
    assert wave_near.get_xlim() == pytest.approx((201 / 80, 217 / 80))
    assert "2.52 s" in wave.get_title()
    drawn(figure)


def test_an_offset_moves_the_window_and_not_the_frame(made, waveform):
    figure = show_lipsync.heard(waveform, made.speech, FPS, frame=63, offset_s=0.1)
    assert figure.axes[2].patches[0].get_x() == pytest.approx(209 / 80)
    assert figure.axes[2].lines[0].get_xdata()[0] == pytest.approx(63 / 25)


def test_of_a_long_recording_the_part_round_the_frame_is_shown(waveform):
    long = np.tile(waveform, 5)
    speech = load_speech(SPEECH)
    object.__setattr__(speech, "mel", mel_spectrogram(long))
    figure = show_lipsync.heard(long, speech, FPS, frame=250)
    assert figure.axes[0].get_xlim() == pytest.approx((6, 14))
    assert show_lipsync.heard(long, speech, FPS, frame=2).axes[0].get_xlim() == pytest.approx((0, 8))


def test_the_cursor_shows_the_window_and_the_line_that_cuts_it(made, waveform):
    cursor = WindowCursor(waveform, made.speech, FPS, number=63)
    before = bytes(cursor.picture.value)
    assert before.startswith(b"\x89PNG")
    assert (cursor.slider.value, cursor.slider.max) == (63, 98)
    cursor.slider.value = 70
    assert bytes(cursor.picture.value) != before
    assert cursor.code() in cursor.caption.value
    cut = eval(cursor.code(), {"voice": made.speech, "video": SimpleNamespace(fps=FPS)})  # what a reader would paste
    assert np.array_equal(cut, made.speech.windows(FPS, first=70, count=1)[0])
    assert "show_lipsync.heard" in repr(cursor)


def test_the_cursor_s_line_holds_its_offset(made, waveform):
    cursor = WindowCursor(waveform, made.speech, FPS, number=10_000, offset_s=-0.06)
    assert cursor.slider.value == 98
    assert cursor.code() == "voice.windows(video.fps, first=98, count=1, offset_s=-0.06)[0]"


# --- the silence gate ---


def test_the_gate_s_figure_shows_a_mouth_that_hum_opens(waveform, tmp_path):
    seconds = np.arange(len(waveform) + 16_000) / 16_000
    hum = sum(np.sin(2 * np.pi * 100 * k * seconds) / k for k in range(1, 6)) * 0.02
    humming = np.pad(waveform, (0, 16_000)) + hum
    save_wav(tmp_path / "hum.wav", humming, sample_rate=16_000)
    gated, ungated = (load_speech(tmp_path / "hum.wav", gate_silence=on) for on in (True, False))
    figure = show_lipsync.gate(humming, gated, ungated, FPS)
    agape, shut = (line.get_ydata()[107:] for line in figure.axes[1].lines)
    assert shut.max() < 0.02
    assert agape[:-4].min() > 0.1
    drawn(figure)


# --- the network ---


def test_the_network_s_input_is_drawn_channel_by_channel_and_in_colour():
    faces = np.random.default_rng(0).random((6, 96, 96), np.float32)
    out, window = np.zeros((3, 96, 96), np.float32), np.zeros((80, 16), np.float32)
    out[0] = 1  # blue
    figure = show_lipsync.network_input(faces, window, out, trained=False)
    pictures = [place.images[0].get_array() for place in figure.axes]
    assert [place.get_title() for place in figure.axes][:3] == ["in 0: blue", "in 1: green", "in 2: red"]
    for channel, place in enumerate((0, 1, 2, 5, 6, 7)):
        assert np.array_equal(pictures[place], faces[channel])
    assert np.array_equal(pictures[8][..., 0], faces[5])  # red comes first on the page
    assert tuple(pictures[9][0, 0]) == (0, 0, 1)
    assert figure.axes[9].get_title() == "out (untrained: noise)"
    assert show_lipsync.network_input(faces, window, out, trained=True).axes[9].get_title() == "out"
    drawn(figure)


def test_generators_are_drawn_below_one_another(made):
    steps = {"built-in": step_of(made, made.builtin), "stand-in": step_of(made, StandIn())}
    figure = show_lipsync.beside(steps)
    assert [place.get_ylabel() for place in figure.axes[::4]] == ["built-in", "stand-in"]
    assert np.array_equal(figure.axes[6].images[0].get_array(), steps["stand-in"].mask)
    width, height = steps["stand-in"].box.size_wh
    assert figure.axes[4].get_title().endswith(f"{width} x {height}")
    drawn(figure)


# --- the stand-in ---


def test_the_stand_in_gives_what_wav2lip_gives(made):
    crops = [made.frame[100:340, 180:360]]
    points = [made.mesh - (180, 100)]
    state = made.state[np.array([WIDE])]
    face = StandIn().render(crops, np.empty((1, 80, 16), np.float32), points, state)[0]
    assert (face.shape, face.dtype) == ((96, 96, 3), np.uint8)
    blue = StandIn(forgets_bgr=True).render(crops, np.empty((1, 80, 16), np.float32), points, state)[0]
    assert np.array_equal(blue[..., ::-1], face)


def test_the_stand_in_hears_what_the_built_in_generator_hears(made):
    state = prepare_lipsync(*made.chain, generator=StandIn())
    assert np.array_equal(state.per_frame["gap"], made.state.per_frame["gap"])
    assert StandIn().remarks(state) == []


def test_other_windows_change_the_mouth_and_leave_the_clip(made):
    silence = np.full((COUNT, 80, 16), -4, np.float32)
    told = hears(made.state, silence)
    assert told.per_frame["gap"].max() < 0.02 < made.state.per_frame["gap"].max()
    assert told.clip is made.state.clip
    assert np.array_equal(told.per_frame["amplitude"], made.state.per_frame["amplitude"])
    assert isinstance(told, GeneratorState)


def test_the_right_windows_say_the_right_thing(made):
    windows = made.speech.windows(FPS, first=0, count=COUNT, offset_s=made.builtin.window_shift_s)
    assert np.array_equal(hears(made.state, windows).per_frame["gap"], made.state.per_frame["gap"])


def test_a_box_of_your_own_gives_what_the_stage_gives(made):
    step = step_of(made, StandIn())
    by_hand = through_box(made.frame, made.mesh, step.box, made.state[np.array([WIDE])])
    assert np.array_equal(by_hand.result, step.result)


def test_a_box_beyond_the_frame_is_cut_off(made):
    box = step_of(made, StandIn()).box._replace(y1=9_999)
    step = through_box(made.frame, made.mesh, box, made.state[np.array([WIDE])])
    assert step.box.y1 == made.frame.shape[0]
    assert step.result.shape == made.frame.shape


# --- failures ---


@pytest.fixture(scope="module")
def through(made):
    box = step_of(made, StandIn()).box
    state = GeneratorState(made.state.clip, {**made.state[np.array([WIDE])].per_frame, "gap": np.float32([0.3])})
    low = round(float(made.mesh[OUTER_LIPS][:, 1].max()))
    ends = {"no chin": low, "chin": box.y1, "too low": round(1.6 * box.y1 - 0.6 * box.y0)}
    return {name: through_box(made.frame, made.mesh, box._replace(y1=end), state) for name, end in ends.items()}


def test_what_each_box_hides_and_takes(made, through):
    found = {name: show_lipsync_failures.mouth_in_crop(step, made.mesh) for name, step in through.items()}
    assert [hidden for hidden, _ in found.values()] == [1, 1, 0]
    assert found["no chin"][1] < 0.9 < 0.99 < found["chin"][1]


def test_without_the_chin_the_mouth_opens_less(made, through):
    """What the figure shows, measured by a mesh that is laid on the results."""
    steps = through.values()
    still = Timeline(np.full(len(steps), made.index), np.ones(len(steps), bool), FPS)
    no_chin, chin, _ = show_lipsync_offset.shown_opening((step.result for step in steps), made.track, still)
    assert no_chin < chin - 0.03


def test_boxes_are_drawn_as_the_network_sees_them(made, through):
    figure = show_lipsync_failures.boxes(through, made.mesh)
    seen = figure.axes[0].images[0].get_array()
    assert seen.shape == (96, 96, 3)
    assert not seen[48:].any()
    assert seen[:48].any()
    assert "0% of the mouth is hidden" in figure.axes[2].get_title()
    drawn(figure)


def test_a_square_round_the_mouth_has_the_mouth_in_its_middle(made):
    near = show_lipsync_failures.near_mouth(made.frame, made.mesh)
    x, y = made.mesh[MOUTH_CORNERS].mean(0)
    assert near.shape[0] == pytest.approx(near.shape[1], abs=2)
    round_it = made.frame[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].reshape(-1, 3)
    assert near[near.shape[0] // 2, near.shape[1] // 2].tolist() in round_it.tolist()  # both ends are rounded
    assert show_lipsync_failures.near_mouth(made.frame, np.full((468, 2), np.nan)) is made.frame


def test_words_about_openings():
    right = np.array([0, 0.1, 0.2, 0.1, 0])
    says = show_lipsync_failures.says
    assert says(right, right) == "moves in 100% of the frames"
    assert "agrees by -1.00" in says(-right, right)
    assert says(np.zeros(5), right).startswith("moves in 0% of the frames, agrees by 0.00")


def test_mouths_and_colours_are_drawn(made):
    opening, frames = made.state.per_frame["gap"], [made.frame] * 3
    tries = {"right": (opening, frames), "wrong": (np.zeros(COUNT), frames)}
    figure = show_lipsync_failures.mouths(tries, np.stack([made.mesh] * 3), first=7)
    assert [tick.get_text() for tick in figure.axes[1].get_xticklabels()] == ["7", "8", "9"]
    assert figure.axes[0].images[0].get_array().shape == (72, 288, 3)
    drawn(figure)
    steps = {"right": step_of(made, StandIn()), "wrong": step_of(made, StandIn(forgets_bgr=True), region="rectangle")}
    figure = show_lipsync_failures.colours(steps, made.mesh)
    numbers = [place.get_title().split("red ")[1].split(", blue ") for place in figure.axes]
    (red, blue), (wrong_red, wrong_blue) = [[int(number) for number in pair] for pair in numbers]
    assert red > blue
    assert wrong_red < wrong_blue
    drawn(figure)


# --- the offset ---


def opening(count: int = 120) -> np.ndarray:
    """A mouth that never moves twice in the same way."""
    return np.convolve(np.random.default_rng(3).random(count + 4), np.ones(5) / 5, "valid")


@pytest.mark.parametrize("lead", [-6, -1, 0, 3, 8])
def test_a_known_lead_is_found(lead):
    heard = opening()
    shown = np.roll(heard, -lead)  # shown[t] = heard[t + lead]
    assert show_lipsync_offset.lead_s(shown, heard, FPS) == pytest.approx(lead / 25, abs=0.005)


def test_a_lead_between_two_frames_is_found_between_them():
    heard = opening()
    shown = (np.roll(heard, -2) + np.roll(heard, -3)) / 2
    assert show_lipsync_offset.lead_s(shown, heard, FPS) == pytest.approx(2.5 / 25, abs=0.008)


def test_frames_without_a_face_are_left_out():
    heard = opening()
    shown = np.roll(heard, -3)
    shown[20:50] = np.nan
    assert show_lipsync_offset.lead_s(shown, heard, FPS) == pytest.approx(3 / 25, abs=0.005)


@pytest.mark.parametrize("shown", [np.zeros(60), np.full(60, np.nan), np.arange(5.0)])
def test_where_nothing_can_be_said_nothing_is(shown):
    assert np.isnan(show_lipsync_offset.lead_s(shown, opening(len(shown)), FPS))


def test_agreement_is_a_correlation():
    leads_s, values = show_lipsync_offset.agreement(2 * opening() + 1, opening(), FPS)
    assert leads_s[[0, -1]].tolist() == [-0.4, 0.4]
    assert values[len(values) // 2] == pytest.approx(1)
    assert np.nanmax(np.abs(values)) <= 1 + 1e-9


def test_the_offset_that_was_set_is_measured_on_pictures(made):
    heard = show_lipsync_offset.heard_opening(made.speech, FPS)
    assert len(heard) == 99
    assert np.array_equal(heard[:COUNT], show_lipsync_offset.heard_opening(made.speech, FPS, count=COUNT))
    shown = {}
    for offset_s in (-0.12, 0.12):
        settings = LipsyncSettings(audio_offset_s=offset_s)
        frames = lipsync_frames(*made.chain, generator=made.builtin, settings=settings)
        shown[offset_s] = show_lipsync_offset.shown_opening(frames, made.track, made.timeline)
        assert show_lipsync_offset.lead_s(shown[offset_s], heard[:COUNT], FPS) == pytest.approx(offset_s, abs=0.04)
    figure = show_lipsync_offset.sweep(shown, heard, FPS)
    points = [line.get_xydata()[0] for line in figure.axes[1].lines if line.get_marker() == "o"]
    assert [point[0] for point in points] == [-0.12, 0.12]
    assert all(abs(set_s - found_s) < 0.04 for set_s, found_s in points)
    drawn(figure)


def test_the_gap_in_a_picture_is_the_mesh_s(made):
    still = Timeline(np.array([made.index]), np.ones(1, bool), FPS)
    shown = show_lipsync_offset.shown_opening([made.frame], made.track, still)
    assert shown[0] == pytest.approx(mouth_gap(made.mesh), abs=0.05)  # the track's mesh is smoothed, this is not
