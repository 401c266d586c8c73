"""The parameter panel shows what the settings of lip-sync do to one frame, and the line of code that sets the same."""

from fractions import Fraction

import ipywidgets
import numpy as np
import pytest

import lipwise
from lipwise.errors import FaceError, SettingsError
from lipwise.media.probe import probe
from lipwise.media.write import write_video
from lipwise.models.viseme import VisemeGenerator
from lipwise.notebook import parameter_panel
from lipwise.notebook.parameter_panel import ParameterPanel, code_of, picture_of, views_of
from lipwise.notebook.show_lipsync_stand_in import StandIn
from lipwise.sample import SPEECH, sample_frames
from lipwise.stages.clean import track_faces
from lipwise.stages.lipsync import LipsyncSettings, lipsync_steps, prepare_lipsync
from lipwise.stages.speech import load_speech
from lipwise.timeline import Timeline

NUMBER = 8  # in this frame of the sample's speech the mouth is open


@pytest.fixture(scope="module")
def chain(tmp_path_factory, face_mesh):
    source = [frame for frame, _ in zip(sample_frames(), range(3), strict=False)]
    folder = tmp_path_factory.mktemp("clip")
    clip = probe(write_video(folder / "clip.mp4", source, fps=Fraction(25), quality=14))
    track, speech = track_faces(clip), load_speech(SPEECH)
    return clip, track, Timeline.for_speech(track.has_face, clip.fps, 16), speech


@pytest.fixture
def panel(chain):
    generators = {"built-in": VisemeGenerator(), "stand-in": StandIn()}
    return ParameterPanel(*chain, generators=generators, number=NUMBER)


# --- what it does without a browser ---


def test_the_line_of_code_holds_what_is_not_as_by_default():
    assert code_of(LipsyncSettings()) == "settings = lw.LipsyncSettings()"
    settings = LipsyncSettings(region="mouth", pads=(0, 20, 3, 4), audio_offset_s=-0.08, feather=0.3)
    made = code_of(settings, name="mine")
    assert made == ('mine = lw.LipsyncSettings(region="mouth", feather=0.3, pads=(0, 20, 3, 4), audio_offset_s=-0.08)')
    assert eval(made.removeprefix("mine = "), {"lw": lipwise}) == settings


def test_the_views_hold_the_face_and_stay_inside_the_frame(chain):
    mesh = chain[1].mesh_xy[0]
    view, close = views_of(mesh, (512, 512))
    assert view.x0 <= mesh[:, 0].min()
    assert view.y1 >= mesh[:, 1].max()
    assert close.x0 >= 0
    assert close.y1 <= 512
    assert close.size_wh[0] < view.size_wh[0]


def test_the_picture_shows_box_mask_and_the_hidden_half(chain):
    clip, track, timeline, speech = chain
    state = prepare_lipsync(*chain, generator=StandIn())
    frame = next(lipwise.read_frames(clip, [0]))
    chosen = {"generator": StandIn(), "state": state}
    step = lipsync_steps([frame], np.array([0]), track, timeline, speech, **chosen)[0]
    views = views_of(track.mesh_xy[0], (512, 512))
    picture = picture_of(step, *views, network_px=96)
    assert (picture.shape, picture.dtype) == ((300, 900, 3), np.uint8)
    for colour in (parameter_panel.BOX_RGB, parameter_panel.MASK_RGB):
        assert (np.abs(picture[:, :300].astype(int) - colour).max(-1) < 40).any()
    assert not picture[152:, 300:600].any()  # the lower half is black
    assert picture[:148, 300:600].any()
    assert picture_of(step, *views, network_px=None)[152:, 300:600].any()
    assert (step.frame == frame).all()  # nothing was drawn into the frame itself


# --- the widget ---


def test_it_begins_with_the_defaults_and_the_first_generator(panel):
    assert panel.settings == LipsyncSettings()
    assert panel.generator.name == "viseme"
    assert bytes(panel.picture.value).startswith(b"\xff\xd8")
    assert "settings = lw.LipsyncSettings()" in panel.caption.value


def test_controls_are_as_wide_as_each_other_and_labels_have_room(panel):
    left, right = (column.children for column in panel.children[0].children)
    assert [control.description for control in left] == ["generator", "region", "feather", "offset (s)"]
    assert [control.description for control in right] == ["pad above", "pad below", "pad left", "pad right"]
    widths = {(control.layout.width, control.style.description_width) for control in (*left, *right)}
    assert widths == {(parameter_panel.CONTROL_WIDTH, parameter_panel.LABEL_WIDTH)}


