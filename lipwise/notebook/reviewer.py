"""The frame reviewer: look at every frame of a clip, and decide which are used.

A thin view: every button calls a pure method of the report (`keep`, `drop`, `undo`), and what was decided stands below
as code. `lipwise.contact_sheet` is the picture that reads without a kernel. Only what ipywidgets 7.7 and 8 have in
common is used, without the Output widget, which notebook 6.5 does not show.
"""

import html
from collections.abc import Callable
from pathlib import Path

import cv2
import ipywidgets
import numpy as np

from lipwise.errors import SettingsError
from lipwise.faces.track import FaceTrack
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames
from lipwise.media.turn import turn_video
from lipwise.notebook.widgets import as_jpeg
from lipwise.stages.contact_sheet import colours_of
from lipwise.stages.ranges import runs_of
from lipwise.stages.usability import UsabilityReport

PICTURE_PX = 360  # height of the frame that is shown
STRIP_WH = (1000, 26)
CURSOR, CURSOR_EDGE = (255, 255, 255), (0, 0, 0)
EXAMPLE = "12-18, 40"


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


def strip(report: UsabilityReport, frame: int) -> np.ndarray:
    """The clip as a coloured strip with a cursor at a frame, (26, 1000, 3) uint8 RGB."""
    picture = cv2.resize(colours_of(report)[None], STRIP_WH, interpolation=cv2.INTER_NEAREST)
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


