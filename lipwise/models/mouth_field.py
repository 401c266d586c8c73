"""Where every pixel round a mouth comes from when the mouth takes another opening and width.

The field is smooth everywhere but across the lips, so it is computed on a coarse grid, once for what hangs on the
upper lip and once for what hangs on the lower one; the picture picks between the two at full resolution.
"""

from dataclasses import dataclass

import numpy as np

from lipwise.models.mouth_shape import COLUMNS, WIDEST_GAP, MouthShape, smoothstep

UPPER_SHARE_OPENING = 0.16  # of the change of the gap, what the upper lip takes; the jaw does the rest
UPPER_SHARE_CLOSING = 0.34  # lips that close over teeth come from both sides
CEILING = WIDEST_GAP + 0.02  # the gap at which mesh and picture are made to agree
SEAM = 0.014  # thickness of the line between closed lips
RIM_UPPER, RIM_LOWER = 0.006, 0.012  # edge of the lips that carries the colour of what was beside it
RIM_PRESSED = 0.028  # more of it where lips close over teeth: they roll in
LOWEST_UPPER = 0.16  # most that the upper lip comes down
LIP_REACH = 0.36  # height above the mouth at which the upper lip's motion has faded
JAW_REACH = 0.42  # height below it at which the lower lip's motion has turned into the chin's
NECK_REACH = 0.55  # distance outside the jaw over which its motion fades
CORNER_DROP = 0.055  # most that the corners of a smile go down


@dataclass(frozen=True, eq=False)
class MouthMove:
    """One wanted mouth, as curves over `shape.u` and numbers, in eye distances.

    Attributes:
        shape: the mouth as it is.
        change: (COLUMNS,) how much the distance of the lips, without their rims, grows.
        lift: (COLUMNS,) the upper lip's part of it.
        top, bottom: (COLUMNS,) the new inner lips.
        gap: wanted gap. opening: its change.
        chin: how far the chin goes down.
        widen: relative change of the mouth's width.
        drop: how far the corners go down.
    """

    shape: MouthShape
    change: np.ndarray
    lift: np.ndarray
    top: np.ndarray
    bottom: np.ndarray
    gap: float
    opening: float
    chin: float
    widen: float
    drop: float


