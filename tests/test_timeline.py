"""Timeline: which source frame feeds which output frame."""

from fractions import Fraction

import numpy as np
import pytest

from lipwise.errors import SettingsError
from lipwise.timeline import Timeline, bounce

FPS = Fraction(25)


def usable(count: int) -> np.ndarray:
    return np.ones(count, bool)


@pytest.mark.parametrize(
    ("first", "count", "length", "expected"),
    [
        (0, 1, 0, []),
        (5, 1, 3, [5, 5, 5]),
        (0, 2, 5, [0, 1, 0, 1, 0]),
        (10, 4, 9, [10, 11, 12, 13, 12, 11, 10, 11, 12]),
        (0, 4, 3, [0, 1, 2]),
    ],
)
def test_bounce_plays_back_and_forth_without_repeating_the_turns(first, count, length, expected):
    assert bounce(first, count, length).tolist() == expected


@pytest.mark.parametrize(("count", "length"), [(1, 1), (2, 300), (100, 37), (100, 1000)])
def test_consecutive_frames_are_neighbours(count, length):
    steps = np.abs(np.diff(Timeline.for_speech(usable(count), FPS, length).source_index))
    assert set(steps) <= ({0} if count == 1 else {1})


def test_start_and_stop_choose_a_part():
    timeline = Timeline.for_speech(usable(100), FPS, 50, start=20, stop=30)
    assert timeline.source_index.min() == 20
    assert timeline.source_index.max() == 29


def test_frames_without_a_face_pass():
    mask = usable(10)
    mask[3] = False
    timeline = Timeline.for_speech(mask, FPS, 20)
    assert (timeline.synth == (timeline.source_index != 3)).all()


@pytest.mark.parametrize("part", [{"start": 5, "stop": 5}, {"start": 9, "stop": 3}, {"start": 200}])
def test_an_empty_part_is_refused(part):
    with pytest.raises(SettingsError, match="empty"):
        Timeline.for_speech(usable(100), FPS, 50, **part)


def test_a_result_without_frames_is_refused():
    with pytest.raises(SettingsError, match="no frame"):
        Timeline.for_speech(usable(100), FPS, 0)


@pytest.mark.parametrize(("length", "each"), [(1, 10), (10, 10), (11, 10), (99, 7)])
def test_segments_cover_everything_once(length, each):
    timeline = Timeline.for_speech(usable(30), FPS, length)
    numbers = np.concatenate([np.arange(part.start, part.stop) for part in timeline.segments(each)])
    assert numbers.tolist() == list(range(length))


def test_duration_is_exact_at_a_fractional_rate():
    timeline = Timeline.for_speech(usable(10), Fraction(30000, 1001), 30000)
    assert timeline.duration_s == 1001
