"""Speech as Wav2Lip hears it: waveform, mel spectrogram, one window of it for every frame of the result.

Numbers of the mel: hparams.py and audio.py of github.com/Rudrabha/Wav2Lip, which pins librosa 0.7.
"""

import warnings
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np

from lipwise.errors import LipwiseWarning, SettingsError, SpeechError
from lipwise.media.defects import SoundDefects, SpeechCheck, examine_waveform, merged, peak_of, require_speech, tell
from lipwise.media.sound import OVERSHOOT, full_scale_gain
from lipwise.media.sound_stream import part_in_samples, sound_chunks, tell_of_other_tracks

SAMPLE_RATE = 16_000
HOP_LENGTH = 200
MEL_FRAMES_PER_SECOND = SAMPLE_RATE // HOP_LENGTH  # 80
WINDOW_STEPS = 16  # mel frames in one window: 0.2 s
MEL_BANDS = 80
MEL_FLOOR = -4.0
MEL_CEILING = 4.0

FFT_LENGTH = 800
LOWEST_HZ, HIGHEST_HZ = 55.0, 7600.0
PRE_EMPHASIS = 0.97
FLOOR_DB, REFERENCE_DB = -100.0, 20.0
CHUNK_FRAMES = 30 * MEL_FRAMES_PER_SECOND  # mel frames computed at a time

LENGTH_SLACK_S = 0.1  # an end this little past the end of the file is rounding


def load_audio(path: str | Path, *, start_s: float = 0.0, end_s: float | None = None) -> np.ndarray:
    """The sound of a recording or a video as mono at 16 kHz.

    Warns (LipwiseWarning, with the times) of broken samples and missing pieces, which become silence, of clipping,
    of digital silence and of sound tracks that are not heard. Samples far beyond full scale (integers saved as
    floats) are scaled to a peak of 1.

    Args:
        start_s, end_s: the part to take, exact to the sample; None is the end. Zero is the first picture or the
            first sample, whichever is shown first.

    Returns:
        waveform, (n,) float32 in [-1, 1], n >= 1.

    Raises:
        MediaError: the file cannot be read. SpeechError: no sound in it, or none in this part.
        SettingsError: the part is empty.
    """
    return _load(path, start_s, end_s)[0]


def load_speech(
    path: str | Path, *, start_s: float = 0.0, end_s: float | None = None
) -> tuple[np.ndarray, SpeechCheck, float]:
    """Like `load_audio`, with what was found in the recording; SpeechError where it is silent throughout.

    Returns:
        waveform (n,) float32, what was found, and the gain the samples were scaled by (1 where their scale is right),
        which `read_sound` takes for the result's sound.
    """
    waveform, check, gain = _load(path, start_s, end_s)
    require_speech(check, path)
    return waveform, check, gain


def check_speech(waveform: np.ndarray, path: str | Path = "The recording") -> SpeechCheck:
    """Peak, silence and clipping of a (n,) waveform at 16 kHz; SpeechError where it is silent throughout."""
    check = examine_waveform(_checked(waveform), sample_rate=SAMPLE_RATE)
    require_speech(check, path)
    return check


def _load(path: str | Path, start_s: float, end_s: float | None) -> tuple[np.ndarray, SpeechCheck, float]:
    first, stop = part_in_samples(start_s, end_s, SAMPLE_RATE)
    found = SoundDefects()
    samples = bytearray()  # grows in place, where joining a list would hold everything twice
    for chunk in sound_chunks(path, found, first=first, stop=stop, sample_rate=SAMPLE_RATE, channels=1):
        samples += chunk.tobytes()
    waveform = np.frombuffer(samples, np.float32)
    end_there_s = (first + len(waveform)) / SAMPLE_RATE
    if end_s is not None and end_s > end_there_s + LENGTH_SLACK_S:
        _warn(f"{path} ends at {end_there_s:.2f} s, not at the {end_s:g} s asked for: taken up to its end")
    found = found.between(start_s, end_there_s)
    gain = full_scale_gain(path, start_s=start_s, end_s=end_s) if peak_of(waveform) > OVERSHOOT else 1.0
    if gain < 1:
        found.clipped.clear()  # what is over full scale in such a file is its scale, not clipping
        waveform *= np.float32(gain)
    np.clip(waveform, -1, 1, out=waveform)
    check = replace(
        examine_waveform(waveform, sample_rate=SAMPLE_RATE, start_s=start_s),
        clipped_spans_s=merged(found.clipped),
        repaired_spans_s=merged(found.repaired),
        missing_spans_s=merged(found.missing),
    )
    found.warn(path)
    tell_of_other_tracks(path)
    if check.clipped_spans_s:
        tell(path, "clipped (recorded too loud)", check.clipped_spans_s)
    if check.silent_spans_s:
        tell(path, "digital silence", check.silent_spans_s)
    return waveform, check, gain


