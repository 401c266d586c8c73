"""Where the time goes: exclusive seconds for each stage of a chain of iterators."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")


class Stopwatch:
    """Adds up the seconds spent in each named stage, without those of the stages inside it.

    Attributes:
        seconds: stage name -> seconds.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner_s = 0.0  # time of stages that ended inside the one that runs now

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Count the body's time for a stage."""
        outer_s, self._inner_s = self._inner_s, 0.0
        start = perf_counter()
        try:
            yield
        finally:
            spent = perf_counter() - start
            self.seconds[stage] += spent - self._inner_s
            self._inner_s = outer_s + spent

    def each(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """Pass items through, counting the time it takes to get each."""
        stream = iter(items)
        while True:
            with self.measure(stage):
                try:
                    item = next(stream)
                except StopIteration:
                    return
            yield item
