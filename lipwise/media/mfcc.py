"""Mel-frequency cepstral coefficients as SyncNet hears sound.

The published scores are taken with the defaults of the package python_speech_features (base.py and sigproc.py of
github.com/jameslyons/python_speech_features), whose last release is of 2017. Other libraries have no such MFCC: its
windows are rectangular, its mel filters begin and end at whole FFT bins, and its first coefficient is the logarithm of
the energy. It is built here from scipy's FFT and cosine transform and equals the original up to rounding.
"""

from functools import cache

import numpy as np

from lipwise.errors import SpeechError
from lipwise.media.audio import PRE_EMPHASIS, SAMPLE_RATE

MFCC_PER_SECOND = 100
HOP_LENGTH = SAMPLE_RATE // MFCC_PER_SECOND  # 160
FRAME_LENGTH = SAMPLE_RATE * 25 // 1000  # 25 ms: 400 samples
FFT_LENGTH = 512
MEL_FILTERS, COEFFICIENTS, LIFTER = 26, 13, 22
CHUNK_FRAMES = 30 * MFCC_PER_SECOND  # frames computed at a time
FULL_SCALE = 1 << 15  # of 16-bit sound
LEAST_ENERGY = np.finfo(np.float64).eps  # stands in for none, whose logarithm would be infinite


def mfcc_frame_count(samples: int) -> int:
    """Frames of so many samples at 16 kHz: one every 160 samples, the last filled up with silence; at least one."""
    return 1 + max(0, -(-(samples - FRAME_LENGTH) // HOP_LENGTH))


def mfcc(waveform: np.ndarray) -> np.ndarray:
    """MFCC with the defaults that SyncNet was trained with, 100 frames a second.

    Frame i hears the samples 160 i .. 160 i + 399. Computed 30 s at a time, in float64.

    Args:
        waveform: (n,) at 16 kHz, n >= 1. Floats in [-1, 1] are rounded to 16 bits as FFmpeg does when it writes the
            wav file that the reference reads; int16 is taken as it is.

    Returns:
        (13, frames) float32, `frames` as `mfcc_frame_count` says. The first row is the logarithm of the energy.

    Raises:
        SpeechError: no sample, or NaN or infinite ones.
    """
    samples = _sixteen_bit(waveform)
    if not len(samples):
        raise SpeechError(
            "There is no sound to be scored",
            cause="the waveform has no sample",
            next_step="choose a part of the recording that is not empty",
        )
    frames = mfcc_frame_count(len(samples))
    coefficients = np.empty((COEFFICIENTS, frames), np.float32)
    for first in range(0, frames, CHUNK_FRAMES):
        stop = min(first + CHUNK_FRAMES, frames)
        coefficients[:, first:stop] = _frames(samples, first, stop)
    return coefficients


def _sixteen_bit(waveform: np.ndarray) -> np.ndarray:
    """(n,) int16."""
    if waveform.ndim != 1 or (waveform.dtype.kind != "f" and waveform.dtype != np.int16):
        raise ValueError(f"expected a waveform (n,) of floats or int16, got {waveform.shape} of {waveform.dtype}")
    if waveform.dtype == np.int16:
        return waveform
    if not np.isfinite(waveform).all():
        raise SpeechError(
            "The waveform holds NaN or infinite samples",
            cause="coefficients of them would be NaN, and so the score",
            next_step="read the recording with load_audio, which repairs them and names the times",
        )
    return np.clip(np.rint(waveform * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def _frames(samples: np.ndarray, first: int, stop: int) -> np.ndarray:
    """Coefficients of the frames first..stop-1 of the whole sound, (13, stop - first) float64."""
    from scipy.fft import dct, rfft

    signal = _emphasised(samples, first * HOP_LENGTH, (stop - 1) * HOP_LENGTH + FRAME_LENGTH)
    windows = np.lib.stride_tricks.sliding_window_view(signal, FRAME_LENGTH)[::HOP_LENGTH]  # (frames, 400)
    power = np.abs(np.asarray(rfft(windows, FFT_LENGTH, axis=1))) ** 2 / FFT_LENGTH  # (frames, 257)
    heard = np.log(_not_zero(power @ _mel_filters().T))  # (frames, 26)
    cepstrum = np.asarray(dct(heard, type=2, axis=1, norm="ortho"))[:, :COEFFICIENTS]
    cepstrum *= 1 + LIFTER / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / LIFTER)
    cepstrum[:, 0] = np.log(_not_zero(power.sum(axis=1)))
    return cepstrum.T


def _not_zero(energy: np.ndarray) -> np.ndarray:
    return np.where(energy == 0, LEAST_ENERGY, energy)


def _emphasised(samples: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Samples start..stop-1 of the pre-emphasised sound, float64; silence after its end."""
    part = samples[max(start - 1, 0) : stop].astype(np.float64)
    before = part[:-1] if start else np.r_[0.0, part[:-1]]
    signal = part[-len(before) :] - PRE_EMPHASIS * before
    return np.pad(signal, (0, stop - start - len(signal)))


@cache
def _mel_filters() -> np.ndarray:
    """(26, 257) float64: triangles evenly spaced in mels (HTK's formula) whose corners are whole FFT bins."""
    highest = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    corners_hz = 700 * (10 ** (np.linspace(0, highest, MEL_FILTERS + 2) / 2595) - 1)
    corners = np.floor((FFT_LENGTH + 1) * corners_hz / SAMPLE_RATE)
    left, middle, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    bins = np.arange(FFT_LENGTH // 2 + 1)
    rise, fall = (bins - left) / (middle - left), (right - bins) / (right - middle)
    return np.maximum(np.where(bins < middle, rise, fall), 0)
