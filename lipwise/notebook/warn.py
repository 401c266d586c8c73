"""How a notebook's page shows the library's warnings and errors."""

import warnings
from functools import partial
from typing import Any

from IPython.core.getipython import get_ipython

from lipwise.errors import LipwiseError, LipwiseWarning


def plainly() -> None:
    """From now on show each of LipWise's warnings and errors as its message alone.

    Python would add file and line of the code that warned, and leave out a warning that it has shown before; before an
    error's three lines it would show the way through the library, a page long (`%tb` shows it still). What comes from
    elsewhere stays as it was; calling this twice changes nothing.
    """
    warnings.simplefilter("always", LipwiseWarning)
    if getattr(warnings.formatwarning, "func", None) is not _message:
        warnings.formatwarning = partial(_message, warnings.formatwarning)
    shell = get_ipython()
    if shell is not None:
        shell.set_custom_exc((LipwiseError,), _error)


def _error(shell: Any, kind: type[BaseException], error: BaseException, *_: object, **__: object) -> list[str]:
    """What IPython shows of an error of ours; the cell has failed all the same."""
    lines = [str(error)]
    shell._showtraceback(kind, error, lines)
    return lines


def _message(usual, message, category, *place, **more) -> str:  # warnings' own
    if issubclass(category, LipwiseWarning):
        return f"Note: {message}\n"
    return usual(message, category, *place, **more)
