"""Whole clips scored: their rate, their stretches with a face, and what cannot be scored."""

import importlib.util
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import lipwise as lw
from lipwise.errors import FaceError, LipwiseWarning, MediaError, SpeechError
from lipwise.faces.sync_crop import sync_crop, sync_squares
from lipwise.faces.track import DETECTED, NONE, FaceTrack
from lipwise.stages.lse_clip import clip_sync_scores, load_sync_network, sync_grid

SIDE = 128
BOX = (44, 40, 84, 80)
TILT = np.add.outer(np.linspace(-30, 30, SIDE), np.linspace(-10, 10, SIDE))[..., None]  # so that places differ


def load_module(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


toy = load_module(Path(__file__).with_name("test_lse.py"))


class Watching(toy.Loudness):
    """Also remembers the crops."""

    def __init__(self):
        self.crops = []

    def embed_lips(self, crops):
        seen = list(crops)
        self.crops.append(seen)
        return super().embed_lips(seen)


def clip_track(count: int, *, faceless=(), cuts=()) -> FaceTrack:
    origin = np.full(count, DETECTED, np.uint8)
    origin[list(faceless)] = NONE
    boxes = np.tile(np.array(BOX, np.float32), (count, 1))
    boxes[origin == NONE] = np.nan
    shot = np.zeros(count, np.int32)
    for cut in cuts:
        shot[cut:] += 1
    return FaceTrack(
        boxes_xyxy=boxes,
        landmarks_xy=np.zeros((count, 5, 2), np.float32),
        score=np.ones(count, np.float32),
        origin=origin,
        shot=shot,
        people=np.ones(len(cuts) + 1, np.int32),
        size_wh=(SIDE, SIDE),
    )


def write_clip(folder: Path, *, fps=Fraction(25), seconds=3, cut_sound=0, silent=False, name="clip.mp4") -> Path:
    """A clip as bright as it is loud; `cut_sound` frames of a 25th of a second are missing from the sound's start."""
    pictures, sound = toy.talk(25 * seconds)
    count = round(seconds * fps)
    middles = ((number + Fraction(1, 2)) / fps for number in range(count))
    shown = [pictures[min(int(25 * middle_s), len(pictures) - 1)][0, 0] for middle_s in middles]
    frames = (np.clip(colour + TILT, 0, 255).astype(np.uint8) for colour in shown)
    if silent:
        return lw.write_video(folder / name, frames, fps=fps)
    heard = lw.save_wav(folder / f"{name}.wav", sound[cut_sound * toy.FRAME :], sample_rate=16000)
    return lw.write_video(folder / name, frames, fps=fps, sound=lw.read_sound(heard))


def track_of(video: lw.VideoInfo, **how) -> FaceTrack:
    return clip_track(video.frame_count, **how)


@pytest.mark.parametrize(
    ("fps", "count", "expected"),
    [
        (Fraction(25), 4, [0, 1, 2, 3]),
        (Fraction(50), 8, [0, 2, 4, 6]),
        (Fraction(30), 12, [0, 1, 2, 4, 5, 6, 7, 8, 10, 11]),
        (Fraction(24), 5, [0, 1, 2, 3, 4]),
        (Fraction(25, 2), 3, [0, 0, 1, 1, 2, 2]),
        (Fraction(10), 2, [0, 0, 1, 1, 1]),
        (Fraction(25), 1, [0]),
        (Fraction(60), 1, []),
    ],
)
def test_grid_takes_the_nearest_frame(fps, count, expected):
    assert sync_grid(fps, count).tolist() == expected


def test_grid_of_hours_does_not_drift():
    fps = Fraction(30000, 1001)
    grid = sync_grid(fps, 3 * 3600 * 30)
    times_s = [abs(int(grid[i]) / fps - Fraction(i, 25)) for i in (1, 1000, len(grid) - 2)]
    assert max(times_s) <= 1 / (2 * fps)
    assert len(grid) == round(3 * 3600 * 30 / fps * 25)


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30), Fraction(24000, 1001), Fraction(50)], ids=str)
def test_a_clip_of_any_rate_is_in_time_and_a_cut_of_its_sound_is_found(fps, tmp_path):
    whole, cut = (lw.probe(write_clip(tmp_path, fps=fps, cut_sound=n, name=f"{n}.mp4")) for n in (0, 6))
    assert clip_sync_scores(whole, track_of(whole), network=toy.Loudness()).offset_frames == 0
    assert clip_sync_scores(cut, track_of(cut), network=toy.Loudness()).offset_frames == 6


def test_another_sound_can_be_heard(tmp_path):
    video = lw.probe(write_clip(tmp_path, silent=True))
    _, sound = toy.talk(75)
    path = lw.save_wav(tmp_path / "late.wav", np.r_[np.zeros(3 * toy.FRAME), sound], sample_rate=16000)
    scores = clip_sync_scores(video, track_of(video), network=toy.Loudness(), sound=path)
    assert scores.offset_frames == -3


