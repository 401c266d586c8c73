"""The offset without a checkpoint on real people: the bound that benchmarks/offset.py measures on every window."""

import warnings

import offset as benchmark  # benchmarks/offset.py
import pytest

from lipwise.errors import LipwiseWarning

CLIPS = ("LatentSync__demo1_video", *(f"video-retalking__{number}" for number in (1, 2, 3, 4, 5)))
SHIFTS = (-8, -5, -2, 0, 1, 4, 7)  # frames
WINDOW_S, EVERY = 5.0, 13  # frames from the beginning of a window to the next
LEAST_FOUND = 0.85


@pytest.mark.slow
def test_known_shifts_are_found_within_one_frame(shared_clip, face_mesh, monkeypatch):
    """Our own mesh in the windows; what the clips are off by themselves was measured with another mesh."""
    monkeypatch.setattr(benchmark, "SHIFTS", SHIFTS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LipwiseWarning)  # about clips whose colour or rate is guessed
        clips = [benchmark.load_clip(shared_clip(f"{name}.mp4")) for name in CLIPS]
    trials = {clip.name: benchmark.known_shifts(clip, WINDOW_S, EVERY) for clip in clips}
    assert {len(of_one) % len(SHIFTS) for of_one in trials.values()} == {0}
    found = {name: sum(trial.found for trial in of_one) / len(of_one) for name, of_one in trials.items()}
    everything = [trial.found for of_one in trials.values() for trial in of_one]
    assert len(everything) >= 100
    assert sum(everything) / len(everything) >= LEAST_FOUND, found
    assert sum(found.values()) / len(found) >= LEAST_FOUND, found  # nor does the longest clip decide alone


@pytest.mark.slow
def test_somebody_elses_speech_is_not_trusted(shared_clip, face_mesh, monkeypatch):
    """What is said of an estimate is worth something only if it is said of no stranger's sound."""
    monkeypatch.setattr(benchmark, "SHIFTS", (0,))
    clips = [benchmark.load_clip(shared_clip(f"video-retalking__{number}.mp4")) for number in (2, 3)]
    own = [trial for clip in clips for trial in benchmark.known_shifts(clip, WINDOW_S, EVERY)]
    other = [trial for clip in clips for trial in benchmark.strangers(clip, clips, WINDOW_S, EVERY)]
    assert min(trial.confidence for trial in own) > 0.8
    assert max(trial.confidence for trial in other) < 0.5
