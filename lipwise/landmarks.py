"""Names for the 468 points of the face mesh.

Mesh numbers are those of MediaPipe's canonical face model. "Right" and "left" are the person's own, as in the
detectors; the person's right eye is on the left of the picture.
"""

import numpy as np

MESH_POINTS = 468

# Both inner contours run from the person's right mouth corner to the left one.
INNER_UPPER_LIP = np.array([78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308])
INNER_LOWER_LIP = np.array([78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308])
# Closed polygon round the red of the lips.
OUTER_LIPS = np.array([61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146])
# Closed polygon round the face, from the middle of the forehead clockwise in the picture.
FACE_OVAL = np.array(
    [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
     150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
)  # fmt: skip
RIGHT_EYE_CORNERS = np.array([33, 133])  # outer, inner
LEFT_EYE_CORNERS = np.array([263, 362])  # outer, inner
MOUTH_CORNERS = np.array([78, 308])  # on the lip line: right, left
CHIN = 152
NOSE_BASE = 2
NOSE_TIP = 1
# Pairs (upper, lower) across the middle of the mouth.
INNER_LIP_PAIRS = np.array([[13, 14], [82, 87], [312, 317]])


def eye_centres(mesh_xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres of the person's right and left eye, each (..., 2), from mesh points (..., 468, 2)."""
    return mesh_xy[..., RIGHT_EYE_CORNERS, :].mean(-2), mesh_xy[..., LEFT_EYE_CORNERS, :].mean(-2)


def eye_distance(mesh_xy: np.ndarray) -> np.ndarray:
    """Distance between the eye centres in pixels, (...,): the unit of every length on a face."""
    right, left = eye_centres(mesh_xy)
    return np.linalg.norm(left - right, axis=-1)


def mouth_gap(mesh_xy: np.ndarray) -> np.ndarray:
    """How far the inner lips are apart, (...,), in eye distances: 0 is shut, 0.3 is wide open."""
    upper, lower = mesh_xy[..., INNER_LIP_PAIRS[:, 0], :], mesh_xy[..., INNER_LIP_PAIRS[:, 1], :]
    return np.linalg.norm(lower - upper, axis=-1).mean(-1) / eye_distance(mesh_xy)


def mouth_width(mesh_xy: np.ndarray) -> np.ndarray:
    """Distance between the inner mouth corners, (...,), in eye distances."""
    right, left = mesh_xy[..., MOUTH_CORNERS[0], :], mesh_xy[..., MOUTH_CORNERS[1], :]
    return np.linalg.norm(left - right, axis=-1) / eye_distance(mesh_xy)
