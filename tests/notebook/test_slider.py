"""The divider shows before on its left and after on its right, of pictures and of videos, by hand and by keyboard."""

from fractions import Fraction

import cv2
import ipywidgets
import numpy as np
import pytest

from lipwise.media.probe import probe
from lipwise.media.write import write_video
from lipwise.notebook import slider
from lipwise.notebook.slider import BeforeAfterSlider, wiped

DARK, LIGHT = np.full((30, 40, 3), 40, np.uint8), np.full((90, 120, 3), 200, np.uint8)
COUNT = 6


def shown(widget: BeforeAfterSlider) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(bytes(widget.picture.value), np.uint8), cv2.IMREAD_GRAYSCALE)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Frame n is a grey of 10 n; in the other clip, larger and a frame longer, 100 more."""
    folder = tmp_path_factory.mktemp("greys")
    paths = []
    for name, size, count, more in (("before", (32, 48), COUNT, 0), ("after", (64, 96), COUNT + 1, 100)):
        greys = (np.full((*size, 3), 10 * number + more, np.uint8) for number in range(count))
        paths.append(write_video(folder / f"{name}.mp4", greys, fps=Fraction(25), quality=5))
    return paths


# --- the pure function ---


@pytest.mark.parametrize("share", [0, 0.25, 0.5, 1])
def test_before_is_left_of_the_line_and_after_right(share):
    picture = wiped(DARK, LIGHT, share, height=90)
    assert picture.shape == (90, 120, 3)
    divider = round(120 * share)
    reach = 2 * slider.LINE_PX
    assert (picture[:, : max(0, divider - reach)] == 40).all()
    assert (picture[:, divider + reach :] == 200).all()


def test_the_line_is_seen_on_every_ground_and_not_at_the_ends():
    middle = wiped(DARK, LIGHT, 0.5, height=90)[10]
    assert {tuple(pixel) for pixel in middle[56:64].tolist()} == {slider.LINE, slider.LINE_EDGE}
    assert (wiped(DARK, LIGHT, 0, height=90) == 200).all()
    assert (wiped(DARK, LIGHT, 1, height=90) == 40).all()


def test_what_was_given_stays_as_it_is():
    after = LIGHT.copy()
    wiped(DARK, after, 0.5, height=90)
    assert (after == 200).all()


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_outside_the_picture_is_refused(share):
    with pytest.raises(ValueError, match="0 to 1"):
        wiped(DARK, LIGHT, share)


def test_sides_of_one_pixel_are_drawn():
    assert wiped(DARK[:, :1], LIGHT[:, :1], 0.5, height=480).shape == (480, 5, 3)


# --- the widget ---


def test_pictures_have_a_divider_and_no_frames():
    widget = BeforeAfterSlider(DARK, LIGHT)
    assert (widget.divider.value, widget.number.max, widget.number.layout.display) == (50, 0, "none")
    assert np.abs(shown(widget)[:, 10].astype(int) - 40).max() < 5
    assert np.abs(shown(widget)[:, -10].astype(int) - 200).max() < 5
    assert "40 x 30 and 120 x 90 px" in widget.caption.value
    assert widget.code() == "slider.wiped(before, after, 0.5)"


def test_the_divider_moves_the_picture_and_the_code():
    widget = BeforeAfterSlider(DARK, LIGHT)
    widget.divider.value = 100
    assert np.abs(shown(widget).astype(int) - 40).max() < 5
    assert "slider.wiped(before, after, 1)" in widget.caption.value


def test_everything_is_a_slider_or_a_button_and_so_within_reach_of_the_keyboard():
    widget = BeforeAfterSlider(DARK, LIGHT)
    hands = [one for one in widget.children if not isinstance(one, (ipywidgets.Image, ipywidgets.HTML))]
    controls = [child for one in hands for child in getattr(one, "children", [one])]
    assert controls
    assert all(isinstance(one, (ipywidgets.IntSlider, ipywidgets.Button)) for one in controls)
    assert not any(one.disabled for one in controls)


def test_buttons_go_to_the_ends_and_the_middle():
    widget = BeforeAfterSlider(DARK, LIGHT)
    places = []
    for button in widget.buttons:
        button.click()
        places.append((button.description, widget.divider.value))
    assert places == [("All before", 100), ("Half", 50), ("All after", 0)]


def test_frames_of_two_videos_are_shown_as_far_as_both_reach(clips):
    widget = BeforeAfterSlider(*clips, number=99)
    assert (widget.number.value, widget.number.max, widget.number.layout.display) == (COUNT - 1, COUNT - 1, "")
    widget.number.value = 2
    before, after = widget.frames(2)
    assert (before.shape, after.shape) == ((32, 48, 3), (64, 96, 3))
    assert abs(shown(widget)[100, 50].astype(int) - 20) < 5
    assert abs(shown(widget)[100, -50].astype(int) - 120) < 5
    assert f"next(lw.read_frames('{clips[1]}', [2]))" in widget.code()


def test_the_line_of_code_makes_the_picture_that_is_shown(clips):
    import lipwise as lw

    widget = BeforeAfterSlider(probe(clips[0]), probe(clips[1]), number=3, share=0.3)
    made = eval(widget.code(), {"lw": lw, "slider": slider})
    assert np.abs(cv2.cvtColor(made, cv2.COLOR_RGB2GRAY).astype(int) - shown(widget)).max() < 12


def test_names_are_escaped_in_the_caption(clips, tmp_path):
    odd = tmp_path / "a<b>.mp4"
    odd.write_bytes(clips[1].read_bytes())
    assert "a&lt;b&gt;.mp4" in BeforeAfterSlider(clips[0], odd).caption.value


def test_a_page_without_a_kernel_says_what_to_draw_instead():
    assert "show_enhance.before_after" in repr(BeforeAfterSlider(DARK, LIGHT))
