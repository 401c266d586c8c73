"""The dense points of a face: MediaPipe's 468-point face mesh (Apache-2.0), run by OpenCV.

The network looks at an upright square crop. The five landmarks of the detector give a first crop, the mesh found in it
a better one; along a clip the crop of the last frame's mesh, moved as the five landmarks moved, is good enough already.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from lipwise.errors import WeightsError
from lipwise.faces.smooth import smooth_gaussian_inplace
from lipwise.landmarks import MESH_POINTS, eye_centres

INPUT_PX = 192
# Side of the crop over the larger extent of the mesh, as in MediaPipe's face_landmark graph (ROI scaled by 1.5).
CROP_MARGIN = 1.5
# First crop, in distances between eyes and mouth: its side, and how far its centre lies below the eyes.
FIRST_SIDE, FIRST_DROP = 3.6, 0.42
# A face turned to the side has its eyes close together: the upright distance counts at least this much of eye distance.
LEAST_DROP = 0.9
# A crop is looked at again when the mesh found in it asks for one that differs by more than this part of its side.
CROP_TOLERANCE = 0.05
MAX_PASSES = 3
# Gaussian over neighbouring frames, in frames: takes off the flutter of single points, and lasts less than one frame.
SMOOTH_FRAMES = 0.6


class Crop(NamedTuple):
    """An upright square on the face: centre in frame pixels, side in pixels, angle of the eye line in radians."""

    centre_xy: np.ndarray
    side: float
    angle: float

    def to_frame(self) -> np.ndarray:
        """(2, 3) affine map from the network's input pixels to frame pixels."""
        scale = self.side / INPUT_PX
        cos, sin = np.cos(self.angle) * scale, np.sin(self.angle) * scale
        turn = np.array([[cos, -sin], [sin, cos]])
        middle = np.full(2, (INPUT_PX - 1) / 2)
        return np.column_stack([turn, self.centre_xy - turn @ middle])

    def differs_from(self, other: "Crop") -> float:
        """Largest of the differences in place, side and turn, as parts of the side."""
        place = np.linalg.norm(self.centre_xy - other.centre_xy) / self.side
        turn = abs(np.angle(np.exp(1j * (self.angle - other.angle)))) / 2
        return float(max(place, abs(self.side - other.side) / self.side, turn))
