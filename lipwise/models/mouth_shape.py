"""Geometry of a mouth: its own coordinate frame, how much motion a face bears, what the viseme network asks for.

Every length is in *eye distances* (the distance between the eye centres), so that nothing depends on the size of the
picture. The mouth frame has its origin between the inner mouth corners, `u` along the mouth to the picture's right
and `v` across it towards the chin.
"""

from dataclasses import dataclass

import numpy as np

from lipwise.landmarks import (
    CHIN,
    FACE_OVAL,
    INNER_LIP_PAIRS,
    INNER_LOWER_LIP,
    INNER_UPPER_LIP,
    LEFT_EYE_CORNERS,
    MESH_POINTS,
    MOUTH_CORNERS,
    NOSE_BASE,
    NOSE_TIP,
    OUTER_LIPS,
    RIGHT_EYE_CORNERS,
    eye_centres,
    eye_distance,
    mouth_gap,
    mouth_width,
)

COLUMNS = 41  # samples of the lip curves from corner to corner
WIDEST_GAP = 0.34  # beyond this a warped mouth turns into a hole
REST_OPEN = 0.05  # what the network says of a mouth at rest (median of the quiet parts of real speech)
SMALL_FACE_PX = (10.0, 35.0)  # eye distance at which motion is gone, and whole
TURNED_DEG = (25.0, 55.0)  # turn of the head at which motion begins to shrink, and is gone
OUTER_CORNERS = np.array([61, 291])  # of the red of the lips: right, left
OUTER_UPPER_LIP = OUTER_LIPS[:11]  # from the right corner over the top to the left one
OUTER_LOWER_LIP = np.concatenate([OUTER_LIPS[:1], OUTER_LIPS[:9:-1]])
JAW_LINE = FACE_OVAL[8:29]  # from the left ear (454) by way of the chin to the right ear (234)
FULL_EFFECT = 0.3  # amplitude from which the warp acts in full and only the gap asked for is scaled


def smoothstep(x: np.ndarray | float) -> np.ndarray:
    """0 below 0, 1 above 1, and a smooth cubic between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def mouth_targets(mouth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What to do with the lips for what the viseme network heard.

    Args:
        mouth: (N, 4) open, wide, round, closed in 0-1; values outside are clipped.

    Returns:
        gap: (N,) float32, wanted distance between the inner lips in eye distances, 0 to `WIDEST_GAP`. Saturates
            softly, and a heard closure (m, b, p) overrules the opening.
        width: (N,) float32, wanted change of the mouth's width relative to the clip's median, -0.24 to 0.14.

    Raises:
        ValueError: `mouth` is not (N, 4).
    """
    mouth = np.asarray(mouth, np.float32)
    if mouth.ndim != 2 or mouth.shape[1] != 4:
        raise ValueError(f"expected mouth (N, 4): open, wide, round, closed; got {mouth.shape}")
    opened, wide, rounded, closed = np.clip(mouth, 0, 1).T
    opened = np.maximum(opened - REST_OPEN, 0) / (1 - REST_OPEN)
    gap = WIDEST_GAP * np.tanh(1.55 * opened) * (1 - smoothstep((closed - 0.3) / 0.35))
    width = 0.9 * (wide - 0.49) - 0.30 * np.clip(rounded - 0.2, 0, 1)  # 0.49: the network's mean over speech
    return gap.astype(np.float32), np.clip(width, -0.24, 0.14).astype(np.float32)


def yaw_degrees(mesh_xy: np.ndarray) -> np.ndarray:
    """Turn of the head to either side in degrees, (...,), from mesh points (..., 468, 2); 0 is frontal.

    In the canonical face the nose tip stands as far before the outer eye corners as these are from the middle, so
    the tip's shift against their midpoint, over half their distance, is the tangent of the turn.
    """
    right, left = mesh_xy[..., RIGHT_EYE_CORNERS[0], :], mesh_xy[..., LEFT_EYE_CORNERS[0], :]
    half = (left - right) / 2
    shift = ((mesh_xy[..., NOSE_TIP, :] - (left + right) / 2) * half).sum(-1) / np.maximum((half**2).sum(-1), 1e-6)
    return np.degrees(np.arctan(shift))


def amplitude(mesh_xy: np.ndarray) -> np.ndarray:
    """How much of the wanted motion a face can bear, (...,) float32 in 0-1, from mesh points (..., 468, 2).

    1 from 35 px between the eyes and up to a turn of 25 degrees; falls smoothly to 0 at 10 px or 55 degrees, and is
    0 where the mesh is NaN. `warp_mouth` multiplies the wanted gap by it, so that a mouth meant closed still closes;
    below 0.3 the whole effect fades, and at 0 the frame stays as it is.
    """
    small = smoothstep((eye_distance(mesh_xy) - SMALL_FACE_PX[0]) / (SMALL_FACE_PX[1] - SMALL_FACE_PX[0]))
    turned = smoothstep((TURNED_DEG[1] - np.abs(yaw_degrees(mesh_xy))) / (TURNED_DEG[1] - TURNED_DEG[0]))
    return np.nan_to_num(small * turned).astype(np.float32)


