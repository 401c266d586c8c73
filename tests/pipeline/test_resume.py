"""A run that is broken off goes on with what is complete, and with nothing else."""

import json
import os
import shutil
import signal
import subprocess
import sys
import warnings
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

import lipwise as lw
from lipwise.__main__ import dispatch
from lipwise.pipeline.run_folder import open_run_folder
from lipwise.pipeline.run_inputs import inputs_of
from lipwise.sample import SPEECH, sample_frames
from lipwise.stages.policies import LIPSYNC_CLEAN

FRAMES, PIECE = 60, 50  # of the result, and of its first piece: two seconds


class StoppedError(Exception):
    """What a caller may raise to stop."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory, face_mesh) -> Path:
    """Ten small frames of the sample, and beside them the track of its face, so that it is found once."""
    small = (cv2.resize(frame, (128, 128), interpolation=cv2.INTER_AREA) for frame in islice(sample_frames(), 10))
    path = lw.write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", small, fps=25)
    lw.examine(path, mesh=True, cache=False).track.save(path.with_suffix(".npz"))
    return path


@pytest.fixture(scope="module")
def voice(tmp_path_factory) -> Path:
    """The beginning of the sample's speech and a digital silence, of which the library warns."""
    waveform = lw.load_audio(SPEECH, end_s=1.5)
    wanted = np.concatenate([waveform, np.zeros(FRAMES * 640 - len(waveform), np.float32)])
    return lw.save_wav(tmp_path_factory.mktemp("voice") / "voice.wav", wanted, sample_rate=16_000)


@pytest.fixture
def recipe(clip, voice, tmp_path) -> lw.Recipe:
    return recipe_of(clip, voice, tmp_path / "made.mp4")


def recipe_of(clip: Path, voice: Path, out: Path, **settings) -> lw.Recipe:
    found = LIPSYNC_CLEAN.model_copy(update={"track_file": clip.with_suffix(".npz")})
    given = {"face": clip, "speech": voice, "out": out, "clean": found, "segment_s": 2, "quality": "draft"}
    return lw.Recipe(consent=True, **given | settings)


def run(recipe: lw.Recipe, folder: Path, **more) -> lw.RunReport:
    return lw.run(recipe, run_folder=folder, progress=False, **more)


@pytest.fixture(scope="module")
def whole(clip, voice, tmp_path_factory) -> tuple[bytes, lw.RunReport]:
    """The file and the report of a run that nothing stops; its folder, run, lies beside the file."""
    folder = tmp_path_factory.mktemp("whole")
    report = run(recipe_of(clip, voice, folder / "made.mp4"), folder / "run", resume=True)  # there is none: it begins
    return report.out.read_bytes(), report


@pytest.fixture
def finished(whole, tmp_path) -> Path:
    """The folder of the run that nothing stopped."""
    return Path(shutil.copytree(whole[1].out.parent / "run", tmp_path / "run"))


def stop(recipe: lw.Recipe, folder: Path, frame: int) -> None:
    """Run until a frame is made."""

    def tell(stage: str, done: int, frames: int) -> None:
        if done >= frame:
            raise StoppedError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lw.LipwiseWarning)  # told, because no report tells them
        with pytest.raises(StoppedError):
            run(recipe, folder, resume=True, tell=tell)


def held(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def stamps(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "segments").iterdir()}


# --- it goes on ---


def test_a_stopped_run_goes_on_and_the_file_is_the_same(recipe, whole, tmp_path):
    stop(recipe, tmp_path / "run", PIECE + 3)
    before = stamps(tmp_path / "run")
    assert list(before) == ["00000.mp4"]
    assert not recipe.out.exists()
    told = []
    report = run(recipe, tmp_path / "run", resume=True, tell=lambda *words: told.append(words))
    assert recipe.out.read_bytes() == whole[0]
    assert stamps(tmp_path / "run")["00000.mp4"] == before["00000.mp4"]
    assert next(done for stage, done, _ in told if stage == "make the frames") == PIECE
    assert told[-1] == ("join", FRAMES, FRAMES)
    assert "find the face" not in report.seconds
    assert set(report.remarks) - set(whole[1].remarks) == {"1 of 2 pieces had been made before: times are of the rest"}
    assert set(whole[1].remarks) <= set(report.remarks)  # what was warned of the recording is told again
    assert any("silence" in remark for remark in report.remarks)
    assert (report.synthesised, report.passed) == (whole[1].synthesised, whole[1].passed)


