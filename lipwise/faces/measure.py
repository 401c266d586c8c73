"""What can be measured on a face in one frame: its turn, sharpness and exposure, and a small picture of it.

The small pictures let frames of one clip be compared later, when nothing else is kept of them.
"""

import threading
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from lipwise.faces.detect import FaceDetector, Faces
from lipwise.faces.mesh import LOOK_MARGINS, MIN_PRESENCE, FaceMesh, crop_of_landmarks, crop_of_mesh
from lipwise.faces.pose import five_of_mesh, head_pose

MOST_MEASURED = 4  # faces of one frame, best scores first; a crowd costs no more than four
TURNED_DEG = 20.0  # beyond this the mesh is looked at twice: the first look falls short by a sixth at 45 degrees
SHARP_PX = 128  # side of the square, from brows to chin, that sharpness is measured on
SQUARE_SIDE = 2.2  # side of that square in eye distances
LOOK_PX = 16  # side of the small picture
# Where the five landmarks' eyes and mouth lie in the small picture, in parts of its side: from the brows to the chin.
_EYES_Y, _MOUTH_Y, _EYE_X = 0.22, 0.70, 0.26
_CLIPPED = 250  # of 255: nothing is left to see above it
_BLURRED_AGAIN = 1.5  # standard deviation, pixels of the square, of the blur that a face's own is compared with
MOST_BLUR = 2.0  # eye distances; a face without an edge has no more


class FaceMeasures(NamedTuple):
    """Measures of N faces.

    Attributes:
        yaw_deg: (N,) float32, turn of the head by its mesh; above 0 the nose points to the right of the picture.
        sharpness: (N,) float32, mean change from pixel to pixel over the contrast of the face, across the blurriest of
            two directions; meaningful only against other frames of the same clip.
        blur: (N,) float32, standard deviation of the blur at the face's strongest edges, in eye distances, across the
            blurriest of two directions. Sharp clips have 0.02 to 0.045, whatever the size of the face.
        bright, dark: (N,) float32, the luma (0-255) that nine tenths and one tenth of the face stay under.
        clipped: (N,) float32, share of the face's pixels at or above 250.
        look: (N, 16, 16, 3) uint8, Y Cr Cb, eyes and mouth at fixed places.
    """

    yaw_deg: np.ndarray
    sharpness: np.ndarray
    blur: np.ndarray
    bright: np.ndarray
    dark: np.ndarray
    clipped: np.ndarray
    look: np.ndarray

    @classmethod
    def unknown(cls, count: int) -> "FaceMeasures":
        """Rows of NaN, looks of zeros."""
        yaw_deg, sharpness, blur, bright, dark, clipped = (np.full(count, np.nan, np.float32) for _ in range(6))
        look = np.zeros((count, LOOK_PX, LOOK_PX, 3), np.uint8)
        return cls(yaw_deg, sharpness, blur, bright, dark, clipped, look)


class MeasuringDetector:
    """Finds the faces of a frame and measures them; may be called from several threads.

    What the detector takes for a face and the mesh network does not is left out: with a head in front of it, a cup
    of coffee gets 0.6 and more from the detectors, and a presence of 0.01 from the mesh. A cat on its head gets 0.83
    and 0.001; its five landmarks lie like a person's, so only the mesh tells. No face of seven real clips is lost.

    Args:
        detector: finds the faces.
        mesh_path: see `lipwise.faces.mesh.FaceMesh`.

    Raises:
        WeightsError: the mesh's file is missing or is not the network it should be.
    """

    def __init__(self, detector: FaceDetector, mesh_path: Path) -> None:
        self._detector, self._mesh_path = detector, mesh_path
        self._own = threading.local()  # OpenCV's networks serve one thread at a time
        self._mesh()

    def __call__(self, frame: np.ndarray) -> tuple[Faces, FaceMeasures]:
        """Faces of a frame (H, W, 3) uint8 RGB, and their measures; NaN for those after the first `MOST_MEASURED`."""
        faces = self._detector.detect(frame)
        looks = [self._turn(frame, points) for points in faces.landmarks_xy[:MOST_MEASURED]]
        real = np.ones(len(faces.score), bool)
        real[: len(looks)] = [presence >= MIN_PRESENCE for _, presence in looks]
        faces = Faces(*(part[real] for part in faces))
        measures = measure_faces(frame, faces.landmarks_xy)
        turns = [yaw_deg for (yaw_deg, _), kept in zip(looks, real, strict=False) if kept]
        measures.yaw_deg[: len(turns)] = turns
        return faces, measures

    def _mesh(self) -> FaceMesh:
        if not hasattr(self._own, "mesh"):
            self._own.mesh = FaceMesh(self._mesh_path)
        return self._own.mesh

    def _turn(self, frame: np.ndarray, points: np.ndarray) -> tuple[float, float]:
        """Yaw in degrees, and the presence of a face, 0-1."""
        mesh_xy, presence = self._mesh().look(frame, crop_of_landmarks(points))
        yaw_deg = float(head_pose(five_of_mesh(mesh_xy))[0])
        if abs(yaw_deg) > TURNED_DEG and presence >= MIN_PRESENCE:
            mesh_xy, presence = self._mesh().look(frame, crop_of_mesh(mesh_xy, LOOK_MARGINS[0]))
            yaw_deg = float(head_pose(five_of_mesh(mesh_xy))[0])
        return yaw_deg, presence


