"""What is wrong with a recording, and when: broken samples, clipping, silence, pieces that are missing.

Spans are (start, end) in seconds on the time axis of the file, so that they can be found in an editor.
"""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lipwise.errors import LipwiseWarning, SpeechError, in_words

Span = tuple[float, float]

LARGEST_SAMPLE = 2.0**31  # beyond it a sample is rubbish, not sound (32-bit integers saved as floats still pass)
FULL_SCALE = 1 - 2**-12  # a sample this near to 1 sits at the rail
CLIPPED_RUN = 4  # samples in a row at the rail; the top of a full-scale 100 Hz sine at 48 kHz has two
SILENT_SAMPLE = 2**-15  # one step of 16-bit sound: below it is digital silence
SILENT_SPAN_S = 0.5  # shorter digital silence is a pause of a speech synthesiser
SILENT_PEAK_DBFS = -60.0  # a recording that never gets louder than this holds no speech: a muted microphone
CUT_SHORT_S, CUT_SHORT_SHARE = 0.5, 0.1  # a header may be this far off: the length of an MP3 can be an estimate
PIECE = 2**19  # samples looked at together
NEIGHBOURS_S = 0.1  # defects nearer than this are told as one


@dataclass(frozen=True)
class SpeechCheck:
    """What was found in a recording.

    Attributes:
        peak_dbfs: loudest sample, in decibels below full scale (0 is full scale; -inf is digital silence).
        silent_spans_s: digital silence of at least half a second.
        clipped_spans_s: runs of samples at full scale, measured before resampling.
        repaired_spans_s: NaN, infinite or absurd samples, replaced by silence.
        missing_spans_s: nothing could be decoded or nothing was recorded; silence was put there.
    """

    peak_dbfs: float
    silent_spans_s: tuple[Span, ...] = ()
    clipped_spans_s: tuple[Span, ...] = ()
    repaired_spans_s: tuple[Span, ...] = ()
    missing_spans_s: tuple[Span, ...] = ()


@dataclass
class SoundDefects:
    """Collects defects while sound is being decoded."""

    repaired: list[Span] = field(default_factory=list)
    clipped: list[Span] = field(default_factory=list)
    missing: list[Span] = field(default_factory=list)
    undecoded: int = 0
    first_error: str = ""
    cut_short: Span | None = None  # where the sound ends, and where its header says that it ends

    def note_undecoded(self, error: Exception) -> None:
        self.undecoded += 1
        self.first_error = self.first_error or in_words(error)

    def note_end(self, end_s: float, *, stated_s: float) -> None:
        if stated_s - end_s > max(CUT_SHORT_S, CUT_SHORT_SHARE * stated_s):
            self.cut_short = (end_s, stated_s)

    def examine(self, samples: np.ndarray, *, sample_rate: int, start_s: float) -> np.ndarray:
        """Notes broken and clipped samples of one block and returns it with silence for the broken ones.

        Args:
            samples: (n, channels) float32, full scale at 1.
            start_s: where the block begins in the file.
        """
        size = np.abs(samples)
        broken = ~(size <= LARGEST_SAMPLE)  # NaN compares false, so it is broken too
        if broken.any():
            self.repaired += _seconds(true_runs(np.max(broken, axis=1)), sample_rate, start_s)
            samples = np.where(broken, np.float32(0), samples)
        if size.max(initial=0) >= FULL_SCALE or broken.any():
            at_rail = (size >= FULL_SCALE) & ~broken
            runs = np.concatenate([true_runs(channel, at_least=CLIPPED_RUN) for channel in at_rail.T])
            self.clipped += _seconds(runs, sample_rate, start_s)
        return samples

    def between(self, start_s: float, end_s: float) -> "SoundDefects":
        """The same, with only the spans that touch [start_s, end_s)."""

        def inside(spans: list[Span]) -> list[Span]:
            return [(max(a, start_s), min(b, end_s)) for a, b in spans if b > start_s and a < end_s]

        kept = (inside(self.repaired), inside(self.clipped), inside(self.missing))
        return SoundDefects(*kept, self.undecoded, self.first_error, self.cut_short)

    def warn(self, path: str | Path) -> None:
        """Says what was repaired or left out while decoding (clipping is the speech's own matter)."""
        if self.repaired:
            tell(path, "NaN, infinite or absurd samples replaced by silence", self.repaired)
        if self.missing:
            tell(path, "nothing there to decode, silence put in", self.missing)
        if self.undecoded:
            pieces = "1 piece" if self.undecoded == 1 else f"{self.undecoded} pieces"
            _warn(f"{path}: damaged, {pieces} of the sound left out (FFmpeg says: {self.first_error})")
        if self.cut_short:
            end_s, stated_s = self.cut_short
            _warn(f"{path}: cut off, its sound ends at {end_s:.2f} s where its header says {stated_s:.2f} s")


