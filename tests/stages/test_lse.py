"""LSE-D, LSE-C and the AV offset: arithmetic against the reference, signs against shifts that are known."""

import json

import numpy as np
import pytest

import lipwise.stages.lse_clip as lse_clip
from lipwise.errors import CheckpointError, MediaError, SpeechError
from lipwise.stages.lse import SyncScores, sync_distances, window_distances

FRAME = 640  # samples at 16 kHz in a 25th of a second


class Loudness:
    """Takes a bright picture for a loud sound: points of one space without any weights."""

    window_frames, crop_size = 5, 224

    def embed_lips(self, crops):
        bright = np.array([crop.mean() for crop in crops], np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(bright, 5) if len(bright) >= 5 else np.zeros((0, 5))
        return windows.astype(np.float32)

    def embed_sound(self, mfcc):
        first_half = mfcc[0, : mfcc.shape[1] // 4 * 4].reshape(-1, 4)[:, :2]  # of each frame; the rest hears the next
        level = (first_half.mean(1) - np.log(388)) / 2  # 400 samples of white noise, emphasised, half of the spectrum
        return np.lib.stride_tricks.sliding_window_view(20 * np.maximum(level, 0).astype(np.float32), 5)


def talk(count: int, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Pictures that are as bright as their 25th of a second is loud, and the sound."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(3, 9, count)  # of the logarithm of the amplitude
    noise = rng.choice([-1.0, 1.0], (count, FRAME))
    sound = (np.exp(level)[:, None] * noise / 32768).ravel().astype(np.float32)
    pictures = [np.full((4, 4, 3), 20 * value, np.uint8) for value in level]
    return pictures, sound


@pytest.mark.parametrize("shift", [-7, -2, 0, 3, 11])
def test_arithmetic_equals_reference(golden, shift):
    expected = next(case for case in json.loads((golden / "lse.json").read_text()) if case["shift"] == shift)
    with np.load(golden / f"lse_case_{shift}.npz") as arrays:
        distances = sync_distances(arrays["lip"], arrays["audio"])
    scores = SyncScores(distances)
    assert distances.shape == (80, 31)
    assert scores.offset_frames == expected["offset"]
    assert scores.lse_d == pytest.approx(expected["lse_d"], abs=1e-5)
    assert scores.lse_c == pytest.approx(expected["lse_c"], abs=1e-5)
    assert scores.windows == 80


def test_beyond_the_ends_lies_the_zero_vector():
    lips, sounds = np.random.default_rng(2).normal(size=(2, 40, 8)).astype(np.float32)
    distances = sync_distances(lips, sounds)
    assert distances[3, 15] == pytest.approx(np.linalg.norm(lips[3] - sounds[3]), rel=1e-5)
    assert distances[3, 20] == pytest.approx(np.linalg.norm(lips[3] - sounds[8]), rel=1e-5)
    assert distances[3, 11] == pytest.approx(np.linalg.norm(lips[3]), rel=1e-5)
    assert distances[39, 16] == pytest.approx(np.linalg.norm(lips[39]), rel=1e-5)


def test_equal_points_are_as_far_apart_as_torch_says():
    same = np.ones((40, 4), np.float32)
    assert sync_distances(same, same)[20, 15] == pytest.approx(2e-6, rel=1e-3)  # sqrt(4 x 1e-6 squared)


@pytest.mark.parametrize("shapes", [((5, 3), (4, 3)), ((5, 3), (5, 4)), ((5,), (5,))])
def test_points_of_two_shapes_are_refused(shapes):
    with pytest.raises(ValueError, match="one shape"):
        sync_distances(*map(np.zeros, shapes))


def scores_of(pictures, sound) -> SyncScores:
    return SyncScores(window_distances(pictures, sound, Loudness()))


def test_sound_cut_at_its_beginning_comes_early_and_is_positive():
    pictures, sound = talk(90)
    scores = scores_of(pictures, sound[7 * FRAME :])
    assert scores.offset_frames == 7
    assert scores.offset_s == pytest.approx(0.28)
    assert "7 frames (0.28 s) early" in str(scores)


def test_sound_held_back_comes_late_and_is_negative():
    pictures, sound = talk(90)
    late = np.concatenate([np.zeros(4 * FRAME, np.float32), sound])
    scores = scores_of(pictures, late)
    assert scores.offset_frames == -4
    assert "4 frames (0.16 s) late" in str(scores)


def test_delaying_the_sound_by_the_offset_mends_it():
    pictures, sound = talk(90)
    early = sound[7 * FRAME :]
    offset_s = scores_of(pictures, early).offset_s
    mended = np.concatenate([np.zeros(round(offset_s * 16000), np.float32), early])
    scores = scores_of(pictures, mended)
    assert scores.offset_frames == 0
    assert "in time" in str(scores)


def test_agreement_scores_better_than_chance_and_an_offset_does_not_show():
    pictures, sound = talk(200)
    together = scores_of(pictures, sound)
    apart = scores_of(pictures, talk(200, seed=1)[1])
    moved = scores_of(pictures, sound[5 * FRAME :])
    assert together.lse_d < 0.3 * apart.lse_d
    assert together.lse_c > 2 * apart.lse_c
    assert moved.lse_c > 2 * apart.lse_c
    assert together.confidence.mean() == pytest.approx(together.lse_c, rel=1e-4)
    assert together.shifts[together.mean_distances.argmin()] == 0
    assert together.shifts[0] == 15
    assert together.shifts[-1] == -15


def test_confidence_shows_where_lips_and_sound_part():
    pictures, sound = talk(120)
    sound[60 * FRAME :] = talk(120, seed=5)[1][60 * FRAME :]
    confidence = scores_of(pictures, sound).confidence
    assert confidence[:55].min() > confidence[60:].mean()


@pytest.mark.parametrize(("pictures", "heard"), [(100, 60), (60, 100), (60, 60)])
def test_the_longer_is_cut_to_the_shorter_and_five_frames_are_lost(pictures, heard):
    shown, sound = talk(100)
    scores = scores_of(iter(shown[:pictures]), sound[: heard * FRAME])
    assert scores.windows == 55


def test_a_second_and_a_half_is_the_least():
    pictures, sound = talk(36)
    assert scores_of(pictures, sound).windows == 31
    with pytest.raises(MediaError, match=r"30 windows of 5 frames(?s:.*)1\.44 s"):
        scores_of(pictures[:35], sound)
    with pytest.raises(MediaError, match="0 windows"):
        scores_of([], sound)
    with pytest.raises(SpeechError, match=r"it lasts 1\.40 s and 1\.44 s are needed"):
        scores_of(pictures, sound[:-1])


def test_the_published_weights_are_asked_for_by_name(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(lse_clip, "fetch_weights", lambda name: asked.append(name) or [tmp_path / "none.model"])
    with pytest.raises(CheckpointError, match=r"none\.model"):
        lse_clip.load_sync_network()
    assert asked == ["syncnet"]
