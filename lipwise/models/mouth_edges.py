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
LIP_ROWS, INSIDE_ROWS = 4, 3  # rows compared on the lip's and the mouth's side of an edge
LAB_SPREAD = np.array([13.0, 7.0, 9.0], np.float32)  # differences in L*, a*, b* that matter
SHARPNESS = 7.0  # of the softmax over offsets
PRIOR = 0.10  # what an offset at the end of the search costs, in evidence


def lip_chart(frame: np.ndarray, shape: MouthShape, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The picture at mouth coordinates u, v (both (h, w), eye distances): (h, w, 3) uint8 RGB."""
    x = shape.origin_xy[0] + shape.eye_px * (u * shape.axes[0, 0] + v * shape.axes[1, 0])
    y = shape.origin_xy[1] + shape.eye_px * (u * shape.axes[0, 1] + v * shape.axes[1, 1])
    maps = x.astype(np.float32), y.astype(np.float32)
    return cv2.remap(frame, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def follow_lips(frame: np.ndarray, shape: MouthShape) -> MouthShape:
    """`shape` with its lip curves on the edges seen in `frame` ((H, W, 3) uint8 RGB)."""
    shut = float(1 - smoothstep((shape.gap - 0.03) / 0.035))
    ends = smoothstep((1 - np.abs(shape.position())) / 0.25)
    up, low, seam = (np.zeros_like(shape.u) for _ in range(3))
    if shut < 1:
        up = _edge_offset(frame, shape, (shape.upper, shape.outer_upper), 1.0) * ends
        low = _edge_offset(frame, shape, (shape.lower, shape.outer_lower), -1.0) * ends
    middle = (shape.upper + shape.lower) / 2
    if shut > 0:
        seam = _seam_offset(frame, shape, middle) * ends
    half = (shape.lower - shape.upper) / 2
    thin = middle + seam - np.minimum(half, 0.007), middle + seam + np.minimum(half, 0.007)
    upper = (1 - shut) * (shape.upper + up) + shut * thin[0]
    lower = (1 - shut) * (shape.lower + low) + shut * thin[1]
    return replace(shape, upper=upper, lower=np.maximum(lower, upper))


def _rows(count: int) -> np.ndarray:
    return np.arange(-count, count + 1)[:, None].astype(np.float64)


def _edge_offset(
    frame: np.ndarray, shape: MouthShape, lip: tuple[np.ndarray, np.ndarray], inward: float
) -> np.ndarray:
    """(COLUMNS,) offsets in v from the mesh's inner curve to the lip's inner edge.

    Args:
        lip: v of the lip's inner and outer edge by the mesh, (COLUMNS,) each.
        inward: 1 for the upper lip, -1 for the lower.
    """
    inner, outer = lip
    step = STEP + 0.022 * max(shape.gap - 0.16, 0.0)
    v = inner[None] + inward * step * _rows(SEARCH + LIP_ROWS)  # rows run from the lip into the mouth
    unlike = _unlike_lip(frame, shape, v, outer + np.array([[0.2], [0.35], [0.5]]) * (inner - outer))
    outside = (v - outer[None]) * inward < 0.15 * np.abs(inner - outer)[None]
    unlike = np.where(outside, 0.0, unlike)  # skin beyond the lip says nothing
    total = np.vstack([np.zeros((1, unlike.shape[1])), np.cumsum(unlike, 0)])
    edge = np.arange(2 * SEARCH + 1) + LIP_ROWS  # rows [edge - LIP_ROWS, edge) are lip, [edge, edge + INSIDE) mouth
    before = (total[edge] - total[edge - LIP_ROWS]) / LIP_ROWS
    after = (total[edge + INSIDE_ROWS] - total[edge]) / INSIDE_ROWS
    return inward * step * _expected(after - before)


def _unlike_lip(frame: np.ndarray, shape: MouthShape, v: np.ndarray, lip_v: np.ndarray) -> np.ndarray:
    """0 where the chart at rows v has the colour found at the rows lip_v, to 1 where it is quite another."""
    rows = np.vstack([v, lip_v])
    chart = lip_chart(frame, shape, np.broadcast_to(shape.u, rows.shape), rows)
    lab = cv2.cvtColor(chart.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lip = np.median(lab[len(v) :, np.abs(shape.position()) < 0.75].reshape(-1, 3), 0)
    return np.minimum(np.linalg.norm((lab[: len(v)] - lip) / LAB_SPREAD, axis=-1), 3.0) / 3


def _seam_offset(frame: np.ndarray, shape: MouthShape, curve: np.ndarray) -> np.ndarray:
    """(COLUMNS,) offsets in v from `curve` to the dark line between closed lips."""
    v = curve[None] + STEP * _rows(SEARCH + LIP_ROWS)
    chart = lip_chart(frame, shape, np.broadcast_to(shape.u, v.shape), v)
    light = chart.astype(np.float32) @ np.float32([0.299, 0.587, 0.114])
    spread = max(float(light.std()), 6.0)
    around = cv2.blur(light, (1, 2 * LIP_ROWS + 1), borderType=cv2.BORDER_REPLICATE)
    line = cv2.blur(light, (1, 3), borderType=cv2.BORDER_REPLICATE)
    return STEP * _expected(((around - line) / spread)[LIP_ROWS : LIP_ROWS + 2 * SEARCH + 1] * 0.6)


def _expected(evidence: np.ndarray) -> np.ndarray:
    """(COLUMNS,) softmax-weighted offset in rows from evidence (2 SEARCH + 1, COLUMNS), pooled along the mouth."""
    rows = _rows(SEARCH)
    pooled = cv2.GaussianBlur(evidence.astype(np.float32), (15, 1), 3.0, borderType=cv2.BORDER_REPLICATE)
    score = SHARPNESS * (pooled - PRIOR * (rows / SEARCH) ** 2) * 3
    weight = np.exp(score - score.max(0))
    return FIT @ ((weight * rows).sum(0) / weight.sum(0))


def _cubic_fit() -> np.ndarray:
    """(COLUMNS, COLUMNS) that replaces samples along the mouth by their least-squares cubic: lips do not ripple."""
    powers = np.vander(np.linspace(-1, 1, COLUMNS), 4)
    weight = np.diag(0.15 + 0.85 * smoothstep((1 - np.abs(powers[:, 2])) / 0.3))  # corners count little
    return powers @ np.linalg.solve(powers.T @ weight @ powers, powers.T @ weight)


FIT = _cubic_fit()
