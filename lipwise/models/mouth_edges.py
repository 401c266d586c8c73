"""Moves the mesh's lip curves onto the lips' real edges in the picture.

The mesh is a few hundredths of an eye distance off, enough to cut through teeth or leave a strip of lip inside the
mouth. Round the mesh's curves the picture is sampled as a small chart (rows across the mouth, columns along it); each
curve moves to where lip colour turns into teeth, tongue or dark, or onto the dark line when the mouth is shut.
Evidence is weighed softly (a softmax over offsets with a prior on the mesh), so the curves move continuously with
the picture and stay on the mesh where nothing is to be seen.
"""

from dataclasses import replace

import cv2
import numpy as np

from lipwise.models.mouth_shape import COLUMNS, MouthShape, smoothstep

STEP = 0.008  # eye distances between rows of the chart; wider for gaping mouths, where the mesh is further off
SEARCH = 9  # rows searched to either side: 0.072 eye distances and more
LINE_ROWS = 4  # rows to either side that the dark line is compared with
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
LAB_SPREAD = np.array([13.0, 7.0, 9.0], np.float32)  # differences in L*, a*, b* that matter
LIP_PART = 0.62  # share of a lip's height, from outside, that surely is lip however far off the mesh is
LIP_LIKE = 0.42  # colours nearer than this to the lip's, relative to the mouth's inside, are lip
SHARPNESS = 7.0  # of the softmax over offsets
PRIOR, INWARD = 0.35, 1.2  # what an offset at the end of the search costs, in evidence, and more so into the mouth


