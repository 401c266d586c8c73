"""Nothing but bad input to cleaning: each gets an error that names the file, the cause and the next step."""

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

import lipwise as lw
from lipwise.pipeline.clean import CleanPaths, clean_clip

FPS = Fraction(25)


@pytest.fixture(scope="module")
def stock(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("stock")
    face = skimage.data.astronaut()[:320, 64:384]
    empty = cv2.resize(skimage.data.rocket(), (256, 192), interpolation=cv2.INTER_AREA)
    lw.write_video(folder / "faceless.mp4", [empty] * 8, fps=FPS)
    lw.write_video(folder / "one.mp4", [face], fps=FPS)
    lw.write_video(folder / "face.mp4", [np.roll(face, n, axis=1) for n in range(8)], fps=FPS)
    cv2.imwrite(str(folder / "photo.png"), face[..., ::-1])
    (folder / "text.mp4").write_text("this is not a film\n" * 50)
    (folder / "folder.mp4").mkdir()
    return folder


@pytest.fixture
def clean(stock, tmp_path, face_mesh):
    def call(clip="face.mp4", out="out.mp4", **how):
        settings = lw.CleanSettings(**how.pop("settings", {}))
        return clean_clip(stock / clip, tmp_path / out, settings=settings, cache=False, progress=False, **how)

    return call


BAD = {
    "no face at all": ({"clip": "faceless.mp4"}, lw.FaceError, "faceless.mp4"),
    "no face, policy pass": ({"clip": "faceless.mp4", "settings": {"policy": "pass"}}, lw.FaceError, "faceless.mp4"),
    "all dropped": ({"settings": {"thresholds": {"min_eyes_px": 900}}}, lw.FaceError, "too small: 0-7"),
    "some refused": ({"settings": {"policy": "fail", "drop": "2-4, 6"}}, lw.FaceError, "2-4, 6"),
    "a photo": ({"clip": "photo.png"}, lw.MediaError, "photo.png"),
    "missing": ({"clip": "gone.mp4"}, lw.MediaError, "gone.mp4"),
    "text": ({"clip": "text.mp4"}, lw.MediaError, "text.mp4"),
    "a folder": ({"clip": "folder.mp4"}, lw.MediaError, "folder.mp4"),
    "frames that are not there": ({"settings": {"keep": "3-99"}}, lw.SettingsError, "3-99"),
    "ranges that are none": ({"settings": {"drop": "some"}}, lw.SettingsError, "some"),
    "unknown ending": ({"out": "out.xyz"}, lw.MediaError, "out.xyz"),
    "unknown sound": ({"sound": "loud"}, lw.SettingsError, "loud"),
    "unknown detector": ({"detector": "eagle"}, lw.SettingsError, "eagle"),
    "nobody there to choose": ({"choose": 7}, lw.FaceError, "7"),
    "a choice that is none": ({"choose": -1}, lw.SettingsError, "-1"),
    "a track without an ending": ({"paths": CleanPaths(track=Path("trackname"))}, lw.SettingsError, "trackname.npz"),
    "people in a text file": ({"paths": CleanPaths(people=Path("people.txt"))}, lw.SettingsError, "people.npz"),
}


@pytest.mark.parametrize(("arguments", "kind", "named"), BAD.values(), ids=BAD)
def test_the_error_names_file_cause_and_next_step(clean, tmp_path, arguments, kind, named):
    with pytest.raises(kind) as caught:
        clean(**arguments)
    assert named in str(caught.value)
    assert caught.value.cause
    assert caught.value.next_step
    assert list(tmp_path.iterdir()) == [], "something was left behind"


def test_the_result_never_overwrites_the_clip_or_another_result(stock, tmp_path, face_mesh):
    before = (stock / "face.mp4").read_bytes()
    with pytest.raises(lw.SettingsError, match="overwrite"):
        clean_clip(stock / "face.mp4", stock / "face.mp4", progress=False)
    for role in CleanPaths._fields:
        for path in (stock / "face.mp4", tmp_path / "out.mp4", tmp_path / "nowhere" / "x.png"):
            with pytest.raises(lw.SettingsError, match=role):
                clean_clip(stock / "face.mp4", tmp_path / "out.mp4", paths=CleanPaths(**{role: path}), progress=False)
    paths = CleanPaths(sheet=tmp_path / "sheet.doc")
    with pytest.raises(lw.MediaError, match=r"sheet\.doc"):
        clean_clip(stock / "face.mp4", tmp_path / "out.mp4", paths=paths, progress=False)
    assert (stock / "face.mp4").read_bytes() == before
    assert list(tmp_path.iterdir()) == []


def test_one_frame_is_a_clip(clean, tmp_path):
    said = clean("one.mp4")
    assert "1 frame from 1: 1 used" in said
    assert "1 of 1 frames can be used" in said
    assert lw.probe(tmp_path / "out.mp4").frame_count == 1


def test_a_photo_has_a_report_of_one_frame(stock, face_mesh):
    report = lw.examine(stock / "photo.png", cache=False).report
    assert (len(report), report.count) == (1, 1)


def test_a_clip_without_a_face_has_a_report(stock, face_mesh):
    track, report = lw.examine(stock / "faceless.mp4", cache=False)
    assert report.counts() == {"no_face": 8}
    assert not track.has_face.any()


REFUSED = {
    "no frame is left": ("face.mp4", {"thresholds": {"min_eyes_px": 900}}, "too_small"),
    "the policy fails": ("face.mp4", {"policy": "fail", "thresholds": {"min_eyes_px": 900}}, "too_small"),
    "nobody is seen": ("faceless.mp4", {}, "no_face"),
}


@pytest.mark.parametrize(("clip", "settings", "reason"), REFUSED.values(), ids=REFUSED)
def test_report_and_sheet_show_why_a_clip_was_refused(clean, tmp_path, clip, settings, reason):
    paths = CleanPaths(report=tmp_path / "report.json", sheet=tmp_path / "sheet.png")
    with pytest.raises(lw.FaceError) as caught:
        clean(clip, settings=settings, paths=paths)
    assert lw.UsabilityReport.load(tmp_path / "report.json").ranges(reason) == "0-7"
    written = json.loads((tmp_path / "report.json").read_text())
    assert written["result"] is None
    assert caught.value.what in written["refused"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "sheet.png"]


def test_the_report_says_what_was_done_and_which_frame_became_which(clean, stock, tmp_path):
    settings = {"policy": "hold", "hold_s": 0.04, "bridge_frames": 0, "drop": "3-4", "against": ("no_face",)}
    said = clean(settings=settings, paths=CleanPaths(report=tmp_path / "report.json"))
    assert "8 frames from 8: 6 used, 1 held, 1 passed untouched" in said
    assert "6 of 8 frames can be used; ignored: too small" in said
    written = json.loads((tmp_path / "report.json").read_text())
    assert written["clip"] == str(stock / "face.mp4")
    told = written["cleaning"]
    assert (told["policy"], told["hold_s"], told["bridge_frames"], told["drop"]) == ("hold", 0.04, 0, "3-4")
    assert "blurred" in told["ignored"]
    assert "no_face" not in told["ignored"]
    result = written["result"]
    assert result["source_frame"] == [0, 1, 2, 2, 4, 5, 6, 7]
    assert result["passed_untouched"] == "4"
    assert result["outcome"] == {"used": 6, "bridged": 0, "held": 1, "passed": 1, "dropped": 0}
    assert result["path"] == str(tmp_path / "out.mp4")
    assert lw.UsabilityReport.load(tmp_path / "report.json").ranges() == "3-4"


def test_a_drop_is_counted(clean):
    assert "6 frames from 8: 6 used, 2 dropped" in clean(settings={"drop": "3-4"})


def test_what_is_warned_of_is_told_once_and_after_a_failure_too(clean, recwarn):
    settings = {"keep": "2", "drop": "2"}
    said = clean(settings=settings)
    assert said.count("to be kept and dropped") == 1
    assert not [entry for entry in recwarn if issubclass(entry.category, lw.LipwiseWarning)]
    with pytest.warns(lw.LipwiseWarning, match="kept and dropped"), pytest.raises(lw.FaceError):
        clean(settings=settings | {"policy": "fail"})


@pytest.mark.parametrize("wrong", [{"policy": "shake"}, {"hold_s": -1}, {"thresholds": {"max_yaw_deg": 400}}])
def test_a_recipes_cleaning_settings_out_of_range_are_named(wrong):
    with pytest.raises(lw.SettingsError) as caught:
        lw.Recipe(face="a.mp4", speech="b.wav", clean=wrong)
    assert next(iter(wrong)) in str(caught.value) or "max_yaw_deg" in str(caught.value)


def test_a_recipe_with_cleaning_survives_yaml(tmp_path):
    recipe = lw.Recipe(
        face="a.mp4",
        speech="b.wav",
        clean={"policy": "drop", "keep": "3", "thresholds": {"max_yaw_deg": 20}, "track_file": "t.npz"},
    )
    recipe.to_yaml(tmp_path / "recipe.yaml")
    assert lw.Recipe.from_yaml(tmp_path / "recipe.yaml") == recipe


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["faceless.mp4"], "faceless.mp4"),
        (["gone.mp4"], "gone.mp4"),
        (["face.mp4", "--hold", "-1"], "'--hold' is not usable: -1"),
        (["face.mp4", "--hold", "nan"], "'--hold' is not usable: nan"),
        (["face.mp4", "--bridge", "-1"], "next: see the settings and their units with python -m lipwise clean --help"),
        (["face.mp4", "--least-confidence", "2"], "--least-confidence=2"),
        (["face.mp4", "--thresholds.max-yaw-deg", "400"], "max_yaw_deg"),
        (["face.mp4", "--ignore", "ugly"], "ugly"),
        (["face.mp4", "--choose", "0", "--choose-at", "5", "5"], "--choose and --choose-at were both given"),
    ],
)
def test_the_command_line_ends_with_status_2_and_no_traceback(stock, tmp_path, face_mesh, arguments, named):
    command = [*arguments, "--out", str(tmp_path / "out.mp4"), "--no-cache"]
    done = on_the_command_line(stock, *command)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert named in done.stderr
    assert "CleanSettings" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_warning_on_the_command_line_shows_no_code(stock, tmp_path, face_mesh):
    command = ["face.mp4", "--out", str(tmp_path / "out.mp4"), "--no-cache", "--keep", "2", "--drop", "2"]
    refused = on_the_command_line(stock, *command, "--policy", "fail")
    assert "warning: frames 2 are to be kept and dropped: they are dropped\n" in refused.stderr
    assert ".py" not in refused.stderr
    done = on_the_command_line(stock, *command)
    assert "note: frames 2 are to be kept and dropped" in done.stdout
    assert "warning" not in done.stderr


def test_the_limits_are_in_the_help(stock):
    words = " ".join(on_the_command_line(stock, "--help").stdout.replace("│", " ").split())
    assert "0 to 10000" in words
    assert "0 to 3600" in words


def on_the_command_line(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lipwise", "clean", *command],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(lw.__file__).parent.parent)},
    )
