"""Sound for the result: read at full quality, mixed with the clip's own, saved."""

import warnings
import wave
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from lipwise.errors import LipwiseWarning, SettingsError
from lipwise.files import written_whole
from lipwise.media.defects import SoundDefects
from lipwise.media.sound_stream import part_in_samples, sound_chunks

MUX_SAMPLE_RATE = 48_000  # what is written beside the picture
LIMITER_KNEE = 0.8  # where the soft limiter of a mix begins
CROSSFADE_S = 0.05  # from the end of a lap to the beginning of the next
KEPT_LAP_S = 30.0  # a lap up to this length stays in memory (12 MB) instead of being read again and again

OVERSHOOT = 1.5  # decoders of MP3 and AAC pass full scale a little; beyond this the samples have another scale,
OVERSHOOT_SHARE = 0.01  # if that many of them pass 1: a short burst is damage, and is cut at full scale


def read_sound(
    path: str | Path,
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    sample_rate: int = MUX_SAMPLE_RATE,
    gain: float = 1.0,
) -> Iterator[np.ndarray]:
    """The sound of a file as stereo, in chunks of about half a second: memory stays bounded.

    Mono plays on both sides, more than two channels are mixed down by FFmpeg's matrix; broken samples become silence
    with a LipwiseWarning.

    Args:
        start_s, end_s: the part to read, exact to the sample; None is the end.
        gain: what every sample is multiplied by before it is cut at full scale; `Speech.gain` or `full_scale_gain`
            for samples of another scale.

    Yields:
        (n, 2) float32 in [-1, 1].

    Raises:
        MediaError: the file cannot be read. SpeechError: it has no sound. SettingsError: the part is empty.
    """
    first, stop = part_in_samples(start_s, end_s, sample_rate)
    defects = SoundDefects()
    for chunk in sound_chunks(path, defects, first=first, stop=stop, sample_rate=sample_rate, channels=2):
        yield np.clip(chunk * np.float32(gain), -1, 1)
    defects.between(start_s, np.inf if end_s is None else end_s).warn(path)


def full_scale_gain(path: str | Path, *, start_s: float = 0.0, end_s: float | None = None) -> float:
    """What the sound of a file must be multiplied by: 1, or less where integers were saved as floats.

    Reads the part once, as the stereo that `read_sound` gives, in bounded memory; warns (LipwiseWarning) where
    samples lie far beyond full scale, which the gain then brings to a peak of 1.

    Raises:
        MediaError, SpeechError, SettingsError: as `read_sound`.
    """
    first, stop = part_in_samples(start_s, end_s, MUX_SAMPLE_RATE)
    peak, over, count = 0.0, 0, 0
    for chunk in sound_chunks(path, SoundDefects(), first=first, stop=stop, sample_rate=MUX_SAMPLE_RATE, channels=2):
        size = np.abs(chunk)
        peak, over, count = max(peak, float(size.max())), over + int(np.count_nonzero(size > 1)), count + size.size
    if peak <= OVERSHOOT or over <= OVERSHOOT_SHARE * count:
        return 1.0
    said = f"{path}: samples reach {peak:.4g} times full scale; scaled down to a peak of 1"
    warnings.warn(said, LipwiseWarning, stacklevel=2)
    return 1 / peak


