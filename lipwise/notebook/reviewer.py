"""The frame reviewer: look at every frame of a clip, and decide which are used.

A thin view: every button calls a pure method of the report (`keep`, `drop`, `undo`), and what was decided stands below
as code; `lipwise.notebook.review` is what it does without a browser. `lipwise.contact_sheet` is the picture that reads
without a kernel. Only what ipywidgets 7.7 and 8 have in common is used, without the Output widget, which notebook 6.5
does not show.
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
from lipwise.notebook.review import STRIP_WH, changes, marked, next_bad, previous_bad, run_at, span, strip, toggled
from lipwise.notebook.widgets import as_jpeg
from lipwise.stages.belongs import check_report
from lipwise.stages.usability import UsabilityReport

EXAMPLE = "12-18, 40"
WIDE = "98%"
ALREADY = "Nothing changed: that is decided already."


class FrameReviewer(ipywidgets.VBox):
    """Scrub through a clip, jump between bad runs, keep or drop frames, take it back.

    `report` is the report as decided so far; the one that was given stays as it is. A button that decided offers to
    take just that back, so that a second click by mistake does no harm.

    Args:
        video: the clip, or its path.
        report: of all its frames.
        track: draws its box.
        name: what the report is called in the code that is shown.

    Raises:
        SettingsError: the report is not of this clip.
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
        check_report(report, self.video)
        self.track, self.name = track, name
        self.given = self.report = report
        self._just: tuple[ipywidgets.Button, slice] | None = None  # who decided on what, until anything else is done
        super().__init__([*self._pictures(), *self._buttons(), *self._words()])
        self.slider.observe(self._moved, names="value")
        self.show()

    def _pictures(self) -> list[ipywidgets.Widget]:
        self.strip = ipywidgets.Image(format="png", layout=ipywidgets.Layout(width=WIDE, height=f"{STRIP_WH[1]}px"))
        self.slider = ipywidgets.IntSlider(
            min=0,
            max=len(self.report) - 1,
            description="frame",
            continuous_update=False,
            layout=ipywidgets.Layout(width=WIDE),
        )
        as_it_is = ipywidgets.Layout(max_width="100%", align_self="flex-start")  # a box would stretch it
        self.picture, self.about = ipywidgets.Image(format="jpeg", layout=as_it_is), ipywidgets.HTML()
        return [self.strip, self.slider, self.picture, self.about]

    def _buttons(self) -> list[ipywidgets.Widget]:
        self.previous = _button("Previous bad", self._go_back, "step-backward")
        self.next = _button("Next bad", self._go_on, "step-forward")
        self.toggle = _button("Drop", self._toggle_frame)
        self.toggle_run = _button("Drop", self._toggle_run)
        self.undo = _button("Undo", self._undo, "undo")
        self.ranges = ipywidgets.Text(placeholder=EXAMPLE, description="frames", layout=ipywidgets.Layout(width="16em"))
        self.keep_ranges = _button("Keep these", lambda: self._edit_ranges(keep=True))
        self.drop_ranges = _button("Drop these", lambda: self._edit_ranges(keep=False))
        flow = ipywidgets.Layout(flex_flow="row wrap")
        return [
            ipywidgets.HBox([self.previous, self.next, self.toggle, self.toggle_run, self.undo], layout=flow),
            ipywidgets.HBox([self.ranges, self.keep_ranges, self.drop_ranges], layout=flow),
        ]

    def _words(self) -> list[ipywidgets.Widget]:
        self.message, self.count = ipywidgets.HTML(), ipywidgets.HTML()
        return [self.message, self.count]

    def code(self) -> str:
        """The line that decides the same; empty while nothing is decided."""
        decided = self.report.code[len(self.given.code) :]
        return f"{self.name} = {self.name}{decided}" if decided else ""

    def go(self, frame: int) -> None:
        """Show a frame."""
        self.slider.value = frame

    def decide(self, report: UsabilityReport) -> None:
        """Take another report of the same frames, and show it."""
        self.report, self._just = report, None
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
        self._name_toggles()
        self.previous.disabled = previous_bad(report, number) is None
        self.next.disabled = next_bad(report, number) is None
        self.undo.disabled = len(report.edits) == len(self.given.edits)
        self.about.value = _about(report, number)
        left = f"<b>{report.count}</b> of {len(report)} frames remain, {report.count / float(report.fps):.2f} s"
        code = self.code() or "# nothing is decided yet"
        self.count.value = f"{left}<br><code>{html.escape(code)}</code>"
        self.message.value = ""

    def __repr__(self) -> str:
        """What a page without a kernel shows in the widget's place."""
        return f"a reviewer of {len(self.report)} frames; it needs a kernel, lw.contact_sheet draws a picture without"

    def _name_toggles(self) -> None:
        """Say on the two toggles what a click would do now."""
        does, run = "Drop" if self.report.usable[self.slider.value] else "Keep", run_at(self.report, self.slider.value)
        self.toggle.description = f"{does} this frame"
        self.toggle_run.description = f"{does} {span(run)}"
        if self._just is not None:
            button, frames = self._just
            button.description = f"Take back {span(frames)}"

    def _moved(self, _change: object) -> None:
        self._just = None
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
        number = self.slider.value
        self._decide_by(self.toggle, slice(number, number + 1))

    def _toggle_run(self) -> None:
        self._decide_by(self.toggle_run, run_at(self.report, self.slider.value))

    def _decide_by(self, button: ipywidgets.Button, frames: slice) -> None:
        """Decide about frames; a second click on the same button takes that back."""
        if self._just is not None and self._just[0] is button:
            self._undo()
            return
        self.decide(toggled(self.report, frames, at=self.slider.value))
        self._just = button, frames
        self._name_toggles()

    def _undo(self) -> None:
        if len(self.report.edits) > len(self.given.edits):
            self.decide(self.report.undo())

    def _edit_ranges(self, *, keep: bool) -> None:
        edit = self.report.keep if keep else self.report.drop
        try:
            decided = edit(self.ranges.value)
        except SettingsError as error:
            self.message.value = f'<pre style="white-space:pre-wrap">{html.escape(str(error))}</pre>'
            return
        self.ranges.value = ""
        if changes(self.report, decided):
            self.decide(decided)
        else:
            self.message.value = ALREADY


def _button(words: str, does: Callable[[], None], icon: str = "") -> ipywidgets.Button:
    button = ipywidgets.Button(description=words, icon=icon, layout=ipywidgets.Layout(width="auto"))
    button.on_click(lambda _: does())
    return button


def _about(report: UsabilityReport, number: int) -> str:
    """What is to be said of a frame, in the page's own colour so that a dark page shows it too."""
    by_hand = {1: "kept by hand", -1: "dropped by hand"}.get(int(report.edited[number]))
    state = by_hand or ("used" if report.usable[number] else "not used")
    reasons = ", ".join(report.why(number)).replace("_", " ") or "nothing against it"
    return f"frame {number}, {number / float(report.fps):.2f} s: <b>{state}</b> ({html.escape(reasons)})"
