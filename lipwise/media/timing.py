"""From the timestamps of a clip's frames to its constant grid."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

FILM, NTSC, NTSC_HIGH = (Fraction(rate * 1000, 1001) for rate in (24, 30, 60))
STANDARD_RATES = tuple(Fraction(rate) for rate in (24, 25, 30, 50, 60, 10, 12, 15, 20, 48, 100, 120))
STANDARD_RATES += (FILM, NTSC, NTSC_HIGH)
DEFAULT_RATE = Fraction(25)  # for a single picture, which has no rate of its own
LARGEST_ROUNDING = 0.51  # ticks; timestamps rounded to the container's clock lie within half a tick
LARGEST_JITTER = 0.2  # of a frame's length; more than that is a variable rate
FASTEST_VARIABLE_RATE = 60  # a screen recording's shortest step says nothing about how fast it should be read
LONGEST_STRETCH = 50  # a grid that would be so many times longer than its frames comes from broken timestamps


@dataclass(frozen=True, eq=False)
class Grid:
    """The constant grid that a clip is read on.

    Attributes:
        fps: grid steps a second, exact.
        frame_of: (T,) int64, for each step the number of the frame shown, in order of presentation.
        variable: the clip's own steps differ.
        held_at_start: steps that hold the first frame before its own time has come.
        repeated: steps inside the clip that repeat the frame before.
        dropped: frames that share a step with a later one and are never shown.
    """

    fps: Fraction
    frame_of: np.ndarray
    variable: bool = False
    held_at_start: int = 0
    repeated: int = 0
    dropped: int = 0


def _deviation(ticks: np.ndarray, step: float) -> float:
    """Largest distance, in ticks, of any timestamp from the best constant grid of that step."""
    residual = (ticks - ticks[0]) - step * np.arange(len(ticks))
    return float(residual.max() - residual.min()) / 2


def constant_rate(ticks: np.ndarray, time_base: Fraction, stated: Iterable[Fraction | None]) -> Fraction | None:
    """The rate at which every timestamp lies on a constant grid, or None where there is no such rate.

    Args:
        ticks: (n,) int64 increasing timestamps in units of `time_base`, n >= 2.
        stated: what the container says, best first; a stated or standard rate is preferred to a measured one, since
            timestamps may be rounded to milliseconds.
    """
    measured = Fraction(len(ticks) - 1) / (int(ticks[-1] - ticks[0]) * time_base)
    rates = [rate for rate in (*stated, *STANDARD_RATES) if rate and abs(rate / measured - 1) < Fraction(1, 50)]
    deviations = [_deviation(ticks, float(1 / (rate * time_base))) for rate in rates]
    jitter = LARGEST_JITTER / float(measured * time_base)
    rounding = min(LARGEST_ROUNDING, jitter)
    for rate, deviation in zip(rates, deviations, strict=True):
        if deviation <= rounding:
            return rate
    if _deviation(ticks, float(1 / (measured * time_base))) <= rounding:
        return measured
    if rates and min(deviations) <= jitter:
        return rates[int(np.argmin(deviations))]
    return None


def nominal_rate(ticks: np.ndarray, time_base: Fraction, stated: Iterable[Fraction | None]) -> Fraction:
    """The rate of a variable-rate clip where it runs at full speed: its usual short step.

    Steps of 1/30 and 2/30 s give 30. Steps near the tenth percentile are the usual short ones, so that a stray pair
    of frames a millisecond apart does not set the rate.
    """
    steps = np.diff(ticks)
    short = np.percentile(steps, 10)
    usual = float(np.median(steps[(steps >= 0.75 * short) & (steps <= 1.5 * short)]))
    measured = 1 / (Fraction(usual).limit_denominator(1000) * time_base)
    rates = [rate for rate in stated if rate and abs(rate / measured - 1) < Fraction(3, 100)]
    rates = rates[:1] or [rate for rate in STANDARD_RATES if abs(rate / measured - 1) < Fraction(3, 100)]
    rate = min(rates, key=lambda rate: abs(rate - measured), default=measured.limit_denominator(1000))
    return min(rate, Fraction(FASTEST_VARIABLE_RATE))


def plain_grid(count: int, fps: Fraction) -> Grid:
    """A grid of frames that have no usable timestamps: one step each."""
    return Grid(fps, np.arange(count, dtype=np.int64))


def make_grid(
    ticks: np.ndarray,
    time_base: Fraction,
    *,
    origin_s: Fraction,
    last_duration: int,
    stated: tuple[Fraction | None, ...],
) -> Grid:
    """The constant grid for increasing timestamps.

    Args:
        ticks: (n,) int64 increasing presentation timestamps in units of `time_base` seconds.
        origin_s: time zero of the file in seconds; a first frame that comes later is held from there.
        last_duration: how long the last frame of a variable-rate clip is shown, in ticks; 0 when unknown.
        stated: frame rates that the container states, best first.
    """
    fps = constant_rate(ticks, time_base, stated) if len(ticks) > 1 else next(filter(None, stated), DEFAULT_RATE)
    variable = fps is None
    if fps is None:
        fps = nominal_rate(ticks, time_base, stated)
        since_first = (ticks - ticks[0]).astype(np.float64) * float(time_base * fps)
        slots = np.floor(since_first + 0.5).astype(np.int64)
        last_steps = max(1, round(last_duration * time_base * fps))
    else:
        slots, last_steps = np.arange(len(ticks), dtype=np.int64), 1
    start = max(0, round((int(ticks[0]) * time_base - origin_s) * fps))
    count = start + int(slots[-1]) + last_steps
    if count > LONGEST_STRETCH * (len(ticks) + fps):
        return plain_grid(len(ticks), next(filter(None, stated), fps))
    frame_of = np.searchsorted(slots + start, np.arange(count), side="right") - 1
    shown = len(np.unique(slots))
    return Grid(
        fps,
        np.maximum(frame_of, 0),
        variable=variable,
        held_at_start=start,
        repeated=int(slots[-1]) + last_steps - shown,
        dropped=len(slots) - shown,
    )
