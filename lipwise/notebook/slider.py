"""A divider over a picture and what was made of it: before on its left, after on its right.

A thin view of `wiped`, which is pure. Everything can be done with the keyboard: Tab reaches the sliders and buttons,
arrow keys move a slider. Only what ipywidgets 7.7 and 8 have in common is used.
"""

import html
from pathlib import Path

import cv2
import ipywidgets
import numpy as np

from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames
from lipwise.notebook.widgets import as_jpeg, reading_code

HEIGHT = 480  # px of the picture
LINE_PX = 2
LINE, LINE_EDGE = (255, 255, 255), (0, 0, 0)
PLACES = {"All before": 100, "Half": 50, "All after": 0}  # per cent of the width

Shown = np.ndarray | VideoInfo | str | Path


def wiped(before: np.ndarray, after: np.ndarray, share: float = 0.5, *, height: int = HEIGHT) -> np.ndarray:
    """Two pictures of one thing in one: `before` on the left, `after` on the right of a line.

    Args:
        before, after: (h, w, 3) and (H, W, 3) uint8; the smaller one is enlarged smoothly.
        share: of the width that shows `before`, 0 to 1.
        height: of the result in px.

    Returns:
        (height, width, 3) uint8; without a line where all of it shows one of the two.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"expected a share of the width from 0 to 1, got {share}")
    width = max(1, round(after.shape[1] * height / after.shape[0]))
    left, result = (_fitted(picture, (width, height)) for picture in (before, after))
    divider = round(share * width)
    result[:, :divider] = left[:, :divider]
    if 0 < divider < width:
        result[:, max(0, divider - 2 * LINE_PX) : divider + 2 * LINE_PX] = LINE_EDGE
        result[:, max(0, divider - LINE_PX) : divider + LINE_PX] = LINE
    return result


def _fitted(picture: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """A copy of a picture at another size."""
    smaller = size_wh[1] < picture.shape[0]
    return cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC).copy()


class BeforeAfterSlider(ipywidgets.VBox):
    """Move a divider over a picture, or over any frame of a video, and compare before with after.

    `lipwise.notebook.show_enhance.before_after` draws a sheet that reads without a kernel.

    Args:
        before, after: two pictures (H, W, 3) uint8, or two videos of as many frames (of the longer, the end is left
            out). They may differ in size.
        number: the frame to begin with.
        share: of the width that shows `before`, 0 to 1.
    """

    def __init__(self, before: Shown, after: Shown, *, number: int = 0, share: float = 0.5) -> None:
        self.before, self.after = (_opened(one) for one in (before, after))
        last = min(_length(self.before), _length(self.after)) - 1
        wide = ipywidgets.Layout(width="95%")
        self.divider = ipywidgets.IntSlider(
            value=round(100 * share), min=0, max=100, description="% before", layout=wide
        )
        self.number = ipywidgets.IntSlider(
            value=min(number, last), min=0, max=last, description="frame", continuous_update=False, layout=wide
        )
        self.number.layout.display = "" if last else "none"
        self.buttons = [_button(words, self.divider, place) for words, place in PLACES.items()]
        self.picture = ipywidgets.Image(
            format="jpeg", layout=ipywidgets.Layout(max_width="100%", align_self="flex-start")
        )
        self.caption = ipywidgets.HTML()
        row = ipywidgets.HBox(self.buttons, layout=ipywidgets.Layout(flex_flow="row wrap"))
        super().__init__([self.number, self.divider, row, self.picture, self.caption])
        self._pair = self.frames(self.number.value)
        self.number.observe(self._frame_chosen, names="value")
        self.divider.observe(self._moved, names="value")
        self.show()

    def frames(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """The two pictures (H, W, 3) behind one number of the frame slider."""
        return _frame(self.before, number), _frame(self.after, number)

    def code(self) -> str:
        """The line that makes the same picture."""
        pair = (self.before, "before"), (self.after, "after")
        names = [_code_of(shown, name, self.number.value) for shown, name in pair]
        return f"slider.wiped({names[0]}, {names[1]}, {self.divider.value / 100:g})"

    def show(self) -> None:
        """Draw the picture for where the two sliders are, and the line of code that makes it."""
        self.picture.value = as_jpeg(wiped(*self._pair, self.divider.value / 100))
        sizes = " and ".join(f"{one.shape[1]} x {one.shape[0]}" for one in self._pair)
        self.caption.value = (
            f"before left of the line, after right of it ({sizes} px)<br><code>{html.escape(self.code())}</code>"
        )

    def __repr__(self) -> str:
        """What a page without a kernel shows in the widget's place."""
        return "a divider between before and after; it needs a kernel, show_enhance.before_after draws a sheet without"

    def _frame_chosen(self, _change: object) -> None:
        self._pair = self.frames(self.number.value)
        self.show()

    def _moved(self, _change: object) -> None:
        self.show()


def _opened(shown: Shown) -> np.ndarray | VideoInfo:
    return probe(shown) if isinstance(shown, (str, Path)) else shown


def _length(shown: np.ndarray | VideoInfo) -> int:
    return shown.frame_count if isinstance(shown, VideoInfo) else 1


def _frame(shown: np.ndarray | VideoInfo, number: int) -> np.ndarray:
    return next(read_frames(shown, [number])) if isinstance(shown, VideoInfo) else shown


def _code_of(shown: np.ndarray | VideoInfo, name: str, number: int) -> str:
    return reading_code(shown, number) if isinstance(shown, VideoInfo) else name


def _button(words: str, divider: ipywidgets.IntSlider, place: int) -> ipywidgets.Button:
    button = ipywidgets.Button(description=words, layout=ipywidgets.Layout(width="auto"))

    def put(_button: object) -> None:
        divider.value = place

    button.on_click(put)
    return button
