"""Timeline: which frame of the clip feeds each frame of the result.

Dropping, holding, passing, trimming and looping all come down to one array of frame numbers, so that nothing else
in the program has to think about lengths.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from lipwise.errors import SettingsError


def bounce(first: int, count: int, length: int) -> np.ndarray:
    """Frame numbers that play `count` frames forward, backward, forward ... from `first` on.

    The turning frames are not repeated, so there is neither a jump nor a stutter.

    Returns:
        (length,) int64. With one frame, that frame throughout.
    """
    if count == 1:
        return np.full(length, first, np.int64)
    lap = 2 * (count - 1)
    phase = np.arange(length, dtype=np.int64) % lap
    return first + np.minimum(phase, lap - phase)


@dataclass(frozen=True, eq=False)
class Timeline:
    """Which source frame feeds each output frame.

    Attributes:
        source_index: (T_out,) int64, frame numbers on the clip's constant-rate grid.
        synth: (T_out,) bool, False where the frame passes untouched.
        fps: frames a second of the result, exact.
        clip: SHA-256 of the file whose frames they are; "" where nobody knows.
    """

    source_index: np.ndarray
    synth: np.ndarray
    fps: Fraction
    clip: str = ""

    def __post_init__(self) -> None:
        if self.source_index.ndim != 1 or self.source_index.shape != self.synth.shape:
            raise ValueError(f"expected two (T,) arrays, got {self.source_index.shape} and {self.synth.shape}")
        if len(self.source_index) == 0:
            raise SettingsError(
                "The result would hold no frame at all",
                cause="start, end and the speech leave nothing to show",
                next_step="choose a longer part of the clip or a longer recording",
            )

    def __len__(self) -> int:
        return len(self.source_index)

    @property
    def duration_s(self) -> float:
        return float(len(self) / self.fps)

    @classmethod
    def for_speech(
        cls, usable: np.ndarray, fps: Fraction, length: int, *, start: int = 0, stop: int | None = None
    ) -> "Timeline":
        """The part [start, stop) of a clip laid under a recording that lasts `length` frames.

        A shorter recording trims the clip; a longer one plays it backward and forward again.

        Args:
            usable: (T_source,) bool, True where there is a face to synthesise; the others pass untouched.
            fps: frames a second of the clip's grid.
            length: frames of the result.
            start, stop: first frame and end (exclusive) of the part to use; None is the clip's end.
        """
        stop = len(usable) if stop is None else min(stop, len(usable))
        if not 0 <= start < stop:
            raise SettingsError(
                f"The part of the clip from frame {start} to frame {stop} is empty",
                cause=f"the clip has {len(usable)} frames at {float(fps):g} a second",
                next_step="choose a start before the end, both inside the clip",
            )
        source_index = bounce(start, stop - start, length)
        return cls(source_index, np.asarray(usable, bool)[source_index], fps)

    def segments(self, frames_each: int) -> Iterator[slice]:
        """Consecutive slices of at most `frames_each` output frames; the unit of rendering and resuming."""
        for first in range(0, len(self), frames_each):
            yield slice(first, min(first + frames_each, len(self)))

    def __getitem__(self, part: slice) -> "Timeline":
        return Timeline(self.source_index[part], self.synth[part], self.fps, self.clip)
