"""A track, a report and a timeline are used for their own clip only."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from rows import good_rows

import lipwise as lw
from lipwise.faces.track import DETECTED, NONE, FaceTrack, load_tracks, save_tracks
from lipwise.files import sha256_of
from lipwise.stages.contact_sheet import contact_sheet
from lipwise.stages.usability import UsabilityReport
from lipwise.stages.write_clean import track_along, write_clean
from lipwise.timeline import Timeline

FPS, COUNT = Fraction(25), 12


def track_of(count: int = COUNT, clip: str = "", shot=None, mesh: bool = False) -> FaceTrack:
    shot = np.zeros(count, np.int32) if shot is None else np.array(shot, np.int32)
    shots = int(shot.max()) + 1
    return FaceTrack(
        boxes_xyxy=np.tile(np.float32([20, 10, 60, 60]), (count, 1)),
        landmarks_xy=np.full((count, 5, 2), 40, np.float32),
        score=np.full(count, 0.9, np.float32),
        origin=np.full(count, DETECTED, np.uint8),
        shot=shot,
        people=np.ones(shots, np.int32),
        size_wh=(96, 64),
        confidence=np.linspace(1, 0.4, shots).astype(np.float32),
        clip=clip,
        **({"mesh_xy": np.zeros((count, 468, 2), np.float32)} if mesh else {}),
    )


def timeline_of(frames, synth=True, **more) -> Timeline:
    frames = np.array(frames, np.int64)
    return Timeline(frames, np.broadcast_to(synth, frames.shape).copy(), FPS, **more)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Two clips of equal length and size."""
    folder = tmp_path_factory.mktemp("clips")
    return [
        lw.write_video(folder / f"{light}.mp4", [np.full((64, 96, 3), light, np.uint8)] * COUNT, fps=FPS)
        for light in (60, 180)
    ]


# --- by content


def test_what_is_found_in_a_clip_is_bound_to_its_content(examined, build):
    found = examined("blurred")
    assert found.track.clip == found.report.clip == sha256_of(build("blurred").path)
    assert lw.apply_policy(found.report).clip == found.report.clip
    assert lw.plan_timeline(found.report, 5).clip == found.report.clip
    assert UsabilityReport.from_json(found.report.to_json()).clip == found.report.clip


@pytest.mark.parametrize("what", ["track", "timeline"])
def test_a_track_or_timeline_of_another_clip_is_refused_before_anything_is_written(clips, tmp_path, what):
    own, other = map(sha256_of, clips)
    good = {"track": track_of(clip=own), "timeline": timeline_of(range(6), clip=own)}
    write_clean(clips[0], good["timeline"], tmp_path / "good.mp4", track=good["track"])
    bad = good | {what: replace(good[what], clip=other)}
    with pytest.raises(lw.SettingsError, match=rf"{what} is not that of .*60\.mp4"):
        write_clean(clips[0], bad["timeline"], tmp_path / "bad.mp4", track=bad["track"])
    assert [path.name for path in tmp_path.iterdir()] == ["good.mp4"]


def test_a_cleaned_clips_track_is_bound_to_the_cleaned_file(clips, tmp_path):
    track = track_of(clip=sha256_of(clips[0]))
    cleaned = write_clean(clips[0], timeline_of(range(6)), tmp_path / "clean.mp4", track=track)
    assert cleaned.track.clip == sha256_of(tmp_path / "clean.mp4") != track.clip
    assert track_along(track, timeline_of(range(6))).clip == ""


def test_a_track_that_does_not_say_whose_it_is_is_taken_with_a_warning(clips, tmp_path):
    with pytest.warns(lw.LipwiseWarning, match="does not say which file"):
        write_clean(clips[0], timeline_of(range(6)), tmp_path / "clean.mp4", track=track_of())


def test_files_of_tracks_keep_whose_they_are_and_older_ones_can_be_read(tmp_path):
    track = track_of(clip="ab" * 32)
    track.save(tmp_path / "track.npz")
    assert FaceTrack.load(tmp_path / "track.npz").clip == track.clip
    save_tracks(tmp_path / "people.npz", [track, track_of()])
    assert [each.clip for each in load_tracks(tmp_path / "people.npz")] == [track.clip, ""]
    with np.load(tmp_path / "track.npz") as stored:
        older = {name: stored[name] for name in stored if name != "clip"}
    np.savez(tmp_path / "older.npz", **older)
    assert FaceTrack.load(tmp_path / "older.npz").clip == ""


# --- by length, size and rate


@pytest.mark.parametrize("count", [COUNT - 1, COUNT + 1, 1])
def test_a_track_of_another_length_is_refused(clips, tmp_path, count):
    with pytest.raises(lw.SettingsError, match=f"it has {count} frames"):
        write_clean(clips[0], timeline_of([0]), tmp_path / "out.mp4", track=track_of(count))
    assert list(tmp_path.iterdir()) == []


def test_a_track_of_another_size_is_refused(clips, tmp_path):
    with pytest.raises(lw.SettingsError, match="64 x 96"):
        write_clean(clips[0], timeline_of([0]), tmp_path / "out.mp4", track=replace(track_of(), size_wh=(64, 96)))


