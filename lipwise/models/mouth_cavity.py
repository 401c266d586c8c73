"""Paints the inside of an opened mouth: the clip's own teeth where it ever showed them, quiet shading elsewhere.

Upper teeth stay with the upper lip (they hang on the skull), lower teeth and tongue with the lower lip (they hang on
the jaw); what lies between is dark. So the same teeth come out and go back as the mouth opens and closes.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from lipwise.models.mouth_look import MouthLook
from lipwise.models.mouth_shape import smoothstep

SOFT = 0.016  # over which parts of the inside run into each other, eye distances
BAND = 0.062  # height of the upper teeth that a speaker shows, where the clip never did
SHADOW = 0.10  # below the upper teeth, over which their shadow lightens
TONGUE_GAP = (0.10, 0.24)  # gap at which the tongue begins to be seen, and is


@dataclass(frozen=True, eq=False)
class Inside:
    """Places inside the new mouth; arrays (h, w), eye distances.

    Attributes:
        u: along the mouth from the middle of the lips, in the picture (teeth do not shrink with the lips).
        depth: below the new upper lip. room: distance of the new lips in this column.
        place: -1 to 1 from corner to corner.
        gap: the wanted gap.
        covered: how much lower the upper lip hangs than where the teeth were taken: so much of them it hides.
    """

    u: np.ndarray
    depth: np.ndarray
    room: np.ndarray
    place: np.ndarray
    gap: float
    covered: float


def paint_inside(inside: Inside, look: MouthLook, brightness: float) -> np.ndarray:
    """(h, w, 3) float32 RGB 0-255 of the inside of a mouth.

    Args:
        brightness: of the skin now, relative to where `look` was taken.
    """
    colour = _plain(inside, look)
    if look.has_teeth:
        colour = _with_texture(colour, inside, look)
    shade = _shade(inside)
    return np.clip(colour * (brightness * shade)[..., None], 0, 255)


def _plain(inside: Inside, look: MouthLook) -> np.ndarray:
    """Throat, a hint of tongue above the lower lip and, for clips without any, a soft band of teeth."""
    throat, tongue, teeth = look.colours.astype(np.float32)
    side = np.abs(inside.place)
    height = inside.room - inside.depth  # above the lower lip
    rise = (0.42 * inside.room * (1 - 0.55 * (side / 0.75) ** 2)).clip(1e-3)
    seen = smoothstep((inside.gap - TONGUE_GAP[0]) / (TONGUE_GAP[1] - TONGUE_GAP[0]))
    hump = smoothstep((rise - height) / np.maximum(0.55 * rise, 0.01)) * smoothstep((0.82 - side) / 0.4) * 0.85 * seen
    deep = 0.62 + 0.38 * smoothstep(np.maximum(side - 0.1, 0.15 - height) / 0.8 + 0.25)
    colour = throat * deep[..., None]
    colour = colour + (tongue * (0.8 + 0.2 * smoothstep((rise - height) / rise))[..., None] - colour) * hump[..., None]
    if not look.has_teeth:
        band = _tooth_band(inside)
        colour = colour + (teeth - colour) * band[..., None]
    return colour.astype(np.float32)


def _tooth_band(inside: Inside) -> np.ndarray:
    """(h, w) cover of a plain row of upper teeth: shaded, scalloped, gone towards the corners."""
    u = np.abs(inside.u)
    # Incisors, canine and premolar of one side: 8.5, 6.5, 6 and 4.5 mm seen from the front, eyes 63 mm apart.
    centres, halves = np.array([0.066, 0.183, 0.282, 0.366]), np.array([0.066, 0.051, 0.048, 0.036])
    which = np.clip(np.searchsorted(centres + halves, u), 0, 3)
    away = np.clip(np.abs(u - centres[which]) / halves[which], 0, 1)
    shown = BAND * (0.75 + 0.25 * smoothstep(inside.gap / 0.2))
    length = shown * np.array([1.0, 0.88, 0.92, 0.8])[which] * (1 - 0.12 * away**4)
    lower_edge = smoothstep((length - inside.depth) / 0.018)
    under_lip = 0.45 + 0.55 * smoothstep(inside.depth / 0.045)
    joints = 1 - 0.16 * smoothstep((away - 0.82) / 0.18)
    return lower_edge * under_lip * joints * smoothstep((0.34 - u) / 0.20) * 0.80


def _with_texture(colour: np.ndarray, inside: Inside, look: MouthLook) -> np.ndarray:
    """The clip's own inside over the plain one."""
    scale, split = float(look.scale), float(look.split)
    width = look.mask.shape[1]
    column = ((inside.u * scale) + (width - 1) / 2).astype(np.float32)
    room = np.interp(column, np.arange(width), look.edge / scale)
    hidden = float(np.clip(inside.covered, 0, 0.45 * split))
    from_top = inside.depth + hidden
    from_bottom = room - (inside.room - inside.depth)
    below_teeth = smoothstep((from_top - split) / SHADOW)[..., None]
    colour = colour * (0.6 + 0.4 * below_teeth).astype(np.float32)
    hang = smoothstep((split - from_top) / SOFT + 0.5)
    jaw = (1 - hang) * smoothstep((from_bottom - split) / SOFT + 0.5)
    shut = np.clip(1 - inside.room.max() / max(float(room.max()), 1e-3), 0, 1)  # less light falls into a narrower mouth
    for depth, weight, light in ((from_bottom, jaw, 0.9 - 0.4 * shut), (from_top, hang, 1.0)):
        row = (depth * scale).astype(np.float32)
        texture = cv2.remap(look.texture, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        mask = cv2.remap(look.mask, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        cover = (mask.astype(np.float32) * (weight / 255)).astype(np.float32)[..., None]
        colour = colour + (texture * np.float32(light) - colour) * cover
    return colour


def _shade(inside: Inside) -> np.ndarray:
    """(h, w) darkening towards the corners and just inside the lips."""
    corner = 0.45 + 0.55 * smoothstep((1 - np.abs(inside.place)) / 0.40)
    upper = 0.78 + 0.22 * smoothstep(inside.depth / 0.05)
    lower = 0.85 + 0.15 * smoothstep((inside.room - inside.depth) / 0.05)
    return (corner * upper * lower).astype(np.float32)
