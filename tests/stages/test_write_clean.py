"""Cleaned clips: the right frames, the sound cut with them and without clicks, the track along with it all."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

import lipwise as lw
from lipwise.faces.track import NONE
from lipwise.media.sound import MUX_SAMPLE_RATE, read_sound
from lipwise.stages.clean_sound import CROSSFADE_S, cut_sound, sound_pieces
from lipwise.stages.contact_sheet import contact_sheet, save_contact_sheet
from lipwise.stages.write_clean import track_along, write_clean
from lipwise.timeline import Timeline

FPS = Fraction(25)
FRAME = MUX_SAMPLE_RATE // 25  # samples
COUNT = 60


def grey(number: int) -> np.ndarray:
    """A frame that carries its number as six upright bars, dark for 0 and light for 1."""
    bars = np.where([(number >> bit) & 1 for bit in range(6)], 215, 40).astype(np.uint8)
    return np.repeat(np.broadcast_to(np.repeat(bars, 16), (64, 96))[..., None], 3, axis=2).copy()


def number_in(frame: np.ndarray) -> int:
    return sum(int(frame[20:44, 16 * bit + 5 : 16 * bit + 11].mean() > 128) << bit for bit in range(6))


def tone(seconds: float, hertz: float = 220.0, level: float = 0.4) -> np.ndarray:
    wave = level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * MUX_SAMPLE_RATE)) / MUX_SAMPLE_RATE)
    return np.repeat(wave.astype(np.float32)[:, None], 2, axis=1)


def ramp(seconds: float) -> np.ndarray:
    """Sound that says where it comes from: its level rises steadily from -0.5 to 0.5."""
    level = np.linspace(-0.5, 0.5, round(seconds * MUX_SAMPLE_RATE), dtype=np.float32)
    return np.repeat(level[:, None], 2, axis=1)


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    frames = map(grey, range(COUNT))
    return lw.write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", frames, fps=FPS, sound=[tone(2.4)])


@pytest.fixture(scope="module")
def marked(tmp_path_factory) -> Path:
    """A recording whose level is its own time."""
    return lw.save_wav(tmp_path_factory.mktemp("sound") / "ramp.wav", ramp(2.4), sample_rate=MUX_SAMPLE_RATE)


def timeline_of(frames, synth=True, fps=FPS) -> Timeline:
    frames = np.array(frames, np.int64)
    return Timeline(frames, np.broadcast_to(synth, frames.shape).copy(), fps)


def sound_of(path: Path) -> np.ndarray:
    return np.concatenate(list(read_sound(path)))


def along(path: Path, timeline: Timeline, **how) -> np.ndarray:
    return np.concatenate(list(cut_sound(path, timeline, **how)))


# --- sound


def test_an_uncut_timeline_keeps_the_sound_as_it_is(marked):
    assert np.array_equal(along(marked, timeline_of(range(COUNT))), sound_of(marked))


def test_the_sound_is_cut_where_the_picture_is(marked):
    timeline = timeline_of([*range(10), *range(30, 40), *range(50, 60)])
    sound, whole = along(marked, timeline), sound_of(marked)
    assert len(sound) == 30 * FRAME
    fade = round(CROSSFADE_S * MUX_SAMPLE_RATE)
    for part, source in ((slice(0, 10), 0), (slice(10, 20), 30), (slice(20, 30), 50)):
        kept = slice(part.start * FRAME + fade, part.stop * FRAME - fade)
        assert np.array_equal(
            sound[kept], whole[kept.start + (source - part.start) * FRAME :][: kept.stop - kept.start]
        )


def test_a_cut_makes_no_click(clip):
    """The largest step from sample to sample stays near that of the tone itself; a bare cut doubles it and more."""
    timeline = timeline_of([*range(7), *range(12, 19), *range(26, 33), *range(41, 48)])
    whole = sound_of(clip)
    kept = np.concatenate([whole[n * FRAME : (n + 1) * FRAME] for n in timeline.source_index])
    usual = np.abs(np.diff(whole[:, 0])).max()
    assert np.abs(np.diff(kept[:, 0])).max() > 2 * usual, "this clip could not show a click"
    assert np.abs(np.diff(along(clip, timeline)[:, 0])).max() < 1.3 * usual


def test_a_held_frame_lets_the_sound_run_on(marked):
    held = timeline_of([0, 1, 2, 2, 2, 2, 6, 7, 8])
    assert len(sound_pieces(held)) == 1
    assert np.array_equal(along(marked, held), sound_of(marked)[: 9 * FRAME])


@pytest.mark.parametrize("fps", [Fraction(30000, 1001), Fraction(24), Fraction(120)])
def test_the_sound_is_as_long_as_the_picture_at_any_rate(marked, fps):
    frames = [n for n in range(int(2.4 * fps)) if n % 5 != 3]
    assert len(along(marked, timeline_of(frames, fps=fps))) == round(len(frames) / fps * MUX_SAMPLE_RATE)


def test_sound_that_ends_early_ends_in_silence_and_a_part_begins_in_its_place(marked):
    late = along(marked, timeline_of([55, 56, 57]), start_s=Fraction(2, 25))
    assert np.array_equal(late[: 2 * FRAME], sound_of(marked)[57 * FRAME : 59 * FRAME])
    beyond = along(marked, timeline_of([58, 59, 60, 61]))
    assert not beyond[2 * FRAME :].any()


def test_playing_backward_is_cut_too(marked):
    sound = along(marked, timeline_of([20, 21, 5, 6]))
    assert len(sound) == 4 * FRAME
    assert sound[3 * FRAME, 0] == pytest.approx(sound_of(marked)[6 * FRAME, 0], abs=1e-4)


# --- clips


def test_the_cleaned_clip_holds_exactly_the_frames_of_the_timeline(clip, tmp_path):
    frames = [*range(5, 20), *range(40, COUNT)]  # to the very last frame
    cleaned = write_clean(clip, timeline_of(frames), tmp_path / "clean.mp4")
    assert [number_in(frame) for frame in lw.read_frames(cleaned.video)] == frames
    assert cleaned.video.fps == FPS
    heard = sound_of(cleaned.video.path)
    assert abs(len(heard) - len(frames) * FRAME) <= 1024  # AAC's own grain


def test_the_sound_can_be_left_out_or_kept_whole(clip, tmp_path):
    timeline = timeline_of(range(40))
    assert not write_clean(clip, timeline, tmp_path / "silent.mp4", sound="none").video.has_audio
    with pytest.warns(lw.LipwiseWarning, match=r"0\.80 s"):
        whole = write_clean(clip, timeline, tmp_path / "whole.mp4", sound="whole")
    assert [number_in(frame) for frame in lw.read_frames(whole.video)] == [*range(40), *[39] * 20]
    heard, asked = sound_of(whole.video.path), sound_of(clip)
    assert np.abs(heard[: 58 * FRAME, 0]).max() > 0.3
    assert np.corrcoef(heard[2000 : 55 * FRAME, 0], asked[2000 : 55 * FRAME, 0])[0, 1] > 0.99


def test_a_clip_without_sound_stays_without(tmp_path):
    silent = lw.write_video(tmp_path / "silent.mp4", map(grey, range(6)), fps=FPS)
    assert not write_clean(silent, timeline_of([0, 4, 5]), tmp_path / "clean.mp4").video.has_audio


def test_a_clip_of_one_frame_can_be_cleaned(tmp_path):
    one = lw.write_video(tmp_path / "one.mp4", [grey(3)], fps=FPS, sound=[tone(0.04)])
    assert write_clean(one, timeline_of([0]), tmp_path / "clean.mp4").video.frame_count == 1


def test_a_variable_rate_clip_keeps_sound_and_picture_together(shared_clip, tmp_path):
    video = lw.probe(shared_clip("video-retalking__1.mp4"))
    assert video.variable_rate
    frames = [n for n in range(video.frame_count) if not 40 <= n < 70]
    cleaned = write_clean(video, timeline_of(frames, fps=video.fps), tmp_path / "clean.mp4")
    assert (cleaned.video.frame_count, cleaned.video.fps) == (len(frames), video.fps)
    heard, asked = sound_of(cleaned.video.path)[:, 0], sound_of(video.path)[:, 0]
    place = round(100 / video.fps * MUX_SAMPLE_RATE)
    first, moved = place, round(130 / video.fps * MUX_SAMPLE_RATE)
    assert np.corrcoef(heard[first : first + 20000], asked[moved : moved + 20000])[0, 1] > 0.98


@pytest.mark.parametrize("name", ["clip.mp4", "photo.png"])
def test_the_source_is_never_overwritten_and_a_photo_is_refused(tmp_path, clip, name):
    source = tmp_path / name
    if name.endswith("png"):
        cv2.imwrite(str(source), grey(1))
    else:
        source.write_bytes(clip.read_bytes())
    before = source.read_bytes()
    with pytest.raises(lw.LipwiseError, match=name):
        write_clean(source, timeline_of([0]), source if name.endswith("mp4") else tmp_path / "out.mp4")
    assert source.read_bytes() == before
    assert list(tmp_path.iterdir()) == [source]


def test_an_unknown_way_with_the_sound_is_named(clip, tmp_path):
    with pytest.raises(lw.SettingsError, match="louder"):
        write_clean(clip, timeline_of([0]), tmp_path / "out.mp4", sound="louder")


# --- the track along with it


def test_the_track_goes_along(examined):
    track = examined("blurred").track
    timeline = lw.apply_policy(examined("blurred").report)
    moved = track_along(track, timeline)
    assert np.array_equal(moved.boxes_xyxy, track.boxes_xyxy[timeline.source_index])
    assert moved.shot.tolist() == [0] * 30 + [1] * 30  # the picture jumps where frames were left out
    assert moved.people.tolist() == [1, 1]
    passed = track_along(track, replace(timeline, synth=np.arange(60) < 50))
    assert (passed.origin[50:] == NONE).all()
    assert np.isnan(passed.boxes_xyxy[50:]).all()
    assert np.isfinite(track.boxes_xyxy).all(), "the track itself was changed"


def test_the_boxes_of_the_cleaned_clip_are_on_its_faces(build, examined, tmp_path):
    track, report = examined("blurred")
    cleaned = write_clean(build("blurred").path, lw.apply_policy(report), tmp_path / "clean.mp4", track=track)
    found = lw.load_detector("libfacedetection")
    for number, frame in enumerate(lw.read_frames(cleaned.video)):
        if number % 12 == 5:
            apart = np.abs(found.detect(frame).boxes_xyxy[0] - cleaned.track.boxes_xyxy[number]).max()
            assert apart < 6


def test_a_run_on_a_cleaned_clip_looks_for_no_face(build, examined, tmp_path, own_cache, monkeypatch):
    track, report = examined("blurred")
    cleaned = write_clean(build("blurred").path, lw.apply_policy(report), tmp_path / "clean.mp4", track=track)
    cleaned.track.save(tmp_path / "track.npz")
    monkeypatch.setattr("lipwise.faces.detect.LibFaceDetection.detect", lambda *_: pytest.fail("looked for a face"))
    monkeypatch.setattr("lipwise.stages.clean.load_detector", lambda *_, **__: pytest.fail("loaded a detector"))
    sample = lw.make_sample(tmp_path)
    recipe = {"face": cleaned.video.path, "speech": sample.speech, "consent": True, "speech_end_s": 0.6, "start_s": 1.0}
    settings = {"track_file": tmp_path / "track.npz"}
    done = lw.run(lw.Recipe(**recipe, clean=settings, out=tmp_path / "out.mp4"), progress=False)
    assert (done.frames, done.synthesised) == (15, 15)
    with pytest.raises(lw.SettingsError, match="not that of"):
        lw.run(lw.Recipe(**(recipe | {"face": sample.face}), clean=settings, out=tmp_path / "o2.mp4"), progress=False)


def test_a_run_drops_frames_and_keeps_the_lips_on_the_rest(build, tmp_path, face_mesh):
    sample = lw.make_sample(tmp_path)
    recipe = lw.Recipe(
        face=build("blurred").path, speech=sample.speech, speech_end_s=2.0, consent=True, out=tmp_path / "out.mp4",
        clean={"policy": "drop"},
    )  # fmt: skip
    done = lw.run(recipe, run_folder=tmp_path / "run", progress=False)
    from lipwise.pipeline.plan import load_plan

    timeline = load_plan(tmp_path / "run").timeline
    assert timeline.source_index.tolist() == [*range(30), *range(60, 80)]
    assert (done.frames, done.synthesised) == (50, 50)


# --- the sheet


def test_a_contact_sheet_shows_a_tile_for_each_run(build, examined, tmp_path):
    track, report = examined("blurred")
    video = lw.probe(build("blurred").path)
    sheet = contact_sheet(video, report, track=track)
    strip = sheet[60]
    assert tuple(strip[sheet.shape[1] // 2]) == (120, 150, 210)  # blurred in the middle
    assert tuple(strip[40]) == tuple(strip[-40]) == (76, 160, 96)
    path = save_contact_sheet(tmp_path / "sheet.png", video, report)
    assert cv2.imread(str(path)).shape == sheet.shape
    with pytest.raises(lw.MediaError, match=r"sheet\.txt"):
        save_contact_sheet(tmp_path / "sheet.txt", video, report)


def test_a_sheet_of_many_runs_stays_bounded(build, examined):
    _, report = examined("blurred")
    many = report.drop(range(0, 90, 2))
    assert contact_sheet(lw.probe(build("blurred").path), many).shape[0] < 1500
