"""Frame numbers as people write them: "12-18, 40"."""

import re
from collections.abc import Iterable
from typing import TypeGuard

import numpy as np

from lipwise.errors import SettingsError

Frames = str | int | slice | Iterable[int] | np.ndarray
_EXAMPLE = "write ranges such as '12-18, 40', both ends included"
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


def parse_ranges(frames: Frames, count: int) -> np.ndarray:
    """Frames given as text, a number, a slice, numbers or a mask, as a (count,) bool array.

    Args:
        frames: "12-18, 40" (ends included), 40, slice(12, 19), [12, 13, 40], or (count,) bool such as
            `report.has("turned")`.
        count: how many frames there are.

    Raises:
        SettingsError: what cannot be read, a range that runs backward, a frame that is not there, a number that is
            none of a frame, or a mask of another length.
    """
    if isinstance(frames, slice):
        return _sliced(frames, count)
    if isinstance(frames, bool | np.bool_) or not isinstance(frames, str | int | np.integer | Iterable):
        raise _unreadable(frames)
    kind = getattr(frames, "dtype", None)
    if kind is not None and kind == np.bool_:
        return _masked(np.asarray(frames), count)
    mask = np.zeros(count, bool)
    for first, last in _pairs(frames):
        if not 0 <= first <= last < count:
            raise SettingsError(
                f"There are no frames {first}-{last}",
                cause="the range runs backward" if last < first else f"the frames are numbered from 0 to {count - 1}",
                next_step=_EXAMPLE,
            )
        mask[first : last + 1] = True
    return mask


def _sliced(frames: slice, count: int) -> np.ndarray:
    whole = all(part is None or _is_number(part) for part in (frames.start, frames.stop, frames.step))
    first, stop = frames.start or 0, count if frames.stop is None else frames.stop
    if not whole or (frames.step or 1) < 1 or not 0 <= first <= stop <= count:
        raise SettingsError(
            f"There are no frames {frames}",
            cause=f"a slice of them runs forward from 0 at the earliest to {count} (exclusive) at the latest",
            next_step=_EXAMPLE,
        )
    mask = np.zeros(count, bool)
    mask[frames] = True
    return mask


def _masked(frames: np.ndarray, count: int) -> np.ndarray:
    if frames.shape != (count,):
        raise SettingsError(
            f"A mask of shape {frames.shape} names no frames",
            cause=f"it needs one value for each of the {count} frames",
            next_step="use a mask of this clip's frames, such as report.has('turned')",
        )
    return frames.copy()


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _unreadable(frames: object) -> SettingsError:
    return SettingsError(
        f"{frames!r} names no frames",
        cause="frames are whole numbers, a range as text, a slice, or a mask with one value for each frame",
        next_step=_EXAMPLE,
    )


def _pairs(frames: str | int | Iterable[int]) -> list[tuple[int, int]]:
    """First and last frame of each range."""
    if not isinstance(frames, str):
        numbers = list(frames) if isinstance(frames, Iterable) else [frames]
        wrong = [number for number in numbers if not _is_number(number)]
        if wrong:
            raise _unreadable(wrong[0])
        return [(int(number), int(number)) for number in numbers]
    matches = [(text, _PART.fullmatch(text.strip())) for text in frames.split(",") if text.strip()]
    unread = [text.strip() for text, match in matches if match is None]
    if unread:
        raise SettingsError(
            f"{unread[0]!r} is no range of frames", cause=f"it stands in {frames!r}", next_step=_EXAMPLE
        )
    return [(int(match[1]), int(match[2] or match[1])) for _, match in matches if match is not None]