@pytest.mark.parametrize("frames", [[0, COUNT], [-1, 0]])
def test_a_timeline_of_frames_that_are_not_there_is_refused(clips, tmp_path, frames):
    with pytest.raises(lw.SettingsError, match=f"it shows frames {min(frames)} to {max(frames)}"):
        write_clean(clips[0], timeline_of(frames), tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_timeline_of_another_rate_is_refused(clips, tmp_path):
    with pytest.raises(lw.SettingsError, match="50 frames a second"):
        write_clean(clips[0], replace(timeline_of([0, 1]), fps=Fraction(50)), tmp_path / "out.mp4")


@pytest.mark.parametrize("count", [COUNT - 2, COUNT + 5])
def test_a_sheet_of_another_clips_report_is_refused(clips, count):
    report = UsabilityReport.of(good_rows(count), fps=FPS)
    with pytest.raises(lw.SettingsError, match="report is not that of"):
        contact_sheet(lw.probe(clips[0]), report)


# --- files that are none


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone.npz", "nothing has that name"),
        ("report.json", r"it is no \.npz file"),
        ("people.npz", r"tracks of everybody .*(?s:.)*clean --choose N --track"),
    ],
)
def test_a_file_that_is_no_track_says_what_it_is(tmp_path, name, said):
    (tmp_path / "report.json").write_text('{"format": 2}')
    save_tracks(tmp_path / "people.npz", [track_of()])
    with pytest.raises(lw.FaceError, match=said) as caught:
        FaceTrack.load(tmp_path / name)
    assert name in caught.value.what
    assert "delete" not in str(caught.value)
    assert "pickle" not in str(caught.value)


def test_one_persons_track_is_no_file_of_everybodys(tmp_path):
    track_of().save(tmp_path / "track.npz")
    with pytest.raises(lw.FaceError, match=r"FaceTrack\.load"):
        load_tracks(tmp_path / "track.npz")


# --- rows that go along


def test_a_cut_of_the_source_stays_a_cut_though_no_frame_is_left_out():
    assert track_along(track_of(5, shot=[0, 0, 0, 1, 1]), timeline_of(range(5))).shot.tolist() == [0, 0, 0, 1, 1]


def test_the_confidence_of_shots_goes_along():
    track = track_of(6, shot=[0, 0, 0, 1, 1, 1])
    assert track_along(track, timeline_of([3, 4, 5])).confidence.tolist() == pytest.approx([0.4])
    assert track_along(track, timeline_of([1, 2, 4])).confidence.tolist() == pytest.approx([1, 0.4])


def test_frames_that_pass_have_neither_score_nor_face_nor_mesh():
    synth = np.array([True, True, False, True])
    moved = track_along(track_of(4, mesh=True), timeline_of(range(4), synth))
    assert moved.score.tolist() == pytest.approx([0.9, 0.9, 0, 0.9])
    assert moved.origin.tolist() == [DETECTED, DETECTED, NONE, DETECTED]
    for rows in (moved.boxes_xyxy[:, 0], moved.landmarks_xy[:, 2, 0], moved.mesh_xy[:, 7, 1]):
        assert np.isnan(rows).tolist() == (~synth).tolist()


# --- a run with a track


@pytest.fixture(scope="module")
def passed(build, examined, tmp_path_factory):
    """A clip cleaned by passing its blurred frames, 30 to 59, with its track beside it."""
    folder = tmp_path_factory.mktemp("passed")
    timeline = lw.apply_policy(examined("blurred").report, lw.CleanSettings(policy="pass"))
    cleaned = write_clean(build("blurred").path, timeline, folder / "clean.mp4", track=examined("blurred").track)
    cleaned.track.save(folder / "track.npz")
    return folder


def spoken(folder, out, face: str = "clean.mp4", track: str = "track.npz", **more) -> lw.RunReport:
    sample = lw.make_sample(out)
    recipe = lw.Recipe(
        face=folder / face, speech=sample.speech, consent=True, out=out / "out.mp4", start_s=1.0, speech_end_s=0.6,
        clean={"track_file": folder / track}, **more,
    )  # fmt: skip
    return lw.run(recipe, progress=False)


def test_frames_that_pass_as_the_track_says_are_not_called_faceless_small_or_turned(passed, tmp_path):
    done = spoken(passed, tmp_path)
    assert (done.synthesised, done.passed) == (5, 10)
    assert "10 passed untouched as the track says" in str(done)
    assert "without a face" not in str(done)
    assert not [remark for remark in done.remarks if "less than asked" in remark]


def test_a_run_refuses_the_track_of_a_clip_of_equal_length_and_size(passed, tmp_path):
    mirrored = (np.ascontiguousarray(frame[:, ::-1]) for frame in lw.read_frames(passed / "clean.mp4"))
    lw.write_video(passed / "mirrored.mp4", mirrored, fps=FPS)
    with pytest.raises(lw.SettingsError, match=r"track\.npz is not that of .*mirrored\.mp4"):
        spoken(passed, tmp_path, face="mirrored.mp4")


def test_a_run_takes_an_older_track_and_says_so(passed, tmp_path):
    replace(FaceTrack.load(passed / "track.npz"), clip="").save(passed / "older.npz")
    done = spoken(passed, tmp_path, track="older.npz")
    assert any("does not say which file" in remark for remark in done.remarks)


def test_a_run_with_a_track_and_a_choice_is_refused(passed, tmp_path):
    with pytest.raises(lw.SettingsError, match=r"choose and clean\.track_file"):
        spoken(passed, tmp_path, choose=1)
