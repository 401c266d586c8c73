"""The face as SyncNet wants it: in the upper middle of a square crop, steady from frame to frame.

The rule is that of run_pipeline.py (`crop_video`) of github.com/joonson/syncnet_python, by which the published scores
are taken: a box's middle and half its longer side, each through a median of 13 frames; the square begins half a side
above the middle and ends 1.8 halves below it; outside the frame there is grey. Its detector is S3FD; the detectors here
were trained on the same boxes (WIDER FACE), but their own boxes are not equal to it.
"""

import cv2
import numpy as np

MEDIAN_FRAMES = 13
MARGIN = 0.4  # of half the face's longer side, left and right; twice that below
GREY = 110


def sync_squares(boxes_xyxy: np.ndarray) -> np.ndarray:
    """Where the face is in consecutive frames of one shot, without the detector's stray boxes.

    Towards the ends the median takes zeros for the frames that are missing, as the reference does, which gives the
    smallest of the frames near. Under 13 frames it is as long as the largest odd number of them.

    Args:
        boxes_xyxy: (n, 4) pixels, n >= 1, none NaN.

    Returns:
        (n, 3) float64: x and y of the middle, and half the longer side.
    """
    from scipy.signal import medfilt

    if boxes_xyxy.ndim != 2 or boxes_xyxy.shape[1] != 4 or not len(boxes_xyxy):
        raise ValueError(f"expected boxes (n, 4) with n >= 1, got {boxes_xyxy.shape}")
    first, last = np.split(boxes_xyxy.astype(np.float64), 2, axis=1)  # (n, 2) each
    squares = np.column_stack(((first + last) / 2, (last - first).max(axis=1) / 2))
    length = min(MEDIAN_FRAMES, len(squares) - 1 + len(squares) % 2)
    return np.column_stack([medfilt(values, length) for values in squares.T])


def sync_crop(frame: np.ndarray, square: np.ndarray, size: int) -> np.ndarray:
    """Cut one face out.

    Args:
        frame: (H, W, 3) uint8.
        square: (3,) a row of `sync_squares`.
        size: the network's `crop_size`, 224.

    Returns:
        (size, size, 3) uint8 in the frame's colour order.
    """
    x, y, half = (float(value) for value in square)
    side = half * (1 + MARGIN)
    corners = np.floor((x - side, y - half, x + side, y + half * (1 + 2 * MARGIN))).astype(int)
    x0, y0, x1, y1 = (int(corner) for corner in corners)
    crop = np.full((max(1, y1 - y0), max(1, x1 - x0), 3), GREY, np.uint8)
    inside = frame[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
    if inside.size:
        top, left = max(-y0, 0), max(-x0, 0)
        crop[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return cv2.resize(crop, (size, size), interpolation=cv2.INTER_LINEAR)
