"""Every face in every frame of a clip, found in one pass by several threads, and the cuts between shots."""

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from lipwise.errors import FaceError
from lipwise.faces.detect import FaceDetector, Faces
from lipwise.faces.measure import FaceMeasures
from lipwise.faces.repeats import RepeatedFrames
from lipwise.faces.shots import ShotFinder

WORKERS = min(4, os.cpu_count() or 1)  # frames looked at together; the answers do not depend on it
SMALLEST_PX = 96  # shorter side of the pictures that scene cuts are looked for in; the finder's own are half of it
MOST_FACES = 32  # of one frame, best scores first: bounds the memory that a crowd takes

# What to find out about a frame (H, W, 3) uint8 RGB; called by several threads.
Look = Callable[[np.ndarray], tuple[Faces, FaceMeasures | None]]


@dataclass(frozen=True, eq=False)
class Detections:
    """What one look at each of T frames gave.

    Attributes:
        faces: T times the faces of a frame, at most `MOST_FACES`.
        measures: T times the measures of these faces; empty where none were asked for.
        shot: (T,) int32, number of the shot between two cuts, from 0 on.
        size_wh: size of the frames in pixels.
    """

    faces: list[Faces]
    measures: list[FaceMeasures]
    shot: np.ndarray
    size_wh: tuple[int, int]

    def __len__(self) -> int:
        return len(self.faces)


def only_detect(detector: FaceDetector) -> Look:
    """A look that finds faces and measures nothing."""
    return lambda frame: (detector.detect(frame), None)


def detect_clip(frames: Iterable[np.ndarray], look: Look, *, fps: Fraction | float) -> Detections:
    """Look once at every frame, in one pass that keeps no frame.

    Args:
        frames: RGB frames (H, W, 3) uint8 of one size, each with its own memory.
        look: `only_detect(detector)`, or a `lipwise.faces.measure.MeasuringDetector`.
        fps: frames a second.

    Raises:
        FaceError: not a single frame. ValueError: frames of different sizes.
    """
    found: list[tuple[Faces, FaceMeasures | None]] = []
    pending: deque[Future[tuple[Faces, FaceMeasures | None]]] = deque()
    finder, repeats = ShotFinder(), RepeatedFrames()
    shape: tuple[int, ...] | None = None

    def best(frame: np.ndarray) -> tuple[Faces, FaceMeasures | None]:
        faces, measures = look(frame)
        few = measures and FaceMeasures(*(part[:MOST_FACES] for part in measures))
        return Faces(*(part[:MOST_FACES] for part in faces)), few

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="lipwise-detect") as pool:
        for frame in frames:
            if shape is not None and frame.shape != shape:
                raise ValueError(f"expected frames of one size, got {shape} and {frame.shape}")
            shape = frame.shape
            repeated = repeats.is_repeat(frame)
            pending.append(pending[-1] if repeated else pool.submit(best, frame))
            finder.add(_halved(frame))  # while the threads look
            if len(pending) > 2 * WORKERS:  # no more frames are held than that
                found.append(pending.popleft().result())
    found += [answer.result() for answer in pending]
    if shape is None:
        raise FaceError(
            "Cannot look for a face",
            cause="there is not a single frame",
            next_step="choose a clip or photo with a picture",
        )
    measures = [measured for _, measured in found if measured is not None]
    return Detections([faces for faces, _ in found], measures, finder.shots(fps), (shape[1], shape[0]))


def _halved(frame: np.ndarray) -> np.ndarray:
    """A frame shrunk by halves, to 96 pixels or more on the shorter side.

    Halving is five times as quick as shrinking at once to the odd size that scene cuts are looked for at, and takes
    the same means.
    """
    while min(frame.shape[:2]) >= 2 * SMALLEST_PX:
        height, width = (side // 2 for side in frame.shape[:2])
        frame = cv2.resize(frame[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    return frame
