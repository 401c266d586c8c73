"""Each lesson in JupyterLab, as its reader sees it: run, looked at, moved by mouse and keys, then in the dark theme.

`python -m pytest -m browser` (needs Chromium; builds its environments once per machine). A lesson runs once, and the
tests look at the same page in the order in which they stand here.
"""

import re
from pathlib import Path

import browser_checks as checks
import browser_looks as looks
import pytest

pytestmark = pytest.mark.browser

LEAST_CONTRAST = 4.5  # WCAG 2.1, level AA


def code_of(lesson) -> str:
    """The source of a lesson's cells."""
    root = Path(__file__).resolve().parents[2]
    return (root / "notebooks" / "src" / f"{lesson.path.stem}.py").read_text(encoding="utf-8")


def test_every_cell_runs(lesson):
    assert lesson.errors == []
    assert lesson.never_run == 0


def test_nothing_is_wider_than_the_page(lesson):
    assert lesson.measure("wide") == []


def test_no_words_are_cut_off(lesson):
    assert lesson.measure("cut") == []


def test_pictures_can_be_seen(lesson):
    assert lesson.measure("pictures")
    assert checks.look_at_pictures(lesson) == []


def test_words_can_be_read(lesson):
    assert lesson.measure("faint", LEAST_CONTRAST) == []


def test_it_looks_as_it_did(lesson, lesson_starts, screenshots):
    folder = screenshots / lesson.path.stem
    pictures = looks.take(lesson, folder, "light")
    assert looks.empty(pictures) == []
    if lesson_starts[lesson.path.stem].form.get("run_script") is False:
        pytest.skip("set-up would install something here (bash setup_colab.sh), so its cell was not run")
    apart = looks.against_kept(pictures, lesson.path.stem, folder)
    if apart is None:
        pytest.skip(f"no look of {lesson.path.stem} was kept: LIPWISE_NEW_LOOKS=1 keeps this one")
    assert apart == []


def test_keys_lead_everywhere(lesson):
    assert lesson.measure("keyless") == []


def test_menus_answer(lesson):
    for menu in lesson.menus:
        checks.choose_otherwise(menu)


def test_buttons_move_the_divider(lesson):
    if "BeforeAfterSlider(" in code_of(lesson):
        checks.press_all_before_and_after(lesson.box("All before"))


def test_sliders_answer_the_mouse(lesson):
    widgets = r"(BeforeAfter\w*|FrameReviewer|WindowCursor|ParameterPanel|SoundShift)\("
    assert lesson.sliders or not re.search(widgets, code_of(lesson))
    for slider in lesson.sliders:
        checks.move_with_the_mouse(slider)


def test_sliders_answer_the_keys(lesson):
    for slider in lesson.sliders:
        checks.move_with_keys(lesson, slider)


def test_frames_are_kept_and_dropped(lesson):
    if "FrameReviewer(" in code_of(lesson):
        checks.keep_and_drop(lesson.box("Next bad"))


def test_videos_play(lesson):
    assert lesson.videos or not re.search(r"show\.play\(|players\(|quick\.compare\(", code_of(lesson))
    for video in lesson.videos:
        checks.play(video)


def test_answers_are_hidden_until_they_are_asked_for(lesson):
    answers = lesson.all(".jp-RenderedMarkdown details")
    assert answers
    checks.open_answer(answers[0])


def test_words_can_be_read_in_the_dark_theme(lesson, screenshots):
    lesson.turn("Dark")
    assert looks.empty(looks.take(lesson, screenshots / lesson.path.stem, "dark")) == []
    assert lesson.measure("faint", LEAST_CONTRAST) == []


def test_the_page_reported_no_error_and_asked_nobody(lesson):
    assert lesson.heard.errors == []
    assert lesson.heard.strangers == set()
