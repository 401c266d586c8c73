"""A clip whose picture lies on its side, and whose file does not say so, comes out upright."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import lipwise as lw
from lipwise.faces.rotation import turn_frame
from lipwise.pipeline.plan import load_plan

COUNT, ROWS = 25, 400  # the picture is no square, so that a turn that is forgotten shows


@pytest.fixture(scope="module")
def sample(tmp_path_factory, face_mesh) -> lw.Sample:
    return lw.make_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module", params=["sample", pytest.param("LivePortrait__d18.mp4", marks=pytest.mark.slow)])
def upright(request, sample, shared_clip) -> np.ndarray:
    """(T, H, W, 3) frames of a real face."""
    path = sample.face if request.param == "sample" else shared_clip(request.param)
    return np.stack([frame[:ROWS] for frame in lw.read_frames(path, range(COUNT))])


@pytest.fixture(scope="module")
def lying(upright, tmp_path_factory) -> Path:
    frames = (turn_frame(frame, 270) for frame in upright)
    return lw.write_video(tmp_path_factory.mktemp("lying") / "lying.mp4", frames, fps=Fraction(25), quality=12)


@pytest.fixture(scope="module")
def cleaned(lying) -> tuple[Path, str]:
    """The folder with everything that the command wrote, and what it said."""
    folder = lying.parent / "cleaned"
    folder.mkdir()
    names = {"out": "clean.mp4", "track": "track.npz", "people": "people.npz", "sheet": "sheet.png"}
    wanted = [part for option, name in names.items() for part in (f"--{option}", str(folder / name))]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "lipwise", "clean", str(lying), *wanted, "--no-cache"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(lw.__file__).parent.parent)},
    )
    return folder, done.stdout


def pictures(path: Path) -> np.ndarray:
    return np.stack(list(lw.read_frames(path)))


def check_lips(made: np.ndarray, upright: np.ndarray) -> None:
    """Upright, and changed at the mouth only."""
    assert made.shape == upright.shape
    change = np.abs(made.astype(int) - upright).mean(axis=(0, 3))
    five = lw.load_detector("auto").detect(upright[0]).landmarks_xy[0]
    x, y = five[3:].mean(axis=0).astype(int)
    assert change[y : y + 15, x - 15 : x + 15].mean() > 8
    assert change[:40].mean() < 3


def run(face: Path, sample: lw.Sample, out: Path, **settings) -> lw.RunReport:
    recipe = lw.Recipe(face=face, speech=sample.speech, speech_end_s=1.0, out=out, consent=True, **settings)
    return lw.run(recipe, run_folder=out.parent / "run", progress=False)


def test_a_run_sets_it_upright_and_says_so(lying, upright, sample, tmp_path):
    done = run(lying, sample, tmp_path / "out.mp4")
    assert sum("turned by 90 degrees clockwise" in remark for remark in done.remarks) == 1
    assert "turned by 90 degrees clockwise" in str(done)
    check_lips(pictures(done.out), upright)
    plan = load_plan(tmp_path / "run")
    assert (plan.video.turned, plan.track.rotation, plan.video.size_wh) == (90, 90, plan.track.size_wh)


def test_the_command_cleans_it_upright_and_says_so(cleaned, upright):
    folder, said = cleaned
    assert "turned by 90 degrees clockwise" in said
    assert f"{COUNT} of {COUNT} frames" in said
    made = pictures(folder / "clean.mp4")
    assert made.shape == upright.shape
    assert np.abs(made.astype(int) - upright).mean() < 3


def test_the_cleaned_clip_speaks_with_its_own_track(cleaned, upright, sample, tmp_path, monkeypatch):
    folder, _ = cleaned
    monkeypatch.setattr("lipwise.stages.clean.load_detector", lambda *_, **__: pytest.fail("loaded a detector"))
    done = run(folder / "clean.mp4", sample, tmp_path / "out.mp4", clean={"track_file": folder / "track.npz"})
    assert not [remark for remark in done.remarks if "turned" in remark]
    check_lips(pictures(done.out), upright)


def test_everybodys_track_belongs_to_the_cleaned_clip(cleaned):
    folder, _ = cleaned
    (only,) = lw.load_tracks(folder / "people.npz")
    own = lw.FaceTrack.load(folder / "track.npz")
    assert (len(only), only.rotation, only.size_wh) == (COUNT, 0, own.size_wh)
    assert np.abs(only.boxes_xyxy - own.boxes_xyxy).max() < 0.01


def test_the_tracks_own_clip_may_be_given_as_its_file_is(lying, upright, sample, tmp_path):
    """Whatever takes clip and track together turns the clip as the track says."""
    with pytest.warns(lw.LipwiseWarning, match="90 degrees clockwise"):
        track = lw.track_faces(lying)
    assert track.rotation == 90
    speech = lw.load_speech(sample.speech, end_s=0.2)
    timeline = lw.Timeline.for_speech(track.has_face, Fraction(25), 5)
    frames = lw.lipsync_frames(lw.probe(lying), track, timeline, speech, generator=lw.load_generator())
    assert next(frames).shape == upright.shape[1:]
    written = lw.write_clean(lying, timeline, tmp_path / "clean.mp4", track=track)
    assert np.abs(pictures(written.video.path).astype(int) - upright[:5]).mean() < 3
    track.save(tmp_path / "track.npz")
    done = run(lying, sample, tmp_path / "out.mp4", clean={"track_file": tmp_path / "track.npz"})
    check_lips(pictures(done.out), upright)
