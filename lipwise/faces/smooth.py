"""Filling and smoothing along time, run by run, never across a scene cut.

A run is a stretch of frames of one shot with a face in each. All filters are centred: what moves evenly is neither led
nor lagged, in the middle of a run and at its ends.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np


def find_runs(present: np.ndarray, shot: np.ndarray) -> Iterator[slice]:
    """Slices of consecutive frames that are `present` (T,) bool and of one `shot` (T,) int."""
    label = np.where(present, shot, -1)
    borders = np.flatnonzero(np.diff(label)) + 1
    for first, stop in zip(np.r_[0, borders], np.r_[borders, len(label)], strict=True):
        if stop > first and label[first] >= 0:
            yield slice(int(first), int(stop))


def frames_in(seconds: float, fps: Fraction | float) -> int:
    """How many whole frames fit into a time."""
    return int(seconds * float(fps) + 1e-6)


def fill_gaps(values: np.ndarray, shot: np.ndarray, *, longest: int, hold: int) -> np.ndarray:
    """Fill short gaps inside shots, in place.

    Args:
        values: (T, K) float; a row of NaN is a gap.
        shot: (T,) int.
        longest: gaps of up to so many frames become the straight line between their neighbours.
        hold: gaps of up to so many frames at the start or end of a shot repeat the nearest face.

    Returns:
        (T,) bool, True where a row was filled.
    """
    filled = np.zeros(len(values), bool)
    for part in find_runs(np.ones(len(values), bool), shot):
        known = part.start + np.flatnonzero(~np.isnan(values[part]).any(axis=1))
        if len(known) == 0:
            continue
        for before, after in pairwise(known):
            gap = np.arange(before + 1, after)
            if 0 < len(gap) <= longest:
                weight = ((gap - before) / (after - before))[:, None]
                values[gap] = (1 - weight) * values[before] + weight * values[after]
                filled[gap] = True
        for edge, face in ((slice(part.start, known[0]), known[0]), (slice(known[-1] + 1, part.stop), known[-1])):
            if 0 < edge.stop - edge.start <= hold:
                values[edge] = values[face]
                filled[edge] = True
    return filled


def smooth_polynomial(values: np.ndarray, shot: np.ndarray, *, window: int) -> None:
    """Savitzky-Golay filter of second order, in place: keeps nods and turns, takes off the detector's jitter.

    Args:
        values: (T, K) float with rows of NaN where there is no face.
        shot: (T,) int.
        window: frames that each value is fitted to; shrunk for shorter runs, and less than 4 changes nothing.
    """
    from scipy.signal import savgol_filter

    for run in find_runs(np.asarray(~np.isnan(values[:, 0])), shot):
        odd_window = min(window, run.stop - run.start)
        odd_window -= 1 - odd_window % 2
        if odd_window >= 5:
            values[run] = savgol_filter(values[run].astype(np.float64), odd_window, 2, axis=0, mode="interp")


def keep_near(values: np.ndarray, seen: np.ndarray, shot: np.ndarray, *, slack: np.ndarray) -> None:
    """Pull smoothed values back to what was seen, in place, so that a sudden motion is not smeared over time.

    What was seen is the median of each frame and its two neighbours: a single slip of the detector does not count, a
    step does.

    Args:
        values: (T, K) float, smoothed; rows of NaN where there is no face.
        seen: (T, K) float, before smoothing.
        shot: (T,) int.
        slack: (T,) how far from what was seen a value may be.
    """
    for run in find_runs(np.asarray(~np.isnan(values[:, 0])), shot):
        ends = np.pad(seen[run], ((1, 1), (0, 0)), mode="edge")
        steady = np.median([ends[:-2], ends[1:-1], ends[2:]], axis=0)  # (n, K)
        room = slack[run, None]
        values[run] = np.clip(values[run], steady - room, steady + room)


def smooth_gaussian(values: np.ndarray, shot: np.ndarray, *, sigma: float, block: int = 32) -> None:
    """Gaussian of `sigma` frames, in place, `block` columns at a time so that a long clip needs no second array.

    Args:
        values: (T, K) float with rows of NaN where there is no face.
        shot: (T,) int.
    """
    radius = max(1, int(np.ceil(3 * sigma)))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / max(sigma, 1e-6)) ** 2)
    kernel /= kernel.sum()
    for run in find_runs(np.asarray(~np.isnan(values[:, 0])), shot):
        for column in range(0, values.shape[1], block):
            part = values[run, column : column + block]
            values[run, column : column + block] = _convolve(part, kernel)


def _convolve(values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Along the first axis; the ends are mirrored through their last point, which keeps straight lines straight."""
    count, radius = len(values), len(kernel) // 2
    if count < 2:
        return values
    ends = np.pad(values.astype(np.float64), ((radius, radius), (0, 0)), mode="reflect", reflect_type="odd")
    return sum(weight * ends[k : k + count] for k, weight in enumerate(kernel))  # pyright: ignore[reportReturnType]  # never the 0 of an empty sum