def loop_sound(read: Callable[[], Iterable[np.ndarray]]) -> Iterator[np.ndarray]:
    """A sound that begins again whenever it has ended, without end and without a click.

    The last 50 ms of each lap (at most half of it) fade out while the next fades in, at constant power. Memory stays
    bounded: a short lap is kept, a long one is read again.

    Args:
        read: gives the lap at 48 kHz from its start, chunks (n, 2) float32, each time it is called.

    Yields:
        (n, 2) float32; nothing at all where the first lap is empty.
    """
    fade, tail = round(CROSSFADE_S * MUX_SAMPLE_RATE), np.zeros((0, 2), np.float32)
    for lap in _laps(read):
        waiting, count = np.zeros((0, 2), np.float32), 0
        for chunk in lap:
            waiting, count = np.concatenate([waiting, chunk]), count + len(chunk)
            if count > fade:  # the beginning is there as a whole, and the last samples wait for the next lap
                waiting, tail = _crossfaded(tail, waiting), tail[:0]
                yield waiting[:-fade]
                waiting = waiting[-fade:]
        if not count:
            return
        waiting = _crossfaded(tail, waiting)
        kept = len(waiting) - min(fade, count // 2)
        yield waiting[:kept]
        tail = waiting[kept:]


def _laps(read: Callable[[], Iterable[np.ndarray]]) -> Iterator[Iterable[np.ndarray]]:
    kept: list[np.ndarray] = []

    def first() -> Iterator[np.ndarray]:
        room = round(KEPT_LAP_S * MUX_SAMPLE_RATE)
        for chunk in read():
            room -= len(chunk)
            if room >= 0:
                kept.append(chunk)
            else:
                kept.clear()
            yield chunk

    yield first()
    while True:
        yield kept or read()


def _crossfaded(tail: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """(n, 2) samples whose beginning fades in while a tail (m, 2) fades out; a tail longer than n is cut."""
    tail = tail[: len(samples)]
    turn = np.linspace(0, np.pi / 2, len(tail), dtype=np.float32)[:, None]
    head = tail * np.cos(turn) + samples[: len(tail)] * np.sin(turn)
    return np.concatenate([head, samples[len(tail) :]])


def mix_sound(
    speech: Iterable[np.ndarray], background: Iterable[np.ndarray], *, keep_background: float
) -> Iterator[np.ndarray]:
    """Speech at full level with the old sound under it.

    The speech decides the length: a shorter background ends in silence, a longer one is cut. Peaks over 0.8 bend
    softly (tanh), so that the sum never passes full scale; with `keep_background=0` the speech passes unchanged.

    Args:
        speech, background: chunks (n, 2) float32 at the same sample rate, of any lengths.
        keep_background: 0 (none of the old sound) to 1 (all of it).

    Yields:
        (n, 2) float32 in [-1, 1], cut as the speech is.
    """
    if not 0 <= keep_background <= 1:
        raise SettingsError(
            f"keep_background={keep_background:g} is outside 0 to 1",
            cause="it is the share of the clip's own sound that stays under the speech",
            next_step="choose 0 for none, 1 for all, 0.2 for a quiet room behind the voice",
        )
    if keep_background == 0:
        yield from speech
        return
    rest, chunks = np.zeros((0, 2), np.float32), iter(background)
    for chunk in speech:
        while len(rest) < len(chunk) and (more := next(chunks, None)) is not None:
            rest = np.concatenate([rest, more])
        under = np.zeros_like(chunk)
        under[: len(rest)] = rest[: len(chunk)]
        rest = rest[len(chunk) :]
        yield soft_limit(chunk + np.float32(keep_background) * under)


def soft_limit(samples: np.ndarray, *, knee: float = LIMITER_KNEE) -> np.ndarray:
    """Leaves |x| <= knee as it is and bends the rest towards 1, which it never passes."""
    size = np.abs(samples)
    bent = knee + (1 - knee) * np.tanh((size - knee) / (1 - knee))
    return np.where(size <= knee, samples, np.copysign(bent, samples)).astype(np.float32)


def save_wav(path: str | Path, waveform: np.ndarray, *, sample_rate: int) -> Path:
    """Writes (n,) or (n, channels) float in [-1, 1] as 16-bit PCM; under its name only when complete.

    Raises:
        DiskFullError: no space is left. MediaError: it cannot be written for another reason.
    """
    target = Path(path)
    samples = np.round(np.clip(waveform, -1, 1) * 32767).astype("<i2")
    with written_whole(target) as part, part.open("wb") as file, wave.open(file, "wb") as sound:
        sound.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        sound.setsampwidth(2)
        sound.setframerate(sample_rate)
        sound.writeframes(samples.tobytes())
    return target
