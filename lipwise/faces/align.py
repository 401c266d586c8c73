"""Faces brought to the place and size that restoring networks were trained on, and back.

The template is FFHQ's at 512 x 512 px, as facexlib and GFPGAN use it. A face is moved onto it by turning, scaling and
shifting only (least squares over its five points), so that going back is exact. What comes back is the *change* that
was made to the aligned face: where nothing was changed the frame stays as it is, bit for bit, and detail of the frame
that is finer than 512 px for a face stays, too.
"""

import cv2
import numpy as np

from lipwise.faces.crop import Box, clip_box
from lipwise.faces.smooth import find_runs
from lipwise.landmarks import NOSE_TIP, eye_centres

ALIGNED_PX = 512
# Right eye, left eye, nose, right and left mouth corner of the person, whose right is on the left of the picture.
FFHQ_TEMPLATE = np.array(
    [
        (192.98138, 239.94708),
        (318.90277, 240.1936),
        (256.63416, 314.01935),
        (201.26117, 371.41043),
        (313.08905, 371.15118),
    ]
)
# Gaussian over neighbouring frames, in frames: takes off the trembling. A quick nod moves the face in its crop by a few
# pixels for it, which does no harm.
STEADY_FRAMES = 2.0
# A face that strays from its mean place by less than this, in pixels of the aligned face, is taken to be still: what is
# seen is the mesh following a camera's noise and an encoder's keyframes. The mean is a Gaussian of so many frames.
STILL_PX, STILL_FRAMES = 2.0, 50.0

_MOUTH_CORNERS = np.array([61, 291])  # outer, as the template has them
_KERNEL_REACH = 4  # px that cubic interpolation and the low-pass look at beyond a pixel


def five_points(mesh_xy: np.ndarray) -> np.ndarray:
    """The template's five points, (..., 5, 2) float64, from mesh points (..., 468, 2)."""
    right_eye, left_eye = eye_centres(mesh_xy)
    corners = mesh_xy[..., _MOUTH_CORNERS, :]
    points = [right_eye, left_eye, mesh_xy[..., NOSE_TIP, :], corners[..., 0, :], corners[..., 1, :]]
    return np.stack(points, axis=-2).astype(np.float64)


def steady_points(mesh_xy: np.ndarray, shot: np.ndarray, *, sigma: float = STEADY_FRAMES) -> np.ndarray:
    """The five points of a whole clip, smoothed in each shot so that crops made with them do not tremble.

    A face that moves is followed, `sigma` frames smooth; one that is still is held, because any trembling of its crop
    would come back from the restorer as flicker.

    Args:
        mesh_xy: (T, 468, 2), NaN rows where there is no face.
        shot: (T,) int, number of the shot of each frame.
        sigma: of the centred Gaussian, in frames; 0 neither smooths nor holds.

    Returns:
        (T, 5, 2) float64, NaN rows where there is no face.
    """
    points = five_points(mesh_xy)
    if sigma > 0:
        for run in find_runs(np.isfinite(points[:, 0, 0]), np.asarray(shot)):
            points[run] = _held(points[run], sigma)
    return points


def _held(points_xy: np.ndarray, sigma: float) -> np.ndarray:
    """The same for one run of frames (N, 5, 2): near the mean where it hardly strays, as it moves where it does."""
    from scipy.ndimage import gaussian_filter1d

    # Mirrored at the ends, where a filter that keeps slopes would keep the noise of the last frame as well.
    follow, mean = (gaussian_filter1d(points_xy, width, axis=0, mode="reflect") for width in (sigma, STILL_FRAMES))
    away = follow - mean
    distance = np.sqrt(np.square(away).sum(-1).mean(-1)) * scale_of(align_matrix(mean))  # (N,) in aligned pixels
    return mean + away * (distance**2 / (distance**2 + STILL_PX**2))[:, None, None]


def align_matrix(points_xy: np.ndarray, *, size: int = ALIGNED_PX) -> np.ndarray:
    """The map that brings five points closest to the template: turn, scale and shift.

    In complex numbers it is z -> a z + b, whose least squares are a mean and a ratio (Umeyama, 1991, not mirrored).

    Args:
        points_xy: (5, 2) or (T, 5, 2) in frame pixels.
        size: side of the aligned face in pixels.

    Returns:
        (2, 3) or (T, 2, 3) float64, from frame pixels to the pixels of the aligned face. NaN where a point is NaN or
        all five are one.
    """
    shape = np.asarray(points_xy).shape
    if shape[-2:] != (5, 2):
        raise ValueError(f"expected points (..., 5, 2), got {shape}")
    given = np.asarray(points_xy, np.float64) @ (1, 1j)  # (..., 5)
    # Pixels are counted from their centres: a picture k times as large has the point x at k x + (k - 1) / 2.
    factor = size / ALIGNED_PX
    wanted = (FFHQ_TEMPLATE * factor + (factor - 1) / 2) @ (1, 1j)
    centred = given - given.mean(-1, keepdims=True)
    spread = (np.abs(centred) ** 2).sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        turn = np.where(
            spread > 0, (centred.conj() * (wanted - wanted.mean())).sum(-1) / spread, complex(np.nan, np.nan)
        )
    shift = wanted.mean() - turn * given.mean(-1)
    along, across = np.real(turn), np.imag(turn)
    first = np.stack([along, -across, np.real(shift)], -1)
    return np.stack([first, np.stack([across, along, np.imag(shift)], -1)], -2)


