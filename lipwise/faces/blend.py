"""Putting a generated crop back into its frame so that nobody sees where."""

from typing import Literal

import cv2
import numpy as np

from lipwise.faces.crop import Box
from lipwise.landmarks import CHIN, FACE_OVAL, NOSE_BASE, OUTER_LIPS, eye_centres, eye_distance

Region = Literal["mouth", "lower_face", "face", "rectangle"]

# How far each region reaches beyond its points, in eye distances: room for a mouth or jaw that opens further.
REACH = {"mouth": 0.30, "lower_face": 0.34, "face": 0.12}
MOST_SQUEEZE = 0.5  # how much of its size an outline keeps at least where it is drawn in to fit the crop


def region_polygon(mesh_xy: np.ndarray, region: Region) -> np.ndarray:
    """The convex outline of a region, (N, 2) float32, from mesh points (468, 2)."""
    if region == "mouth":
        points = mesh_xy[OUTER_LIPS]
    elif region == "face":
        points = mesh_xy[FACE_OVAL]
    else:
        right, left = eye_centres(mesh_xy)
        down = mesh_xy[CHIN] - (right + left) / 2
        oval = mesh_xy[FACE_OVAL]
        # Everything on the oval that lies lower than the nose does, measured along the face's own axis.
        height = (oval - mesh_xy[NOSE_BASE]) @ down
        points = np.vstack([oval[height > -0.08 * (down @ down)], mesh_xy[NOSE_BASE]])
    return cv2.convexHull(points.astype(np.float32))[:, 0]


def region_mask(
    mesh_xy: np.ndarray,
    size_wh: tuple[int, int],
    region: Region = "lower_face",
    *,
    feather: float = 0.18,
    moves_beyond: float = 0.0,
) -> np.ndarray:
    """A soft mask of a region.

    Where the crop has no room for a region's reach, as a face detector's box seldom has, the outline is drawn in
    towards the mouth on that side until it fits: it stays a face's outline and never runs along the crop's border.

    Args:
        mesh_xy: (468, 2) points in the pixels of the mask.
        size_wh: size of the mask.
        region: lips and their surroundings, lower face, whole face, or the hard-edged rectangle that shows in
            lessons why the others exist.
        feather: width of the soft edge in eye distances, at most the region's reach, so that the region itself is
            taken whole where there is room; the edge never touches the mask's own border.
        moves_beyond: how far outside the face the new crop still moves pixels, in eye distances; the mask reaches
            that much further, because blending moved with unmoved pixels shows an edge twice.

    Returns:
        (H, W) float32, 1 = take the new pixel.
    """
    width, height = size_wh
    if region == "rectangle":
        return np.ones((height, width), np.float32)
    unit = max(float(eye_distance(mesh_xy)), 1.0)
    outline = _grown(region_polygon(mesh_xy, region), REACH[region] * unit)
    outline = _grown(_fitted(outline, mesh_xy[OUTER_LIPS].mean(0), size_wh), moves_beyond * unit)
    canvas = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(canvas, np.round(outline * 16).astype(np.int32), 1, cv2.LINE_8, shift=4)
    soft = max(min(feather, REACH[region]) * unit, 1.0)
    ramp = np.minimum(cv2.distanceTransform(canvas, cv2.DIST_L2, 5) / soft, _border_ramp(width, height, soft))
    return (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)


def _grown(polygon: np.ndarray, distance: float) -> np.ndarray:
    """A convex polygon (N, 2) with its outline moved outward, its corners rounded."""
    if distance <= 0:
        return polygon
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    circle = distance * np.column_stack([np.cos(angle), np.sin(angle)])
    return cv2.convexHull((polygon[:, None] + circle).reshape(-1, 2).astype(np.float32))[:, 0]


