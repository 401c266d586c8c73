"""MFCC against the numbers of the package that the published scores are taken with."""

import av
import numpy as np
import pytest

from lipwise.errors import SpeechError
from lipwise.media import mfcc as room
from lipwise.media.audio import load_audio
from lipwise.media.mfcc import COEFFICIENTS, HOP_LENGTH, LEAST_ENERGY, MFCC_PER_SECOND, mfcc, mfcc_frame_count
from lipwise.sample import SPEECH


@pytest.fixture(scope="module")
def waveform(golden) -> np.ndarray:
    with np.load(golden / "mel.npz") as arrays:
        return arrays["waveform"]


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return load_audio(SPEECH)


def test_equals_reference(golden, waveform):
    with np.load(golden / "mfcc.npz") as arrays:
        expected = arrays["mfcc"]
    found = mfcc((waveform * 32767).astype(np.int16))
    assert found.dtype == np.float32
    assert found.shape == expected.shape == (13, 299)
    assert np.abs(found - expected).max() < 1e-5


def test_floats_become_sixteen_bits_as_ffmpeg_makes_them(speech):
    wild = np.concatenate([speech, np.array([1.0, -1.0, 1.5, -1.5, 0.4 / 32768, 0.6 / 32768], np.float32)])
    frame = av.AudioFrame.from_ndarray(wild[None], format="flt", layout="mono")
    frame.sample_rate = 16000
    (written,) = av.AudioResampler(format="s16", layout="mono", rate=16000).resample(frame)
    assert np.array_equal(mfcc(wild), mfcc(written.to_ndarray()[0]))


@pytest.mark.parametrize(
    ("samples", "frames"), [(1, 1), (400, 1), (401, 2), (560, 2), (561, 3), (16000, 99), (48000, 299)]
)
def test_frames_of_a_length(samples, frames):
    assert mfcc_frame_count(samples) == frames
    assert mfcc(np.zeros(samples, np.int16)).shape == (COEFFICIENTS, frames)


def test_there_is_sound_for_every_window_of_the_frames_it_lasts():
    """N frames of 1/25 s give N - 5 windows, each of 20 steps and 4 after the one before."""
    for frames in range(6, 300):
        assert mfcc_frame_count(frames * 640) >= 4 * (frames - 6) + 20


def test_pieces_do_not_show(speech, monkeypatch):
    whole = mfcc(speech)
    monkeypatch.setattr(room, "CHUNK_FRAMES", 7)
    assert np.array_equal(mfcc(speech), whole)


def test_silence_is_finite():
    found = mfcc(np.zeros(8000, np.float32))
    assert np.isfinite(found).all()
    assert np.allclose(found[0], np.log(LEAST_ENERGY))


def test_loudness_moves_the_first_coefficient_only(speech):
    samples = (speech[16000:32000] * 8000).astype(np.int16)
    quiet, loud = mfcc(samples), mfcc(2 * samples)
    heard = quiet[0] > np.log(LEAST_ENERGY) / 2  # digital silence has no loudness
    assert heard.sum() > 50
    assert np.allclose(loud[0, heard] - quiet[0, heard], np.log(4), atol=1e-4)
    assert np.allclose(loud[1:, heard], quiet[1:, heard], atol=1e-3)


def test_a_step_is_a_hundredth_of_a_second():
    click = np.zeros(16000, np.int16)
    click[50 * HOP_LENGTH + 100] = 20000
    heard = np.flatnonzero(mfcc(click)[0] > 0)
    assert HOP_LENGTH * MFCC_PER_SECOND == 16000
    assert heard.tolist() == [49, 50]  # frame i hears the samples 160 i .. 160 i + 399, and this is 160 * 50 + 100


@pytest.mark.parametrize(
    ("waveform", "words"),
    [
        (np.zeros(0, np.float32), "no sample"),
        (np.array([0.1, np.nan], np.float32), "NaN"),
        (np.array([0.1, np.inf], np.float32), "infinite"),
    ],
)
def test_what_cannot_be_heard_is_told(waveform, words):
    with pytest.raises(SpeechError, match=words):
        mfcc(waveform)


@pytest.mark.parametrize("waveform", [np.zeros((2, 400), np.float32), np.zeros(400, np.int32)], ids=["2d", "int32"])
def test_what_is_no_waveform_is_named(waveform):
    with pytest.raises(ValueError, match="expected a waveform"):
        mfcc(waveform)
