"""The whole chain on a real face and real speech, from files to a file."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from skimage.data import astronaut, coffee

import lipwise as lw
from lipwise.media.audio import SAMPLE_RATE
from lipwise.pipeline.chain import render_all
from lipwise.pipeline.join import join_plan
from lipwise.pipeline.plan import Plan, load_plan, make_plan
from lipwise.pipeline.stopwatch import Stopwatch


def run(face, speech, out, **settings) -> lw.RunReport:
    recipe = lw.Recipe(face=face, speech=speech, out=out, consent=True, **settings)
    return lw.run(recipe, progress=False)


def pictures(path: Path) -> np.ndarray:
    return np.stack(list(lw.read_frames(path)))


@pytest.fixture(scope="module")
def sample(tmp_path_factory, face_mesh) -> lw.Sample:
    return lw.make_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def short_speech(tmp_path_factory) -> Path:
    """The first second of the sample's speech."""
    waveform = lw.load_audio(lw.make_sample(tmp_path_factory.mktemp("any")).speech, end_s=1.0)
    return lw.save_wav(tmp_path_factory.mktemp("speech") / "one second.wav", waveform, sample_rate=SAMPLE_RATE)


@pytest.fixture(scope="module")
def result(sample, tmp_path_factory) -> lw.RunReport:
    return run(sample.face, sample.speech, tmp_path_factory.mktemp("result") / "out.mp4")


def test_the_result_is_as_long_as_the_speech_with_sound(sample, result):
    speech = lw.load_speech(sample.speech)
    video = lw.probe(result.out)
    assert video.fps == 25
    assert video.size_wh == (512, 512)
    assert video.frame_count == result.frames == speech.frame_count(video.fps)
    with av.open(str(result.out)) as container:
        sound = container.streams.audio[0]
        assert abs(float(sound.duration * sound.time_base) - video.duration_s) <= 1 / video.fps
        assert sound.codec_context.name == "aac"


def test_the_sound_is_the_speech(sample, result):
    said, heard = lw.load_audio(sample.speech), lw.load_audio(result.out)
    length = min(len(said), len(heard))
    assert np.corrcoef(said[:length], heard[:length])[0, 1] > 0.95


def test_lips_move_and_the_rest_stays(sample, result):
    before, after = pictures(sample.face)[: result.frames], pictures(result.out)
    change = np.abs(after.astype(int) - before).mean(axis=(0, 3))
    track = lw.track_faces(lw.probe(sample.face))
    x, y = track.mesh_xy[:, 13].mean(0).astype(int)
    assert change[y : y + 20, x - 20 : x + 20].mean() > 12
    assert change[:150].mean() < 3, "hair and background only pass through the encoder"


def test_the_report_counts_every_frame(result):
    assert result.synthesised + result.passed == result.frames
    assert result.passed == 0
    assert "preview" in result.note
    assert {"find the face", "make mouths", "encode", "join"} <= set(result.seconds)
    assert str(result.out) in str(result)


def test_nothing_is_left_beside_the_result(result):
    assert [path.name for path in result.out.parent.iterdir()] == ["out.mp4"]


@pytest.fixture(scope="module")
def plan(sample, tmp_path_factory) -> Plan:
    recipe = lw.Recipe(face=sample.face, speech=sample.speech, consent=True, segment_s=2)
    folder = tmp_path_factory.mktemp("run")
    return make_plan(recipe, folder, generator=lw.load_generator(), watch=Stopwatch(), progress=False)


def test_the_mouth_does_what_was_heard(plan, result):
    """The result's own mesh opens as far as the plan wanted it to, when it wanted it."""
    achieved = lw.mouth_gap(lw.track_faces(lw.probe(result.out)).mesh_xy)
    wanted = plan.state.per_frame["gap"]
    assert np.ptp(wanted) > 0.15
    assert np.corrcoef(achieved, wanted)[0, 1] >= 0.93
    assert (achieved[wanted < 0.012] < 0.05).mean() >= 0.9


def test_segments_joined_equal_the_whole(plan, result, tmp_path):
    render_all(plan, generator=lw.load_generator(), watch=Stopwatch(), progress=False)
    assert len(plan.segments) == 2
    joined = pictures(join_plan(plan, tmp_path / "joined.mp4"))
    whole = pictures(result.out)
    assert joined.shape == whole.shape
    assert np.abs(joined.astype(int) - whole).max() == 0


def test_another_process_renders_the_same_segment_from_the_folder(plan, tmp_path):
    from lipwise.pipeline.render import render_segment

    here = render_segment(plan, 1, generator=lw.load_generator()).read_bytes()
    plan.segment_path(1).unlink()
    script = (
        "import sys, pathlib, lipwise as lw\n"
        "from lipwise.pipeline.plan import load_plan\n"
        "from lipwise.pipeline.render import render_segment\n"
        "render_segment(load_plan(pathlib.Path(sys.argv[1])), 1, generator=lw.load_generator())\n"
    )
    subprocess.run([sys.executable, "-c", script, str(plan.folder)], check=True, cwd=tmp_path)
    assert plan.segment_path(1).read_bytes() == here