def _fitted(outline: np.ndarray, centre: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """An outline (N, 2) squeezed towards a centre, on each side by as much as it needs to fit into the picture.

    At most to `MOST_SQUEEZE`: a face that runs out of the picture is cut off there.
    """
    from_centre = outline - centre
    last = np.array(size_wh) - 1
    for side, room in ((-1, centre), (1, last - centre)):
        furthest = np.maximum((side * from_centre).max(0), 1e-6)
        scale = np.clip(room / furthest, MOST_SQUEEZE, 1)
        from_centre = np.where(side * from_centre > 0, from_centre * scale, from_centre)
    return centre + from_centre


def _border_ramp(width: int, height: int, soft: float) -> np.ndarray:
    """0 on the border of a (height, width) picture, 1 from `soft` pixels inside on."""
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    across = np.minimum(x, width - 1 - x)[None, :]
    along = np.minimum(y, height - 1 - y)[:, None]
    return np.clip(np.minimum(across, along) / soft, 0, 1)


def match_colour(new: np.ndarray, old: np.ndarray, mask: np.ndarray, *, most_gain: float = 1.25) -> np.ndarray:
    """Give the new crop the colours the old one has on the ring where the two meet.

    Mean and spread of each channel are taken over the pixels where the mask is between 0 and 1, where old and new
    show the same skin, and matched with a gain of at most `most_gain` and at least its inverse.

    Args:
        new, old: (H, W, 3) uint8.  mask: (H, W) float32.

    Returns:
        (H, W, 3) float32, not clipped; `new` itself, as float32, when the ring has under 16 pixels.
    """
    ring = (mask > 0.02) & (mask < 0.98)
    result = new.astype(np.float32)
    if np.count_nonzero(ring) < 16:
        return result
    new_ring, old_ring = result[ring], old[ring].astype(np.float32)
    gain = np.clip((old_ring.std(0) + 1) / (new_ring.std(0) + 1), 1 / most_gain, most_gain)
    return (result - new_ring.mean(0)) * gain + old_ring.mean(0)


def paste(frame: np.ndarray, crop: np.ndarray, mask: np.ndarray, box: Box) -> np.ndarray:
    """A copy of the frame with a crop blended into a box.

    Args:
        frame: (H, W, 3) uint8.
        crop: (h, w, 3) of the box's size, uint8 or float32.
        mask: (h, w) float32, 1 = take the crop's pixel; where it is 0 the frame stays as it is, bit for bit.
    """
    if crop.shape[:2] != mask.shape or mask.shape[::-1] != box.size_wh:
        raise ValueError(
            f"expected crop and mask of size {box.size_wh}, got {crop.shape[1::-1]} and {mask.shape[::-1]}"
        )
    result = frame.copy()
    target = box.of(result)
    weight = mask[..., None]
    mixed = target + (crop.astype(np.float32) - target) * weight
    np.copyto(target, np.clip(np.rint(mixed), 0, 255).astype(np.uint8), where=weight > 0)
    return result


def seam_energy(result: np.ndarray, source: np.ndarray, mask: np.ndarray) -> float:
    """How much stronger the picture changes across the mask's border than it did before.

    The mean size of the brightness gradient, taken along the direction in which the mask rises, over the pixels of
    the border, in the result divided by that in the source. 1 is no seam; a visible edge is well above.

    Args:
        result, source: (H, W, 3) uint8.  mask: (H, W) float32; its border is where it is between 0.02 and 0.98, or
            the two pixels either side of a hard edge.
    """
    soft = cv2.GaussianBlur(mask, (0, 0), 1.0)

    def slope(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return cv2.Sobel(picture, cv2.CV_32F, 0, 1, scale=1 / 8), cv2.Sobel(picture, cv2.CV_32F, 1, 0, scale=1 / 8)

    down, right = slope(soft)
    steep = np.hypot(down, right)
    border = (soft > 0.02) & (soft < 0.98) & (steep > 1e-4)
    if not border.any():
        return 1.0
    normal = down[border] / steep[border], right[border] / steep[border]

    def across(picture: np.ndarray) -> float:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        along, beside = slope(grey)
        return float(np.abs(along[border] * normal[0] + beside[border] * normal[1]).mean())

    return (across(result) + 0.5) / (across(source) + 0.5)