def test_a_killed_run_goes_on_and_the_file_is_the_same(recipe, whole, tmp_path):
    """Killed in a way that no program can clean up after, in the middle of a segment."""
    (tmp_path / "recipe").mkdir()
    recipe.to_yaml(tmp_path / "recipe" / "recipe.yaml")
    script = (
        "import os, signal, sys, lipwise as lw\n"
        f"def tell(stage, done, frames):\n    if done == {PIECE + 5}: os.kill(os.getpid(), signal.SIGKILL)\n"
        "lw.run(lw.Recipe.from_yaml(sys.argv[1]), run_folder=sys.argv[2], progress=False, tell=tell)\n"
    )
    asked = [sys.executable, "-W", "ignore", "-c", script, tmp_path / "recipe" / "recipe.yaml", tmp_path / "run"]
    assert subprocess.run(asked, check=False).returncode == -signal.SIGKILL
    assert any(name.endswith(".part") for name in held(tmp_path / "run"))
    report = run(recipe, tmp_path / "run", resume=True)
    assert report.out.read_bytes() == whole[0]
    assert not any(name.endswith(".part") for name in held(tmp_path / "run"))


def test_the_command_line_goes_on(recipe, clip, voice, tmp_path, capsys):
    recipe = recipe_of(clip, voice, recipe.out, segment_s=10)  # as the command has it
    stop(recipe, tmp_path / "run", 1)
    before = (tmp_path / "run" / "state.npz").stat().st_mtime_ns
    given = {"face": clip, "speech": voice, "quality": "draft", "track": clip.with_suffix(".npz"), "out": recipe.out}
    options = ["run", "--consent", *(text for name, value in given.items() for text in (f"--{name}", str(value)))]
    with pytest.raises(lw.SettingsError, match="go on with the run that is there: --resume"):
        dispatch([*options, "--keep-run", str(tmp_path / "run")])
    with pytest.raises(lw.SettingsError, match="no --keep-run was given"):
        dispatch([*options, "--resume"])
    dispatch([*options, "--keep-run", str(tmp_path / "run"), "--resume"])
    assert lw.probe(recipe.out).frame_count == FRAMES
    assert "find the face" not in capsys.readouterr().out
    assert (tmp_path / "run" / "state.npz").stat().st_mtime_ns == before


def test_a_finished_run_goes_on_to_another_name(recipe, whole, finished, tmp_path):
    before = stamps(finished)
    again = recipe.model_copy(update={"out": tmp_path / "again.mp4"})
    assert run(again, finished, resume=True).out.read_bytes() == whole[0]
    assert stamps(finished) == before


@pytest.mark.slow
def test_enhancement_goes_on_with_the_same_frames(recipe, tmp_path):
    large = recipe.model_copy(update={"upscale": "lanczos", "upscale_scale": 1.5})
    stop(large, tmp_path / "run", PIECE + 3)
    report = run(large, tmp_path / "run", resume=True)
    unbroken = run(large.model_copy(update={"out": tmp_path / "unbroken.mp4"}), tmp_path / "other")
    assert report.out.read_bytes() == unbroken.out.read_bytes()
    assert report.size_wh == (192, 192)


def test_files_that_lie_elsewhere_now_are_the_same_files(recipe, clip, voice, whole, tmp_path):
    session = tmp_path / "session"
    session.mkdir()
    for path in (clip, clip.with_suffix(".npz"), voice):
        (session / path.name).write_bytes(path.read_bytes())
    stop(recipe_of(session / clip.name, session / voice.name, recipe.out), tmp_path / "run", PIECE + 1)
    later = session.rename(tmp_path / "next session")
    report = run(recipe_of(later / clip.name, later / voice.name, recipe.out), tmp_path / "run", resume=True)
    assert report.out.read_bytes() == whole[0]
    assert any("1 of 2 pieces" in remark for remark in report.remarks)


def test_a_damaged_segment_is_made_again(recipe, whole, finished):
    first, second = sorted((finished / "segments").iterdir())
    second.write_bytes(first.read_bytes())  # whole, and of another length
    first.write_bytes(first.read_bytes()[:2000])
    report = run(recipe, finished, resume=True)
    assert report.out.read_bytes() == whole[0]
    assert sum("damaged" in remark for remark in report.remarks) == 2


# --- it is refused ---


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"quality": "good"}, "quality was 'draft' and is 'good'"),
        ({"keep_background": 0.5}, "keep_background was 0.0 and is 0.5"),
        ({"lipsync": lw.LipsyncSettings(audio_offset_s=0.1)}, "lipsync.audio_offset_s was 0.0 and is 0.1"),
        ({"clean": LIPSYNC_CLEAN}, "clean.track_file is another file"),
    ],
)
def test_another_recipe_is_refused_and_nothing_is_lost(recipe, change, words, finished):
    before = held(finished)
    with pytest.raises(lw.SettingsError, match=words):
        run(recipe.model_copy(update=change), finished, resume=True)
    assert held(finished) == before
    assert not recipe.out.exists()


