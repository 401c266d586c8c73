"""How much a box trembles."""

import numpy as np

from lipwise.faces.smooth import find_runs


def jitter(boxes_xyxy: np.ndarray, shot: np.ndarray) -> float:
    """Mean acceleration of a box's middle relative to its size.

    Even motion has none, a nod has little, and what a detector adds from frame to frame is nearly all of it.

    Args:
        boxes_xyxy: (T, 4) in pixels, NaN where there is no face.
        shot: (T,) int, number of the shot; no acceleration is taken over a cut or a gap.

    Returns:
        Box sizes (root of the area) a frame squared; NaN where no three frames in a row have a face.
    """
    boxes = np.asarray(boxes_xyxy, np.float64)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    sizes = np.sqrt(np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-6), axis=1))
    parts = [
        np.linalg.norm(np.diff(centres[run], n=2, axis=0), axis=1) / sizes[run][1:-1]
        for run in find_runs(np.asarray(~np.isnan(boxes).any(axis=1)), shot)
        if run.stop - run.start >= 3
    ]
    return float(np.concatenate(parts).mean()) if parts else float("nan")
