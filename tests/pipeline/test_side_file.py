"""A report never overwrites what a call reads or writes, and is refused before any work where it cannot be written."""

import json
import shutil
from pathlib import Path

import pytest

import lipwise as lw
from lipwise.__main__ import main
from lipwise.media.picture import write_picture
from lipwise.pipeline.clean import CleanPaths, clean_clip
from lipwise.stages.policies import LIPSYNC_CLEAN

NOWHERE = Path("/proc")  # a folder in which nobody can write, not even root
COMMANDS = {
    "run": ["run", "--face", "{clip}", "--speech", "{speech}", "--out", "{out}", "--consent"],
    "clean": ["clean", "{clip}", "--out", "{out}", "--no-cache"],
    "enhance": ["enhance", "{clip}", "--out", "{out}", "--upscale", "lanczos"],
    "evaluate": ["evaluate", "{out}", "--source", "{clip}", "--no-sync", "--no-cache"],
}
BEGINNINGS = {
    "run": "lipwise.pipeline.chain.load_generator",
    "clean": "lipwise.pipeline.clean.examine",
    "enhance": "lipwise.pipeline.enhance.load_enhancers",
    "evaluate": "lipwise.pipeline.evaluate.match",
}
PLACES = {
    "the clip": ("clip.mp4", "another file of this call is there"),
    "the clip by another way": ("folder/../clip.mp4", "another file of this call is there"),
    "the result": ("out.mp4", "another file of this call is there"),
    "a folder": ("folder", "it is a folder"),
    "a folder that is missing": ("nowhere/report.json", "its folder is missing"),
}


@pytest.fixture
def files(clip, sample, tmp_path) -> dict[str, Path]:
    """A clip, a recording, an older result and a folder."""
    made = {"clip": tmp_path / "clip.mp4", "speech": tmp_path / "speech.wav", "out": tmp_path / "out.mp4"}
    for name, source in {"clip": clip, "speech": sample.speech, "out": clip}.items():
        shutil.copy(source, made[name])
    (tmp_path / "folder").mkdir()
    return made


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_overwrites_a_file_of_its_own(name, place, files, tmp_path, capsys):
    before, (report, cause) = contents(tmp_path), PLACES[place]
    with pytest.raises(SystemExit):
        main([*(word.format(**files) for word in COMMANDS[name]), "--report", str(tmp_path / report)])
    assert f"error: The report cannot be written to {tmp_path / report}\n  why:  {cause}" in capsys.readouterr().err
    assert contents(tmp_path) == before


@pytest.mark.skipif(not NOWHERE.is_dir(), reason="there is no folder in which root cannot write")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_place_that_cannot_be_written_to_is_told_before_any_work(name, files, tmp_path, capsys):
    before = contents(tmp_path)
    with pytest.raises(SystemExit):
        main([*(word.format(**files) for word in COMMANDS[name]), "--report", str(NOWHERE / "report.json")])
    said = capsys.readouterr().err
    assert f"{NOWHERE / 'report.json'} cannot be written\n  why:" in said
    assert ".part" not in said  # the name that it has on the way
    assert contents(tmp_path) == before


# --- files that are none of the usual ones


@pytest.mark.parametrize("setting", ["clean.track_file", "generator", "restore", "upscale"])
def test_a_run_keeps_its_track_and_its_checkpoints(setting, files, tmp_path):
    own = tmp_path / "own.pth"
    own.write_bytes(b"not to be had again")
    given = {"clean": LIPSYNC_CLEAN.model_copy(update={"track_file": own})} if "." in setting else {setting: str(own)}
    recipe = lw.Recipe(face=files["clip"], speech=files["speech"], out=tmp_path / "new.mp4", consent=True, **given)
    with pytest.raises(lw.SettingsError, match="another file of this call"):
        lw.run(recipe, report_path=own, progress=False)
    assert own.read_bytes() == b"not to be had again"


