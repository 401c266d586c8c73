"""The checks find what they look for, on a page that has one of each fault."""

import browser_checks as checks
import browser_looks as looks
import numpy as np
import pytest
from browser_notebooks import LabPage

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def faulty(lab, open_page):
    page = open_page(LabPage, lab, "all_faults")
    yield page
    page.close()


def test_a_cell_that_fails(faulty):
    (said,) = faulty.errors
    assert "this cell fails" in said


def test_an_output_that_is_too_wide(faulty):
    said = "\n".join(faulty.measure("wide"))
    assert "too wide" in said
    assert "to be scrolled sideways" in said


def test_words_that_are_cut_off(faulty):
    said = "\n".join(faulty.measure("cut"))
    assert "a name that is longer" in said
    assert "dead" not in said


def test_words_that_are_too_faint(faulty):
    said = "\n".join(faulty.measure("faint", 4.5))
    assert "white words" in said
    assert "dark words" not in said


def test_pictures_that_cannot_be_seen(faulty):
    said = "\n".join(checks.look_at_pictures(faulty))
    for fault in ("is broken", "is empty", "is stretched by 0.10", "is transparent"):
        assert fault in said


def test_a_control_that_no_key_leads_to(faulty):
    (said,) = faulty.measure("keyless")
    assert "no key leads here" in said


def test_an_output_that_is_empty(faulty):
    assert looks.empty([np.full((9, 9, 3), 255, np.uint8), np.eye(9, dtype=np.uint8) * 255]) == [0]


def test_a_slider_that_nothing_listens_to(faulty, monkeypatch):
    monkeypatch.setattr("browser_page.ANSWER_S", 2)
    with pytest.raises(AssertionError, match=r"what the slider .* shows changes"):
        checks.move_with_the_mouse(faulty.sliders[0])
    with pytest.raises(AssertionError, match=r"what the slider .* shows changes"):
        checks.move_with_keys(faulty, faulty.sliders[0])


def test_a_slider_that_no_key_leads_to(faulty):
    faulty.sliders[0].handle.element.evaluate("one => one.removeAttribute('tabindex')")
    with pytest.raises(AssertionError, match="Tab does not lead to"):
        checks.move_with_keys(faulty, faulty.sliders[0])


def test_a_video_that_cannot_be_played(faulty, monkeypatch):
    monkeypatch.setattr("browser_page.ANSWER_S", 2)
    with pytest.raises(AssertionError, match="the video can be played"):
        checks.play(faulty.videos[0])


def test_words_that_are_too_faint_in_the_dark_theme(faulty):
    faulty.turn("Dark")
    said = "\n".join(faulty.measure("faint", 4.5))
    assert "dark words" in said
    assert "white words" in said


def test_what_the_page_reports_and_whom_it_asks(faulty):
    assert any("something broke" in line for line in faulty.heard.errors)
    assert faulty.heard.strangers == {"http://stranger.invalid/picture.png"}


def test_a_page_that_looks_otherwise(faulty, tmp_path):
    kept = looks.sheet(looks.take(faulty, tmp_path, "kept"))
    assert looks.unlike(looks.sheet(looks.take(faulty, tmp_path, "again")), kept) == []
    faulty.page.evaluate("document.querySelector('.jp-OutputArea-output img[alt]').closest('.jp-Cell').remove()")
    assert looks.unlike(looks.sheet(looks.take(faulty, tmp_path, "without_a_cell")), kept)
    before = looks.take(faulty, tmp_path, "before")
    faulty.page.evaluate(
        "document.querySelectorAll('.jp-OutputArea-output img').forEach(one => (one.style.opacity = 0))"
    )
    assert looks.unlike(looks.sheet(looks.take(faulty, tmp_path, "without_pictures")), looks.sheet(before))
