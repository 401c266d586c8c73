"""Which way a head looks and how large it is, from the five landmarks of the detectors."""

import numpy as np

from lipwise.landmarks import NOSE_TIP, OUTER_LIPS, eye_centres

# The five points on MediaPipe's canonical face (Apache-2.0), in centimetres: x to the left of the person (right in
# the picture), y down, z towards the camera. The eyes are the middles of their corners.
_CANONICAL = np.array(
    [
        (-3.151, -2.625, 3.466),
        (3.151, -2.625, 3.466),
        (0.0, 1.127, 7.476),
        (-2.456, 4.343, 4.284),
        (2.456, 4.343, 4.284),
    ]
)
_EYES_APART = 2 * 3.151
# One least-squares fit for all frames: the first three rows turn centred picture points into the camera's two axes.
_FIT = np.linalg.pinv(_CANONICAL - _CANONICAL.mean(axis=0))  # (3, 5)


_MESH_CORNERS = OUTER_LIPS[[0, 10]]  # right and left corner of the mouth


def five_of_mesh(mesh_xy: np.ndarray) -> np.ndarray:
    """The five landmarks (..., 5, 2) of a mesh (..., 468, 2); its nose tip and corners are those of `head_pose`."""
    corners = mesh_xy[..., _MESH_CORNERS, :]
    right, left = eye_centres(mesh_xy)
    return np.stack([right, left, mesh_xy[..., NOSE_TIP, :], corners[..., 0, :], corners[..., 1, :]], axis=-2)


def head_pose(landmarks_xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far heads are turned, and their size, seen as from far away (scaled orthographic projection).

    The pose is the linear step of POS (DeMenthon and Davis, "Model-based object pose in 25 lines of code", 1995). It
    knows a turn by the nose's place between eyes and mouth. The mesh's points (`five_of_mesh`) follow a turn to about
    5 degrees up to 45; those of the detectors fall far short beyond 20, though the size is right.

    Args:
        landmarks_xy: (..., 5, 2) right eye, left eye, nose, right mouth corner, left mouth corner; NaN gives NaN.

    Returns:
        yaw_deg (...,): 0 looks at the camera, above 0 the nose points to the right of the picture.
        eyes_px (...,): distance between the eyes if the head looked at the camera, in pixels; a turn does not
            shrink it.
    """
    points = np.asarray(landmarks_xy, np.float64)
    axes = _FIT @ (points - points.mean(axis=-2, keepdims=True))  # (..., 3, 2): how the picture moves along x, y, z
    along, down, ahead = axes[..., 0, :], axes[..., 1, :], axes[..., 2, :]
    # |along|^2 = s^2 (1 - r_xz^2) and so on: together the three columns hold 2 s^2.
    scale = np.sqrt((along**2 + down**2 + ahead**2).sum(axis=-1) / 2)
    upright = down / np.maximum(np.linalg.norm(down, axis=-1, keepdims=True), 1e-9)
    sideways = ahead[..., 0] * upright[..., 1] - ahead[..., 1] * upright[..., 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        sine = np.clip(sideways / scale, -1, 1)
    return np.degrees(np.arcsin(sine)), scale * _EYES_APART