def _warn(text: str) -> None:
    warnings.warn(text, LipwiseWarning, stacklevel=2)


def _checked(waveform: np.ndarray) -> np.ndarray:
    if waveform.ndim != 1 or waveform.dtype.kind != "f":
        raise ValueError(f"expected a waveform (n,) of floats, got {waveform.shape} of {waveform.dtype}")
    return waveform


def mel_frame_count(samples: int) -> int:
    """Mel frames of so many samples at 16 kHz: one every 200 samples, the first and the last at the very ends."""
    return 1 + samples // HOP_LENGTH


def mel_spectrogram(waveform: np.ndarray) -> np.ndarray:
    """Mel spectrogram in the scale Wav2Lip was trained with, 80 frames a second.

    Pre-emphasis, centred STFT with reflection at both ends, 80 Slaney bands from 55 to 7600 Hz, decibels mapped to
    [-4, 4]. Computed 30 s at a time, so that memory is that of waveform and result.

    Args:
        waveform: (n,) float32 at 16 kHz, [-1, 1]. Less than half an FFT window is continued with silence.

    Returns:
        mel, (80, 1 + n // 200) float32; digital silence is -4.

    Raises:
        SpeechError: NaN or infinite samples.
    """
    if not np.isfinite(_checked(waveform)).all():
        raise SpeechError(
            "The waveform holds NaN or infinite samples",
            cause="a mel spectrogram of them would be NaN, and the picture black",
            next_step="read the recording with load_audio, which repairs them and names the times",
        )
    frames = mel_frame_count(len(waveform))
    if len(waveform) <= FFT_LENGTH // 2:  # too short to be mirrored
        waveform = np.pad(waveform, (0, FFT_LENGTH // 2 + 1 - len(waveform)))
    mel = np.empty((MEL_BANDS, frames), np.float32)
    for first in range(0, frames, CHUNK_FRAMES):
        stop = min(first + CHUNK_FRAMES, frames)
        mel[:, first:stop] = _mel_frames(waveform, first, stop)
    return mel


def _mel_frames(waveform: np.ndarray, first: int, stop: int) -> np.ndarray:
    """Mel frames first..stop-1 of the whole waveform, (80, stop - first) float32."""
    from scipy.fft import rfft  # keeps float32, which numpy 1.26 does not, and is four times as fast

    signal = _emphasised(waveform, first * HOP_LENGTH - FFT_LENGTH // 2, (stop - 1) * HOP_LENGTH + FFT_LENGTH // 2)
    windows = np.lib.stride_tricks.sliding_window_view(signal, FFT_LENGTH)[::HOP_LENGTH]  # (frames, 800)
    spectrum = np.abs(np.asarray(rfft(windows * _hann(), axis=1)))  # (frames, 401)
    floor = 10 ** (FLOOR_DB / 20)
    decibel = 20 * np.log10(np.maximum(_mel_filters() @ spectrum.T, floor)) - REFERENCE_DB  # (80, frames)
    scaled = (decibel - FLOOR_DB) / -FLOOR_DB * (MEL_CEILING - MEL_FLOOR) + MEL_FLOOR
    return np.clip(scaled, MEL_FLOOR, MEL_CEILING).astype(np.float32)


def _emphasised(waveform: np.ndarray, first: int, stop: int) -> np.ndarray:
    """Samples first..stop-1 of the pre-emphasised signal, which is mirrored before its first and after its last."""
    last = len(waveform) - 1
    index = np.abs(np.arange(first, stop))
    index = np.minimum(index, 2 * last - index)
    before = np.where(index > 0, waveform[np.maximum(index - 1, 0)], np.float32(0))
    return waveform[index] - np.float32(PRE_EMPHASIS) * before


@cache
def _hann() -> np.ndarray:
    """(800,) float32, periodic."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT_LENGTH) / FFT_LENGTH)).astype(np.float32)


@cache
def _mel_filters() -> np.ndarray:
    """(80, 401) float32. librosa's STFT is not used: its first call compiles for two seconds and more."""
    from librosa.filters import mel

    return mel(sr=SAMPLE_RATE, n_fft=FFT_LENGTH, n_mels=MEL_BANDS, fmin=LOWEST_HZ, fmax=HIGHEST_HZ)


def window_count(duration_s: float | Fraction, fps: Fraction) -> int:
    """Frames of a result that lasts this long: `duration_s * fps`, rounded, halves upward, computed exactly.

    Args:
        duration_s: seconds; `Fraction(len(waveform), SAMPLE_RATE)` is exact, a float is taken for the nearest
            fraction with a denominator up to a million.
    """
    return int(_exact(duration_s) * Fraction(fps) + Fraction(1, 2))


def mel_windows(
    mel: np.ndarray, fps: Fraction, *, count: int, first: int = 0, audio_offset_s: float | Fraction = 0
) -> np.ndarray:
    """The 0.2 s of speech that each output frame shows.

    The window of frame i, shown at i / fps, begins at mel frame floor(80 * (i / fps + audio_offset_s)): with offset 0
    where the reference's inference begins it. A positive offset takes later sound, so that the lips move earlier;
    -1 / fps is the timing of the reference's training. Before the recording and after its end there is silence, so
    that any count works.

    Args:
        mel: (80, M) float32.
        count, first: output frames first..first+count-1.

    Returns:
        mel_windows, (count, 80, 16) float32.
    """
    if mel.ndim != 2 or mel.shape[0] != MEL_BANDS:
        raise ValueError(f"expected a mel spectrogram ({MEL_BANDS}, M), got {mel.shape}")
    if fps <= 0 or count < 0 or first < 0:
        raise SettingsError(
            f"No windows for {count} frames from frame {first} on at {fps} frames a second",
            cause="numbers of frames are 0 or more, a frame rate is above 0",
            next_step="take fps from probe(clip) and the count from window_count",
        )
    starts = window_starts(fps, count=count, first=first, audio_offset_s=audio_offset_s)
    steps = starts[:, None] + np.arange(WINDOW_STEPS)  # (count, 16)
    heard = (steps >= 0) & (steps < mel.shape[1])
    windows = mel.T[np.where(heard, steps, 0)]  # (count, 16, 80)
    windows[~heard] = MEL_FLOOR
    return np.ascontiguousarray(windows.transpose(0, 2, 1), np.float32)


def window_starts(fps: Fraction, *, count: int, first: int = 0, audio_offset_s: float | Fraction = 0) -> np.ndarray:
    """(count,) int64: the mel frame at which the window of each output frame begins; may lie outside the mel."""
    step = MEL_FRAMES_PER_SECOND / Fraction(fps)
    shift = MEL_FRAMES_PER_SECOND * _exact(audio_offset_s)
    below = step.denominator * shift.denominator  # whole numbers only: exact at 30000/1001 after hours
    slope, offset = step.numerator * shift.denominator, shift.numerator * step.denominator
    return np.array([(frame * slope + offset) // below for frame in range(first, first + count)], np.int64)


def _exact(seconds: float | Fraction) -> Fraction:
    return seconds if isinstance(seconds, Fraction) else Fraction(seconds).limit_denominator(1_000_000)
