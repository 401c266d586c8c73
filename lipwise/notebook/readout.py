"""Time and memory while something runs: a line that a thread keeps up to date."""

import html
import sys
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from time import perf_counter
from typing import Self

import ipywidgets

from lipwise.notebook.show_enhance_cost import resident_bytes
from lipwise.notebook.show_enhance_offers import duration
from lipwise.notebook.show_weights import in_words

LOOK_S = 0.5
SURE_SHARE = 0.02  # of the work, before which a guess at the rest would jump about


@dataclass(frozen=True)
class Reading:
    """What a readout says at one moment.

    Attributes:
        elapsed_s: since it began.
        share: of the work that is done, 0 to 1; None where nobody knows.
        first_s, first_share: when the share was first known, and what it was: what is done by then was made by a run
            that was stopped, or took none of the time.
        now_bytes, peak_bytes: memory of this process, now and at most since it began.
        gpu_bytes: memory that torch holds on the GPU; None without one.
    """

    elapsed_s: float
    share: float | None
    now_bytes: int
    peak_bytes: int
    gpu_bytes: int | None = None
    first_s: float = 0.0
    first_share: float = 0.0

    @property
    def remaining_s(self) -> float | None:
        """At the pace since the share is known; None while it is too early to tell."""
        if self.share is None or self.share - self.first_share < SURE_SHARE:
            return None
        return (self.elapsed_s - self.first_s) * (1 - self.share) / (self.share - self.first_share)

    def __str__(self) -> str:
        parts = [duration(self.elapsed_s)]
        if self.remaining_s is not None and self.share != 1:
            parts.append(f"about {duration(self.remaining_s)} to go")
        parts.append(f"memory {in_words(self.now_bytes)}, at most {in_words(self.peak_bytes)}")
        if self.gpu_bytes is not None:
            parts.append(f"GPU {in_words(self.gpu_bytes)}")
        return " · ".join(parts)


def gpu_bytes() -> int | None:
    """Memory that torch holds on the GPU; None without a GPU, or where torch was not imported yet."""
    torch = sys.modules.get("torch")
    return torch.cuda.memory_allocated() if torch is not None and torch.cuda.is_available() else None


class Readout(ipywidgets.HTML):
    """Time, time to go and memory, told twice a second while the body of a `with` runs.

    Args:
        share: gives the share of the work that is done, 0 to 1, or None.
    """

    def __init__(self, share: Callable[[], float | None] = lambda: None) -> None:
        super().__init__()
        self._share = share
        self._begun_s, self._peak_bytes = perf_counter(), 0
        self._first: tuple[float, float] | None = None  # when the share was first known, and what it was
        self._done, self._thread = Event(), Thread(target=self._look, daemon=True)

    def reading(self) -> Reading:
        """What is to be told now."""
        now, share, elapsed_s = resident_bytes(), self._share(), perf_counter() - self._begun_s
        self._peak_bytes = max(self._peak_bytes, now)
        if self._first is None and share is not None:
            self._first = elapsed_s, share
        return Reading(elapsed_s, share, now, self._peak_bytes, gpu_bytes(), *(self._first or ()))

    def __enter__(self) -> Self:
        self._begun_s, self._peak_bytes, self._first = perf_counter(), 0, None
        self._done.clear()
        self._thread = Thread(target=self._look, daemon=True)
        self._tell()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._tell()

    def __repr__(self) -> str:
        """What a page without a kernel shows in the widget's place."""
        return str(self.reading())

    def _look(self) -> None:
        while not self._done.wait(LOOK_S):
            self._tell()

    def _tell(self) -> None:
        self.value = html.escape(str(self.reading()))