def true_runs(mask: np.ndarray, *, at_least: int = 1) -> np.ndarray:
    """(runs, 2) int64: start and end (exclusive) of every run of True of at least so many in (n,) bool."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    runs = edges.reshape(-1, 2)
    return runs[runs[:, 1] - runs[:, 0] >= at_least]


def long_runs(waveform: np.ndarray, test: Callable[[np.ndarray], np.ndarray], *, at_least: int) -> np.ndarray:
    """(runs, 2) int64: where `test` holds for at least so many samples of (n,); looked at piece by piece."""
    pieces = [np.zeros((0, 2), np.int64)]
    for first in range(0, len(waveform), PIECE):
        runs = true_runs(test(waveform[first : first + PIECE])) + first
        at_edge = (runs[:, 0] == first) | (runs[:, 1] == first + PIECE)
        pieces.append(runs[at_edge | (runs[:, 1] - runs[:, 0] >= at_least)])
    runs = np.concatenate(pieces)
    meets = runs[1:, 0] == runs[:-1, 1]  # a run cut in two by the edge of a piece
    joined = np.stack([runs[np.r_[True, ~meets][: len(runs)], 0], runs[np.r_[~meets, True][: len(runs)], 1]], axis=1)
    return joined[joined[:, 1] - joined[:, 0] >= at_least]


def peak_of(waveform: np.ndarray) -> float:
    """Largest size of a sample; 0 where there is none."""
    return float(max(waveform.max(), -waveform.min())) if len(waveform) else 0.0


def merged(spans: Iterable[Span], *, gap_s: float = NEIGHBOURS_S) -> tuple[Span, ...]:
    """Sorted spans, those nearer than `gap_s` joined."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start - joined[-1][1] <= gap_s:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def spans_text(spans: Iterable[Span], *, most: int = 5) -> str:
    """For people: "1.20-1.35 s, 2.00-2.10 s and 3 more"."""
    found = merged(spans)
    text = ", ".join(f"{start:.2f}-{end:.2f}" for start, end in found[:most]) + " s"
    return text if len(found) <= most else f"{text} and {len(found) - most} more"


def tell(path: str | Path, what: str, spans: Iterable[Span]) -> None:
    """Warns of something that happens at these times of a file."""
    _warn(f"{path}: {what} at {spans_text(spans)}")


def _warn(text: str) -> None:
    warnings.warn(text, LipwiseWarning, stacklevel=2)


def _seconds(runs: np.ndarray, sample_rate: int, start_s: float) -> list[Span]:
    return [(start_s + float(a) / sample_rate, start_s + float(b) / sample_rate) for a, b in runs]


def examine_waveform(waveform: np.ndarray, *, sample_rate: int, start_s: float = 0.0) -> SpeechCheck:
    """Peak, digital silence and clipping of (n,) float32 with full scale at 1; `start_s` is its place in the file."""
    peak, shortest = peak_of(waveform), round(SILENT_SPAN_S * sample_rate)
    silent = long_runs(waveform, lambda piece: np.abs(piece) < SILENT_SAMPLE, at_least=shortest)
    clipped = long_runs(waveform, lambda piece: np.abs(piece) >= FULL_SCALE, at_least=CLIPPED_RUN)
    return SpeechCheck(
        peak_dbfs=20 * float(np.log10(peak)) if peak > 0 else -np.inf,
        silent_spans_s=tuple(_seconds(silent, sample_rate, start_s)),
        clipped_spans_s=merged(_seconds(clipped, sample_rate, start_s)),
    )


def require_speech(check: SpeechCheck, path: str | Path) -> None:
    """Raises SpeechError where the recording is silent throughout."""
    if check.peak_dbfs < SILENT_PEAK_DBFS:
        level = "digital silence" if check.peak_dbfs == -np.inf else f"its peak is {check.peak_dbfs:.1f} dBFS"
        raise SpeechError(
            f"{path} is silent from beginning to end",
            cause=f"{level}; speech reaches at least {SILENT_PEAK_DBFS:g} dBFS",
            next_step="play it: choose the recording, the channel or the part that holds the voice",
        )