@pytest.mark.parametrize("name", ["", "run.json", "track.npz", "recipe.yaml", "segments", "segments/00000.mp4"])
def test_a_run_keeps_the_files_of_its_folder(name, files, tmp_path):
    recipe = lw.Recipe(face=files["clip"], speech=files["speech"], out=tmp_path / "new.mp4", consent=True)
    with pytest.raises(lw.SettingsError, match="The report cannot be written"):
        lw.run(recipe, run_folder=tmp_path / "run", report_path=tmp_path / "run" / name, progress=False)
    assert not (tmp_path / "run").exists()


def test_enhancement_keeps_every_photo_and_its_checkpoint(files, tmp_path):
    photo = write_picture(tmp_path / "in" / "a.png", next(lw.read_frames(files["clip"]))[:40, :60])
    own = tmp_path / "own.pth"
    own.write_bytes(b"not to be had again")
    before = contents(tmp_path)
    for report in (photo, tmp_path / "new" / "a.png", tmp_path / "in", tmp_path / "new"):
        with pytest.raises(lw.SettingsError, match="another file of this call"):
            lw.enhance(tmp_path / "in", tmp_path / "new", upscale="lanczos", report_path=report, progress=False)
    for which in ("restore", "upscale"):
        with pytest.raises(lw.SettingsError, match="another file of this call"):
            lw.enhance(files["clip"], tmp_path / "o.mp4", **{which: str(own)}, report_path=own, progress=False)
    assert contents(tmp_path) == before


def test_evaluation_keeps_what_a_run_was_made_of(files, tmp_path, capsys):
    recipe = lw.Recipe(face=files["clip"], speech=files["speech"], speech_end_s=0.2, out=files["out"], consent=True)
    lw.run(recipe, run_folder=tmp_path / "run", progress=False)
    before = contents(tmp_path)
    for report in (files["clip"], files["speech"], tmp_path / "run" / "track.npz", tmp_path / "run" / "recipe.yaml"):
        with pytest.raises(SystemExit):
            main(["evaluate", str(files["out"]), "--run", str(tmp_path / "run"), "--report", str(report)])
        assert "another file of this call is there" in capsys.readouterr().err
    assert contents(tmp_path) == before


# --- where a report may lie


def test_a_result_whose_name_begins_with_a_tilde_may_have_one(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_picture("a.png", next(lw.read_frames(files["clip"]))[:40, :60])
    made = lw.enhance("a.png", "~nobody.png", upscale="lanczos", report_path="report.json", progress=False)
    assert Path("~nobody.png").is_file()
    assert json.loads(Path("report.json").read_text())["out"] == str(made.out)
    assert lw.probe("~nobody.png").size_wh == made.size_wh


@pytest.mark.parametrize("report", ["report.json", "new/report.json"])
def test_the_report_of_enhancement_may_lie_beside_the_result(report, files, tmp_path):
    write_picture(tmp_path / "in" / "a.png", next(lw.read_frames(files["clip"]))[:40, :60])
    path = tmp_path / report
    made = lw.enhance(tmp_path / "in", tmp_path / "new", upscale="lanczos", report_path=path, progress=False)
    written = json.loads(path.read_text())
    assert (written["out"], written["frames"]) == (str(made.out), made.frames)
    assert written["seconds"] == made.seconds


def test_the_report_of_cleaning_may_lie_beside_the_result_in_a_new_folder(files, tmp_path):
    paths = CleanPaths(report=tmp_path / "new" / "report.json")
    clean_clip(files["clip"], tmp_path / "new" / "clean.mp4", paths=paths, cache=False, progress=False)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["clean.mp4", "report.json"]


@pytest.mark.parametrize(("name", "work"), BEGINNINGS.items())
def test_nothing_is_begun_before_the_report_is_checked(name, work, files, tmp_path, capsys, monkeypatch):
    def begun(*_, **__):
        raise AssertionError("begun")

    monkeypatch.setattr(work, begun)
    with pytest.raises(SystemExit):
        main([*(word.format(**files) for word in COMMANDS[name]), "--report", str(tmp_path / "folder")])
    assert "why:  it is a folder" in capsys.readouterr().err
