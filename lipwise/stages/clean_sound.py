"""The sound of a clip whose frames were cut: cut at the same places, without clicks, as long as the picture."""

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lipwise.media.defects import SoundDefects
from lipwise.media.probe import VideoInfo
from lipwise.media.sound import MUX_SAMPLE_RATE, read_sound
from lipwise.media.sound_stream import part_in_samples, sound_chunks
from lipwise.timeline import Timeline

CROSSFADE_S = 0.010  # where two pieces meet; short enough to fit into a frame, long enough for no click
_HALF_FADE = round(CROSSFADE_S * MUX_SAMPLE_RATE / 2)
PACKET_S = 0.05  # the longest usual packet of sound; encoders fill the last one up with silence
_BLOCK = MUX_SAMPLE_RATE  # samples that are given out at once, at most


class Piece(NamedTuple):
    """A part of the result whose sound runs on without a cut; samples at 48 kHz."""

    first: int  # in the result
    stop: int
    shift: int  # from the result's samples to the clip's


def sound_pieces(timeline: Timeline, *, start_s: Fraction | float = 0) -> list[Piece]:
    """Where the sound of a timeline is cut.

    A held frame lets the sound run on, so that it is there again, in step, when the picture goes on.

    Args:
        start_s: where in the file the clip's first frame is shown.
    """
    frames = timeline.source_index
    starts, place = [0], int(frames[0])
    for number in range(1, len(frames)):
        place += 1
        if frames[number] not in (place, frames[number - 1]):
            starts.append(number)
            place = int(frames[number])
    at = [_samples(Fraction(number) / timeline.fps) for number in [*starts, len(frames)]]
    origins = [_samples(Fraction(start_s) + int(frames[number]) / timeline.fps) for number in starts]
    return [Piece(first, stop, origin - first) for first, stop, origin in zip(at, at[1:], origins, strict=False)]


def cut_sound(
    path: Path, timeline: Timeline, *, start_s: Fraction | float = 0, gain: float = 1.0
) -> Iterator[np.ndarray]:
    """The clip's own sound along a timeline, in bounded memory.

    Pieces meet in a cross-fade of 10 ms at constant power, centred on the cut, for which each is read a little beyond
    its end; nothing is shifted, and the length is that of the picture to the sample.

    Args:
        start_s: where in the file the clip's first frame is shown.
        gain: see `lipwise.media.sound.full_scale_gain`.

    Yields:
        (n, 2) float32 in [-1, 1] at 48 kHz.

    Raises:
        MediaError: the file cannot be read. SpeechError: it has no sound.
    """
    pieces = sound_pieces(timeline, start_s=start_s)
    reader = _Reader(path, gain=gain)
    fades = [0, *(_fade(one, other) for one, other in pairwise(pieces)), 0]
    for number, piece in enumerate(pieces):
        before, after = fades[number], fades[number + 1]
        for first in range(piece.first + before, piece.stop - after, _BLOCK):
            stop = min(first + _BLOCK, piece.stop - after)
            yield reader.take(first + piece.shift, stop + piece.shift)
        if after:
            yield _meet(reader, piece, pieces[number + 1], after)


def frames_of_sound(video: VideoInfo, *, start_s: Fraction | float = 0) -> int:
    """How many frames of a clip its sound lasts for, from the first frame on.

    Sound that ends with the picture, to a packet's length, lasts for as many frames as there are; that of a part of
    a clip ends with the part.

    Args:
        start_s: where in the file the clip's first frame is shown.

    Raises:
        MediaError: the file cannot be read. SpeechError: it has no sound.
    """
    end_s = end_of_part(video, start_s)
    first, stop = part_in_samples(float(start_s), end_s, MUX_SAMPLE_RATE)
    chunks = sound_chunks(video.path, SoundDefects(), first=first, stop=stop, sample_rate=MUX_SAMPLE_RATE, channels=1)
    samples = sum(len(chunk) for chunk in chunks)
    picture = _samples(video.frame_count / video.fps)
    if abs(samples - picture) <= PACKET_S * MUX_SAMPLE_RATE:
        return video.frame_count
    return math.ceil(Fraction(samples, MUX_SAMPLE_RATE) * video.fps)


def end_of_part(video: VideoInfo, start_s: Fraction | float) -> float | None:
    """Where in its file the sound of a part of a clip ends; None where the clip goes on to the end of its file."""
    index = video.index
    if index is None or index.frame_of[-1] >= index.count - 1:
        return None
    return float(Fraction(start_s) + video.frame_count / video.fps)


def _fade(one: Piece, other: Piece) -> int:
    """Half the length of a cross-fade; pieces of a frame or two leave less room."""
    return min(_HALF_FADE, (one.stop - one.first) // 2, (other.stop - other.first) // 2)


def _meet(reader: "_Reader", one: Piece, other: Piece, half: int) -> np.ndarray:
    """The samples round a cut, (2 * half, 2)."""
    ending = reader.take(one.stop - half + one.shift, one.stop + half + one.shift)
    beginning = reader.take(one.stop - half + other.shift, one.stop + half + other.shift)
    turn = np.linspace(0, np.pi / 2, 2 * half, dtype=np.float32)[:, None]
    return np.clip(ending * np.cos(turn) + beginning * np.sin(turn), -1, 1)


def _samples(seconds: Fraction) -> int:
    return round(seconds * MUX_SAMPLE_RATE)


class _Reader:
    """Any part of a file's sound; cheap as long as the parts rise, with silence before its start and after its end."""

    def __init__(self, path: Path, *, gain: float) -> None:
        self._path, self._gain = path, gain
        self._rewind()

    def _rewind(self) -> None:
        self._chunks = read_sound(self._path, gain=self._gain)
        self._held, self._from = np.zeros((0, 2), np.float32), 0
        self._ended = False

    def take(self, first: int, stop: int) -> np.ndarray:
        """(stop - first, 2) float32."""
        if max(first, 0) < self._from:
            self._rewind()
        while not self._ended and self._from + len(self._held) < stop:
            chunk = next(self._chunks, None)
            self._ended = chunk is None
            if chunk is not None:
                self._forget_before(first)
                self._held = np.concatenate([self._held, chunk])
        samples = np.zeros((stop - first, 2), np.float32)
        known = self._held[max(first - self._from, 0) : max(stop - self._from, 0)]
        begin = max(self._from - first, 0)
        samples[begin : begin + len(known)] = known
        return samples

    def _forget_before(self, first: int) -> None:
        """A cross-fade looks back by its length, so that much is kept."""
        gone = min(max(first - 2 * _HALF_FADE - self._from, 0), len(self._held))
        self._held, self._from = self._held[gone:], self._from + gone