def test_each_control_changes_the_picture_and_the_line(panel):
    panel.choice.value = "stand-in"
    moves = {
        "region": lambda: setattr(panel.region, "value", "rectangle"),
        "pads": lambda: setattr(panel.pads[3], "value", 40),
        "audio_offset_s": lambda: setattr(panel.offset, "value", -0.2),
    }
    for name, move in moves.items():
        before = bytes(panel.picture.value)
        move()
        assert bytes(panel.picture.value) != before, name
        assert f"{name}=" in panel.code(), name
    panel.region.value = "lower_face"
    before = bytes(panel.picture.value)
    panel.feather.value = 0.02
    assert bytes(panel.picture.value) != before
    assert panel.settings == LipsyncSettings(pads=(0, 10, 0, 40), audio_offset_s=-0.2, feather=0.02)


def test_its_frame_is_the_stage_s(panel, chain):
    panel.choice.value = "stand-in"
    panel.pads[1].value = 30
    settings = LipsyncSettings(pads=(0, 30, 0, 0))
    frames = list(lipwise.lipsync_frames(*chain, generator=StandIn(), settings=settings))
    assert np.array_equal(panel.step().result, frames[NUMBER])


def test_pads_are_for_generators_that_take_a_face_box(panel):
    assert all(slider.disabled for slider in panel.pads)
    assert "takes no pads" in panel.caption.value
    panel.choice.value = "stand-in"
    assert not any(slider.disabled for slider in panel.pads)
    assert "takes no pads" not in panel.caption.value


def test_defaults_come_back_with_one_drawing(panel, monkeypatch):
    panel.choice.value = "stand-in"
    panel.set(LipsyncSettings(region="face", feather=0.3, pads=(1, 2, 3, 4), audio_offset_s=0.1))
    assert panel.settings == LipsyncSettings(region="face", feather=0.3, pads=(1, 2, 3, 4), audio_offset_s=0.1)
    drawings = []
    monkeypatch.setattr(parameter_panel, "as_jpeg", lambda picture: drawings.append(1) or b"drawn")
    panel.reset.click()
    assert panel.settings == LipsyncSettings()
    assert len(drawings) == 1


def test_whatever_is_set_is_what_it_says(panel):
    for settings in (
        LipsyncSettings(pads=(900, 0, 0, 901), feather=0.9, audio_offset_s=-1.5),
        LipsyncSettings(feather=0.005, audio_offset_s=0.125, gate_silence=False, batch_frames=3),
    ):
        panel.set(settings)
        assert panel.settings == settings
        assert eval(panel.code().removeprefix("settings = "), {"lw": lipwise}) == settings
    panel.feather.value = 0.1 + 0.2
    assert panel.settings.feather == 0.3


def test_the_hidden_half_is_that_of_the_network_that_is_shown(chain, monkeypatch):
    monkeypatch.setattr(StandIn, "crop_size", 40)
    sizes, draw = [], parameter_panel.picture_of
    monkeypatch.setattr(
        parameter_panel, "picture_of", lambda *step, network_px: sizes.append(network_px) or draw(*step, network_px=96)
    )
    panel = ParameterPanel(*chain, generators={"stand-in": StandIn(), "built-in": VisemeGenerator()}, number=NUMBER)
    panel.choice.value = "built-in"
    assert sizes == [40, None]


def test_a_state_is_prepared_once_for_each_offset(panel, monkeypatch):
    asked = []
    prepare = parameter_panel.prepare_lipsync
    monkeypatch.setattr(
        parameter_panel, "prepare_lipsync", lambda *chain, **chosen: asked.append(1) or prepare(*chain, **chosen)
    )
    panel.region.value = "mouth"
    assert asked == []
    for offset_s in (0.1, 0.0, 0.1):
        panel.offset.value = offset_s
    assert len(asked) == 1


@pytest.mark.parametrize(("number", "generators"), [(16, 1), (-1, 1), (3, 0)])
def test_what_cannot_be_shown_is_told(chain, number, generators):
    given = dict(list({"built-in": VisemeGenerator()}.items())[:generators])
    with pytest.raises(SettingsError, match="nothing to show"):
        ParameterPanel(*chain, generators=given, number=number)


def test_a_frame_without_a_face_is_told(chain):
    clip, track, timeline, speech = chain
    passed = Timeline(timeline.source_index, np.zeros(len(timeline), bool), timeline.fps)
    with pytest.raises(FaceError, match="passes untouched"):
        ParameterPanel(clip, track, passed, speech, generators={"built-in": VisemeGenerator()}, number=3)


def test_without_a_kernel_it_says_what_stands_in(panel):
    assert "show_lipsync.beside" in repr(panel)


def everything_in(box: ipywidgets.Box) -> list[ipywidgets.Widget]:
    """The widgets of a box and of the boxes in it."""
    inside = [everything_in(one) if isinstance(one, ipywidgets.Box) else [] for one in box.children]
    return [*box.children, *(widget for widgets in inside for widget in widgets)]


def test_only_what_both_generations_of_widgets_have_is_used(panel):
    kinds = {type(widget).__name__ for widget in everything_in(panel)}
    assert kinds <= {"Dropdown", "FloatSlider", "IntSlider", "Button", "Image", "HTML", "HBox", "VBox"}