def lip_chart(frame: np.ndarray, shape: MouthShape, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The picture at mouth coordinates u, v (both (h, w), eye distances): (h, w, 3) uint8 RGB."""
    x = shape.origin_xy[0] + shape.eye_px * (u * shape.axes[0, 0] + v * shape.axes[1, 0])
    y = shape.origin_xy[1] + shape.eye_px * (u * shape.axes[0, 1] + v * shape.axes[1, 1])
    maps = x.astype(np.float32), y.astype(np.float32)
    return cv2.remap(frame, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def skin_tone(frame: np.ndarray, shape: MouthShape) -> np.ndarray:
    """(3,) float32 RGB of the skin beside and below the mouth: the median of three small patches."""
    places = np.array([[-0.45, -0.1], [0.45, -0.1], [shape.middle, 0.55]])
    half = 0.04 * (np.arange(7) - 3) / 1.5
    tones = []
    for u, v in places:
        grid = np.meshgrid(u + half, v + half)
        tones.append(lip_chart(frame, shape, *grid).reshape(-1, 3).mean(0))
    return np.median(np.array(tones, np.float32), 0)


def redder_than_skin(colours: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """How much more saturated colours (..., 3) RGB are than the skin's (3,): lips and tongue above 0, teeth below."""
    saturation = 1 - colours.min(-1) / np.maximum(colours.max(-1), 1)
    return saturation - (1 - skin.min() / max(float(skin.max()), 1.0))


def follow_lips(frame: np.ndarray, shape: MouthShape) -> MouthShape:
    """`shape` with its lip curves on the edges seen in `frame` ((H, W, 3) uint8 RGB)."""
    shut = _shut(frame, shape)
    ends = smoothstep((1 - np.abs(shape.position())) / 0.25)
    up, low, seam = (np.zeros_like(shape.u) for _ in range(3))
    if shut < 1:
        up = _edge_offset(frame, shape, (shape.upper, shape.outer_upper, shape.lower), 1.0) * ends
        low = _edge_offset(frame, shape, (shape.lower, shape.outer_lower, shape.upper), -1.0) * ends
    middle = (shape.upper + shape.lower) / 2
    if shut > 0:
        seam = _seam_offset(frame, shape, middle) * ends
    half = (shape.lower - shape.upper) / 2
    thin = middle + seam - np.minimum(half, 0.007), middle + seam + np.minimum(half, 0.007)
    upper = (1 - shut) * (shape.upper + up) + shut * thin[0]
    lower = (1 - shut) * (shape.lower + low) + shut * thin[1]
    return replace(shape, upper=upper, lower=np.maximum(lower, upper))


def _shut(frame: np.ndarray, shape: MouthShape) -> float:
    """0-1: whether the lips touch: by the mesh at small gaps, up to 0.11 by the picture if it shows nothing but lip."""
    by_mesh = float(1 - smoothstep((shape.gap - 0.03) / 0.035))
    unsure = float(1 - smoothstep((shape.gap - 0.06) / 0.05))
    if unsure <= by_mesh:
        return by_mesh
    v = shape.upper + np.linspace(0.1, 0.9, 9)[:, None] * (shape.lower - shape.upper)
    chart = lip_chart(frame, shape, np.broadcast_to(shape.u, v.shape), v)
    inside, skin = chart[:, np.abs(shape.position()) < 0.6].astype(np.float32), skin_tone(frame, shape)
    pale = smoothstep((0.05 - redder_than_skin(inside, skin)) / 0.08)
    dark = smoothstep((0.55 - inside.max(-1) / max(float(skin.max()), 1.0)) / 0.15)
    by_picture = float(1 - smoothstep((np.maximum(pale, dark).mean() - 0.08) / 0.2))
    return max(by_mesh, by_picture * unsure)


def _rows(count: int) -> np.ndarray:
    return np.arange(-count, count + 1)[:, None].astype(np.float64)


def _edge_offset(frame: np.ndarray, shape: MouthShape, lip: tuple[np.ndarray, ...], inward: float) -> np.ndarray:
    """(COLUMNS,) offsets in v from the mesh's inner curve to the lip's inner edge.

    Args:
        lip: v by the mesh of the lip's inner edge, its outer edge and the other lip's inner edge, (COLUMNS,) each.
        inward: 1 for the upper lip, -1 for the lower.
    """
    inner, outer, other = lip
    step = STEP + 0.022 * max(shape.gap - 0.16, 0.0)
    v = inner[None] + inward * step * _rows(SEARCH)  # rows run from the lip into the mouth
    unlike = unlike_lip(frame, shape, v, (inner, outer))
    inside = ((v - inner) * inward >= 0) & ((other - v) * inward > 0) & (np.abs(shape.position()) < 0.6)
    level = float(np.clip(np.percentile(unlike[inside], 75) if inside.any() else 1.0, 0.25, 1.0))
    evidence = 0.7 * (unlike / level - LIP_LIKE)
    thick = np.abs(inner - outer)[None]
    evidence = np.where((v - outer[None]) * inward < LIP_PART * thick, -0.2, evidence)
    evidence = np.where((other[None] - v) * inward < 0, 0.0, evidence)  # beyond the mouth: says nothing
    further_in = np.cumsum(evidence[::-1], 0)[::-1]  # what speaks for an edge here: all rows further in are mouth
    into_mouth = INWARD * np.maximum(_rows(SEARCH) / SEARCH, 0) ** 2  # teeth left on a lip are worse than lip cut off
    return inward * step * _expected(further_in - into_mouth)


def unlike_lip(frame: np.ndarray, shape: MouthShape, v: np.ndarray, lip: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """How little the picture looks like a lip there: 0 is the lip's colour, 1 quite another.

    Args:
        v: (rows, COLUMNS) where, over `shape.u`.
        lip: v of the lip's inner and outer edge by the mesh, (COLUMNS,) each; its colour is taken between them.
    """
    inner, outer = lip
    lip_v = outer + np.array([[0.2], [0.33], [0.45]]) * (inner - outer)  # the mesh's inner edge may lie on teeth
    rows = np.vstack([v, lip_v])
    chart = lip_chart(frame, shape, np.broadcast_to(shape.u, rows.shape), rows)
    lab = cv2.cvtColor(chart.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) / LAB_SPREAD
    colour = cv2.GaussianBlur(lab[len(v) :], (21, 1), 5.0, borderType=cv2.BORDER_REPLICATE)
    away = np.linalg.norm(lab[None, : len(v)] - colour[:, None], axis=-1).min(0)  # to the nearest of them
    return np.minimum(away, 3.0) / 3


def _seam_offset(frame: np.ndarray, shape: MouthShape, curve: np.ndarray) -> np.ndarray:
    """(COLUMNS,) offsets in v from `curve` to the dark line between closed lips."""
    v = curve[None] + STEP * _rows(SEARCH + LINE_ROWS)
    chart = lip_chart(frame, shape, np.broadcast_to(shape.u, v.shape), v)
    light = chart.astype(np.float32) @ LUMA
    spread = max(float(light.std()), 6.0)
    around = cv2.blur(light, (1, 2 * LINE_ROWS + 1), borderType=cv2.BORDER_REPLICATE)
    line = cv2.blur(light, (1, 3), borderType=cv2.BORDER_REPLICATE)
    return STEP * _expected(((around - line) / spread)[LINE_ROWS : LINE_ROWS + 2 * SEARCH + 1] * 1.8)


def _expected(evidence: np.ndarray) -> np.ndarray:
    """(COLUMNS,) softmax-weighted offset in rows from evidence (2 SEARCH + 1, COLUMNS), pooled along the mouth."""
    rows = _rows(SEARCH)
    pooled = cv2.GaussianBlur(evidence.astype(np.float32), (15, 1), 3.0, borderType=cv2.BORDER_REPLICATE)
    score = SHARPNESS * (pooled - PRIOR * (rows / SEARCH) ** 2)
    weight = np.exp(score - score.max(0))
    return FIT @ ((weight * rows).sum(0) / weight.sum(0))


def _parabola_fit() -> np.ndarray:
    """(COLUMNS, COLUMNS) that replaces samples along the mouth by their least-squares parabola: lips do not ripple."""
    powers = np.vander(np.linspace(-1, 1, COLUMNS), 3)
    weight = np.diag(0.15 + 0.85 * smoothstep((1 - np.abs(powers[:, 1])) / 0.3))  # corners count little
    return powers @ np.linalg.solve(powers.T @ weight @ powers, powers.T @ weight)


FIT = _parabola_fit()