@pytest.mark.parametrize("turned", [0, 90])
def test_crops_are_those_of_the_rule_in_the_clip_as_it_was_tracked(turned, tmp_path):
    video = lw.probe(write_clip(tmp_path))
    network, track = Watching(), replace(track_of(video), rotation=turned)
    clip_sync_scores(video, track, network=network)
    (crops,) = network.crops
    squares = sync_squares(track.boxes_xyxy)
    assert len(crops) == 75
    for crop, frame, square in zip(crops, lw.read_frames(lw.turn_video(video, turned)), squares, strict=True):
        assert np.array_equal(crop, sync_crop(frame, square, 224))


def test_every_stretch_with_a_face_counts_with_its_own_sound(tmp_path):
    video = lw.probe(write_clip(tmp_path, seconds=6))
    network = Watching()
    scores = clip_sync_scores(video, track_of(video, faceless=range(50, 54), cuts=[100]), network=network)
    assert [len(crops) for crops in network.crops] == [50, 46, 50]
    assert scores.windows == 45 + 41 + 45
    in_time = scores.distances[:, np.flatnonzero(scores.shifts == 0)[0]]
    assert all(part.mean() < 30 for part in np.split(in_time, [45, 45 + 41]))  # elsewhere it is over 100


def test_short_stretches_are_left_out_and_told(tmp_path):
    video = lw.probe(write_clip(tmp_path))
    with pytest.warns(LipwiseWarning, match=r"1 of 2 stretches with a face \(1\.2 s\)"):
        scores = clip_sync_scores(video, track_of(video, cuts=[30]), network=toy.Loudness())
    assert scores.windows == 40


def test_no_face_and_no_long_face_are_told(tmp_path):
    video = lw.probe(write_clip(tmp_path))
    with pytest.raises(FaceError, match=r"longest stretch has 0\.00 s"):
        clip_sync_scores(video, track_of(video, faceless=range(75)), network=toy.Loudness())
    with pytest.raises(FaceError, match=r"1\.44 s on end; the longest stretch has 1\.40 s"):
        clip_sync_scores(video, track_of(video, faceless=[35, 36, 60]), network=toy.Loudness())


def test_no_sound_silence_and_too_little_sound_are_told(tmp_path):
    video = lw.probe(write_clip(tmp_path, silent=True))
    hum = (np.random.default_rng(0).normal(0, 0.1, 16000)).astype(np.float32)
    short = lw.save_wav(tmp_path / "short.wav", hum, sample_rate=16000)
    still = lw.save_wav(tmp_path / "still.wav", np.zeros(48000, np.float32), sample_rate=16000)
    with pytest.raises(SpeechError, match="no sound"):
        clip_sync_scores(video, track_of(video), network=toy.Loudness())
    with pytest.warns(LipwiseWarning), pytest.raises(SpeechError, match="silent from beginning to end"):
        clip_sync_scores(video, track_of(video), network=toy.Loudness(), sound=still)
    with pytest.raises(SpeechError, match=r"lasts 1\.00 s"):
        clip_sync_scores(video, track_of(video), network=toy.Loudness(), sound=short)


def test_a_short_clip_and_a_picture_are_told(tmp_path):
    video = lw.probe(write_clip(tmp_path, seconds=1))
    with pytest.raises(MediaError, match="20 windows of 5 frames"):
        clip_sync_scores(video, track_of(video), network=toy.Loudness())
    still = video.part(0, 1)
    with pytest.raises(MediaError, match="0 windows"):
        clip_sync_scores(still, track_of(still), network=toy.Loudness())


def test_a_track_of_another_clip_is_refused(tmp_path):
    video = lw.probe(write_clip(tmp_path, silent=True, seconds=1))
    with pytest.raises(ValueError, match="expected a track of 25 frames, got 24"):
        clip_sync_scores(video, clip_track(24), network=toy.Loudness())


def test_the_sample_goes_through_the_real_network_with_formula_weights(golden, tmp_path):
    import torch

    formula = load_module(Path(__file__).parents[1] / "models" / "formula.py")
    checkpoint = tmp_path / "syncnet_v2.model"
    torch.save(formula.formula_weights(golden / "syncnet_state_dict.json"), checkpoint)
    network = load_sync_network(checkpoint, device="cpu")
    sample = lw.make_sample(tmp_path)
    video, detector = lw.probe(sample.face).part(0, 36), lw.load_detector()
    track = clip_track(36)
    track.boxes_xyxy[:] = detector.detect(next(lw.read_frames(video))).boxes_xyxy[0]
    scores = clip_sync_scores(video, track, network=network, sound=sample.speech)
    assert scores.distances.shape == (31, 31)
    assert np.isfinite(scores.distances).all()
    assert scores.distances[:, 15].std() > 0  # neither lips nor sound are all one to it
    assert scores.lse_d > 0
