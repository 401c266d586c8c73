"""Timestamps to a constant grid: table of what files hold."""

from fractions import Fraction

import numpy as np
import pytest

from lipwise.media.timing import constant_rate, make_grid, nominal_rate

MILLISECONDS, MPEG = Fraction(1, 1000), Fraction(1, 90_000)
FILM, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)


def at_rate(fps: Fraction, count: int, time_base: Fraction) -> np.ndarray:
    """Timestamps of a constant-rate clip, rounded to the clock."""
    return np.array([round(number / fps / time_base) for number in range(count)], np.int64)


@pytest.mark.parametrize("time_base", [MILLISECONDS, MPEG])
@pytest.mark.parametrize("fps", [FILM, Fraction(24), NTSC, Fraction(30), Fraction(25), Fraction(60), Fraction(15)])
@pytest.mark.parametrize("stated", [(), (Fraction(24),), (Fraction(30),), (None, Fraction(90_000))])
def test_rounded_timestamps_give_the_exact_rate(time_base, fps: Fraction, stated) -> None:
    assert constant_rate(at_rate(fps, 3000, time_base), time_base, stated) == fps


def test_what_the_file_states_decides_where_the_timestamps_cannot() -> None:
    ticks = at_rate(NTSC, 10, MILLISECONDS)
    assert constant_rate(ticks, MILLISECONDS, [NTSC]) == NTSC
    assert constant_rate(at_rate(Fraction(100, 7), 9, Fraction(1, 100)), Fraction(1, 100), [Fraction(100)]) == Fraction(
        100, 7
    )


def test_jitter_is_not_a_variable_rate() -> None:
    jitter = np.random.default_rng(0).integers(-4, 5, 300)
    assert constant_rate(at_rate(Fraction(30), 300, MILLISECONDS) + jitter, MILLISECONDS, []) == 30


def test_a_dropped_frame_is_one() -> None:
    ticks = np.delete(at_rate(Fraction(25), 100, MPEG), 50)
    assert constant_rate(ticks, MPEG, [Fraction(25)]) is None
    grid = make_grid(ticks, MPEG, origin_s=Fraction(0), last_duration=3600, stated=(Fraction(25),))
    assert (grid.fps, len(grid.frame_of), grid.repeated, grid.variable) == (25, 100, 1, True)
    assert grid.frame_of[48:52].tolist() == [48, 49, 49, 50]
    coarse = np.delete(np.arange(100), 50)  # a clock of exactly one tick a frame
    assert constant_rate(coarse, Fraction(1, 25), [Fraction(25)]) is None


def test_nominal_rate_is_the_usual_short_step() -> None:
    steps = np.array([1, 1, 2, 1, 2, 1, 1, 1, 2, 1, 1, 2, 1, 1] * 10)
    ticks = np.cumsum(steps) * 3000
    assert nominal_rate(ticks, MPEG, [Fraction(1350, 61), Fraction(30)]) == 30
    with_a_pair = np.sort(np.append(ticks, ticks[40] + 9))
    assert nominal_rate(with_a_pair, MPEG, []) == 30
    assert nominal_rate(np.cumsum(steps) * 375, MPEG, []) == 60  # a screen recording at 240 a second


def test_every_frame_lands_on_its_nearest_step() -> None:
    seconds = np.array([0, 0.030, 0.101, 0.135, 0.199, 0.265, 0.301, 0.332, 0.366])
    ticks = np.round(seconds * 1000).astype(np.int64)
    grid = make_grid(ticks, MILLISECONDS, origin_s=Fraction(0), last_duration=33, stated=(Fraction(30),))
    assert grid.fps == 30
    assert grid.frame_of.tolist() == [0, 1, 1, 2, 3, 3, 4, 4, 5, 6, 7, 8]


def test_frames_that_come_too_fast_are_left_out() -> None:
    ticks = np.array([0, 40, 80, 82, 120, 200, 240, 280, 320, 360])
    grid = make_grid(ticks, MILLISECONDS, origin_s=Fraction(0), last_duration=40, stated=(Fraction(25),))
    assert grid.frame_of.tolist() == [0, 1, 3, 4, 4, 5, 6, 7, 8, 9]
    assert grid.dropped == 1


def test_the_first_frame_is_held_until_it_is_due() -> None:
    ticks = at_rate(Fraction(25), 5, MPEG) + 90_000
    late = make_grid(ticks, MPEG, origin_s=Fraction(9, 10), last_duration=0, stated=(Fraction(25),))
    assert late.frame_of.tolist() == [0, 0, 0, 1, 2, 3, 4]
    assert late.held_at_start == 2
    on_time = make_grid(ticks, MPEG, origin_s=Fraction(99, 100), last_duration=0, stated=(Fraction(25),))
    assert on_time.frame_of.tolist() == [0, 1, 2, 3, 4]


def test_broken_timestamps_do_not_stretch_a_clip_over_hours() -> None:
    ticks = np.append(at_rate(Fraction(25), 50, MPEG), 2**33)  # a transport stream whose clock jumps
    grid = make_grid(ticks, MPEG, origin_s=Fraction(0), last_duration=0, stated=(Fraction(25),))
    assert grid.frame_of.tolist() == list(range(51))
    assert grid.fps == 25


def test_one_frame() -> None:
    grid = make_grid(np.array([7]), MPEG, origin_s=Fraction(0), last_duration=0, stated=(None, NTSC))
    assert (grid.fps, grid.frame_of.tolist()) == (NTSC, [0])
