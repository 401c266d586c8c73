"""What a clip's mouth looks like: its usual width, its colours and, when it ever opens, its own teeth.

Measured once per clip. The teeth come from the sharpest well-lit frame in which the mouth is open, so that every
opened mouth of the clip shows the same ones.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import cv2
import numpy as np

from lipwise.errors import FaceError
from lipwise.landmarks import eye_distance, mouth_gap, mouth_width
from lipwise.models.mouth_edges import LUMA, follow_lips, lip_chart, redder_than_skin, skin_tone, unlike_lip
from lipwise.models.mouth_shape import MouthShape, mouth_shape, smoothstep, yaw_degrees

CANDIDATES = 5  # frames looked at for teeth; one more is read for the skin's tone
TEXTURE_SPAN = 0.55  # the texture reaches this far to either side of the middle of the lips
TEXTURE_DEPTH = 0.42  # and this far below the upper lip
TEXTURE_PX = 150.0  # most pixels an eye distance is stored with
RIM = 0.012  # strip along the lips that carries their colour
TRIM_STEP, TRIM_ROWS = 0.01, 9  # where a strip of lip may be cut off the texture: up to 0.09 eye distances
SMALLEST_OPENING = 0.055  # gap from which a frame can show teeth
# Share of the skin's brightness in R, G, B: throat, tongue and shaded teeth of speakers in the shade of their lips.
THROAT, TONGUE, TEETH = (0.36, 0.17, 0.16), (0.78, 0.42, 0.40), (1.08, 1.00, 0.90)


@dataclass(frozen=True, eq=False)
class MouthLook:
    """Statistics of one clip's mouth; plain arrays, so that a run can store them.

    Attributes:
        width: () median distance of the inner mouth corners in eye distances.
        skin: () brightness of the skin round the mouth, 0-255, where the texture was taken.
        colours: (3, 3) float32 RGB 0-255 of throat, tongue and teeth for what the texture does not show.
        texture: (h, w, 3) uint8 RGB, the inside of the open mouth: rows from the upper lip down, columns along it.
        mask: (h, w) uint8, 255 where the texture really shows the inside. All 0 when the clip never opens.
        edge: (w,) float32, row of the lower lip in each column of the texture.
        scale: () pixels of the texture per eye distance.
        height: () v of the upper lip above the nose's base where the texture was taken; a lower lip hides more teeth.
        split: () eye distances below the upper lip where its teeth end: above hangs on the skull, below on the jaw.
    """

    width: np.ndarray
    skin: np.ndarray
    colours: np.ndarray
    texture: np.ndarray
    mask: np.ndarray
    edge: np.ndarray
    scale: np.ndarray
    height: np.ndarray
    split: np.ndarray

    def to_arrays(self) -> dict[str, np.ndarray]:
        """One array per attribute, ready for `numpy.savez`."""
        return {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "MouthLook":
        """The look that `to_arrays` gave; other keys are ignored.

        Raises:
            KeyError: an attribute is missing.
        """
        return cls(**{f.name: np.asarray(arrays[f.name]) for f in fields(cls)})

    @property
    def has_teeth(self) -> bool:
        """Whether the clip ever shows the inside of the mouth."""
        return bool(self.mask.any())


def measure_look(mesh_xy: np.ndarray, read_frame: Callable[[int], np.ndarray]) -> MouthLook:
    """Look at a clip's mouth once.

    Args:
        mesh_xy: (T, 468, 2) mesh points in frame pixels, NaN rows where there is no face.
        read_frame: gives frame number i as (H, W, 3) uint8 RGB; called for at most six frames.

    Raises:
        ValueError: wrong shape.
        FaceError: no row holds a face.
    """
    if mesh_xy.ndim != 3 or mesh_xy.shape[1:] != (468, 2):
        raise ValueError(f"expected mesh_xy (T, 468, 2), got {mesh_xy.shape}")
    seen = np.flatnonzero(np.isfinite(mesh_xy).all((1, 2)))
    if len(seen) == 0:
        raise FaceError(
            "The mouth cannot be measured",
            cause=f"none of {len(mesh_xy)} frames has mesh points",
            next_step="check the face track, or choose a clip in which the face is seen",
        )
    points = mesh_xy[seen]
    chosen = _candidates(points) or [int(np.argsort(mouth_gap(points))[len(points) // 2])]
    views = [_view(read_frame(int(seen[i])), mouth_shape(points[i])) for i in chosen]
    best = max(views, key=lambda view: view.score)
    width, skin, scale, height, split = (
        np.asarray(number, np.float32)
        for number in (np.median(mouth_width(points)), _luma(best.skin), best.scale, best.height, best.split)
    )
    colours = _colours(best.skin, best.texture, best.mask)
    return MouthLook(width, skin, colours, best.texture, best.mask, best.edge, scale, height, split)


def lip_height(shape: MouthShape, upper: np.ndarray) -> float:
    """Distance from the nose's base down to the middle of the upper lip's inner edge `upper`, eye distances."""
    return float(np.interp(shape.middle, shape.u, upper) - shape.nose_uv[1])


def _luma(colour: np.ndarray) -> float:
    return float(colour @ LUMA)


def _candidates(points: np.ndarray) -> list[int]:
    """Rows that promise open, frontal, steady mouths, best first, spread over the clip."""
    gap, size = mouth_gap(points), eye_distance(points)
    centre = points[:, [13, 14]].mean(1)
    speed = np.linalg.norm(np.gradient(centre, axis=0), axis=1) / size if len(points) > 1 else np.zeros(1)
    score = np.minimum(gap, 0.28) - 0.6 * np.maximum(gap - 0.36, 0) - 1.0 * speed - np.abs(yaw_degrees(points)) / 250
    score = np.where(gap >= SMALLEST_OPENING, score, -np.inf)
    chosen: list[int] = []
    apart = max(len(points) // 20, 1)
    for i in np.argsort(-score, kind="stable"):
        if not np.isfinite(score[i]) or len(chosen) == CANDIDATES:
            break
        if all(abs(int(i) - j) >= apart for j in chosen):
            chosen.append(int(i))
    return chosen


class _View(NamedTuple):
    """What one frame tells of the inside of the mouth; names as in `MouthLook`, `skin` as RGB."""

    skin: np.ndarray
    texture: np.ndarray
    mask: np.ndarray
    edge: np.ndarray
    scale: float
    height: float
    split: float
    score: float


def _view(frame: np.ndarray, mesh_shape: MouthShape) -> _View:
    """Cut the inside of the mouth out of one frame; its score is 0 when there is nothing to be seen."""
    skin, found = skin_tone(frame, mesh_shape), follow_lips(frame, mesh_shape)
    trimmed = _without_lips(frame, found, skin)
    shape = trimmed or found
    scale = min(max(shape.eye_px, 24.0), TEXTURE_PX)
    along = np.arange(-TEXTURE_SPAN, TEXTURE_SPAN, 1 / scale) + shape.middle
    rows = np.arange(0, TEXTURE_DEPTH, 1 / scale)[:, None]
    top = np.interp(along, shape.u, shape.upper)
    room = np.maximum(np.interp(along, shape.u, shape.lower - shape.upper, left=0, right=0) - RIM, 0)
    texture = lip_chart(frame, shape, *np.broadcast_arrays(along[None], top[None] + rows + RIM / 2))
    seen = np.clip((room[None] - rows) / RIM + 1, 0, 1) * smoothstep(room[None] / 0.03)
    opened = trimmed is not None and min(mesh_shape.gap, 1.4 * float(room.max())) >= SMALLEST_OPENING
    split, score = 0.0, 0.0
    if opened:
        light = texture.astype(np.float32) @ LUMA
        split, teeth = _teeth_end(light, texture, seen, scale)
        sharp = float(np.abs(cv2.Laplacian(light, cv2.CV_32F))[seen > 0.5].mean()) * scale / max(_luma(skin), 20)
        score = (0.15 + min(teeth, 0.5)) * (0.3 + min(sharp / 60, 1.0)) * min(float(room.max()) / 0.26, 1.0)
    height = lip_height(shape, shape.upper)
    mask, edge = np.round(255 * seen * opened).astype(np.uint8), (room * scale).astype(np.float32)
    return _View(skin, texture, mask, edge, scale, height, split, score)


def _without_lips(frame: np.ndarray, shape: MouthShape, skin: np.ndarray) -> MouthShape | None:
    """The opening without strips of lip along its rims (a ghost of a second lip later); None when all looks like lip.

    Above, whatever is as red as skin and bright is lip or gum; below, where the tongue is red too, only the lip's own
    colour counts.
    """
    middle = np.abs(shape.position()) < 0.55
    rows = TRIM_STEP * (np.arange(TRIM_ROWS)[:, None] + 0.5)
    u = np.broadcast_to(shape.u, (TRIM_ROWS, len(shape.u)))
    rim = lip_chart(frame, shape, u, shape.upper + rows)[:, middle].astype(np.float32)
    flesh = (redder_than_skin(rim, skin) > 0.05) & (rim.max(-1) > 0.5 * skin.max())
    lip = unlike_lip(frame, shape, shape.lower - rows, (shape.lower, shape.outer_lower))[:, middle] < 0.33
    above, below = (int(np.argmin(np.append(strip.mean(1) > 0.4, False))) for strip in (flesh, lip))
    if above == TRIM_ROWS:
        return None
    ends = smoothstep((1 - np.abs(shape.position())) / 0.3)
    upper = shape.upper + above * TRIM_STEP * ends
    return replace(shape, upper=upper, lower=np.maximum(shape.lower - below * TRIM_STEP * ends, upper))


def _teeth_end(light: np.ndarray, texture: np.ndarray, seen: np.ndarray, scale: float) -> tuple[float, float]:
    """Where the upper teeth end below the lip (eye distances), and how much of the upper part is teeth (0-1)."""
    middle = light.shape[1] // 2
    half = max(int(0.14 * scale), 2)
    columns = slice(middle - half, middle + half + 1)
    weight = seen[:, columns]
    profile = (light[:, columns] * weight).sum(1) / np.maximum(weight.sum(1), 1e-3)
    valid = np.flatnonzero(weight.mean(1) > 0.5)
    if len(valid) < 3:
        return 0.03, 0.0
    profile = profile[valid[0] : valid[-1] + 1]
    smooth = cv2.GaussianBlur(profile[:, None], (1, 3), 0).ravel()
    drop = smooth[:-1] - smooth[1:]
    limit = max(int(0.17 * scale), 2)
    at = int(np.argmax(drop[:limit])) if len(drop) else 0
    peak, floor = float(smooth[: at + 1].max()), float(smooth[at + 1 : at + 1 + limit].min())
    clear = float(smoothstep((peak - floor) / max(peak, 1) / 0.25))
    rgb = texture[valid[0] : valid[0] + limit, columns].astype(np.float32)
    pale = (rgb.min(-1) / np.maximum(rgb.max(-1), 1) > 0.72) & (rgb.max(-1) > 0.55 * max(peak, 60))
    full = (valid[-1] + 1) / scale
    split = clear * (valid[0] + at + 1) / scale + (1 - clear) * full
    return float(np.clip(split, 0.02, 0.17)), float(pale.mean())


def _colours(skin: np.ndarray, texture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(3, 3) throat, tongue, teeth by the skin's brightness; the throat as dark as the clip's own where it is seen."""
    colours = _luma(skin) * np.array([THROAT, TONGUE, TEETH], np.float32)
    inside = texture[mask > 200].astype(np.float32)
    if len(inside) > 50:
        dark = inside[inside @ LUMA <= np.percentile(inside @ LUMA, 12)].mean(0)
        share = float(smoothstep((0.5 * _luma(skin) - _luma(dark)) / (0.25 * _luma(skin))))
        colours[0] = share * dark + (1 - share) * colours[0]
    return colours
