"""Noticing that a frame repeats the one before, as photos and variable-rate clips do."""

import numpy as np

_STRIDE = 8  # a sparse copy answers for most frames, and is right even if a reader reuses its buffer


class RepeatedFrames:
    """Remembers the last frame it was shown."""

    def __init__(self) -> None:
        self._last: tuple[np.ndarray, np.ndarray] | None = None

    def is_repeat(self, frame: np.ndarray) -> bool:
        """Whether every pixel of a frame (H, W, 3) equals the last one's; remembers this one."""
        sample = frame[::_STRIDE, ::_STRIDE]
        if self._last is not None:
            last_frame, last_sample = self._last
            if np.array_equal(last_sample, sample) and np.array_equal(last_frame, frame):
                return True
        self._last = frame, sample.copy()
        return False
