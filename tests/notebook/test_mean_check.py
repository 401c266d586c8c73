"""A wrong answer to the exercise on centred means is told why, whatever is wrong with it."""

import re

import numpy as np
import pytest

from lipwise.notebook.mean_check import NOT_SOLVED, centred, fault_of_mean

VALUES = np.array([3.0, 1, 4, 1, 5, 9, 2, 6, 5])
COUNTS = (3, 7)


def padded(values, count, width=None, mode="edge"):
    return np.convolve(
        np.pad(values, count // 2 if width is None else width, mode=mode), np.ones(count) / count, "valid"
    )


def told(answer) -> str | None:
    faults = (fault_of_mean(answer(VALUES.copy(), count), VALUES, count) for count in COUNTS)
    return next((fault for fault in faults if fault is not None), None)


def test_the_mean_is_of_the_values_round_each():
    assert np.allclose(centred(np.arange(9.0) ** 2, 3), [1 / 3, *(np.arange(1, 8) ** 2 + 2 / 3), (49 + 64 + 64) / 3])
    assert centred(VALUES, 1).tolist() == VALUES.tolist()


RIGHT = {
    "padded": padded,
    "summed by hand": lambda v, c: [
        np.mean([v[min(max(j, 0), 8)] for j in range(i - c // 2, i + c // 2 + 1)]) for i in range(9)
    ],
    "in single precision": lambda v, c: padded(v, c).astype(np.float32),
}


@pytest.mark.parametrize("answer", RIGHT.values(), ids=RIGHT)
def test_a_right_answer_has_no_fault(answer):
    assert told(answer) is None


WRONG = {
    "nothing": (lambda v, c: None, NOT_SOLVED),
    "words": (lambda v, c: "mean", "numbers; str came back"),
    "one number": (lambda v, c: v.mean(), r"an array of shape \(\)"),
    "padded by 2 always": (lambda v, c: padded(v, c, width=2), "11 came out for count=3"),
    "not padded": (lambda v, c: np.convolve(v, np.ones(c) / c, "valid"), "7 came out for count=3.*count // 2 times"),
    "5 always": (lambda v, c: padded(v, 5), "mean of 5 values, and count=3"),
    "3 always": (lambda v, c: padded(v, 3), "mean of 3 values, and count=7"),
    "fewer at the ends": (
        lambda v, c: np.array([v[max(0, i - c // 2) : i + c // 2 + 1].mean() for i in range(len(v))]),
        "ends are not: the mean is of fewer values",
    ),
    "wrapped": (lambda v, c: padded(v, c, mode="wrap"), "ends are not: the values of the other end"),
    "reflected": (lambda v, c: padded(v, c, mode="reflect"), "ends are not: .* mirrored"),
    "mirrored": (lambda v, c: padded(v, c, mode="symmetric"), "count=7 .* ends are not: .* mirrored"),
    "zeros": (lambda v, c: np.convolve(v, np.ones(c) / c, "same"), "ends are not: zeros"),
    "the last ones": (
        lambda v, c: np.array([v[max(0, i - c + 1) : i + 1].mean() for i in range(len(v))]),
        "1 frame late",
    ),
    "the next ones": (lambda v, c: np.array([v[i : i + c].mean() for i in range(len(v))]), "1 frame early"),
    "the median": (lambda v, c: centred(v, c, of=np.median), "median"),
    "as it was": (lambda v, c: v, "came back as they were"),
    "the sum": (lambda v, c: c * padded(v, c), "no mean of 3 values: frame"),
    "rounded": (lambda v, c: padded(v, c).round(), r"no mean of 3 values: frame \d should be \d\.\d\d"),
    "no numbers": (lambda v, c: v * np.nan, "yours is nan"),
}


@pytest.mark.parametrize(("answer", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_why(answer, said):
    fault = told(answer)
    assert fault is not None
    assert re.search(said, fault), fault
