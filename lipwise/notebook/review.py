"""What the frame reviewer does, without a browser: where it jumps to, what a button decides, what it draws."""

import cv2
import numpy as np

from lipwise.faces.track import FaceTrack
from lipwise.stages.ranges import runs_of
from lipwise.stages.reason_strip import colours_of, draw_strip, kinds_of
from lipwise.stages.usability import UsabilityReport

PICTURE_PX = 360  # height of the frame that is shown
STRIP_WH = (1000, 26)
CURSOR, CURSOR_EDGE = (255, 255, 255), (0, 0, 0)


def next_bad(report: UsabilityReport, frame: int) -> int | None:
    """First frame of the next run that cannot be used; None after the last."""
    return next((run.start for run in runs_of(~report.usable) if run.start > frame), None)


def previous_bad(report: UsabilityReport, frame: int) -> int | None:
    """First frame of the run that cannot be used before a frame; None before the first."""
    return next((run.start for run in reversed(runs_of(~report.usable)) if run.start < frame), None)


def run_at(report: UsabilityReport, frame: int) -> slice:
    """The run of frames round one that can all be used, or all not."""
    usable = report.usable
    return next(run for run in runs_of(usable == usable[frame]) if run.start <= frame < run.stop)


def toggled(report: UsabilityReport, frames: int | slice, *, at: int) -> UsabilityReport:
    """The report with frames dropped if frame `at` is used, kept if it is not."""
    return report.drop(frames) if report.usable[at] else report.keep(frames)


def changes(report: UsabilityReport, decided: UsabilityReport) -> bool:
    """Whether another report of the same frames decides any of them otherwise."""
    return not np.array_equal(report.edited, decided.edited)


def strip(report: UsabilityReport, frame: int) -> np.ndarray:
    """The clip as a coloured strip with a cursor at a frame, (26, 1000, 3) uint8 RGB."""
    picture = draw_strip(kinds_of(report), STRIP_WH)
    x = round((frame + 0.5) * STRIP_WH[0] / len(report))
    picture[:, max(0, x - 3) : x + 3] = CURSOR_EDGE
    picture[:, max(0, x - 1) : x + 1] = CURSOR
    return picture


def marked(frame: np.ndarray, track: FaceTrack | None, report: UsabilityReport, number: int) -> np.ndarray:
    """A frame (H, W, 3) at the reviewer's height, with a border in its reason's colour and the track's box."""
    scale = PICTURE_PX / frame.shape[0]
    size_wh = max(1, round(frame.shape[1] * scale)), PICTURE_PX
    small = cv2.resize(frame, size_wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    colour = colours_of(report)[number].tolist()
    if track is not None and track.has_face[number]:
        x0, y0, x1, y1 = (round(float(side) * scale) for side in track.boxes_xyxy[number])
        cv2.rectangle(small, (x0, y0), (x1, y1), (255, 255, 255), 3)
        cv2.rectangle(small, (x0, y0), (x1, y1), colour, 2)
    return cv2.copyMakeBorder(small, 6, 6, 6, 6, cv2.BORDER_CONSTANT, value=colour)


def span(run: slice) -> str:
    """Frames in words: "frame 12" or "12-18"."""
    return f"frame {run.start}" if run.stop - run.start == 1 else f"{run.start}-{run.stop - 1}"
