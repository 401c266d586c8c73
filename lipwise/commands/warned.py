"""Warnings of the library on the command line: what happened, without the code that noticed it."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lipwise.errors import LipwiseWarning


@contextmanager
def plain_warnings(wording: Callable[[str], str] = str) -> Iterator[None]:
    """Show warnings of the library as one line of words each.

    Args:
        wording: makes of a warning's text what is shown.
    """
    shown = warnings.formatwarning

    def plain(message: Warning | str, category: type[Warning], *where: object, **more: object) -> str:
        if issubclass(category, LipwiseWarning):
            return f"warning: {wording(str(message))}\n"
        return shown(message, category, *where, **more)  # pyright: ignore[reportArgumentType]  # handed on as it came

    warnings.formatwarning = plain
    try:
        yield
    finally:
        warnings.formatwarning = shown