class FrameReviewer(ipywidgets.VBox):
    """Scrub through a clip, jump between bad runs, keep or drop frames, take it back.

    `report` is the report as decided so far; the one that was given stays as it is.

    Args:
        video: the clip, or its path.
        report: of all its frames.
        track: draws its box.
        name: what the report is called in the code that is shown.
    """

    def __init__(
        self,
        video: VideoInfo | str | Path,
        report: UsabilityReport,
        *,
        track: FaceTrack | None = None,
        name: str = "report",
    ) -> None:
        self.video = video if isinstance(video, VideoInfo) else probe(video)
        self.track, self.name = track, name
        self.given = self.report = report
        wide = ipywidgets.Layout(width="98%")
        as_it_is = ipywidgets.Layout(max_width="100%", align_self="flex-start")  # a box would stretch it
        self.picture = ipywidgets.Image(format="jpeg", layout=as_it_is)
        self.strip = ipywidgets.Image(format="png", layout=ipywidgets.Layout(width="98%", height="26px"))
        self.slider = ipywidgets.IntSlider(
            min=0, max=len(report) - 1, description="frame", continuous_update=False, layout=wide
        )
        self.previous = _button("Previous bad", self._go_back, "step-backward")
        self.next = _button("Next bad", self._go_on, "step-forward")
        self.toggle = _button("Drop", self._toggle_frame)
        self.toggle_run = _button("Drop", self._toggle_run)
        self.ranges = ipywidgets.Text(placeholder=EXAMPLE, description="frames", layout=ipywidgets.Layout(width="16em"))
        self.keep_ranges = _button("Keep these", lambda: self._edit_ranges(keep=True))
        self.drop_ranges = _button("Drop these", lambda: self._edit_ranges(keep=False))
        self.undo = _button("Undo", self._undo, "undo")
        self.about, self.count, self.message = ipywidgets.HTML(), ipywidgets.HTML(), ipywidgets.HTML()
        flow = ipywidgets.Layout(flex_flow="row wrap")
        rows = [
            ipywidgets.HBox([self.previous, self.next, self.toggle, self.toggle_run, self.undo], layout=flow),
            ipywidgets.HBox([self.ranges, self.keep_ranges, self.drop_ranges], layout=flow),
        ]
        super().__init__([self.strip, self.slider, self.picture, self.about, *rows, self.message, self.count])
        self.slider.observe(self._moved, names="value")
        self.show()

    def code(self) -> str:
        """The line that decides the same."""
        decided = self.report.code[len(self.given.code) :]
        return f"{self.name} = {self.name}{decided}"

    def go(self, frame: int) -> None:
        """Show a frame."""
        self.slider.value = frame

    def decide(self, report: UsabilityReport) -> None:
        """Take another report of the same frames, and show it."""
        self.report = report
        self.show()

    def frame(self, number: int) -> np.ndarray:
        """A frame of the clip (H, W, 3) uint8 RGB, upright as it was tracked."""
        video = self.video if self.track is None else turn_video(self.video, self.track.rotation)
        return next(read_frames(video, [number]))

    def show(self) -> None:
        """Draw the frame that the slider is at, and what is decided."""
        number = self.slider.value
        self.picture.value = as_jpeg(marked(self.frame(number), self.track, self.report, number))
        self._show_decisions()

    def _show_decisions(self) -> None:
        number, report = self.slider.value, self.report
        bgr = cv2.cvtColor(strip(report, number), cv2.COLOR_RGB2BGR)
        self.strip.value = cv2.imencode(".png", bgr)[1].tobytes()
        does = "Drop" if report.usable[number] else "Keep"
        run = run_at(report, number)
        self.toggle.description = f"{does} this frame"
        self.toggle_run.description = f"{does} {_span(run)}"
        self.previous.disabled = previous_bad(report, number) is None
        self.next.disabled = next_bad(report, number) is None
        self.undo.disabled = len(report.edits) == len(self.given.edits)
        self.about.value = _about(report, number)
        left = f"<b>{report.count}</b> of {len(report)} frames remain, {report.count / float(report.fps):.2f} s"
        self.count.value = f"{left}<br><code>{html.escape(self.code())}</code>"
        self.message.value = ""

    def __repr__(self) -> str:
        """What a page without a kernel shows in the widget's place."""
        return f"a reviewer of {len(self.report)} frames; it needs a kernel, lw.contact_sheet draws a picture without"

    def _moved(self, _change: object) -> None:
        self.show()

    def _go_back(self) -> None:
        frame = previous_bad(self.report, self.slider.value)
        if frame is not None:
            self.go(frame)

    def _go_on(self) -> None:
        frame = next_bad(self.report, self.slider.value)
        if frame is not None:
            self.go(frame)

    def _toggle_frame(self) -> None:
        self.decide(toggled(self.report, self.slider.value, at=self.slider.value))

    def _toggle_run(self) -> None:
        self.decide(toggled(self.report, run_at(self.report, self.slider.value), at=self.slider.value))

    def _undo(self) -> None:
        if len(self.report.edits) > len(self.given.edits):
            self.decide(self.report.undo())

    def _edit_ranges(self, *, keep: bool) -> None:
        try:
            edit = self.report.keep if keep else self.report.drop
            self.decide(edit(self.ranges.value))
        except SettingsError as error:
            self.message.value = f'<pre style="white-space:pre-wrap">{html.escape(str(error))}</pre>'
        else:
            self.ranges.value = ""


def _button(words: str, does: Callable[[], None], icon: str = "") -> ipywidgets.Button:
    button = ipywidgets.Button(description=words, icon=icon, layout=ipywidgets.Layout(width="auto"))
    button.on_click(lambda _: does())
    return button


def _span(run: slice) -> str:
    return f"frame {run.start}" if run.stop - run.start == 1 else f"{run.start}-{run.stop - 1}"


def _about(report: UsabilityReport, number: int) -> str:
    """What is to be said of a frame, in the page's own colour so that a dark page shows it too."""
    by_hand = {1: "kept by hand", -1: "dropped by hand"}.get(int(report.edited[number]))
    state = by_hand or ("used" if report.usable[number] else "not used")
    reasons = ", ".join(report.why(number)).replace("_", " ") or "nothing against it"
    return f"frame {number}, {number / float(report.fps):.2f} s: <b>{state}</b> ({html.escape(reasons)})"
