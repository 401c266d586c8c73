"""What the cleaning lesson shows, writes and accepts as an answer."""

import re

import pytest
from nbclient.exceptions import CellExecutionError

from lipwise.media.probe import probe


@pytest.fixture(scope="module")
def lesson(ran):
    return ran("02_clean_faces")


def test_the_lesson_writes_the_sample_and_the_clean_clip_only(lesson):
    written = sorted(path.relative_to(lesson.folder).as_posix() for path in lesson.folder.rglob("*") if path.is_file())
    assert written == ["clean.mp4", "sample/hard_face.mp4"]


def test_the_lesson_shows_each_picture_once(lesson):
    assert len(lesson.pictures) == 6  # faces, sheet, curves, policies, tries, smoothing


def test_the_report_names_every_kind_of_trouble(lesson):
    for reason in ("no face", "too small", "turned", "blurred", "too dark", "cut off", "scene cut"):
        assert re.search(rf"^  {reason}: \d", lesson.printed, re.MULTILINE), reason


def test_the_policy_fail_names_the_ranges(lesson):
    assert re.search(r"Frames \d+-\d+, .* of hard_face\.mp4 cannot be used", lesson.printed)
    assert "next:" in lesson.printed


def test_the_clean_clip_is_shorter_and_keeps_its_sound(lesson):
    before, after = probe(lesson.folder / "sample" / "hard_face.mp4"), probe(lesson.folder / "clean.mp4")
    assert after.has_audio
    assert 0.4 * before.frame_count < after.frame_count < 0.7 * before.frame_count
    assert f"{after.frame_count} of {before.frame_count} frames can be used" in lesson.printed


def test_before_and_after_stand_beside_each_other(lesson):
    alone, beside = [page for page in lesson.of_type("text/html") if "<video" in page]
    assert (alone.count("<video"), beside.count("<video")) == (1, 2)
    assert len(alone) + len(beside) < 4_000_000


def test_no_gpu_is_asked_for(lesson):
    assert "accelerator" not in lesson.book.metadata
    assert "gpuType" not in lesson.book.metadata.colab


# What the cells before the exercise leave behind: a face that sways, trembling a little.
SEEN = """
import numpy as np
from lipwise.notebook import show_smoothing
place = 200 + 60 * np.sin(np.arange(90) / 9) + np.random.default_rng(0).normal(0, 1, 90)
"""
WRONG = {
    "the last ones": (
        "return np.array([values[max(0, i - count + 1) : i + 1].mean() for i in range(len(values))])",
        r"\+\d\.\d frames late",
    ),
    "the next ones": (
        "return np.array([values[i : i + count].mean() for i in range(len(values))])",
        r"-\d\.\d frames late",
    ),
    "no ends": ('return np.convolve(values, np.ones(count) / count, "valid")', "90 values went in and 86 came out"),
    "ends of zero": ('return np.convolve(values, np.ones(count) / count, "same")', "perhaps at the ends"),
    "nothing done": ("return values", "trembles as much"),
}


@pytest.mark.parametrize(("answer", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_why(answered, answer, said):
    with pytest.raises(CellExecutionError, match=said):
        answered("02_clean_faces", f"def centred_mean(values, count):\n    {answer}", before=SEEN)
