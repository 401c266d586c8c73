"""What the lip-sync lesson shows, writes and accepts as an answer."""

import re

import pytest
from nbclient.exceptions import CellExecutionError

from lipwise.media.probe import probe
from lipwise.notebook.formula_weights import TRAINED, UNTRAINED
from lipwise.weights import find_weights


@pytest.fixture(scope="module")
def lesson(ran):
    return ran("03_lipsync")


def test_the_lesson_writes_what_it_says(lesson):
    written = sorted(path.relative_to(lesson.folder).as_posix() for path in lesson.folder.rglob("*") if path.is_file())
    made = [] if any(map(find_weights, TRAINED)) else [f"sample/{UNTRAINED}"]
    assert written == ["humming.wav", "sample/sample_face.mp4", *made, "synced.mp4"]


def test_the_lesson_shows_each_picture_once(lesson):
    # what is heard, gate, input and output, generators, boxes, windows, colours, offsets
    assert len(lesson.pictures) == 8


def test_weights_say_what_they_are(lesson):
    if any(map(find_weights, TRAINED)):
        assert "non-commercial use only" in lesson.printed
    else:
        assert "untrained, made from a formula; its picture is noise" in lesson.printed


def test_the_measured_leads_are_those_that_were_set(lesson):
    pairs = re.findall(r"set (\S+) s, measured (\S+) s", lesson.printed)
    assert [float(given) for given, _ in pairs] == [-0.16, -0.08, 0, 0.08, 0.16]
    assert all(abs(float(given) - float(found)) < 0.02 for given, found in pairs)


def test_the_clip_is_written_whole_and_with_its_speech(lesson):
    result = probe(lesson.folder / "synced.mp4")
    assert result.has_audio
    assert (result.frame_count, result.size_wh) == (99, (512, 512))


def test_two_widgets_are_shown(lesson):
    assert len(lesson.of_type("application/vnd.jupyter.widget-view+json")) == 2


# What the cells before the exercise leave behind.
IMPORTED = "import math\nfrom fractions import Fraction\n"
WRONG = {
    "counts frames": ("int(frame)", "it counts frames"),
    "no overlap": ("16 * frame", "share nothing"),
    "rounds the rate": ("int(80 / fps) * frame", "80 / 25 is not 3"),
    "rounds up": ("round(80 * (frame / fps + offset_s))", "rounds up"),
    "not whole": ("80 * (frame / fps + offset_s)", "no whole number"),
    "no offset": ("math.floor(80 * frame / fps)", "0.1 seconds are 8 steps"),
    "the other sign": ("math.floor(80 * (frame / fps - offset_s))", "later sound has larger numbers"),
    "cuts towards 0": ("int(80 * (frame / fps + offset_s))", "cuts towards 0"),
    "clips at 0": ("max(0, math.floor(80 * (frame / fps + offset_s)))", "do not clip"),
    "rounds 29.97": ("math.floor(80 * (frame / round(fps) + offset_s))", "29.97 a second is not 30"),
    "a rounded step": ("math.floor(frame * round(80 / float(fps), 2) + 80 * offset_s)", "rounding comes last"),
}


@pytest.mark.parametrize(("answer", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_why(answered, answer, said):
    with pytest.raises(CellExecutionError, match=said):
        answered("03_lipsync", f"def window_start(frame, fps, offset_s=0.0):\n    return {answer}", before=IMPORTED)


@pytest.mark.parametrize(
    "answer",
    ["math.floor(80 * (frame / fps + offset_s))", "int((frame / fps + offset_s) * 80 // 1)"],
)
def test_a_right_answer_is_taken_however_it_is_written(answered, answer):
    answered("03_lipsync", f"def window_start(frame, fps, offset_s=0.0):\n    return {answer}", before=IMPORTED)
