"""Widgets that answer the hand. Each is a thin view of a pure function and prints the equal line of code.

Only what ipywidgets 7.7 and 8 have in common is used. Those that have a room of their own are found here, too.
"""

import html
import os
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import ipywidgets
import numpy as np

from lipwise.errors import SettingsError
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames
from lipwise.timeline import Timeline

JPEG_QUALITY = 92
DRIVE = Path("/content/drive")  # where Colab's own examples mount it

# Widget -> its room, imported when first asked for: the rooms import this one.
_ROOMS = {
    "BeforeAfterSlider": "slider",
    "FilePicker": "file_picker",
    "FrameReviewer": "reviewer",
    "FrameScrubber": "scrubber",
    "ParameterPanel": "parameter_panel",
    "PersonPicker": "person_picker",
    "Readout": "readout",
    "RunPanel": "run_panel",
    "WeightsPicker": "weights_picker",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'lipwise.notebook.widgets' has no attribute {name!r}")
    return getattr(import_module(f"lipwise.notebook.{_ROOMS[name]}"), name)


def keep_weights_on_drive(folder: str = "lipwise") -> Path:
    """Mount your Google Drive and keep weights in a folder of it, for as long as this kernel runs.

    Colab asks on the page for leave to read and write your Drive; answer there. It does what these lines do:

        google.colab.drive.mount("/content/drive")
        Path("/content/drive/MyDrive/lipwise").mkdir(parents=True, exist_ok=True)
        os.environ["LIPWISE_HOME"] = "/content/drive/MyDrive/lipwise"

    Args:
        folder: below MyDrive, such as "lipwise" or "courses/weights"; made where it is not there yet.

    Raises:
        SettingsError: this is not Colab, where alone a Drive can be mounted; or the folder would lie elsewhere, or
            cannot be made.
    """
    parts = Path(folder).parts
    if not parts or Path(folder).is_absolute() or ".." in parts or "\\" in folder:
        raise SettingsError(
            f"{folder!r} is not a folder of your Drive",
            cause="it has to be a path below MyDrive, without '..', '\\' or a '/' in front",
            next_step='name one such as "lipwise" or "courses/weights"',
        )
    try:
        drive = import_module("google.colab.drive")
    except ImportError as error:
        raise SettingsError(
            "Google Drive cannot be mounted here",
            cause="only Colab can do it, and this is another machine",
            next_step="leave keep_on_drive off; LIPWISE_HOME may name any folder that this machine can write to",
        ) from error
    drive.mount(str(DRIVE))
    home = DRIVE / "MyDrive" / folder
    _make_below(DRIVE / "MyDrive", home)
    os.environ["LIPWISE_HOME"] = str(home)
    return home


def _make_below(drive: Path, folder: Path) -> None:
    """Make a folder below one that has to be there: without a Drive, it would be lost with the kernel."""
    if not drive.is_dir():
        raise SettingsError(
            "Google Drive is not mounted",
            cause=f"there is no {drive}",
            next_step="run this again and give Colab leave to use your Drive",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        step = "name another folder, or move away what is in its place"
        raise SettingsError(f"The folder {folder} cannot be made", cause=str(error), next_step=step) from error


def side_by_side(before: np.ndarray, after: np.ndarray, *, height: int = 360) -> np.ndarray:
    """Two frames (H, W, 3) uint8 beside each other, (height, W, 3).

    A result may be one pixel larger than an odd-sized clip; what only one of the two shows is cut off.
    """
    rows, columns = np.minimum(before.shape[:2], after.shape[:2])
    pair = np.hstack([before[:rows, :columns], after[:rows, :columns]])
    width = max(1, round(pair.shape[1] * height / rows))
    return cv2.resize(pair, (width, height), interpolation=cv2.INTER_AREA if rows > height else cv2.INTER_CUBIC)


def as_jpeg(frame: np.ndarray) -> bytes:
    """A frame (H, W, 3) uint8 RGB as JPEG: small enough to follow a slider on a hosted page."""
    bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def reading_code(video: VideoInfo, number: int) -> str:
    """The line that reads a frame of a clip, whatever its name holds."""
    return f"next(lw.read_frames({str(video.path)!r}, [{number}]))"


class BeforeAfter(ipywidgets.VBox):
    """A slider over the frames of a clip and of the video made from it.

    `lipwise.notebook.show.before_after` takes the same arguments and draws a sheet that reads without a kernel.

    Args:
        before: the clip.
        after: the result; its frame numbers are the slider's.
        timeline: which frame of the clip fed each frame of the result.
        number: the frame to begin with.
    """

    def __init__(
        self, before: VideoInfo | str | Path, after: VideoInfo | str | Path, timeline: Timeline, *, number: int = 0
    ) -> None:
        self.before = before if isinstance(before, VideoInfo) else probe(before)
        self.after = after if isinstance(after, VideoInfo) else probe(after)
        self.timeline = timeline
        last = min(len(timeline), self.after.frame_count) - 1
        self.slider = ipywidgets.IntSlider(
            value=min(number, last),
            min=0,
            max=last,
            description="frame",
            continuous_update=False,
            layout=ipywidgets.Layout(width="95%"),
        )
        self.picture = ipywidgets.Image(format="jpeg", layout=ipywidgets.Layout(max_width="100%"))
        self.caption = ipywidgets.HTML()
        super().__init__([self.slider, self.picture, self.caption])
        self.slider.observe(self._moved, names="value")
        self.show(self.slider.value)

    def frames(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """The two frames (H, W, 3) behind one number of the slider."""
        before = next(read_frames(self.before, [int(self.timeline.source_index[number])]))
        return before, next(read_frames(self.after, [number]))

    def show(self, number: int) -> None:
        """Show one pair of frames, and the line of code that reads the right one."""
        self.picture.value = as_jpeg(side_by_side(*self.frames(number)))
        code, seconds = html.escape(reading_code(self.after, number)), float(number / self.timeline.fps)
        self.caption.value = f"left: before, right: after, at {seconds:.2f} s<br><code>{code}</code>"

    def __repr__(self) -> str:
        """What a page without a kernel shows in the widget's place."""
        return f"a slider over {self.slider.max + 1} frames; it needs a kernel, show.before_after draws a sheet without"

    def _moved(self, change: dict) -> None:
        self.show(change["new"])
