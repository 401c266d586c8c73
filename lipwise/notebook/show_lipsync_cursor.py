"""The window under a cursor: a slider over the frames, and what each of them hears.

A thin view of `show_lipsync.heard`, which is also the picture that reads without a kernel. Only what ipywidgets 7.7
and 8 have in common is used.
"""

import html
from fractions import Fraction
from io import BytesIO

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from lipwise.notebook import show_lipsync
from lipwise.stages.speech import Speech

DPI = 80  # of the picture: it is drawn anew at each move of the slider


def as_png(figure: Figure, *, dpi: int = DPI) -> bytes:
    """A figure as the bytes of a PNG."""
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi)
    return drawn.getvalue()


class WindowCursor(ipywidgets.VBox):
    """A slider over the frames of a result, and the window of speech that each of them hears.

    Args:
        waveform: (n,) at 16 kHz.
        speech: the same recording, as `lipwise.load_speech` gives it.
        fps: frames a second of the result.
        number: the frame to begin with.
        offset_s: how much later than its frame a window begins, as in `Speech.windows`.
    """

    def __init__(
        self, waveform: np.ndarray, speech: Speech, fps: Fraction, *, number: int = 0, offset_s: float = 0.0
    ) -> None:
        self.waveform, self.speech, self.fps, self.offset_s = waveform, speech, fps, offset_s
        last = speech.frame_count(fps) - 1
        self.slider = ipywidgets.IntSlider(
            value=min(number, last),
            min=0,
            max=last,
            description="frame",
            continuous_update=False,
            layout=ipywidgets.Layout(width="95%"),
        )
        self.picture = ipywidgets.Image(format="png", layout=ipywidgets.Layout(max_width="100%"))
        self.caption = ipywidgets.HTML()
        super().__init__([self.slider, self.picture, self.caption])
        self.slider.observe(self._moved, names="value")
        self.show(self.slider.value)

    def code(self) -> str:
        """The line that cuts the window."""
        offset = f", offset_s={self.offset_s:g}" if self.offset_s else ""
        return f"voice.windows(video.fps, first={self.slider.value}, count=1{offset})[0]"

    def show(self, number: int) -> None:
        """Draw one frame's window, and the line of code that cuts it."""
        figure = show_lipsync.heard(self.waveform, self.speech, self.fps, frame=number, offset_s=self.offset_s)
        self.picture.value = as_png(figure)
        self.caption.value = f"<code>{html.escape(self.code())}</code>"

    def __repr__(self) -> str:
        """What a page without a kernel shows in the widget's place."""
        return f"a slider over {self.slider.max + 1} frames; it needs a kernel, show_lipsync.heard draws one without"

    def _moved(self, change: dict) -> None:
        self.show(change["new"])
