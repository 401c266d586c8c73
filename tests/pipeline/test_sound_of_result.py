"""The sound that is laid under the result, made from real files."""

import warnings
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import lipwise as lw
from lipwise.media.audio import SAMPLE_RATE
from lipwise.pipeline.join import result_sound
from lipwise.pipeline.plan import Plan, used_part
from lipwise.timeline import Timeline

RATE = 48_000
FPS = Fraction(25)
HUM_HZ = 313  # ends out of phase with its beginning
LEVEL = 0.4


@pytest.fixture(scope="module")
def sample(tmp_path_factory, face_mesh) -> lw.Sample:
    return lw.make_sample(tmp_path_factory.mktemp("sample"))


def hum(seconds: float, hertz: float = HUM_HZ) -> np.ndarray:
    """(n, 2) float32, from its loudest sample on."""
    wave = LEVEL * np.cos(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)
    return np.stack([wave, wave], axis=1).astype(np.float32)


def voice_file(folder: Path, seconds: float, level: float = 0.0) -> Path:
    waveform = level * np.sin(2 * np.pi * 200 * np.arange(round(seconds * RATE)) / RATE)
    return lw.save_wav(folder / "voice.wav", waveform, sample_rate=RATE)


def clip_file(path: Path, seconds: float, sound: np.ndarray | None, fps: Fraction = FPS) -> Path:
    """A grey clip with uncompressed sound as it is handed over: no codec rounds its ends."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=fps, width=64, height=64, pix_fmt="yuv420p")
        picture.options = {"bf": "0"}
        track = None if sound is None else container.add_stream("pcm_f32le", rate=RATE, layout="stereo")
        for index in range(round(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 99, np.uint8), format="rgb24")
            frame.pts, frame.time_base = index, 1 / fps
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        if track is not None:
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound).reshape(1, -1), "flt", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
            container.mux(track.encode(frame))
            container.mux(track.encode(None))
    return path


def plan_of(clip: Path, voice: Path, **settings) -> Plan:
    """As `make_plan` lays it out; the faces, which the sound has nothing to do with, are left out."""
    recipe = lw.Recipe(face=clip, speech=voice, consent=True, **settings)
    video, speech = used_part(lw.probe(clip), recipe), lw.load_speech(voice)
    length = speech.frame_count(video.fps)
    video = video.part(0, min(video.frame_count, length))
    timeline = Timeline.for_speech(np.ones(video.frame_count, bool), video.fps, length)
    return Plan(recipe, voice.parent, video, None, timeline, speech, None)  # pyright: ignore[reportArgumentType]


def heard_beside_the_voice(plan: Plan) -> np.ndarray:
    """(n,) float: what lies under the speech, at the level it has in the clip."""
    sound = np.concatenate(list(result_sound(plan)))
    assert np.array_equal(sound[:, 0], sound[:, 1])
    voice = np.concatenate(list(lw.read_sound(plan.recipe.speech)))
    assert sound.shape == voice.shape
    return (sound - voice)[:, 0] / plan.recipe.keep_background


def level(sound: np.ndarray) -> float:
    return float(np.sqrt((sound**2).mean()))


def test_integers_saved_as_floats_are_no_square_wave(sample, tmp_path):
    said = lw.load_audio(sample.speech, start_s=0.3, end_s=0.8)
    said /= np.abs(said).max()
    voice = tmp_path / "voice.wav"
    with av.open(str(voice), "w") as container:
        track = container.add_stream("pcm_f32le", rate=SAMPLE_RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray((20000 * said).reshape(1, -1), "flt", "mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, 0
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    clip = lw.write_video(tmp_path / "mute.mp4", list(lw.read_frames(sample.face, range(5))), fps=FPS)
    recipe = lw.Recipe(face=clip, speech=voice, out=tmp_path / "out.mp4", consent=True, keep_background=0.5)
    report = lw.run(recipe, progress=False)
    heard = lw.load_audio(report.out)
    length = min(len(said), len(heard))
    assert length >= 0.47 * SAMPLE_RATE
    assert level(heard[:length]) / level(said[:length]) == pytest.approx(1, abs=0.1)
    assert np.corrcoef(said[:length], heard[:length])[0, 1] > 0.98
    assert any("scaled down" in remark for remark in report.remarks)
    assert any("mute.mp4 has no sound: keep_background has nothing to keep" in remark for remark in report.remarks)


@pytest.mark.parametrize("start_s", [0.0, 0.05])
def test_the_clips_sound_goes_on_while_the_picture_turns_back(tmp_path, start_s):
    clip = clip_file(tmp_path / "hum.mkv", 1.02, hum(1.02), fps=Fraction(50))
    voice = voice_file(tmp_path, 2.7, level=0.1)
    under = heard_beside_the_voice(plan_of(clip, voice, keep_background=0.5, start_s=start_s, end_s=0.91))
    laps = under[: len(under) // 4800 * 4800].reshape(-1, 4800)
    assert all(level(lap) > 0.8 * level(hum(1)) for lap in laps), "it falls silent"
    tone = [np.abs(np.fft.rfft(lap * np.hanning(4800))) for lap in laps]
    assert all(abs(spectrum.argmax() - HUM_HZ / 10) < 1.5 for spectrum in tone), "it is not the clip's tone"
    steepest = LEVEL * 2 * np.pi * HUM_HZ / RATE
    assert np.abs(np.diff(under)).max() < 1.5 * steepest, "a click at a joint"


@pytest.mark.parametrize("speech_s", [0.5, 2.0])
def test_the_clips_sound_begins_with_the_picture(tmp_path, speech_s):
    """25 frames a second: 0.35 s lies in the frame that is shown from 0.32 s on."""
    sweep = hum(1.0) * np.linspace(0, 1, RATE, dtype=np.float32)[:, None]
    clip = clip_file(tmp_path / "sweep.mkv", 1.0, sweep)
    voice = voice_file(tmp_path, speech_s, level=0.1)
    under = heard_beside_the_voice(plan_of(clip, voice, keep_background=0.2, start_s=0.35))
    length = round(0.45 * RATE)
    assert np.allclose(under[:length], sweep[round(0.32 * RATE) :, 0][:length], atol=1e-5)


def test_a_speech_that_is_no_longer_than_the_clip_hears_nothing_twice(tmp_path):
    clip = clip_file(tmp_path / "once.mkv", 1.0, hum(1.0))
    voice = voice_file(tmp_path, 1.01, level=0.1)  # rounds to the clip's 25 frames
    under = heard_beside_the_voice(plan_of(clip, voice, keep_background=1.0))
    assert np.allclose(under[:RATE], hum(1.0)[:, 0], atol=1e-5)
    assert not under[RATE:].any()


def test_sound_that_ends_before_the_picture_waits_for_it(tmp_path):
    clip = clip_file(tmp_path / "short.mkv", 1.0, hum(0.4))
    under = heard_beside_the_voice(plan_of(clip, voice_file(tmp_path, 1.5, level=0.1), keep_background=1.0))
    assert level(under[: round(0.4 * RATE)]) > 0.9 * level(hum(1))
    assert not under[round(0.41 * RATE) : round(0.94 * RATE)].any()
    assert level(under[round(1.0 * RATE) : round(1.3 * RATE)]) > 0.9 * level(hum(1))


def a_photo(folder: Path) -> Path:
    cv2.imwrite(str(folder / "photo.png"), np.full((64, 64, 3), 99, np.uint8))
    return folder / "photo.png"


@pytest.mark.parametrize(
    ("make", "start_s", "says"),
    [
        (a_photo, 0.0, r"photo\.png has no sound"),
        (lambda folder: clip_file(folder / "mute.mkv", 1.0, None), 0.0, r"mute\.mkv has no sound"),
        (lambda folder: clip_file(folder / "early.mkv", 1.0, hum(0.3)), 0.6, r"early\.mkv has no sound from 0\.6 s on"),
    ],
)
def test_nothing_to_keep_is_said(tmp_path, make, start_s, says):
    plan = plan_of(make(tmp_path), voice_file(tmp_path, 1.5, level=0.1), keep_background=1.0, start_s=start_s)
    with pytest.warns(lw.LipwiseWarning, match=f"{says}: keep_background has nothing to keep") as said:
        under = heard_beside_the_voice(plan)
    assert len(said) == 1
    assert not under.any()


def test_without_a_wish_for_background_nothing_is_said(tmp_path):
    plan = plan_of(clip_file(tmp_path / "mute.mkv", 0.4, None), voice_file(tmp_path, 0.5, level=0.1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(np.concatenate(list(result_sound(plan)))) == RATE // 2


def test_a_clip_whose_sound_holds_integers_is_scaled(tmp_path):
    clip = clip_file(tmp_path / "integers.mkv", 1.0, 20000 * hum(1.0))
    plan = plan_of(clip, voice_file(tmp_path, 0.5, level=0.1), keep_background=0.5)
    with pytest.warns(lw.LipwiseWarning, match="scaled down"):
        under = heard_beside_the_voice(plan)
    assert np.allclose(under, hum(0.5)[:, 0] / LEVEL, atol=0.02)
