"""Where to cut a face out of a frame, and what its points are called afterwards."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from lipwise.landmarks import CHIN, MOUTH_CORNERS, eye_distance


class Box(NamedTuple):
    """A rectangle of whole pixels inside a frame, end exclusive."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def size_wh(self) -> tuple[int, int]:
        return self.x1 - self.x0, self.y1 - self.y0

    def of(self, picture: np.ndarray) -> np.ndarray:
        """The part of a picture (H, W, ...) inside the box, as a view."""
        return picture[self.y0 : self.y1, self.x0 : self.x1]


def clip_box(corners: Sequence[float], size_wh: tuple[int, int]) -> Box:
    """Round (x0, y0, x1, y1) outward and keep it inside the frame, at least one pixel each way."""
    width, height = size_wh
    x0 = int(np.clip(np.floor(corners[0]), 0, width - 1))
    y0 = int(np.clip(np.floor(corners[1]), 0, height - 1))
    return Box(
        x0, y0, int(np.clip(np.ceil(corners[2]), x0 + 1, width)), int(np.clip(np.ceil(corners[3]), y0 + 1, height))
    )


def face_box(
    box_xyxy: np.ndarray, mesh_xy: np.ndarray, size_wh: tuple[int, int], *, pads: tuple[int, int, int, int]
) -> Box:
    """Wav2Lip's crop: the detector's box grown by pads, with the chin inside.

    Args:
        box_xyxy: (4,) the detector's box in pixels.
        mesh_xy: (468, 2); a chin below the box moves the bottom down, because the network must see it.
        pads: pixels added above, below, left and right (the reference adds 0, 10, 0, 0).
    """
    top, bottom, left, right = pads
    x0, y0, x1, y1 = (float(v) for v in box_xyxy)
    return clip_box((x0 - left, y0 - top, x1 + right, max(y1, float(mesh_xy[CHIN, 1])) + bottom), size_wh)


def mouth_box(mesh_xy: np.ndarray, size_wh: tuple[int, int]) -> Box:
    """The region a moving jaw can touch, (468, 2) -> Box: from the eyes to below the chin, and past the cheeks."""
    unit = float(eye_distance(mesh_xy))
    x, y = mesh_xy[MOUTH_CORNERS].mean(0)
    return clip_box((x - 1.5 * unit, y - 1.5 * unit, x + 1.5 * unit, y + 1.9 * unit), size_wh)


def cut(frame: np.ndarray, box: Box, size: int | None = None) -> np.ndarray:
    """Cut a box out of a frame (H, W, 3); as it is, or resized to (size, size, 3)."""
    crop = box.of(frame)
    if size is None:
        return crop.copy()
    shrinks = box.size_wh[0] * box.size_wh[1] > size * size
    return cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def points_in_crop(points_xy: np.ndarray, box: Box, size: int | None = None) -> np.ndarray:
    """Frame points (N, 2) in the pixels of the crop that `cut` makes, float32."""
    moved = points_xy - np.array(box[:2])
    return (moved if size is None else moved * (size / np.array(box.size_wh))).astype(np.float32)
