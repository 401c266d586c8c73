"""A run with a bar, a readout and a button that stops it. A thin view of `ResumableRun`, which needs no page.

Keyboard: Tab reaches the buttons, Space presses them. Only what ipywidgets 7.7 and 8 have in common is used.
"""

import html
import traceback
from pathlib import Path
from threading import Thread

import ipywidgets
from pydantic import BaseModel

from lipwise.errors import LipwiseError
from lipwise.notebook.readout import Readout
from lipwise.notebook.resumable import ResumableRun, StoppedError
from lipwise.pipeline.report import RunReport
from lipwise.recipe import Recipe

DEFAULTS = Recipe(face=Path("face"), speech=Path("speech"))
CELL_RUNS = "A cell is running this: press the notebook's own stop button to stop it."


def code_line(recipe: Recipe) -> str:
    """The line of code that makes the same; settings that are the default are left out."""
    words = (f"{name}={_plain(value)!r}" for name, value in _given(recipe, DEFAULTS).items())
    return f"lw.run(lw.Recipe({', '.join(words)}))"


def _given(settings: BaseModel, defaults: BaseModel) -> dict[str, object]:
    return {name: value for name, value in settings if value != getattr(defaults, name)}


def _plain(value: object) -> object:
    """A value whose words can be pasted; settings inside the recipe become a dict of what was changed."""
    if isinstance(value, BaseModel):
        return {name: _plain(one) for name, one in _given(value, type(value)()).items()}
    return str(value) if isinstance(value, Path) else value


class RunPanel(ipywidgets.VBox):
    """Start a run, watch it, stop it, go on with it.

    *Start* works in a thread, so that *Cancel* is heard at any time. `run` works in the cell that calls it and gives
    the report; the notebook's own stop button ends it. Either way a later start goes on with what is complete, and
    nothing half-written stands under the result's name.

    Args:
        recipe: what to make.
        folder: for plan and pieces; None takes a hidden one beside the result, deleted when the result is there.

    Attributes:
        report: of the run that came to its end; None before.
        error: why the last one did not, be it the library's own or the system's; None otherwise.
    """

    def __init__(self, recipe: Recipe, *, folder: str | Path | None = None) -> None:
        self.work = ResumableRun(recipe, folder=folder)
        self.report: RunReport | None = None
        self.error: Exception | None = None
        self._thread: Thread | None = None
        self._share: float | None = None
        self.bar = ipywidgets.IntProgress(max=1, layout=ipywidgets.Layout(width="60%", max_width="100%"))
        self.stage = ipywidgets.HTML()
        self.readout = Readout(self.share)
        self.start_button = _button("Start", "play")
        self.cancel_button = _button("Cancel", "stop")
        self.forget_button = _button("Delete what is kept", "trash")
        self.message = ipywidgets.HTML()
        code = ipywidgets.HTML(f"<code>{html.escape(code_line(recipe))}</code>")
        flow = ipywidgets.Layout(flex_flow="row wrap")
        doing = ipywidgets.HBox([self.bar, self.stage], layout=flow)
        buttons = ipywidgets.HBox([self.start_button, self.cancel_button, self.forget_button], layout=flow)
        super().__init__([doing, self.readout, buttons, self.message, code])
        self.start_button.on_click(lambda _: self.start())
        self.cancel_button.on_click(lambda _: self.cancel())
        self.forget_button.on_click(lambda _: self.forget())
        self._show_rest()

    def share(self) -> float | None:
        """Of the frames that are made, 0 to 1; None before anybody knows how many there are."""
        return self._share

    def run(self) -> RunReport:
        """Make the result in this cell.

        Raises:
            LipwiseError: as `lipwise.run`.
        """
        self._show_busy(in_cell=True)
        try:
            return self._work(progress=True)
        except KeyboardInterrupt:
            self._say("Stopped. " + self._kept_words())
            raise
        finally:
            self._show_rest()

    def start(self) -> None:
        """Make the result in a thread; the page stays awake."""
        if self.start_button.disabled:
            return
        self.wait()  # for a thread that has given the buttons free and is about to end
        self._show_busy(in_cell=False)
        self._thread = Thread(target=self._in_thread, daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Ask the thread to stop."""
        if self.cancel_button.disabled:
            return
        self.work.stop()
        self.cancel_button.disabled = True
        self._say("Stopping after this frame; while the face is looked for, after that.")

    def wait(self, timeout_s: float | None = None) -> None:
        """Until the thread is done."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def forget(self) -> None:
        """Delete what a stopped run has kept, faces and all."""
        self.work.forget()
        self._say("Deleted.")
        self._show_rest()

    def __repr__(self) -> str:
        """What a page without a kernel shows in the widget's place."""
        return "a panel that runs, shows how far it is and can be stopped; it needs a kernel, lw.run(recipe) needs none"

    def _in_thread(self) -> None:
        try:
            self._work(progress=False)  # a bar would come out under whatever cell runs then
        except LipwiseError:
            pass  # the message tells it; of anything else the kernel's log gets the traceback, too
        finally:
            self._show_rest()

    def _work(self, *, progress: bool) -> RunReport:
        self.report = self.error = None
        try:
            with self.readout:
                self.report = self.work.run(self._tell, progress=progress)
        except Exception as error:
            self.error = error
            self.bar.bar_style = "warning" if isinstance(error, StoppedError) else "danger"
            why = html.escape(self._why(error))
            self._say(f"<pre style='white-space:pre-wrap;overflow-wrap:anywhere'>{why}</pre>")
            raise
        self.bar.bar_style = "success"
        self._say(f"Done: <b>{html.escape(str(self.report.out))}</b>")
        return self.report

    def _tell(self, stage: str, done: int, frames: int) -> None:
        self._share = done / frames if frames else None
        self.bar.max, self.bar.value = max(1, frames), done
        self.stage.value = stage if not frames else f"{stage}: {done} of {frames}"

    def _say(self, words: str) -> None:
        self.message.value = words

    def _why(self, error: Exception) -> str:
        """What the page says of an error; one of the library's own says by itself what to do."""
        if isinstance(error, LipwiseError):
            return str(error)
        return f"{''.join(traceback.format_exception_only(error))}{self._kept_words()}"

    def _kept_words(self) -> str:
        return f"{self.work.kept} complete pieces are kept; start again to go on."

    def _show_busy(self, *, in_cell: bool) -> None:
        self._share = None  # how far the last run came says nothing of this one
        self.bar.bar_style, self.bar.value, self.stage.value = "", 0, ""
        self.start_button.disabled = self.forget_button.disabled = True
        self.cancel_button.disabled = in_cell
        self._say(CELL_RUNS if in_cell else "")

    def _show_rest(self) -> None:
        self.start_button.disabled, self.cancel_button.disabled = False, True
        self.start_button.description = "Go on" if self.work.begun else "Start"
        self.forget_button.disabled = not self.work.begun


def _button(words: str, icon: str) -> ipywidgets.Button:
    return ipywidgets.Button(description=words, icon=icon, layout=ipywidgets.Layout(width="auto"))
