"""Widgets that answer the hand. Each is a thin view of a pure function and prints the equal line of code.

Only what ipywidgets 7.7 and 8 have in common is used.
"""

from pathlib import Path

import cv2
import ipywidgets
import numpy as np

from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames


def side_by_side(before: np.ndarray, after: np.ndarray, *, height: int = 360) -> np.ndarray:
    """Two frames of one size beside each other, (height, W, 3) uint8."""
    pair = np.hstack([before, after])
    width = max(1, round(pair.shape[1] * height / pair.shape[0]))
    return cv2.resize(pair, (width, height), interpolation=cv2.INTER_AREA)


def as_png(frame: np.ndarray) -> bytes:
    """A frame (H, W, 3) uint8 RGB as PNG."""
    return cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[1].tobytes()


class BeforeAfter(ipywidgets.VBox):
    """A slider over the frames of a clip and of the video made from it.

    Args:
        before: the clip.
        after: the result; its frame numbers are the slider's.
        source_index: (T_out,) which frame of the clip fed each frame of the result.
    """

    def __init__(self, before: VideoInfo | str | Path, after: VideoInfo | str | Path, source_index: np.ndarray) -> None:
        self.before = before if isinstance(before, VideoInfo) else probe(before)
        self.after = after if isinstance(after, VideoInfo) else probe(after)
        self.source_index = source_index
        last = min(len(source_index), self.after.frame_count) - 1
        self.slider = ipywidgets.IntSlider(0, 0, last, description="frame", continuous_update=False)
        self.picture = ipywidgets.Image(format="png", layout=ipywidgets.Layout(max_width="100%"))
        self.code = ipywidgets.HTML()
        super().__init__([self.slider, self.picture, self.code])
        self.slider.observe(lambda change: self.show(change["new"]), names="value")
        self.show(0)

    def frames(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """The two frames (H, W, 3) behind one number of the slider."""
        before = next(read_frames(self.before, [int(self.source_index[number])]))
        return before, next(read_frames(self.after, [number]))

    def show(self, number: int) -> None:
        """Show one pair of frames."""
        self.picture.value = as_png(side_by_side(*self.frames(number)))
        self.code.value = f"<code>next(lw.read_frames({self.after.path.name!r}, [{number}]))</code>"
