"""How a notebook's page shows the library's warnings."""

import warnings
from functools import partial

from lipwise.errors import LipwiseWarning


def plainly() -> None:
    """From now on show each of LipWise's warnings as its message alone, and every time that it is given.

    Python would add file and line of the code that warned, and leave out what it has shown before. Other libraries'
    warnings stay as they were; calling this twice changes nothing.
    """
    warnings.simplefilter("always", LipwiseWarning)
    if getattr(warnings.formatwarning, "func", None) is not _message:
        warnings.formatwarning = partial(_message, warnings.formatwarning)


def _message(usual, message, category, *place, **more) -> str:  # warnings' own
    if issubclass(category, LipwiseWarning):
        return f"Note: {message}\n"
    return usual(message, category, *place, **more)
