"""A slider over the frames of one clip, with the face's box and mesh where a track is given."""

import html
from pathlib import Path

import cv2
import ipywidgets
import numpy as np

from lipwise.faces.track import FaceTrack
from lipwise.landmarks import INNER_LOWER_LIP, INNER_UPPER_LIP, OUTER_LIPS
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames
from lipwise.media.turn import turn_video
from lipwise.notebook.widgets import as_jpeg, reading_code

HEIGHT = 420  # px of the picture
BOX, OUTER, INNER = (255, 235, 60), (255, 165, 0), (0, 255, 0)


def drawn(frame: np.ndarray, track: FaceTrack | None, number: int, *, height: int = HEIGHT) -> np.ndarray:
    """A frame (H, W, 3) uint8 at another height, with box (yellow) and lips (orange and green) of its face.

    Args:
        track: None draws the frame alone.
        number: the frame's row in the track.
    """
    scale = height / frame.shape[0]
    size_wh = max(1, round(frame.shape[1] * scale)), height
    picture = cv2.resize(frame, size_wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    if track is None or not track.has_face[number]:
        return picture
    x0, y0, x1, y1 = (round(float(side) * scale) for side in track.boxes_xyxy[number])
    cv2.rectangle(picture, (x0, y0), (x1, y1), BOX, 2)
    lips = ((OUTER_LIPS, OUTER, True), (INNER_UPPER_LIP, INNER, False), (INNER_LOWER_LIP, INNER, False))
    for points, colour, closed in lips if len(track.mesh_xy) else ():
        line = np.round(track.mesh_xy[number][points] * scale).astype(np.int32)
        cv2.polylines(picture, [line], closed, colour, 1, cv2.LINE_AA)
    return picture


class FrameScrubber(ipywidgets.VBox):
    """Scrub through a clip. The arrow keys go frame by frame.

    Args:
        video: the clip, or its path.
        track: of all its frames; draws the face.
        number: the frame to begin with.

    Attributes:
        slider: its value is the frame that is shown.
    """

    def __init__(self, video: VideoInfo | str | Path, *, track: FaceTrack | None = None, number: int = 0) -> None:
        video = video if isinstance(video, VideoInfo) else probe(video)
        self.video = video if track is None else turn_video(video, track.rotation)
        self.track = track
        last = self.video.frame_count - 1
        wide = ipywidgets.Layout(width="95%")
        self.slider = ipywidgets.IntSlider(
            value=min(number, last), min=0, max=last, description="frame", continuous_update=False, layout=wide
        )
        self.picture = ipywidgets.Image(
            format="jpeg", layout=ipywidgets.Layout(max_width="100%", align_self="flex-start")
        )
        self.caption = ipywidgets.HTML()
        super().__init__([self.slider, self.picture, self.caption])
        self.slider.observe(self._moved, names="value")
        self.show()

    def frame(self, number: int) -> np.ndarray:
        """A frame of the clip, (H, W, 3) uint8."""
        return next(read_frames(self.video, [number]))

    def code(self) -> str:
        """The line that reads the frame that is shown."""
        return reading_code(self.video, self.slider.value)

    def show(self) -> None:
        """Draw the frame that the slider is at."""
        number = self.slider.value
        self.picture.value = as_jpeg(drawn(self.frame(number), self.track, number))
        seconds = number / float(self.video.fps)
        self.caption.value = f"{seconds:.2f} s<br><code>{html.escape(self.code())}</code>"

    def __repr__(self) -> str:
        """What a page without a kernel shows in the widget's place."""
        return f"a slider over {self.video.frame_count} frames; it needs a kernel, show.face draws one frame without"

    def _moved(self, _change: object) -> None:
        self.show()
