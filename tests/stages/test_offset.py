"""The offset between sound and lips: its sign, its size, what it is sure of."""

from fractions import Fraction

import numpy as np
import pytest

import lipwise as lw
from lipwise.errors import FaceError, SpeechError
from lipwise.media.audio import MEL_FRAMES_PER_SECOND, SAMPLE_RATE, load_audio, mel_spectrogram
from lipwise.models.viseme_net import WINDOW_SHIFT_S, predict_mouth
from lipwise.sample import SPEECH
from lipwise.stages import offset

FPS = Fraction(25)
FRAMES = 95
STEP_S = 1 / MEL_FRAMES_PER_SECOND


@pytest.fixture(scope="module")
def waveform() -> np.ndarray:
    return load_audio(SPEECH)


@pytest.fixture(scope="module")
def heard(waveform) -> np.ndarray:
    return offset.heard_mouth(mel_spectrogram(waveform))


def lips_at(heard: np.ndarray, times_s: np.ndarray, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Gap and width of lips that do what is heard at these times, in eye distances."""
    rng = np.random.default_rng(5)
    opened, wide, *_ = (np.interp(times_s * MEL_FRAMES_PER_SECOND, np.arange(len(heard)), row) for row in heard.T)
    gap, width = 0.3 * opened, 0.6 + 0.2 * wide
    return gap + rng.normal(0, noise, len(gap)), width + rng.normal(0, noise, len(gap))


@pytest.mark.parametrize("fps", [FPS, Fraction(30000, 1001)])
@pytest.mark.parametrize("late_s", [-0.4, -0.12, -0.02, 0.0, 0.033, 0.2, 0.45])
def test_late_lips_mean_early_sound_and_a_number_above_zero(heard, fps, late_s):
    times_s = np.arange(round(3.8 * fps)) / float(fps)
    found = offset.offset_of_curves(*lips_at(heard, times_s - late_s, noise=0.01), heard, fps=fps)
    assert found.offset_s == pytest.approx(late_s, abs=0.008)
    assert found.confidence > 0.9
    assert found.frames(fps) == pytest.approx(found.offset_s * float(fps))


@pytest.mark.parametrize("frames", [-8, 5])
def test_delayed_sound_lowers_the_offset(waveform, heard, frames):
    gap, width = lips_at(heard, np.arange(FRAMES) / 25)
    samples = frames * SAMPLE_RATE // 25
    silence = np.zeros(abs(samples), np.float32)
    moved = np.concatenate([silence, waveform]) if frames > 0 else np.concatenate([waveform[-samples:], silence])
    found = offset.offset_of_curves(gap, width, offset.heard_mouth(mel_spectrogram(moved)), fps=FPS)
    assert found.offset_s == pytest.approx(-frames / 25, abs=0.01)


@pytest.mark.parametrize("audio_offset_s", [0.0, 0.2, -0.12])
def test_it_is_what_audio_offset_mends(heard, audio_offset_s):
    """Windows taken later make lips early, so the sound is late: the offset to add has the other sign."""
    speech = lw.load_speech(SPEECH, gate_silence=False)
    windows = speech.windows(FPS, first=0, count=FRAMES, offset_s=WINDOW_SHIFT_S + audio_offset_s)
    opened, wide, *_ = predict_mouth(windows).T
    found = offset.offset_of_curves(0.3 * opened, 0.6 + 0.2 * wide, heard, fps=FPS)
    assert found.offset_s == pytest.approx(-audio_offset_s, abs=STEP_S)


def test_a_part_that_begins_later_in_the_sound(heard):
    times_s = 1.0 + np.arange(60) / 25
    found = offset.offset_of_curves(*lips_at(heard, times_s - 0.1), heard, fps=FPS, start_s=1.0)
    assert found.offset_s == pytest.approx(0.1, abs=0.008)
    assert found.seconds == pytest.approx(60 / 25)


def test_frames_without_a_face_are_left_out(heard):
    gap, width = lips_at(heard, np.arange(FRAMES) / 25 - 0.2)
    gap[30:45] = width[30:45] = np.nan
    found = offset.offset_of_curves(gap, width, heard, fps=FPS)
    assert found.offset_s == pytest.approx(0.2, abs=0.015)
    assert found.seconds == pytest.approx((FRAMES - 15) / 25)


def test_the_mesh_gives_the_same_as_its_curves(waveform, heard):
    mesh_xy = np.full((FRAMES, 468, 2), np.nan, np.float32)
    gap, width = lips_at(heard, np.arange(FRAMES) / 25 - 0.08)
    mesh_xy[:, [33, 133]], mesh_xy[:, [263, 362]] = (0, 0), (100, 0)
    middle = np.array([50.0, 80.0])
    for upper, lower in ((13, 14), (82, 87), (312, 317)):
        mesh_xy[:, upper] = middle
        mesh_xy[:, lower] = middle + np.stack([0 * gap, 100 * gap], 1)
    mesh_xy[:, 78], mesh_xy[:, 308] = middle, middle + np.stack([100 * width, 0 * width], 1)
    found = lw.estimate_offset(mesh_xy, mel_spectrogram(waveform), fps=FPS)
    assert found.offset_s == pytest.approx(0.08, abs=0.008)


def test_confidence_is_low_for_lips_that_say_something_else(heard):
    other = offset.offset_of_curves(*lips_at(heard[::-1], np.arange(FRAMES) / 25), heard, fps=FPS)
    rng = np.random.default_rng(2)
    noise = offset.offset_of_curves(rng.random(FRAMES) * 0.2, rng.random(FRAMES) * 0.2, heard, fps=FPS)
    same = offset.offset_of_curves(*lips_at(heard, np.arange(FRAMES) / 25), heard, fps=FPS)
    assert max(other.confidence, noise.confidence) < 0.4 < 0.95 < same.confidence


def test_it_reads_as_words(heard):
    early = offset.offset_of_curves(*lips_at(heard, np.arange(FRAMES) / 25 - 0.2), heard, fps=FPS)
    late = offset.offset_of_curves(*lips_at(heard, np.arange(FRAMES) / 25 + 0.2), heard, fps=FPS)
    right = offset.offset_of_curves(*lips_at(heard, np.arange(FRAMES) / 25), heard, fps=FPS)
    assert str(early).startswith("sound 0.20 s early, confidence")
    assert str(late).startswith("sound 0.20 s late, confidence")
    assert str(right).startswith("sound in time, confidence")


@pytest.mark.parametrize(
    ("gap", "error", "words"),
    [
        (np.full(FRAMES, np.nan), FaceError, "Too little of a mouth"),
        (np.r_[np.linspace(0, 0.2, 20), np.full(75, np.nan)], FaceError, "0.80 s"),
        (np.full(FRAMES, 0.05), FaceError, "does not move"),
    ],
)
def test_a_mouth_that_cannot_be_judged_is_refused(heard, gap, error, words):
    with pytest.raises(error, match=words):
        offset.offset_of_curves(gap, gap, heard, fps=FPS)


@pytest.mark.parametrize("start_s", [0.0, 60.0])
def test_silence_is_refused(heard, start_s):
    gap, width = lips_at(heard, np.arange(FRAMES) / 25)
    silent = heard if start_s else offset.heard_mouth(np.full((80, 300), -4.0, np.float32))
    with pytest.raises(SpeechError, match="lips could say"):
        offset.offset_of_curves(gap, width, silent, fps=FPS, start_s=start_s)


def test_known_shifts_on_a_real_clip(shared_clip, golden):
    """One of the clips of benchmarks/offset.py, its mouth as MediaPipe measured it."""
    with np.load(golden / "mediapipe_mouth.npz") as stored:
        gap, width = (stored[f"video-retalking__3.{what}"] for what in ("gap", "width"))
    waveform = load_audio(shared_clip("video-retalking__3.mp4"))
    found = []
    for frames in (-8, 0, 8):
        moved = np.roll(np.pad(waveform, SAMPLE_RATE), frames * SAMPLE_RATE // 25)[SAMPLE_RATE:-SAMPLE_RATE]
        estimate = offset.offset_of_curves(gap, width, offset.heard_mouth(mel_spectrogram(moved)), fps=FPS)
        found.append(estimate.frames(FPS))
        assert estimate.confidence > 0.8
    assert np.allclose(np.array(found) - found[1], (8, 0, -8), atol=1)
