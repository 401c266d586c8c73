"""Every widget, on tiny clips: in JupyterLab with ipywidgets 8, and in Notebook 6.5 with ipywidgets 7.7.1 as Colab has.

A slider's picture is compared with the frame that it has to show: frame n of the clip is a grey of 8 n.
"""

import ast
import re
from pathlib import Path

import browser_checks as checks
import browser_looks as looks
import pytest
from browser_notebooks import ClassicPage, LabPage
from browser_page import decoded

from lipwise.media.probe import probe

pytestmark = pytest.mark.browser

HERE = Path(__file__).resolve().parent
ROOMS = HERE.parents[1] / "lipwise" / "notebook"
LEAST_CONTRAST = 4.5
RUN_S = 120  # within which a run of a second ends


@pytest.fixture(scope="module", params=["lab", "classic"])
def book(request, open_page):
    server = request.getfixturevalue(request.param)
    page = open_page({"lab": LabPage, "classic": ClassicPage}[request.param], server, "all_widgets")
    yield page
    page.close()


def widgets_of_the_library() -> set[str]:
    """Classes of lipwise.notebook that are widgets, read without importing them."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in ROOMS.glob("*.py")]
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return {one.name for one in classes if any(ast.unparse(base).startswith("ipywidgets.") for base in one.bases)}


def test_every_widget_is_tried():
    tried = (HERE / "all_widgets.py").read_text(encoding="utf-8")
    assert {name for name in widgets_of_the_library() if f"{name}(" not in tried} == set()


def test_the_versions_are_what_they_are_said_to_be(book):
    versions = book.path.with_name("versions.txt").read_text(encoding="utf-8")
    assert re.match(r"7\.7\.1$" if isinstance(book, ClassicPage) else r"8\.", versions)


def test_every_cell_runs(book):
    assert book.errors == []
    assert book.never_run == 0


def test_nothing_is_wider_than_the_page(book):
    assert book.measure("wide") == []


def test_no_words_are_cut_off(book):
    assert book.measure("cut") == []


def test_pictures_can_be_seen(book):
    assert checks.look_at_pictures(book) == []


def test_screenshots_show_something(book, screenshots):
    assert looks.empty(looks.take(book, screenshots / "all_widgets", type(book).__name__)) == []


def test_keys_lead_everywhere(book):
    assert book.measure("keyless") == []


def test_menus_answer(book):
    assert len(book.menus) == 2
    for menu in book.menus:
        checks.choose_otherwise(menu)


def test_buttons_move_the_divider(book):
    checks.press_all_before_and_after(book.box("All before"))


def test_sliders_answer_the_mouse(book):
    assert book.sliders
    for slider in book.sliders:
        checks.move_with_the_mouse(slider)


def test_sliders_answer_the_keys(book):
    for slider in book.sliders:
        checks.move_with_keys(book, slider)


def test_the_reviewer_shows_the_frame_that_the_slider_is_at(book):
    reviewer = book.box("Next bad")
    (slider,) = [one for one in book.sliders if one.box.words == reviewer.words]
    slider.drag(0.55)
    slider.until(lambda: f"frame {slider.value}," in reviewer.words, "the line below says which frame it is")
    picture = decoded(slider.shown())
    assert abs(picture[60:-60, 60:-60].mean() - 8 * int(slider.value)) < 4


def test_frames_are_kept_and_dropped(book):
    checks.keep_and_drop(book.box("Next bad"))


def test_a_person_is_chosen(book):
    picker = book.box("Follow 1")
    picker.button("Follow 1").click()
    picker.until(lambda: "Person 1 is followed" in picker.words, "it says who is followed")
    picker.button("0 here").click()
    picker.until(lambda: "Person 0 is followed" in picker.words, "a face in the frame is chosen")


def test_a_file_is_picked(book):
    picker = book.box("This machine")
    picker.button("This machine").click()
    picker.until(lambda: picker.all("select"), "the files are listed")
    assert not picker.button("Take").element.is_enabled()
    picker.one("select").element.select_option(label="result.mp4")
    picker.until(lambda: picker.button("Take").element.is_enabled(), "a file can be taken")
    picker.button("Take").click()
    picker.until(lambda: 'face = "result.mp4"' in picker.words, "the line of the form names the file")


def test_a_run_is_started_and_stopped_and_goes_on(book):
    panel = book.box("Cancel")
    panel.button("Start").click()
    panel.until(panel.button("Cancel").element.is_enabled, "it begins and can be stopped", seconds=RUN_S)
    panel.button("Cancel").click()
    panel.until(lambda: "was stopped" in panel.words, lambda: f"it stops: {panel.words}", seconds=RUN_S)
    assert "memory" in panel.words
    assert not (book.path.parent / "made.mp4").exists()
    (button,) = [one for one in panel.all("button") if re.match("Start|Go on", one.words)]
    button.until(button.element.is_enabled, "it can go on")
    button.click()
    panel.until(lambda: re.search(r"Done: \S*made.mp4", panel.words), lambda: f"it ends: {panel.words}", seconds=RUN_S)
    assert probe(book.path.parent / "made.mp4").has_audio


def test_a_file_of_weights_is_fetched_when_its_condition_is_acknowledged(book):
    picker = book.box("Fetch")
    assert not picker.button("Fetch").element.is_enabled()
    for words in ("small", "I have read the conditions"):
        assert not picker.button("Fetch").element.is_enabled()
        (line,) = [one for one in picker.all(".widget-checkbox") if one.words.startswith(words)]
        line.element.query_selector("input").click()
        picker.page.wait_for_timeout(500)
    picker.until(lambda: picker.button("Fetch").element.is_enabled(), "the button can be clicked")
    picker.button("Fetch").click()
    picker.until(lambda: "small is kept" in picker.words, "the file is kept")
    assert (book.path.parent / "kept" / "small.bin").read_bytes() == b"numbers"


def test_videos_play(book):
    assert len(book.videos) == 1
    checks.play(book.videos[0])


def test_words_can_be_read(book):
    assert book.measure("faint", LEAST_CONTRAST) == []
    if isinstance(book, LabPage):
        book.turn("Dark")
        assert book.measure("faint", LEAST_CONTRAST) == []


def test_the_page_reported_no_error_and_asked_nobody(book):
    assert book.heard.errors == []
    assert book.heard.strangers == set()
