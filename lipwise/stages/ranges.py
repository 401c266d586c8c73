"""Frame numbers as people write them: "12-18, 40"."""

import re
from collections.abc import Iterable

import numpy as np

from lipwise.errors import SettingsError

_PART = re.compile(r"(\d+)(?:\s*[-–]\s*(\d+))?")


def runs_of(mask: np.ndarray) -> list[slice]:
    """Slices of consecutive True in a (T,) bool array."""
    edges = np.flatnonzero(np.diff(np.r_[False, np.asarray(mask, bool), False]))
    return [slice(int(first), int(stop)) for first, stop in zip(edges[::2], edges[1::2], strict=True)]


def format_ranges(mask: np.ndarray, *, most: int | None = None) -> str:
    """The True frames of a (T,) bool array as text, ends included: "12-18, 40"; "" where there is none.

    Args:
        most: how many ranges are written out before "and N more"; None writes all.
    """
    texts = [f"{run.start}" if run.stop - run.start == 1 else f"{run.start}-{run.stop - 1}" for run in runs_of(mask)]
    if most is not None and len(texts) > most:
        texts = [*texts[:most], f"and {len(texts) - most} more"]
    return ", ".join(texts)


def parse_ranges(frames: str | int | slice | Iterable[int], count: int) -> np.ndarray:
    """Frames given as text, a number, a slice or numbers, as a (count,) bool array.

    Args:
        frames: "12-18, 40" (ends included), 40, slice(12, 19) or [12, 13, 40].
        count: how many frames there are.

    Raises:
        SettingsError: what cannot be read, a range that runs backward, or a frame that is not there.
    """
    mask = np.zeros(count, bool)
    if isinstance(frames, slice):
        mask[frames] = True
        return mask
    for first, last in _pairs(frames):
        if not 0 <= first <= last < count:
            raise SettingsError(
                f"There are no frames {first}-{last}",
                cause="the range runs backward" if last < first else f"the frames are numbered from 0 to {count - 1}",
                next_step="write ranges such as '12-18, 40', both ends included",
            )
        mask[first : last + 1] = True
    return mask


def _pairs(frames: str | int | Iterable[int]) -> list[tuple[int, int]]:
    """First and last frame of each range."""
    if not isinstance(frames, str):
        numbers = [frames] if isinstance(frames, int | np.integer) else list(frames)
        return [(int(number), int(number)) for number in numbers]
    matches = [(text, _PART.fullmatch(text.strip())) for text in frames.split(",") if text.strip()]
    unread = [text.strip() for text, match in matches if match is None]
    if unread:
        raise SettingsError(
            f"{unread[0]!r} is no range of frames",
            cause=f"it stands in {frames!r}",
            next_step="write ranges such as '12-18, 40', both ends included",
        )
    return [(int(match[1]), int(match[2] or match[1])) for _, match in matches if match is not None]
