"""What the library tells while it works: how far it is, and what it warns of, which is kept and told at the end."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lipwise.errors import LipwiseWarning

Tell = Callable[[str, int, int], object]  # stage, frames made, frames of the result (0: not known yet)


def tell_nobody(stage: str, done: int, frames: int) -> None:
    """A `Tell` for a run that nobody watches."""


@contextmanager
def kept_warnings() -> Iterator[list[str]]:
    """Collect the texts of LipwiseWarnings, each once; others are shown as ever.

    When the body fails, they are warned of after all, because nobody tells them then.
    """
    told: list[str] = []
    caught: list[warnings.WarningMessage] = []
    try:
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", LipwiseWarning)
                yield told
        finally:  # behind the recording, which what is shown here would add to
            told += dict.fromkeys(str(entry.message) for entry in caught if _is_ours(entry))
    except BaseException:
        for text in told:
            warnings.warn(text, LipwiseWarning, stacklevel=3)
        raise


def without_repeats(notes: tuple[str, ...], told: list[str]) -> list[str]:
    """Notes, and those warnings that do not repeat one of them at length."""
    new = [text for text in told if not any(note in text for note in notes)]
    return list(dict.fromkeys([*notes, *new]))


def _is_ours(entry: warnings.WarningMessage) -> bool:
    if issubclass(entry.category, LipwiseWarning):
        return True
    warnings.showwarning(entry.message, entry.category, entry.filename, entry.lineno)
    return False
