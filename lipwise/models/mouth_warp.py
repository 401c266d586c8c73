"""Gives the mouth in a frame another opening and width, at the frame's own resolution.

Method: the face mesh marks the inner lips; the picture is moved along them (upper lip up a little, lower lip and chin
down, corners in or out), rows between closing lips collapse, and the inside of an opening mouth is painted from the
clip's own teeth. Everything happens in a box round the mouth and jaw; outside it the frame stays bit for bit.
"""

import cv2
import numpy as np

from lipwise.landmarks import MESH_POINTS
from lipwise.models.mouth_cavity import Inside, paint_inside
from lipwise.models.mouth_edges import LUMA, follow_lips, lip_chart, skin_tone
from lipwise.models.mouth_field import CORNER_DROP, MouthMove, displacement, place_in_source, plan_move
from lipwise.models.mouth_look import MouthLook, lip_height
from lipwise.models.mouth_shape import COLUMNS, FULL_EFFECT, MouthShape, across, amplitude, mouth_shape, smoothstep

GRID = 0.045  # spacing of the coarse grid, eye distances
BOX_U, BOX_V = (-1.3, 1.3), (-0.75, 1.5)  # what may change, in the mouth's own frame
NEUTRAL_WIDTH, SMILE_WIDTH = 0.68, 0.90  # of a resting and of a laughing mouth, eye distances
RELAXED_WIDTH = 0.13  # share of a full smile's width that closed and rounded sounds take away
WIDEN_LIMIT = 0.26  # largest relative change of the width


def warp_mouth(frame: np.ndarray, mesh_xy: np.ndarray, gap: float, width: float, look: MouthLook) -> np.ndarray:
    """A copy of the frame with another mouth.

    Args:
        frame: (H, W, 3) uint8 RGB.
        mesh_xy: (468, 2) mesh points in frame pixels. With a NaN in it (no face) the copy is untouched.
        gap: wanted distance of the inner lips in eye distances, 0 (shut) to about 0.34; see `mouth_targets`.
        width: wanted width of the mouth relative to the clip's median, -0.24 (rounded) to 0.14 (wide).
        look: the clip's `measure_look`.

    Returns:
        (H, W, 3) uint8. Outside `mouth_box` equal to `frame`. Small and turned faces move less: `amplitude`.

    Raises:
        ValueError: wrong shape or type, or a gap or width that is not a number.
    """
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
        raise ValueError(f"expected frame (H, W, 3) uint8, got {frame.shape} {frame.dtype}")
    if not (np.isfinite(gap) and np.isfinite(width)):
        raise ValueError(f"expected finite gap and width, got {gap} and {width}")
    if mesh_xy.shape != (MESH_POINTS, 2):
        raise ValueError(f"expected mesh_xy ({MESH_POINTS}, 2), got {mesh_xy.shape}")
    out = frame.copy()
    bearable = float(amplitude(mesh_xy)) if np.isfinite(mesh_xy).all() else 0.0
    if bearable <= 0:
        return out
    shape = mouth_shape(mesh_xy)
    x0, y0, x1, y1 = mouth_box(shape, frame.shape[1::-1])
    if x1 - x0 < 8 or y1 - y0 < 8:
        return out
    move = _wanted_move(follow_lips(frame, shape), float(gap), float(width), look, bearable)
    out[y0:y1, x0:x1] = _render(frame, (x0, y0, x1, y1), move, look)
    return out


def mouth_box(shape: MouthShape, size_wh: tuple[int, int]) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 in whole pixels (exclusive end) of what a warp may change, inside the frame."""
    corners = np.array([[u, v] for u in BOX_U for v in BOX_V]) * shape.eye_px @ shape.axes + shape.origin_xy
    low = np.maximum(np.floor(corners.min(0)), 0)
    high = np.minimum(np.ceil(corners.max(0)), size_wh)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _wanted_move(shape: MouthShape, gap: float, width: float, look: MouthLook, bearable: float) -> MouthMove:
    """What to do to this frame's mouth, with smiles relaxed where they close, round or gape."""
    effect = float(smoothstep(bearable / FULL_EFFECT))
    target = shape.gap + effect * (max(gap, 0.0) * bearable - shape.gap)
    usual = float(look.width)
    wanted = usual * (1 + width * bearable) / max(shape.width, 1e-3)  # of the width now
    smiling = float(smoothstep((usual - NEUTRAL_WIDTH) / (SMILE_WIDTH - NEUTRAL_WIDTH)))
    rounding = float(smoothstep((1 - wanted) / 0.14))
    closing = float(smoothstep((shape.gap - target) / 0.12) * smoothstep((0.09 - target) / 0.09))
    gaping = float(smoothstep((target - shape.gap) / 0.14))
    relaxed = smiling * max(rounding, 0.8 * closing)
    change = wanted * (1 - RELAXED_WIDTH * relaxed - 0.07 * smiling * gaping) - 1
    widen = WIDEN_LIMIT * float(np.tanh(effect * change / WIDEN_LIMIT))
    return plan_move(shape, target, widen, CORNER_DROP * effect * relaxed)


