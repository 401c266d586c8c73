"""Noticing that a frame repeats the one before, as photos and variable-rate clips do."""

import numpy as np

_STRIDE = 8  # few pixels answer for most frames


class RepeatedFrames:
    """Remembers the last frame it was shown, in memory of its own: a reader may use its buffer again."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None

    def is_repeat(self, frame: np.ndarray) -> bool:
        """Whether every pixel of a frame (H, W, 3) equals the last one's; remembers this one."""
        if self._last is not None and _equal(self._last, frame):
            return True
        self._last = frame.copy()
        return False


def _equal(one: np.ndarray, other: np.ndarray) -> bool:
    few = np.s_[::_STRIDE, ::_STRIDE]
    return np.array_equal(one[few], other[few]) and np.array_equal(one, other)
