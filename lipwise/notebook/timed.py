"""How long a call takes, without what only the first time costs."""

from collections.abc import Callable
from time import perf_counter
from typing import TypeVar

QUICK_S = 1.0  # what took less is done a second time

T = TypeVar("T")


def timed(make: Callable[[], T]) -> tuple[T, float]:
    """What a call gives and the seconds it took; a quick one is called twice, and the second time counts."""
    begun = perf_counter()
    made = make()
    spent = perf_counter() - begun
    if spent > QUICK_S:
        return made, spent
    begun = perf_counter()
    return make(), perf_counter() - begun