def _render(frame: np.ndarray, box: tuple[int, int, int, int], move: MouthMove, look: MouthLook) -> np.ndarray:
    """The changed box of the frame: (y1 - y0, x1 - x0, 3) uint8."""
    field = _fine_field(box, move)
    inner = _inner_box(move, box)
    part = slice(inner[1] - box[1], inner[3] - box[1]), slice(inner[0] - box[0], inner[2] - box[0])
    u, v = _to_mouth(np.arange(inner[0], inner[2])[None], np.arange(inner[1], inner[3])[:, None], move.shape)
    near = field[part]
    lips = _Lips(move, u, u + near[..., 0], v + near[..., 1])
    near[..., 4] = np.where(lips.sv > (lips.top + lips.bottom) / 2, near[..., 3], near[..., 2])
    out = _move_pixels(frame, box, field[..., 0], field[..., 1] + field[..., 4], move.shape)
    old = _move_pixels(frame, inner, near[..., 0], near[..., 1] + lips.hold(), move.shape)
    out[part] = lips.paint(out[part], old, look, frame)
    return out


def _fine_field(box: tuple[int, int, int, int], move: MouthMove) -> np.ndarray:
    """(h, w, 5) float32 over the box, eye distances: shift in u, shift in v, and what to add to v for points that
    hang on the upper lip, on the lower lip, and on whichever is nearer (exact but within a cell of the lips)."""
    x0, y0, x1, y1 = box
    shape = move.shape
    cell = max(round(GRID * shape.eye_px), 1)
    columns, rows = -(-(x1 - x0) // cell), -(-(y1 - y0) // cell)
    x = x0 + (np.arange(columns) + 0.5) * cell - 0.5  # where cv2.resize puts the cells' centres
    y = y0 + (np.arange(rows) + 0.5) * cell - 0.5
    u, v = _to_mouth(x[None], y[:, None], shape)
    su, sv = place_in_source(u, v, move)
    upper, lower = displacement(su, sv, move)
    middle = (np.interp(su, shape.u, move.top) + np.interp(su, shape.u, move.bottom)) / 2
    coarse = np.stack([su - u, sv - v, upper, lower, np.where(sv > middle, lower, upper)], -1).astype(np.float32)
    fine = cv2.resize(coarse, (columns * cell, rows * cell), interpolation=cv2.INTER_LINEAR)
    return fine[: y1 - y0, : x1 - x0]


def _move_pixels(
    frame: np.ndarray, box: tuple[int, int, int, int], du: np.ndarray, dv: np.ndarray, shape: MouthShape
) -> np.ndarray:
    """`frame` read at the places of `box` shifted by du, dv (both (h, w), eye distances)."""
    axes = (shape.axes * shape.eye_px).astype(np.float32)
    map_x = np.arange(box[0], box[2], dtype=np.float32)[None] + du * axes[0, 0] + dv * axes[1, 0]
    map_y = np.arange(box[1], box[3], dtype=np.float32)[:, None] + du * axes[0, 1] + dv * axes[1, 1]
    return cv2.remap(frame, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _to_mouth(x: np.ndarray, y: np.ndarray, shape: MouthShape) -> tuple[np.ndarray, np.ndarray]:
    """Mouth coordinates of picture points, float32."""
    axes = (shape.axes / shape.eye_px).astype(np.float32)
    dx, dy = (x - shape.origin_xy[0]).astype(np.float32), (y - shape.origin_xy[1]).astype(np.float32)
    return dx * axes[0, 0] + dy * axes[0, 1], dx * axes[1, 0] + dy * axes[1, 1]


def _inner_box(move: MouthMove, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """The part of `box` that holds the space between the new lips, where full resolution matters."""
    shape = move.shape
    half = 1.3 * max(-shape.u[0], shape.u[-1])
    low = min(float(move.top.min()), float(shape.upper.min())) - 0.1
    high = max(float(move.bottom.max()), float(shape.lower.max())) + 0.1 + move.drop
    corners = np.array([[u, v] for u in (-half, half) for v in (low, high)]) * shape.eye_px @ shape.axes
    first = np.floor(corners.min(0) + shape.origin_xy).astype(int)
    last = np.ceil(corners.max(0) + shape.origin_xy).astype(int) + 1
    x0, y0 = np.clip(first, box[:2], np.array(box[2:]) - 1)
    x1, y1 = np.clip(last, (x0 + 1, y0 + 1), box[2:])
    return int(x0), int(y0), int(x1), int(y1)


def _brightness(frame: np.ndarray, shape: MouthShape, look: MouthLook) -> float:
    """Skin brightness now over that of the look, within reason."""
    return float(np.clip(skin_tone(frame, shape) @ LUMA / max(float(look.skin), 8.0), 0.8, 1.25))


class _Lips:
    """The neighbourhood of the lips at full resolution: which lip a pixel hangs on, and what lies between."""

    def __init__(self, move: MouthMove, u: np.ndarray, su: np.ndarray, sv: np.ndarray) -> None:
        shape = move.shape
        curves = (move.top, move.bottom, shape.upper, shape.lower)
        top, bottom, upper, lower = (_look_up(su, shape.u, c) for c in curves)
        self.move, self.u, self.su, self.sv = move, u, su, sv
        self.top, self.bottom, self.upper, self.lower = top, bottom, upper, lower
        self.room, self.now = bottom - top, lower - upper
        self.place = across(su, shape.middle, float(shape.u[-1]))

    def hold(self) -> np.ndarray:
        """(h, w) what to add to v between the lips: the old inside stays with the upper lip."""
        return self.upper + np.clip(self.sv - self.top, 0, self.now) - self.sv

    def paint(self, lips: np.ndarray, old: np.ndarray, look: MouthLook, frame: np.ndarray) -> np.ndarray:
        """(h, w, 3) uint8: the moved lips, between them the old inside, and new inside where that gives too little."""
        move, pixel = self.move, 1 / self.move.shape.eye_px
        depth = self.sv - self.top
        between = np.clip(depth / pixel + 0.5, 0, 1) * np.clip((self.bottom - self.sv) / pixel + 0.5, 0, 1)
        fresh = self._fresh(depth, look) * smoothstep(self.room / max(0.012, pixel))
        covered = lip_height(move.shape, move.top) - float(look.height)
        inside = Inside(self.u - move.shape.middle, depth, self.room, self.place, move.gap, covered)
        colour = paint_inside(inside, look, _brightness(frame, move.shape, look))
        colour = old + (colour - old) * fresh[..., None].astype(np.float32)
        out = lips + (colour - lips) * between[..., None].astype(np.float32)
        line = self._seam()[..., None]
        out = out + (seam_colour(frame, move.shape) - out) * line
        return np.clip(out + 0.5, 0, 255).astype(np.uint8)

    def _fresh(self, depth: np.ndarray, look: MouthLook) -> np.ndarray:
        """(h, w) 0 where the frame's own inside is kept, 1 where it is painted."""
        more = self.room - self.now
        beyond = smoothstep((depth - 0.55 * self.now) / np.maximum(0.4 * self.now, 0.012))
        thin = 1 - smoothstep((self.now - 0.02) / 0.04)
        patch = np.maximum(beyond, thin) * smoothstep(more / 0.045)
        whole = smoothstep((more - 0.01) / 0.08) if look.has_teeth else 0.0
        return np.maximum(patch, whole)

    def _seam(self) -> np.ndarray:
        """(h, w) float32 cover of the dark line where lips have come together."""
        pixel = 1 / self.move.shape.eye_px
        middle, spread = (self.top + self.bottom) / 2, np.maximum(0.6 * self.room, max(0.012, 0.8 * pixel))
        line = np.exp(-(((self.sv - middle) / spread) ** 2)) * smoothstep((1 - np.abs(self.place)) / 0.3)
        closing = smoothstep((self.now - self.room) / 0.025) * (1 - smoothstep((self.room - 0.012) / 0.035))
        return (0.8 * line * closing).astype(np.float32)


def seam_colour(frame: np.ndarray, shape: MouthShape) -> np.ndarray:
    """(3,) float32 RGB of the shadow between closed lips: the lips' own colour, darkened."""
    middle = slice(COLUMNS // 2 - 8, COLUMNS // 2 + 9, 2)
    rows = np.array([[-0.045], [-0.03], [0.03], [0.045]])
    v = np.where(rows < 0, shape.upper[middle], shape.lower[middle]) + rows
    lips = lip_chart(frame, shape, np.broadcast_to(shape.u[middle], v.shape), v)
    return np.median(lips.reshape(-1, 3), 0).astype(np.float32) * np.array([0.58, 0.48, 0.48], np.float32)


def _look_up(x: np.ndarray, at: np.ndarray, values: np.ndarray) -> np.ndarray:
    """`numpy.interp` for evenly spaced `at`, in float32 and several times faster."""
    place = np.clip((x - at[0]) * ((len(at) - 1) / (at[-1] - at[0])), 0, len(at) - 1).astype(np.float32)
    whole = np.minimum(place.astype(np.int32), len(at) - 2)
    steps = np.diff(values).astype(np.float32)
    return values.astype(np.float32)[whole] + steps[whole] * (place - whole.astype(np.float32))
