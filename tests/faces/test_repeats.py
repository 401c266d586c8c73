"""A frame that equals the one before is noticed, and no other is taken for one."""

import numpy as np
import pytest

from lipwise.faces.repeats import RepeatedFrames


@pytest.fixture
def frame() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (20, 30, 3), np.uint8)


def test_equal_frames_repeat_and_the_first_does_not(frame):
    repeats = RepeatedFrames()
    assert [repeats.is_repeat(one) for one in (frame, frame, frame.copy(), frame[:, ::-1], frame)] == [
        False, True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("place", [(0, 0, 0), (3, 5, 1), (19, 29, 2)])
def test_one_other_number_is_seen_wherever_it_is(frame, place):
    other = frame.copy()
    other[place] ^= 1
    repeats = RepeatedFrames()
    assert [repeats.is_repeat(one) for one in (frame, other, frame)] == [False, False, False]


@pytest.mark.parametrize("place", [(0, 0, 0), (3, 5, 1)])
def test_a_reader_may_use_its_buffer_again(frame, place):
    repeats = RepeatedFrames()
    repeats.is_repeat(frame)
    frame[place] ^= 1
    assert not repeats.is_repeat(frame)
    assert repeats.is_repeat(frame)


def test_frames_of_another_size_repeat_none(frame):
    repeats = RepeatedFrames()
    assert [repeats.is_repeat(one) for one in (frame, frame[:8], frame[:8, :8])] == [False, False, False]