def test_a_plan_survives_its_folder(plan):
    loaded = load_plan(plan.folder)
    assert (loaded.timeline.source_index == plan.timeline.source_index).all()
    assert (loaded.track.mesh_xy == plan.track.mesh_xy).all()
    assert (loaded.speech.mel == plan.speech.mel).all()
    assert loaded.speech.duration_s == plan.speech.duration_s
    assert loaded.state.to_arrays().keys() == plan.state.to_arrays().keys()


def test_a_photo_speaks(tmp_path, short_speech, face_mesh):
    import cv2

    photo = tmp_path / "a photo.png"
    cv2.imwrite(str(photo), astronaut()[..., ::-1])
    report = run(photo, short_speech, tmp_path / "out.mp4", still_fps=30)
    assert report.fps == 30
    assert report.frames == 30
    frames = pictures(report.out)
    assert frames.std(0).max() > 10, "nothing moves"


def test_longer_speech_plays_the_clip_back_and_forth(sample, tmp_path):
    report = run(sample.face, sample.speech, tmp_path / "out.mp4", start_s=0, end_s=1)
    assert report.frames == 99
    frames = pictures(report.out)[:, :150].astype(int)
    steps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    assert steps.max() < 3 * np.median(steps), "the picture jumps where the clip turns"


def test_frames_without_a_face_pass_untouched_and_are_counted(sample, short_speech, tmp_path):
    frames = list(lw.read_frames(sample.face, range(20)))
    cup = coffee()[:400, :400]
    cup = np.pad(cup, ((56, 56), (56, 56), (0, 0)), mode="edge")
    clip = lw.write_video(tmp_path / "cup.mp4", [*frames[:8], *[cup] * 10, *frames[8:]], fps=Fraction(25), quality=10)
    report = run(clip, short_speech, tmp_path / "out.mp4", quality="best", end_s=1.0)
    assert report.passed == 10
    shown, source = pictures(report.out)[8:18], pictures(clip)[8:18]
    assert np.abs(shown.astype(int) - source).mean() < 2


def test_pauses_close_the_mouth(sample, tmp_path):
    voice = lw.load_audio(sample.speech, end_s=1.0)
    rng = np.random.default_rng(0)
    hiss = 0.002 * rng.standard_normal(SAMPLE_RATE).astype(np.float32)
    speech = lw.save_wav(tmp_path / "pause.wav", np.concatenate([voice, hiss, voice]), sample_rate=SAMPLE_RATE)
    gaps = {}
    for gate in (True, False):
        recipe = lw.Recipe(face=sample.face, speech=speech, consent=True, lipsync={"gate_silence": gate})
        made = make_plan(recipe, tmp_path / f"{gate}", generator=lw.load_generator(), watch=Stopwatch(), progress=False)
        gaps[gate] = made.state.per_frame["gap"]
    assert gaps[True][32:47].max() < 0.03
    assert gaps[True][:20].max() > 0.1
    assert not np.array_equal(gaps[True], gaps[False])


def test_the_clips_own_sound_can_stay_underneath(short_speech, sample, tmp_path):
    tone_hz, rate = 3000, 48_000
    hum = 0.5 * np.sin(2 * np.pi * tone_hz * np.arange(2 * rate) / rate, dtype=np.float32)
    frames = list(lw.read_frames(sample.face, range(30)))
    clip = lw.write_video(tmp_path / "hum.mp4", frames, fps=Fraction(25), sound=[np.stack([hum, hum], 1)])

    def tone(keep: float) -> float:
        report = run(clip, short_speech, tmp_path / f"{keep}.mp4", keep_background=keep)
        heard = lw.load_audio(report.out)[: SAMPLE_RATE // 2]
        return float(np.abs(np.fft.rfft(heard))[tone_hz // 2])

    assert tone(0.5) > 5 * tone(0.0)


NAMES = ("with space.mp4", "two.dots.mp4", 'it\'s "quoted".mp4', "Zoë — 视频.mp4", "100%d.mp4")


@pytest.mark.parametrize("name", NAMES)
def test_any_file_name_works(name, sample, short_speech, tmp_path):
    clip = tmp_path / "in" / name
    clip.parent.mkdir()
    clip.write_bytes(sample.face.read_bytes())
    voice = clip.with_suffix(".wav")
    voice.write_bytes(short_speech.read_bytes())
    report = run(clip, voice, tmp_path / "out" / name, end_s=0.2, speech_end_s=0.3)
    assert report.out.name == name
    assert lw.probe(report.out).frame_count == report.frames


def test_quality_changes_the_size(sample, short_speech, tmp_path):
    sizes = [
        run(sample.face, short_speech, tmp_path / f"{quality}.mp4", quality=quality).out.stat().st_size
        for quality in ("draft", "good", "best")
    ]
    assert sizes == sorted(sizes)
    assert sizes[2] > 2 * sizes[0]


def test_inputs_stay_untouched(sample, short_speech, tmp_path):
    before = sample.face.read_bytes(), short_speech.read_bytes()
    run(sample.face, short_speech, tmp_path / "out.mp4", end_s=0.5)
    assert (sample.face.read_bytes(), short_speech.read_bytes()) == before