@dataclass(frozen=True, eq=False)
class MouthShape:
    """One face's mouth in its own frame; lengths in eye distances.

    Attributes:
        origin_xy: (2,) frame pixels, between the inner mouth corners.
        axes: (2, 2), unit vectors of u and v in the picture.
        eye_px: eye distance in pixels.
        u: (COLUMNS,) along the mouth from corner to corner (slightly outside the mesh's inner corners).
        upper, lower: (COLUMNS,) v of the inner lips at `u`; lower >= upper.
        outer_upper, outer_lower: (COLUMNS,) v of the outer edges of the red of the lips at `u`.
        middle: u of the middle of the lips, off zero when the head is turned.
        gap: distance of the inner lips as `lipwise.landmarks.mouth_gap` measures it.
        width: distance of the inner corners, as `lipwise.landmarks.mouth_width`.
        chin_uv, nose_uv: (2,) chin and base of the nose.
        jaw_uv: (J, 2) contour of the lower face from ear to ear.
    """

    origin_xy: np.ndarray
    axes: np.ndarray
    eye_px: float
    u: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    outer_upper: np.ndarray
    outer_lower: np.ndarray
    middle: float
    gap: float
    width: float
    chin_uv: np.ndarray
    nose_uv: np.ndarray
    jaw_uv: np.ndarray

    def position(self) -> np.ndarray:
        """(COLUMNS,) place across the mouth: -1 and 1 at the corners, 0 at the middle of the lips."""
        return across(self.u, self.middle, float(self.u[-1]))

    def profile(self) -> np.ndarray:
        """(COLUMNS,) how a mouth opens along its width: 1 in the middle, 0 in the corners."""
        return (1 - (self.position() / 0.97) ** 2).clip(0) ** 1.05


def across(u: np.ndarray, middle: float, half_width: float) -> np.ndarray:
    """Place of `u` across a mouth: -1 and 1 at the corners, 0 at `middle` (quadratic between: turned heads)."""
    x = u / half_width
    bend = np.clip(middle / half_width, -0.45, 0.45)
    return x - bend * (1 - x * x)


def mouth_shape(mesh_xy: np.ndarray) -> MouthShape:
    """Mouth frame, lip curves and jaw of one face.

    Args:
        mesh_xy: (468, 2) points in frame pixels, finite.

    Raises:
        ValueError: wrong shape.
    """
    points = np.asarray(mesh_xy, np.float64)
    if points.shape != (MESH_POINTS, 2):
        raise ValueError(f"expected mesh_xy ({MESH_POINTS}, 2), got {points.shape}")
    right_eye, left_eye = eye_centres(points)
    eyes, lips = left_eye - right_eye, points[MOUTH_CORNERS[1]] - points[MOUTH_CORNERS[0]]
    eye_px = max(float(np.hypot(*eyes)), 1.0)
    along = 0.3 * eyes / eye_px + 0.7 * lips / max(float(np.hypot(*lips)), 1e-6)
    along /= max(float(np.hypot(*along)), 1e-6)
    axes = np.stack([along, [-along[1], along[0]]])
    origin = points[MOUTH_CORNERS].mean(0)
    placed = (points - origin) @ axes.T / eye_px
    corners = (placed[MOUTH_CORNERS] + placed[OUTER_CORNERS]) / 2  # the mesh's inner corners lie inside the real ones
    u = np.linspace(corners[0, 0], corners[1, 0], COLUMNS)
    upper = _curve(u, placed[INNER_UPPER_LIP], corners)
    lower = np.maximum(_curve(u, placed[INNER_LOWER_LIP], corners), upper)
    outer = [np.interp(u, placed[row, 0], placed[row, 1]) for row in (OUTER_UPPER_LIP, OUTER_LOWER_LIP)]
    return MouthShape(
        origin_xy=origin, axes=axes, eye_px=eye_px, u=u, upper=upper, lower=lower,
        outer_upper=outer[0], outer_lower=outer[1], middle=float(placed[INNER_LIP_PAIRS[0], 0].mean()),
        gap=float(mouth_gap(points)), width=float(mouth_width(points)),
        chin_uv=placed[CHIN], nose_uv=placed[NOSE_BASE], jaw_uv=placed[JAW_LINE],
    )  # fmt: skip


def _curve(u: np.ndarray, points_uv: np.ndarray, corners_uv: np.ndarray) -> np.ndarray:
    """The lip contour as v over u between the given corners, rounded a little."""
    points_uv = np.vstack([corners_uv[:1], points_uv[1:-1], corners_uv[1:]])
    fine = np.interp(u, points_uv[:, 0], points_uv[:, 1])
    padded = np.pad(fine, 1, mode="edge")
    padded[0], padded[-1] = 2 * fine[0] - fine[1], 2 * fine[-1] - fine[-2]
    return np.convolve(padded, [0.25, 0.5, 0.25], mode="valid")
