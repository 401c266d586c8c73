"""Whether a smoothed box comes too late: measured, and drawn."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from lipwise.faces.smooth import find_runs
from lipwise.faces.track import FaceTrack
from lipwise.notebook.show import PAGE_IN

SPEED_REACH = 4  # frames to either side between which a speed is measured
CLOSE_REACH = 6  # frames to either side that the close look shows


def longest_run(track: FaceTrack) -> slice:
    """The longest run of frames of one shot in which the track has a face; empty where there is none."""
    runs = find_runs(track.has_face, track.shot)
    return max(runs, key=lambda run: run.stop - run.start, default=slice(0, 0))


def middle_x(track: FaceTrack, run: slice) -> np.ndarray:
    """(n,) float64, the middle of the box from left to right in a run of frames, in pixels."""
    return track.boxes_xyxy[run, ::2].mean(axis=1, dtype=np.float64)


def lag_frames(values: np.ndarray, seen: np.ndarray) -> float:
    """By how many frames smoothed values come after what was seen; below 0 they run ahead.

    A delay of d frames takes d times the speed off every value, so d is fitted to all frames by least squares. The
    speed is that between frames four before and four after, which the detector's own trembling hardly touches.

    Args:
        values: (T,) float, smoothed.
        seen: (T,) float, as detected.
    """
    reach = SPEED_REACH
    speed = (seen[2 * reach :] - seen[: -2 * reach]) / (2 * reach)
    behind = (seen - values)[reach:-reach]
    told = np.isfinite(speed) & np.isfinite(behind)
    return float(np.sum((behind * speed)[told]) / max(float(np.sum(speed[told] ** 2)), 1e-9))


def compare(seen: np.ndarray, smoothed: Mapping[str, np.ndarray], *, first: int = 0) -> Figure:
    """A face's place over time as detected and smoothed in several ways, each with its measured lag, and a close look.

    Args:
        seen: (T,) pixels, as detected.
        smoothed: name -> (T,) pixels.
        first: number of the first frame.
    """
    numbers = first + np.arange(len(seen))
    fastest = first + int(np.nanargmax(np.abs(np.diff(seen, prepend=seen[:1]))))
    figure, (whole, near) = plt.subplots(1, 2, figsize=(PAGE_IN, 4), width_ratios=(3, 2), layout="constrained")
    for axes in (near, whole):
        axes.plot(numbers, seen, "o", ms=4, color="0.6", label="detected")
        for (name, values), style in zip(smoothed.items(), ("--", ":", "-", "-."), strict=False):
            lag = round(lag_frames(values, seen), 1) + 0  # no minus before a zero
            axes.plot(numbers, values, style, lw=2, label=f"{name}: {lag:+.1f} frames")
        axes.set_xlabel("frame")
    whole.set_ylabel("middle of the box (pixels)")
    near.set(xlim=(fastest - CLOSE_REACH - 0.5, fastest + CLOSE_REACH + 0.5), title="near its fastest motion")
    close = seen[max(0, fastest - first - CLOSE_REACH) : fastest - first + CLOSE_REACH + 1]
    low, high = float(np.nanmin(close)), float(np.nanmax(close))
    near.set_ylim(low - 1 - 0.15 * (high - low), high + 1 + 0.15 * (high - low))
    whole.legend(title="lag", fontsize=9)
    plt.close(figure)
    return figure
