"""Upright pictures from stored ones: display matrices and EXIF turns."""

from dataclasses import dataclass

import av
import cv2
import numpy as np

TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True)
class Orientation:
    """How a stored picture is turned for display.

    Attributes:
        rotation: degrees clockwise: 0, 90, 180 or 270.
        mirrored: flipped left to right before it is turned.
    """

    rotation: int = 0
    mirrored: bool = False

    def size_wh(self, stored_wh: tuple[int, int]) -> tuple[int, int]:
        """Size of the upright picture."""
        return stored_wh if self.rotation % 180 == 0 else (stored_wh[1], stored_wh[0])

    def upright(self, picture: np.ndarray) -> np.ndarray:
        """The picture (H, W, C) as it is to be seen; the same array where nothing is to be done."""
        if self.mirrored:
            picture = cv2.flip(picture, 1)
        return cv2.rotate(picture, TURNS[self.rotation]) if self.rotation else picture


def _from_matrix(matrix: np.ndarray) -> Orientation:
    """From the linear part [[a, b], [c, d]] of a display matrix: a point (x, y) goes to (ax + cy, bx + dy)."""
    (a, b), (c, d) = np.sign(np.where(np.abs(matrix) * 2 < np.abs(matrix).max(), 0, matrix)).astype(int).tolist()
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b  # the same turn without the flip of x that comes first
    turn = {(1, 0): 0, (0, 1): 90, (-1, 0): 180, (0, -1): 270}.get((a, b), 0)
    return Orientation(turn, mirrored)


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """How a decoded frame is to be turned; slanted display matrices count as the nearest quarter turn."""
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV 18.1 knows no name for EXIF, which then hides the matrix beside it
        return Orientation(-round(frame.rotation / 90) * 90 % 360)
    if matrix is None:
        return Orientation()
    return _from_matrix(np.frombuffer(bytes(matrix), np.int32).reshape(3, 3)[:2, :2])
