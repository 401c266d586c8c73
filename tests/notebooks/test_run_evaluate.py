"""What the evaluating lesson shows, writes and accepts as an answer; it runs without SyncNet's weights."""

import re

import pytest
from nbclient.exceptions import CellExecutionError


@pytest.fixture(scope="module")
def lesson(ran):
    return ran("05_evaluate")


def test_the_lesson_writes_the_sample_the_result_its_run_and_the_comparison_only(lesson):
    written = {path.relative_to(lesson.folder).as_posix() for path in lesson.folder.iterdir()}
    assert written == {"sample", "made.mp4", "made_run", "side_by_side.mp4"}


def test_the_lesson_shows_each_picture_once(lesson):
    assert len(lesson.pictures) == 5  # regions, over time, mouth, shifts, faults


def test_the_table_tells_every_figure_or_its_reason(lesson):
    table = next(page for page in lesson.of_type("text/html") if "good is" in page)
    assert "PSNR outside the mask" in table
    assert "confidence in that" in table
    assert "has no sound of its own" in table


def test_without_its_weights_syncnet_is_explained_with_its_terms(lesson):
    page = next(page for page in lesson.of_type("text/html") if "No scores by SyncNet" in page)
    assert "accept_licence=True" in page
    assert "research only" in page


def test_shifts_are_found_and_the_exercise_mends_one(lesson):
    told = re.findall(r"sound moved by ([+-]\d) frames: (.*), confidence", lesson.printed)
    assert [frames for frames, _ in told] == ["-8", "-4", "+0", "+4", "+8"]
    assert told[0][1].endswith("early")
    assert told[-1][1].endswith("late")
    assert re.search(r"before: sound 0\.\d\d s (early|late).*\nafter:  sound (in time|0\.0)", lesson.printed)


# What the cells before the exercise leave behind: lips that do what is heard.
MADE = """
from types import SimpleNamespace
from fractions import Fraction
import numpy as np
import lipwise as lw
from lipwise.notebook import show_evaluate
from lipwise.sample import SPEECH
from lipwise.stages.offset import heard_mouth
waveform = lw.load_audio(SPEECH)
heard = heard_mouth(lw.mel_spectrogram(waveform))
opened, wide = (np.interp(np.arange(95) * 3.2, np.arange(len(heard)), heard[:, row]) for row in (0, 1))
mesh = np.zeros((95, 468, 2))
mesh[:, [263, 362], 0] = 100
mesh[:, [14, 87, 317], 1] = 30 * opened[:, None]
mesh[:, 308, 0] = 60 + 20 * wide
result_track, video = SimpleNamespace(mesh_xy=mesh), SimpleNamespace(fps=Fraction(25))
"""
MEASURED = "lw.estimate_offset(result_track.mesh_xy, lw.mel_spectrogram({}), fps=video.fps)"
WRONG = {
    "the other way": (f"-{MEASURED.format('odd')}.offset_s", "twice as far off"),
    "frames": (f"{MEASURED.format('odd')}.frames(video.fps)", "in seconds, not in frames"),
    "milliseconds": (f"1000 * {MEASURED.format('odd')}.offset_s", "in seconds, not in frames"),
    "of the right sound": (f"{MEASURED.format('waveform')}.offset_s", "measure odd"),
    "half": (f"{MEASURED.format('odd')}.offset_s / 2", "Not yet"),
}


@pytest.mark.parametrize(("answer", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_why(answered, answer, said):
    with pytest.raises(CellExecutionError, match=said):
        answered("05_evaluate", f"mend_s = {answer}", before=MADE)


def test_a_right_answer_is_accepted(answered):
    answered("05_evaluate", f"mend_s = {MEASURED.format('odd')}.offset_s", before=MADE)
