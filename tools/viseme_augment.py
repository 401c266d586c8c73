"""Part of stage 2: what rooms and microphones do to a voice, because synthetic speech is clean and close."""

from dataclasses import replace

import numpy as np
from scipy.signal import fftconvolve, lfilter, resample_poly
from viseme_mouth import SILENCE, Segment
from viseme_speech import SAMPLE_RATE, Utterance


def _shift(segments: list[Segment], *, by_s: float = 0.0, times: float = 1.0) -> list[Segment]:
    return [Segment(s.start_s * times + by_s, s.end_s * times + by_s, s.phone) for s in segments]


def _set_level(waveform: np.ndarray, decibels: float) -> np.ndarray:
    rms = float(np.sqrt(np.mean(waveform**2))) + 1e-9
    return waveform * np.float32(10 ** (decibels / 20) / rms)


def change_size(utterance: Utterance, rng: np.random.Generator) -> Utterance:
    """A larger or smaller speaker: pitch, formants and tempo together, by resampling."""
    percent = int(rng.integers(84, 121))
    waveform = resample_poly(utterance.waveform, percent, 100).astype(np.float32)
    return replace(utterance, waveform=waveform, segments=_shift(utterance.segments, times=percent / 100))


def add_pauses(utterance: Utterance, rng: np.random.Generator) -> Utterance:
    """Silence before and after, 0.15-0.8 s each."""
    before, after = (float(x) for x in rng.uniform(0.15, 0.8, 2))
    pads = [np.zeros(int(x * SAMPLE_RATE), np.float32) for x in (before, after)]
    end = before + len(utterance.waveform) / SAMPLE_RATE
    segments = [Segment(0.0, before, SILENCE), *_shift(utterance.segments, by_s=before)]
    segments.append(Segment(end, end + after, SILENCE))
    return replace(utterance, waveform=np.concatenate([pads[0], utterance.waveform, pads[1]]), segments=segments)


def colour(waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random smooth equaliser with tilt, sometimes a telephone's or a cheap microphone's limits."""
    spectrum = np.fft.rfft(waveform)
    frequency = np.linspace(0, SAMPLE_RATE / 2, len(spectrum))
    pitch_like = np.log1p(frequency / 300)
    knots = np.linspace(0, pitch_like[-1], 7)
    decibels = rng.normal(0, 5, 7) + np.linspace(0, 1, 7) * rng.uniform(-16, 12)
    gain = 10 ** (np.interp(pitch_like, knots, decibels) / 20)
    if rng.random() < 0.25:
        gain = gain / (1 + (frequency / rng.uniform(3000, 7000)) ** 8)
    if rng.random() < 0.3:
        gain = gain * (1 - 1 / (1 + (frequency / rng.uniform(80, 250)) ** 4))
    return np.fft.irfft(spectrum * gain, len(waveform)).astype(np.float32)


def reverberate(waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A room: exponentially dying noise of 0.1-0.7 s behind the direct sound."""
    length = int(rng.uniform(0.1, 0.7) * SAMPLE_RATE)
    room = rng.normal(size=length) * 10 ** (-3 * np.arange(length) / length)
    room *= rng.uniform(0.05, 0.6) / np.sqrt(np.sum(room**2))
    room[0] = 1.0
    return np.asarray(fftconvolve(waveform, room)[: len(waveform)], np.float32)


def add_noise(waveform: np.ndarray, rng: np.random.Generator, babble: np.ndarray) -> np.ndarray:
    """Hiss to rumble 8-45 dB below the speech, and sometimes other voices 10-25 dB below."""
    level = 20 * np.log10(np.sqrt(np.mean(waveform**2)) + 1e-9)
    if rng.random() < 0.75:
        noise = lfilter([1.0], [1.0, -rng.uniform(0, 0.97)], rng.normal(size=len(waveform)))
        waveform = waveform + _set_level(np.asarray(noise, np.float32), level - rng.uniform(8, 45))
    if rng.random() < 0.25:
        others = np.resize(np.roll(babble, int(rng.integers(len(babble)))), len(waveform))
        waveform = waveform + _set_level(others, level - rng.uniform(10, 25))
    return waveform


def augment(utterance: Utterance, rng: np.random.Generator, babble: np.ndarray) -> Utterance:
    """One random recording of an utterance; its segments stay true.

    Args:
        babble: (m,) float32, another utterance's waveform.
    """
    utterance = add_pauses(change_size(utterance, rng), rng)
    waveform = utterance.waveform
    if rng.random() < 0.9:
        waveform = colour(waveform, rng)
    if rng.random() < 0.6:
        waveform = reverberate(waveform, rng)
    waveform = add_noise(_set_level(waveform, rng.uniform(-33, -13)), rng, babble)
    return replace(utterance, waveform=np.clip(waveform, -1, 1).astype(np.float32))