def scale_of(to_aligned: np.ndarray) -> np.ndarray:
    """How many aligned pixels one frame pixel becomes, (...,), for maps (..., 2, 3)."""
    return np.hypot(to_aligned[..., 0, 0], to_aligned[..., 1, 0])


def for_larger_frame(to_aligned: np.ndarray, size_wh: tuple[int, int], larger_wh: tuple[int, int]) -> np.ndarray:
    """The map (2, 3) for the same face in the same frame at another size."""
    ratio = np.array(size_wh) / np.array(larger_wh)
    result = to_aligned.copy()
    result[:, :2] = to_aligned[:, :2] * ratio
    result[:, 2] = to_aligned[:, 2] + to_aligned[:, :2] @ ((ratio - 1) / 2)
    return result


def align_face(frame: np.ndarray, to_aligned: np.ndarray, *, size: int = ALIGNED_PX) -> np.ndarray:
    """Cut the aligned face out of a frame; beyond the frame's border the picture is mirrored.

    Args:
        frame: (H, W, 3) of any type that OpenCV warps.
        to_aligned: (2, 3) from `align_matrix`.

    Returns:
        (size, size, 3) of the same type.
    """
    corners = np.array([(0, 0), (size, 0), (0, size), (size, size)], np.float64)
    back = cv2.invertAffineTransform(to_aligned)
    places = corners @ back[:, :2].T + back[:, 2]
    blur = _low_pass(float(scale_of(to_aligned)))
    # One pixel more than the kernels reach, so that the part's own border is never seen inside the frame.
    margin = _KERNEL_REACH + int(np.ceil(4 * blur))
    low, high = places.min(0) - margin, places.max(0) + margin
    box = clip_box((low[0], low[1], high[0], high[1]), (frame.shape[1], frame.shape[0]))
    part = np.ascontiguousarray(box.of(frame))
    if blur:
        part = cv2.GaussianBlur(part, (0, 0), blur, borderType=cv2.BORDER_REFLECT_101)
    local = to_aligned.copy()
    local[:, 2] += to_aligned[:, :2] @ box[:2]
    return cv2.warpAffine(part, local, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)


def _low_pass(scale: float) -> float:
    """Sigma, in pixels before, of the Gaussian that blurs as the mean over a pixel of `scale` does; 0 if it grows."""
    return float(np.sqrt((1 / scale**2 - 1) / 12)) if scale < 1 else 0.0


def paste_change(frame: np.ndarray, change: np.ndarray, to_aligned: np.ndarray) -> np.ndarray:
    """A copy of the frame to which the change of its aligned face is added.

    Args:
        frame: (H, W, 3) uint8 or uint16.
        change: (size, size, 3) float32 in units of 8 bits, faded out to 0 towards its border.
        to_aligned: (2, 3) from frame pixels to those of `change`.

    Returns:
        As `frame`; pixels that the change does not reach are the same, bit for bit.
    """
    result = frame.copy()
    scale = float(scale_of(to_aligned))
    box = _touched(change, to_aligned, (frame.shape[1], frame.shape[0]))
    if box is None:
        return result
    blur = _low_pass(1 / scale)
    if blur:
        change = cv2.GaussianBlur(change, (0, 0), blur, borderType=cv2.BORDER_CONSTANT)
    back = cv2.invertAffineTransform(to_aligned)
    back[:, 2] -= box[:2]
    moved = cv2.warpAffine(change, back, box.size_wh, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
    top = np.iinfo(frame.dtype).max
    target = box.of(result)
    target[:] = np.clip(np.rint(target + moved * np.float32(top / 255)), 0, top).astype(frame.dtype)
    return result


def _touched(change: np.ndarray, to_aligned: np.ndarray, size_wh: tuple[int, int]) -> Box | None:
    """The part of a frame that a change can reach; None when there is none."""
    x, y, width, height = cv2.boundingRect((np.abs(change).max(-1) > 0).astype(np.uint8))
    if not width:
        return None
    margin = _KERNEL_REACH + 4 * _low_pass(1 / float(scale_of(to_aligned)))
    left, top, right, bottom = x - margin, y - margin, x + width + margin, y + height + margin
    corners = np.array([(left, top), (right, top), (left, bottom), (right, bottom)])
    back = cv2.invertAffineTransform(to_aligned)
    places = corners @ back[:, :2].T + back[:, 2]
    low, high = np.floor(places.min(0)) - 1, np.ceil(places.max(0)) + 1
    if (high <= 0).any() or (low >= size_wh).any():
        return None
    return clip_box((low[0], low[1], high[0], high[1]), size_wh)
