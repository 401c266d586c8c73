"""What the lip-sync stage asks of a generator, and what a generator keeps about a clip.

A generator is a callable with data about itself, so that the stage never asks for one by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

# Gives mel windows (count, 80, 16) of the output frames first .. first + count - 1.
ReadWindows = Callable[[int, int], np.ndarray]
# Gives one frame (H, W, 3) of the clip by its number on the grid.
ReadFrame = Callable[[int], np.ndarray]


@dataclass(frozen=True, eq=False)
class GeneratorState:
    """What a generator found out about the whole clip and the whole recording before the first frame.

    Attributes:
        clip: arrays about the clip as a whole (tooth texture, median mouth width ...).
        per_frame: arrays (T_out, ...) with one row for each output frame.
    """

    clip: Mapping[str, np.ndarray] = field(default_factory=dict)
    per_frame: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __getitem__(self, part: slice | np.ndarray) -> "GeneratorState":
        """The state of some of the output frames."""
        return GeneratorState(self.clip, {name: rows[part] for name, rows in self.per_frame.items()})

    def to_arrays(self) -> dict[str, np.ndarray]:
        """One flat mapping, ready for `numpy.savez`."""
        clip = {f"clip.{name}": value for name, value in self.clip.items()}
        return clip | {f"frame.{name}": value for name, value in self.per_frame.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "GeneratorState":
        """The inverse of `to_arrays`."""

        def under(prefix: str) -> dict[str, np.ndarray]:
            return {name.removeprefix(prefix): arrays[name] for name in arrays if name.startswith(prefix)}

        return cls(under("clip."), under("frame."))


class Generator(Protocol):
    """Makes crops whose lips say what the mel windows hold.

    Attributes:
        name: what the user calls it.
        note: one line on quality and licence, shown wherever the generator is used.
        crop: how to cut: "face" is the detector's box with pads and the chin inside, "mouth" the region a moving jaw
            can touch.
        crop_size: side of the square crop in pixels, or None for the frame's own resolution.
        keeps_colours: True when the crop is made of the frame's own pixels and needs no colour matching.
        moves_beyond: how far outside the face it still moves pixels, in eye distances.
        window_shift_s: how much later than the output frame's own time its mel window has to begin, in seconds.
    """

    @property
    def name(self) -> str: ...
    @property
    def note(self) -> str: ...
    @property
    def crop(self) -> Literal["face", "mouth"]: ...
    @property
    def crop_size(self) -> int | None: ...
    @property
    def keeps_colours(self) -> bool: ...
    @property
    def moves_beyond(self) -> float: ...
    @property
    def window_shift_s(self) -> float: ...

    def prepare(
        self, mesh_xy: np.ndarray, source_index: np.ndarray, read_frame: ReadFrame, read_windows: ReadWindows
    ) -> GeneratorState:
        """Look at the whole clip (mesh_xy (T_source, 468, 2), NaN where there is no face) and the whole recording."""
        ...

    def render(
        self,
        crops: Sequence[np.ndarray],
        mel_windows: np.ndarray,
        mesh_xy: Sequence[np.ndarray],
        state: GeneratorState,
    ) -> list[np.ndarray]:
        """New crops from N crops (S, S, 3) uint8, windows (N, 80, 16), points (468, 2) in crop pixels, and the
        state of just these N frames."""
        ...

    def remarks(self, state: GeneratorState) -> list[str]:
        """What the user should be told about this run."""
        ...