def measure_faces(frame: np.ndarray, landmarks_xy: np.ndarray) -> FaceMeasures:
    """Measure sharpness, blur, exposure and look of the faces of a frame; the turn is left NaN.

    Args:
        frame: (H, W, 3) uint8 RGB.
        landmarks_xy: (N, 5, 2) in pixels, see `lipwise.faces.detect.Faces`; the first `MOST_MEASURED` are looked at.

    Returns:
        Measures of N faces; NaN for those beyond, and for faces that lie outside the frame.
    """
    measures = FaceMeasures.unknown(len(landmarks_xy))
    for index, points in enumerate(landmarks_xy[:MOST_MEASURED]):
        square = _square(frame, points)
        if square is not None:
            grey = square[..., 0]
            measures.sharpness[index], measures.blur[index] = _sharpness(grey), _blur(grey)
            measures.dark[index], measures.bright[index] = np.percentile(grey, (10, 90))
            measures.clipped[index] = float((grey >= _CLIPPED).mean())
            measures.look[index] = _look(frame, points)
    return measures


def _square(frame: np.ndarray, points: np.ndarray) -> np.ndarray | None:
    """Brows to chin as (128, 128, 3) Y Cr Cb uint8, upright in the frame; None where the frame shows nothing of it."""
    height, width = frame.shape[:2]
    centre = points[[0, 1, 3, 4]].mean(axis=0)
    half = SQUARE_SIDE / 2 * max(float(head_pose(points)[1]), 1.0)
    left, top = np.maximum(np.floor(centre - half), 0).astype(int)
    right, bottom = np.minimum(np.ceil(centre + half), (width, height)).astype(int)
    if right - left < 2 or bottom - top < 2:
        return None
    # Area weights enlarge in steps, whose edges are sharper than anything in the frame.
    shrink = min(right - left, bottom - top) > SHARP_PX
    how = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
    part = cv2.resize(frame[top:bottom, left:right], (SHARP_PX, SHARP_PX), interpolation=how)
    return cv2.cvtColor(part, cv2.COLOR_RGB2YCrCb)


def _sharpness(grey: np.ndarray) -> float:
    """Smaller of the mean second differences along x and y, over the contrast."""
    contrast = max(float(grey.std()), 4.0)
    along_x = cv2.Sobel(grey, cv2.CV_16S, 2, 0, ksize=1)
    along_y = cv2.Sobel(grey, cv2.CV_16S, 0, 2, ksize=1)
    return min(cv2.norm(along_x, cv2.NORM_L1), cv2.norm(along_y, cv2.NORM_L1)) / grey.size / contrast


def _blur(grey: np.ndarray) -> float:
    """Blur at the strongest edges, in eye distances, by how much steeper they are than after some more blur.

    The method is that of Zhuo and Sim, "Defocus map estimation from a single image", 2011: blurring an edge of blur s
    again by r divides its slope by sqrt(1 + r^2 / s^2). The mean ratio is weighted by the fourth power of the slope, so
    that neither noise nor the cheeks count.
    """
    again = cv2.GaussianBlur(grey, (0, 0), _BLURRED_AGAIN)
    widest = 0.0
    for along in ((1, 0), (0, 1)):
        slope, less = (np.abs(cv2.Sobel(picture, cv2.CV_32F, *along)).ravel() for picture in (grey, again))
        weight = less * less
        ratio = float((slope * less) @ weight) / max(float(weight @ weight), 1e-6)
        widest = max(widest, _BLURRED_AGAIN / float(np.sqrt(max(ratio * ratio - 1, 1e-6))))
    return min(widest * SQUARE_SIDE / SHARP_PX, MOST_BLUR)


def _look(frame: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(16, 16, 3) uint8 Y Cr Cb, turned and scaled so that eyes and mouth lie at fixed places."""
    side = 4 * LOOK_PX  # drawn four times as large and shrunk, so that no pixel of the frame is skipped over
    wanted = side * np.array([(_EYE_X, _EYES_Y), (1 - _EYE_X, _EYES_Y), (0.5, _MOUTH_Y)], np.float32)
    seen = np.stack([points[0], points[1], points[3:5].mean(axis=0)]).astype(np.float32)
    to_look = cv2.getAffineTransform(seen, wanted)
    large = cv2.warpAffine(frame, to_look, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    small = cv2.resize(large, (LOOK_PX, LOOK_PX), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb)
