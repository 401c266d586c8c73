"""Sound for the result: read at full quality, mixed with the clip's own, saved."""

import wave
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from lipwise.errors import MediaError, SettingsError
from lipwise.media.defects import SoundDefects
from lipwise.media.sound_stream import part_in_samples, sound_chunks

MUX_SAMPLE_RATE = 48_000  # what is written beside the picture
LIMITER_KNEE = 0.8  # where the soft limiter of a mix begins


def read_sound(
    path: str | Path, *, start_s: float = 0.0, end_s: float | None = None, sample_rate: int = MUX_SAMPLE_RATE
) -> Iterator[np.ndarray]:
    """The sound of a file as stereo, in chunks of about half a second: memory stays bounded.

    Mono plays on both sides, more than two channels are mixed down by FFmpeg's matrix; broken samples become silence
    with a LipwiseWarning.

    Args:
        start_s, end_s: the part to read, exact to the sample; None is the end.

    Yields:
        (n, 2) float32 in [-1, 1].

    Raises:
        MediaError: the file cannot be read. SpeechError: it has no sound. SettingsError: the part is empty.
    """
    first, stop = part_in_samples(start_s, end_s, sample_rate)
    defects = SoundDefects()
    for chunk in sound_chunks(path, defects, first=first, stop=stop, sample_rate=sample_rate, channels=2):
        yield np.clip(chunk, -1, 1)
    defects.between(start_s, np.inf if end_s is None else end_s).warn(path)


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
    """Writes (n,) or (n, channels) float in [-1, 1] as 16-bit PCM; under its name only when complete."""
    target = Path(path)
    part = target.with_name(target.name + ".part")
    samples = np.round(np.clip(waveform, -1, 1) * 32767).astype("<i2")
    try:
        with part.open("wb") as file, wave.open(file, "wb") as sound:
            sound.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
            sound.setsampwidth(2)
            sound.setframerate(sample_rate)
            sound.writeframes(samples.tobytes())
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise MediaError(
            f"Cannot write {target}", cause=str(error), next_step="choose a folder that exists and can be written to"
        ) from error
    return target