@pytest.mark.parametrize("role", ["face", "speech"])
def test_a_file_that_has_changed_is_refused(recipe, role, tmp_path):
    path = getattr(recipe, role)
    own = tmp_path / f"own{path.suffix}"
    own.write_bytes(path.read_bytes())
    recipe = recipe.model_copy(update={role: own})
    stop(recipe, tmp_path / "run", PIECE + 1)
    was = own.stat()
    content = bytearray(own.read_bytes())
    content[-1] ^= 1
    own.write_bytes(content)
    os.utime(own, ns=(was.st_atime_ns, was.st_mtime_ns))  # as large and as old as before
    with pytest.raises(lw.SettingsError, match=f"{role} is another file, or its content has changed"):
        run(recipe, tmp_path / "run", resume=True)


def test_another_version_is_refused(recipe, finished):
    mark = finished / "run.json"
    mark.write_text(mark.read_text().replace(f'"{lw.__version__}"', '"0.0.1"'))
    with pytest.raises(lw.SettingsError, match=f"LipWise was '0.0.1' and is '{lw.__version__}'"):
        run(recipe, finished, resume=True)


def test_a_run_is_not_gone_on_with_unasked(recipe, finished):
    with pytest.raises(lw.SettingsError, match=r"something already[\s\S]*resume=True"):
        run(recipe, finished)


def test_going_on_needs_a_folder(recipe):
    with pytest.raises(lw.SettingsError, match="no run_folder"):
        lw.run(recipe, resume=True, progress=False)


@pytest.mark.parametrize("name", ["letter.txt", "segments/00000.mp4"])
def test_a_folder_that_is_not_known_for_a_runs_is_left_alone(recipe, name, tmp_path):
    mine = tmp_path / "mine" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("keep me")
    with pytest.raises(lw.SettingsError, match="not known for a run"):
        run(recipe, tmp_path / "mine", resume=True)
    with pytest.raises(lw.SettingsError, match="not deleted"):
        lw.forget_run(tmp_path / "mine")
    assert mine.read_text() == "keep me"


def test_a_plan_that_was_killed_half_written_is_made_anew(recipe, whole, tmp_path):
    (tmp_path / "run" / "segments").mkdir(parents=True)
    (tmp_path / "run" / "track.npz").write_bytes(b"half")
    (tmp_path / "run" / ".speech.npz.1234.part").write_bytes(b"half")
    assert run(recipe, tmp_path / "run", resume=True).out.read_bytes() == whole[0]
    assert ".speech.npz.1234.part" not in held(tmp_path / "run")


def test_a_plan_that_cannot_be_read_is_refused(recipe, finished):
    (finished / "track.npz").write_bytes(b"damaged")
    with pytest.raises(lw.LipwiseError, match=r"track\.npz|cannot go on"):
        run(recipe, finished, resume=True)


def test_two_at_once_are_refused(recipe, tmp_path):
    with (
        open_run_folder(recipe, tmp_path / "run", resume=True),
        pytest.raises(lw.SettingsError, match="under way already"),
    ):
        run(recipe, tmp_path / "run", resume=True)


def test_a_run_that_fails_before_its_plan_leaves_no_folder(recipe, tmp_path):
    """So that the same call, with the mistake mended, is not refused."""
    with pytest.raises(lw.SettingsError, match="is left"):
        run(recipe.model_copy(update={"start_s": 9.0}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


# --- what is kept ---


def test_forgetting_deletes_the_run_and_nothing_else(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "other")
    (finished / "letter.txt").write_text("keep me")
    lw.forget_run(finished)
    assert held(finished) == ["letter.txt"]
    lw.forget_run(tmp_path / "other")
    assert not (tmp_path / "other").exists()
    lw.forget_run(tmp_path / "nothing")


def test_the_inputs_of_a_run_name_every_setting(recipe):
    """A setting that comes later must not be forgotten: only those are left out that change no frame."""
    inputs = inputs_of(recipe)
    fields = {name.partition(".")[0] for name in inputs}
    assert set(lw.Recipe.model_fields) - fields == {"out", "consent", "device"}
    assert json.loads(json.dumps(inputs)) == inputs


def test_a_checkpoint_is_told_by_its_content(recipe, tmp_path):
    path = tmp_path / "own.pth"
    path.write_bytes(b"one")
    own = recipe.model_copy(update={"generator": str(path), "restore": str(path)})
    before = inputs_of(own)
    path.write_bytes(b"two")
    assert {name for name, value in inputs_of(own).items() if value != before[name]} == {"generator", "restore"}
