"""Mel spectrogram and windows: the reference's numbers, and properties."""

import json
from fractions import Fraction

import numpy as np
import pytest

from lipwise.errors import SettingsError, SpeechError
from lipwise.media import audio
from lipwise.media.audio import (
    HOP_LENGTH,
    MEL_FLOOR,
    SAMPLE_RATE,
    WINDOW_STEPS,
    mel_spectrogram,
    mel_windows,
    window_count,
    window_starts,
)

RATES = [
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(60),
    Fraction(7),
]


@pytest.fixture(scope="module")
def reference(golden):
    with np.load(golden / "mel.npz") as numbers:
        return numbers["waveform"], numbers["mel"]


def test_mel_equals_the_reference_at_both_ends_too(reference):
    waveform, mel = reference
    ours = mel_spectrogram(waveform)
    assert ours.shape == mel.shape
    assert ours.dtype == np.float32
    assert np.abs(ours - mel).max() < 1e-3


@pytest.mark.parametrize("samples", [0, 1, 2, 199, 200, 399, 400, 401, 800, 4321])
def test_silence_is_the_floor_whatever_its_length(samples):
    mel = mel_spectrogram(np.zeros(samples, np.float32))
    assert mel.shape == (80, 1 + samples // HOP_LENGTH)
    assert (mel == MEL_FLOOR).all()


@pytest.mark.parametrize("samples", [1, 399, 400])
def test_what_is_too_short_to_be_mirrored_is_continued_with_silence(reference, samples):
    waveform = reference[0][5000 : 5000 + samples]
    longer = np.pad(waveform, (0, 401 - samples))
    assert np.allclose(mel_spectrogram(waveform), mel_spectrogram(longer)[:, : 1 + samples // HOP_LENGTH], atol=1e-6)


@pytest.mark.parametrize("samples", [30, 200, 500, 5000, 48000])
def test_mel_in_pieces_equals_the_whole(reference, monkeypatch, samples):
    waveform = reference[0][:samples]
    whole = mel_spectrogram(waveform)
    monkeypatch.setattr(audio, "CHUNK_FRAMES", 7)
    assert np.abs(mel_spectrogram(waveform) - whole).max() < 1e-6


def test_sound_later_by_one_hop_is_a_mel_later_by_one_frame(reference):
    waveform = reference[0]
    later = mel_spectrogram(np.concatenate([np.zeros(HOP_LENGTH, np.float32), waveform]))
    assert np.abs(later[:, 4:-4] - mel_spectrogram(waveform)[:, 3:-4]).max() < 1e-6


def test_mel_refuses_nan_and_says_what_to_do():
    with pytest.raises(SpeechError, match="load_audio"):
        mel_spectrogram(np.array([0, np.nan, 0], np.float32))


@pytest.mark.parametrize("waveform", [np.zeros((2, 100), np.float32), np.zeros(100, np.int16)])
def test_mel_names_a_wrong_shape_or_type(waveform):
    with pytest.raises(ValueError, match="expected a waveform"):
        mel_spectrogram(waveform)


def test_memory_of_a_long_mel_is_that_of_its_result():
    import tracemalloc

    waveform = np.ones(400 * SAMPLE_RATE, np.float32)
    mel_spectrogram(waveform[:SAMPLE_RATE])
    tracemalloc.start()
    mel = mel_spectrogram(waveform)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - mel.nbytes < 60 * 2**20  # a whole STFT at once needs 300 MB


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("samples", [1, 16000, 16001, 176000, 48777, 160 * 16000])
def test_as_many_windows_as_frames(fps, samples):
    duration = Fraction(samples, SAMPLE_RATE)
    count = window_count(duration, fps)
    assert abs(count - duration * fps) <= Fraction(1, 2)
    assert count == window_count(samples / SAMPLE_RATE, fps)
    mel = np.zeros((80, 1 + samples // HOP_LENGTH), np.float32)
    assert mel_windows(mel, fps, count=count).shape == (count, 80, WINDOW_STEPS)


def test_halves_are_rounded_upward_always():
    assert [window_count(Fraction(n, 50), Fraction(25)) for n in (1, 3, 5, 7)] == [1, 2, 3, 4]
    assert [window_count(n / 50, Fraction(25)) for n in (1, 3, 5, 7)] == [1, 2, 3, 4]
    assert window_count(10, Fraction(25)) == 250  # the reference makes 247


def test_windows_begin_where_those_of_the_reference_do(golden):
    for case in json.loads((golden / "mel_windows.json").read_text()):
        count = case["n_windows"]
        starts = window_starts(Fraction(case["fps"]), count=count)
        assert starts[:5].tolist() == case["first"]
        assert starts[-3:-1].tolist() == case["last"][:-1]  # the reference moves its last window back into the mel
        assert window_count(case["duration_s"], Fraction(case["fps"])) > count


def test_starts_stay_exact_after_a_day_of_ntsc_video():
    fps, frame = Fraction(30000, 1001), 86_400 * 30
    (start,) = window_starts(fps, count=1, first=frame)
    assert start == frame * 80 * 1001 // 30000


def test_windows_hold_the_mel_and_silence_around_it():
    mel = np.arange(80 * 40, dtype=np.float32).reshape(80, 40)
    fps = Fraction(25)
    windows = mel_windows(mel, fps, count=20)
    assert np.array_equal(windows[5], mel[:, 16:32])
    assert np.array_equal(windows[9, :, :12], mel[:, 28:])
    assert (windows[9, :, 12:] == MEL_FLOOR).all()
    assert (windows[19] == MEL_FLOOR).all()
    assert np.array_equal(mel_windows(mel, fps, count=7, first=5), windows[5:12])
    assert mel_windows(mel, fps, count=0).shape == (0, 80, WINDOW_STEPS)


def test_a_positive_offset_takes_later_sound():
    mel = np.arange(80 * 40, dtype=np.float32).reshape(80, 40)
    fps = Fraction(25)
    later = mel_windows(mel, fps, count=4, audio_offset_s=0.1)
    assert np.array_equal(later[0], mel[:, 8:24])
    trained = mel_windows(mel, fps, count=4, audio_offset_s=-1 / fps)  # one frame earlier: the training's timing
    assert np.array_equal(trained[1:], mel_windows(mel, fps, count=3))
    assert (trained[0, :, :4] == MEL_FLOOR).all()
    assert np.array_equal(trained[0, :, 4:], mel[:, :12])


@pytest.mark.parametrize("wrong", [{"fps": Fraction(0)}, {"fps": Fraction(-25)}, {"count": -1}, {"first": -1}])
def test_windows_refuse_what_makes_no_sense(wrong):
    settings = {"fps": Fraction(25), "count": 2, "first": 0} | wrong
    with pytest.raises(SettingsError):
        mel_windows(np.zeros((80, 9), np.float32), settings.pop("fps"), **settings)


def test_windows_name_a_wrong_shape():
    with pytest.raises(ValueError, match=r"\(80, M\), got \(9, 80\)"):
        mel_windows(np.zeros((9, 80), np.float32), Fraction(25), count=1)