def plan_move(shape: MouthShape, gap: float, widen: float, drop: float) -> MouthMove:
    """The new lip curves for a wanted gap (eye distances), relative change of width and drop of the corners."""
    now, upper_rim, lower_rim = shape.lower - shape.upper, *_rims(shape, gap)
    centre = max(float(now[COLUMNS // 2 - 4 : COLUMNS // 2 + 5].mean()), 1e-3)
    rest = min(shape.gap, SEAM)  # what is left between closed lips: the line itself
    wanted = max(gap, rest)
    opening = wanted - shape.gap
    # A mouth that is open already keeps the form of its opening, larger or smaller.
    kept = 0.85 * smoothstep((shape.gap - 0.03) / 0.06) * (1 - 0.6 * smoothstep(opening / 0.2))
    form = (1 - kept) * shape.profile() + kept * np.clip(now / centre, 0, 1.3)
    # The mesh's gap and the one seen in the picture differ; both end at the widest.
    stretch = np.clip((CEILING - centre) / max(CEILING - shape.gap, 0.05), 0.4, 1.3)
    opened, closed = now + stretch * opening * form, now * (wanted / max(shape.gap, 1e-3))
    target = opened if opening >= 0 else closed
    change = target - (now + upper_rim + lower_rim)
    share = np.where(change >= 0, UPPER_SHARE_OPENING, _closing_share(shape))
    lift = share * change
    lift = np.where(lift < 0, -LOWEST_UPPER * np.tanh(-lift / LOWEST_UPPER), lift)
    top = shape.upper - upper_rim - lift
    chin = opening * (0.84 if opening >= 0 else 0.58)
    return MouthMove(shape, change, lift, top, top + target, wanted, opening, chin, widen, drop)


def _closing_share(shape: MouthShape) -> np.ndarray:
    """(COLUMNS,) the upper lip's part in closing: more of it where the closed line would arch above the corners."""
    room = np.maximum(shape.lower - shape.upper, 1e-3)
    line = shape.upper + UPPER_SHARE_CLOSING * room
    flatter = np.where(line < 0, 0.35 * line, line)
    return np.clip((flatter - shape.upper) / room, 0.2, 0.7)


def _rims(shape: MouthShape, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """(COLUMNS,) height of the strip of upper and lower lip that is half tooth in the picture: not moved along."""
    moved = float(smoothstep(abs(max(gap, min(shape.gap, SEAM)) - shape.gap) / 0.04)) * shape.profile() ** 0.5
    shut = float(1 - smoothstep((shape.gap - 0.03) / 0.04))  # closed lips carry half of the dark line between them
    pressed = float(smoothstep((shape.gap - max(gap, SEAM)) / 0.05) * smoothstep((0.07 - gap) / 0.05))
    thick = np.minimum(0.3 * (shape.upper - shape.outer_upper), RIM_PRESSED).clip(0) * pressed
    thick_lower = np.minimum(0.12 * (shape.outer_lower - shape.lower), RIM_PRESSED).clip(0) * pressed
    return (RIM_UPPER + 0.006 * shut + thick) * moved, (RIM_LOWER + 0.008 * shut + thick_lower) * moved


def place_in_source(u: np.ndarray, v: np.ndarray, move: MouthMove) -> tuple[np.ndarray, np.ndarray]:
    """Undo the change of width and the drop of the corners: where (u, v) of the new mouth lies in the old one."""
    shape, squeeze = move.shape, -move.widen / (1 + move.widen)
    tall = np.maximum(np.abs(v - 0.05) - 0.12, 0)
    fall = np.exp(-1.4 * (u / 0.95) ** 2 - 2.2 * (tall / 0.62) ** 2)
    fall = fall * smoothstep((1.25 - np.abs(u)) / 0.4) * smoothstep((v + 0.72) / 0.3) * smoothstep((1.4 - v) / 0.4)
    half = shape.width / 2
    beside = np.exp(-(((np.abs(u) - half * 0.95) / (0.55 * half)) ** 2) - (v / 0.22) ** 2)
    return u * (1 + squeeze * fall), v - move.drop * beside


def displacement(u: np.ndarray, v: np.ndarray, move: MouthMove) -> tuple[np.ndarray, np.ndarray]:
    """What to add to v to reach the source, for points that hang on the upper and on the lower lip.

    Args:
        u, v: coordinates after `place_in_source`, any shape.
    """
    shape = move.shape
    change, lift = (np.interp(u, shape.u, c, left=0, right=0) for c in (move.change, move.lift))
    top = np.interp(u, shape.u, move.top)
    bottom = np.interp(u, shape.u, move.bottom)
    reach = min(max(-0.95 * float(shape.nose_uv[1]), 0.2), LIP_REACH)
    # The red of the lips moves as a whole; the skin beyond it gives way.
    thick = np.interp(u, shape.u, (shape.upper - shape.outer_upper).clip(0, 0.14)) * 0.8
    upper = lift * smoothstep(1 - np.maximum(top - v - thick, 0) / (reach - thick))
    thick = np.interp(u, shape.u, (shape.outer_lower - shape.lower).clip(0, 0.16)) * 0.8
    turn = smoothstep(np.maximum(v - bottom - thick, 0) / (JAW_REACH - thick))
    sink = (change - lift) * (1 - turn) + move.chin * _jaw_width(u, v, shape) * turn
    return upper, -sink * _inside_face(u, v, shape)


def _jaw_width(u: np.ndarray, v: np.ndarray, shape: MouthShape) -> np.ndarray:
    """1 along the middle of the lower face, 0 at the jaw's hinges."""
    share = np.clip(v / max(float(shape.chin_uv[1]), 0.3), 0, 1)
    centre = shape.middle + (float(shape.chin_uv[0]) - shape.middle) * share
    return np.exp(-(((u - centre) / 0.66) ** 4))


def _inside_face(u: np.ndarray, v: np.ndarray, shape: MouthShape) -> np.ndarray:
    """1 inside the jaw line, fading to 0 at `NECK_REACH` outside it."""
    jaw = shape.jaw_uv
    edge = np.diff(jaw, axis=0)
    normal = np.stack([-edge[:, 1], edge[:, 0]], 1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    normal *= np.sign((normal * (jaw[:-1] - jaw.mean(0))).sum(1, keepdims=True) + 1e-9)
    offset = (normal * jaw[:-1]).sum(1)
    points = np.stack([u.ravel(), v.ravel()]).astype(np.float32)
    outside = (normal.astype(np.float32) @ points - offset[:, None].astype(np.float32)).max(0).reshape(u.shape)
    return smoothstep(1 - np.maximum(outside + 0.03, 0) / NECK_REACH)
