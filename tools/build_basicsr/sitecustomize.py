"""Lets basicsr 1.4.2 be built on Python 3.13; Python runs this file at its start when this folder is on PYTHONPATH.

basicsr's setup.py reads its version with a bare `exec(...)` inside a function and then `locals()["__version__"]`. Since
Python 3.13 (PEP 667) what such an exec defines no longer shows in `locals()`. Here it is written into the caller's
frame, as older Pythons did. setup_colab.sh sets PYTHONPATH for the one pip command that builds basicsr.
"""

import builtins
import sys
from typing import Any

_exec = builtins.exec


def exec_into_caller(code: Any, *scopes: Any, **options: Any) -> None:
    """`exec`; without scopes of its own, what the code defines becomes visible in the caller's `locals()`."""
    if scopes or options:
        _exec(code, *scopes, **options)
        return
    caller = sys._getframe(1)
    names = dict(caller.f_locals)
    _exec(code, caller.f_globals, names)
    caller.f_locals.update(names)


builtins.exec = exec_into_caller
