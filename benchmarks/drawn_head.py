"""A real face to draw with: cut out of a portrait, put anywhere in a frame, before a picture without a face.

The face is NASA's portrait of Eileen Collins (public domain, `skimage.data.astronaut`). What is built from it has
exact ground truth.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import skimage.data

SIZE_WH = (640, 360)

# The head in the portrait, in its pixels: middle and radii of the ellipse that is cut out, and the five landmarks.
HEAD_XY, HEAD_RADII = np.array([223.0, 118.0]), (72, 100)
FIVE = np.array([(203.4, 101.4), (245.3, 101.7), (223.1, 124.9), (203.4, 144.2), (240.1, 142.3)])
MOUTH_XY = FIVE[3:].mean(axis=0)
LIPS_HALF_WH = np.array([22.0, 11.0])  # the painted lips round the middle of the mouth


@dataclass(frozen=True)
class Pose:
    """Where the head is pasted.

    Attributes:
        at_xy: the head's middle in the frame.
        scale: of the portrait; 1 has 42 px between the eyes.
        turn_deg: in the picture's plane.
        mirrored: left and right swapped.
    """

    at_xy: tuple[float, float]
    scale: float = 1.4
    turn_deg: float = 0.0
    mirrored: bool = False

    def matrix(self) -> np.ndarray:
        """(2, 3) map from the portrait to the frame."""
        camera = cv2.getRotationMatrix2D((float(HEAD_XY[0]), float(HEAD_XY[1])), self.turn_deg, self.scale)
        camera[:, 2] += np.array(self.at_xy) - HEAD_XY
        if not self.mirrored:
            return camera
        swap = np.array([[-1.0, 0.0, 2 * HEAD_XY[0]], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        return camera @ swap

    def place(self, points_xy: np.ndarray) -> np.ndarray:
        """Points (N, 2) of the portrait in the frame."""
        camera = self.matrix()
        return points_xy @ camera[:, :2].T + camera[:, 2]


@cache
def portrait() -> tuple[np.ndarray, np.ndarray]:
    """The portrait and the soft mask (512, 512) float32 of its head."""
    mask = np.zeros((512, 512), np.uint8)
    cv2.ellipse(mask, (int(HEAD_XY[0]), int(HEAD_XY[1])), HEAD_RADII, 0, 0, 360, 255, -1)
    return skimage.data.astronaut(), cv2.GaussianBlur(mask, (0, 0), 5).astype(np.float32) / 255


@cache
def _picture(name: str) -> np.ndarray:
    return cv2.resize(getattr(skimage.data, name)(), (900, 600), interpolation=cv2.INTER_AREA)


def ground(number: int, picture: str = "coffee") -> np.ndarray:
    """A panning view of a picture without a face, (360, 640, 3) uint8."""
    x, y = round(60 + 50 * np.sin(number / 15)), round(60 + 40 * np.cos(number / 19))
    return _picture(picture)[y : y + SIZE_WH[1], x : x + SIZE_WH[0]].copy()


def paste(frame: np.ndarray, pose: Pose, picture: np.ndarray | None = None) -> np.ndarray:
    """The frame with the head in it, (360, 640, 3) uint8; `picture` stands in for the portrait."""
    face, mask = portrait()
    face = face if picture is None else picture
    camera = pose.matrix()
    shown = cv2.warpAffine(face, camera, SIZE_WH, flags=cv2.INTER_AREA if pose.scale < 1 else cv2.INTER_CUBIC)
    alpha = cv2.warpAffine(mask, camera, SIZE_WH)[..., None]
    return np.round(alpha * shown + (1 - alpha) * frame).astype(np.uint8)
