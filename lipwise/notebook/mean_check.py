"""Why an answer to the exercise on centred means is wrong, in a sentence."""

from collections.abc import Callable

import numpy as np

NOT_SOLVED = "Not solved yet: let centred_mean return one value for each that it was given."
# How the ends may come out otherwise than by repeating the first and the last value: numpy's name, what was done.
OTHER_ENDS = {
    "wrap": "the values of the other end stand in",
    "reflect": "the values beside each end are mirrored",
    "symmetric": "the values beside each end are mirrored",
    "constant": "zeros stand in",
}


def centred(
    values: np.ndarray, count: int, *, ends: str = "edge", of: Callable[..., np.ndarray] = np.mean
) -> np.ndarray:
    """(T,) for each of T values the mean, or another number `of` them, of `count` values round it.

    Args:
        values: (T,) float.
        count: odd.
        ends: what stands in for values beyond the ends; `numpy.pad`'s name for it.
        of: takes `axis`.
    """
    padded = np.pad(values, count // 2, mode=ends)  # pyright: ignore[reportArgumentType, reportCallIssue]  # any of its modes
    return of(np.lib.stride_tricks.sliding_window_view(padded, count), axis=1)


def fault_of_mean(answer: object, values: np.ndarray, count: int) -> str | None:
    """What is wrong with an answer, and why; None where it is right.

    Args:
        answer: whatever came back.
        values: (T,) float that went in, uneven enough to tell faults apart.
        count: how many values a mean should be of; odd.
    """
    if answer is None:
        return NOT_SOLVED
    try:
        given = np.asarray(answer, float)
    except (TypeError, ValueError):
        return f"centred_mean should return numbers; {type(answer).__name__} came back."
    if given.shape != values.shape:
        came = f"{given.size}" if given.ndim == 1 else f"an array of shape {given.shape}"
        return (
            f"{len(values)} values went in and {came} came out for count={count}: repeat the first and the last "
            f"value count // 2 times each, here {count // 2}."
        )
    if _same(given, centred(values, count)):
        return None
    return _fault_of_ends(given, values, count) or _fault_of_window(given, values, count)


def _same(given: np.ndarray, expected: np.ndarray) -> bool:
    return bool(np.allclose(given, expected, rtol=1e-4, atol=1e-6))


def _inside(values: np.ndarray, count: int) -> slice:
    """The frames whose window lies between the ends."""
    return slice(count // 2, len(values) - count // 2)


def _fault_of_ends(given: np.ndarray, values: np.ndarray, count: int) -> str | None:
    """What is wrong with an answer that is right between the ends; None where it is not."""
    true, inside, half = centred(values, count), _inside(values, count), count // 2
    if not _same(given[inside], true[inside]):
        return None
    fewer = np.array([values[max(0, i - half) : i + half + 1].mean() for i in range(len(values))])
    done = next((words for ends, words in OTHER_ENDS.items() if _same(given, centred(values, count, ends=ends))), None)
    done = "the mean is of fewer values" if _same(given, fewer) else done
    wrong = int(np.argmax(~np.isclose(given, true, rtol=1e-4, atol=1e-6)))
    return (
        f"For count={count} the middle is right and the ends are not{f': {done}' if done else ''}. Repeat the first "
        f"and the last value: frame {wrong} should be {true[wrong]:.2f}, and yours is {given[wrong]:.2f}."
    )


def _fault_of_window(given: np.ndarray, values: np.ndarray, count: int) -> str:
    """What is wrong with an answer that is wrong between the ends, too."""
    for late in range(-(count // 2), count // 2 + 1):
        if late and _is_late(given, values, count, late):
            frames = "1 frame" if abs(late) == 1 else f"{abs(late)} frames"
            when = "late" if late > 0 else "early"
            return f"For count={count} your mean is {frames} {when}: put the frame in the middle of its window."
    for other in range(1, len(values) - 2, 2):
        inside = _inside(values, other)
        if other != count and _same(given[inside], centred(values, other)[inside]):
            does = f"That is the mean of {other} values" if other > 1 else "The values came back as they were"
            return f"{does}, and count={count} was asked for."
    inside = _inside(values, count)
    if _same(given[inside], centred(values, count, of=np.median)[inside]):
        return "That is the median, the middle one of the values by size. Asked for is their mean."
    true = centred(values, count)
    worst = int(np.argmax(np.abs(given - true)))
    told = f"frame {worst} should be {true[worst]:.2f}, and yours is {given[worst]:.2f}"
    return f"That is no mean of {count} values: {told}."


def _is_late(given: np.ndarray, values: np.ndarray, count: int, late: int) -> bool:
    """Whether an answer is the mean of a window so many frames before the centred one; below 0 after it."""
    inside = _inside(values, count)
    first, stop = max(0, inside.start + late), min(len(values), inside.stop + late)
    return _same(given[first:stop], centred(values, count)[first - late : stop - late])
