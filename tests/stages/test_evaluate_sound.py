"""What is heard with a result and with its source: which sound, from where on, and by whom it is scored."""

import importlib.util
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import lipwise as lw
from lipwise.errors import WeightsError
from lipwise.faces.track import DETECTED, FaceTrack
from lipwise.media.audio import MEL_FRAMES_PER_SECOND, load_audio, mel_spectrogram
from lipwise.sample import SPEECH
from lipwise.stages import evaluate as stages_evaluate
from lipwise.stages.offset import heard_mouth

FRAMES = 95
FPS = Fraction(25)
SIDE = 64


def load_module(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


toy = load_module(Path(__file__).with_name("test_lse.py"))


def track_of(count: int, mesh_xy: np.ndarray) -> FaceTrack:
    return FaceTrack(
        boxes_xyxy=np.tile(np.array((22, 20, 42, 40), np.float32), (count, 1)),
        landmarks_xy=np.zeros((count, 5, 2), np.float32),
        score=np.ones(count, np.float32),
        origin=np.full(count, DETECTED, np.uint8),
        shot=np.zeros(count, np.int32),
        people=np.ones(1, np.int32),
        size_wh=(SIDE, SIDE),
        mesh_xy=mesh_xy,
    )


def mesh_that_says(waveform: np.ndarray, count: int) -> np.ndarray:
    """(count, 468, 2): lips that do what is heard; everything else lies on a grid."""
    mesh = np.tile(np.stack(np.divmod(np.arange(468), 22), 1).astype(np.float32) + 20, (count, 1, 1))
    opened, wide, *_ = (
        np.interp(np.arange(count) / 25 * MEL_FRAMES_PER_SECOND, np.arange(len(row)), row)
        for row in heard_mouth(mel_spectrogram(waveform)).T
    )
    mesh[:, [33, 133]], mesh[:, [263, 362]] = (20, 20), (40, 20)  # eyes 20 px apart
    for upper, lower in ((13, 14), (82, 87), (312, 317)):
        mesh[:, upper] = (30, 35)
        mesh[:, lower] = np.stack([np.full(count, 30), 35 + 6 * opened], 1)
    mesh[:, 78], mesh[:, 308] = (24, 35), np.stack([36 + 4 * wide, np.full(count, 35)], 1)
    return mesh


@pytest.fixture(scope="module")
def speaking(tmp_path_factory):
    """A clip whose lips say what is heard, as its track has it."""
    grey = [np.full((SIDE, SIDE, 3), 90, np.uint8)] * FRAMES
    path = tmp_path_factory.mktemp("speaking") / "speaking.mp4"
    video = lw.probe(lw.write_video(path, grey, fps=FPS, sound=lw.read_sound(SPEECH)))
    return video, track_of(FRAMES, mesh_that_says(load_audio(SPEECH), FRAMES))


@pytest.fixture
def sound_only(monkeypatch):
    """Pictures are not compared, and the face in the result is known: only what is heard is measured."""

    def use(track: FaceTrack) -> None:
        monkeypatch.setattr(stages_evaluate, "look_again", lambda *_, **__: track)

    def refuse(*_, **__):
        raise lw.SettingsError("no pictures", cause="a test", next_step="none")

    monkeypatch.setattr(stages_evaluate, "compare_pictures", refuse)
    return use


def test_speech_given_by_name_is_what_is_heard(speaking, sound_only):
    sound_only(speaking[1])
    whole = lw.evaluate(speaking[0], speech=SPEECH, sync=None)
    cut = lw.evaluate(speaking[0], speech=lw.load_speech(SPEECH, start_s=0.2), sync=None)
    assert whole["offset_s"] == pytest.approx(0, abs=0.04)
    assert cut["offset_s"] == pytest.approx(0.2, abs=0.04)  # it is cut at its beginning, so it comes early


def test_the_source_is_the_anchor(speaking, sound_only):
    """A source that speaks itself: a result evaluated against itself."""
    video, track = speaking
    sound_only(track)
    found = lw.evaluate(video, source=video, track=track, sync=None)
    assert found["mouth_opening"] > 0.9
    assert found.anchors["mouth_opening"] == pytest.approx(found["mouth_opening"])
    assert found.anchors["offset_s"] == pytest.approx(found["offset_s"])
    assert found.source_offset is not None
    assert "no pictures" in found.missing["seam"]


def test_the_anchor_is_heard_where_the_used_part_begins(speaking, sound_only):
    video, track = speaking
    sound_only(track)
    part, rows = video.part(10, FRAMES), track.part(10, FRAMES)
    timeline = lw.Timeline(np.arange(FRAMES) % len(rows), np.zeros(FRAMES, bool), video.fps)
    given = {"source": part, "track": rows, "timeline": timeline, "sync": None}
    right = lw.evaluate(video, source_start_s=10 / 25, **given)
    wrong = lw.evaluate(video, **given)
    assert right.anchors["offset_s"] == pytest.approx(0, abs=0.04)
    assert wrong.anchors["offset_s"] == pytest.approx(-0.4, abs=0.06)  # the lips of later are early for this sound


# --- SyncNet's part, with a network that takes bright pictures for loud sounds ---


@pytest.fixture(scope="module")
def loud(tmp_path_factory):
    """A clip as bright as it is loud, its track, and its sound (n,)."""
    pictures, sound = toy.talk(FRAMES)
    folder = tmp_path_factory.mktemp("loud")
    frames = (np.full((SIDE, SIDE, 3), picture[0, 0], np.uint8) for picture in pictures)
    heard = lw.save_wav(folder / "sound.wav", sound, sample_rate=16000)
    video = lw.probe(lw.write_video(folder / "loud.mp4", frames, fps=FPS, sound=lw.read_sound(heard)))
    return video, track_of(FRAMES, mesh_that_says(load_audio(SPEECH), FRAMES)), sound


def test_syncnet_scores_result_and_source(loud, sound_only):
    video, track, _ = loud
    sound_only(track)
    found = lw.evaluate(video, source=video, track=track, sync=toy.Loudness())
    assert found["av_offset_frames"] == found.anchors["av_offset_frames"] == 0
    assert found.sync is not None
    assert (found["lse_d"], found["lse_c"]) == (found.sync.lse_d, found.sync.lse_c)
    assert found.source_sync is not None
    assert found.anchors["lse_d"] == found.source_sync.lse_d == pytest.approx(found["lse_d"])


def test_syncnet_hears_the_part_that_the_speech_is(loud, sound_only, tmp_path):
    video, track, sound = loud
    sound_only(track)
    other = toy.talk(6, seed=3)[1]
    file = lw.save_wav(tmp_path / "speech.wav", np.r_[other, sound], sample_rate=16000)
    whole = lw.evaluate(video, speech=file, sync=toy.Loudness())
    part = lw.evaluate(video, speech=lw.load_speech(file, start_s=6 / 25), sync=toy.Loudness())
    short = lw.evaluate(video, speech=lw.load_speech(file, end_s=60 / 25), sync=toy.Loudness())
    assert (whole["av_offset_frames"], part["av_offset_frames"]) == (-6, 0)
    assert whole.sync is not None
    assert short.sync is not None
    assert short.sync.windows == 60 - 5 < whole.sync.windows


def test_syncnet_hears_the_source_where_its_used_part_begins(loud, sound_only):
    video, track, _ = loud
    sound_only(track)
    part, rows = video.part(10, FRAMES), track.part(10, FRAMES)
    timeline = lw.Timeline(np.arange(FRAMES) % len(rows), np.zeros(FRAMES, bool), video.fps)
    given = {"source": part, "track": rows, "timeline": timeline, "sync": toy.Loudness()}
    assert lw.evaluate(video, source_start_s=10 / 25, **given).anchors["av_offset_frames"] == 0
    assert lw.evaluate(video, **given).anchors["av_offset_frames"] == -10


def test_a_clip_too_short_for_syncnet_is_named(loud, sound_only):
    video, track, _ = loud
    rows = track.part(0, 30)
    sound_only(rows)
    found = lw.evaluate(video.part(0, 30), sync=toy.Loudness())
    assert "1.44 s" in found.missing["lse_d"]
    assert "lse_d" not in found.figures


def test_syncnets_weights_are_asked_for_and_never_fetched(loud, sound_only, monkeypatch):
    video, track, _ = loud
    sound_only(track)

    def broken():
        raise WeightsError("syncnet_v2.model is broken", cause="half of it is missing", next_step="fetch it again")

    monkeypatch.setattr(stages_evaluate, "load_sync_network", broken)
    monkeypatch.setattr(stages_evaluate, "find_weights", lambda _name: None)
    absent = lw.evaluate(video)
    assert 'fetch_weights("syncnet", accept_licence=True)' in absent.missing["lse_c"]
    assert "research only" in absent.missing["lse_c"]
    monkeypatch.setattr(stages_evaluate, "find_weights", lambda _name: Path("syncnet_v2.model"))
    assert lw.evaluate(video).missing["lse_c"] == "syncnet_v2.model is broken (half of it is missing)"
    assert "av_offset_frames" in lw.evaluate(video, sync=toy.Loudness()).figures
