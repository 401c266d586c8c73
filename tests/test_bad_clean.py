"""Nothing but bad input to cleaning: each gets an error that names the file, the cause and the next step."""

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
    assert "1 of 1 frames" in said
    assert lw.probe(tmp_path / "out.mp4").frame_count == 1


def test_a_photo_has_a_report_of_one_frame(stock, face_mesh):
    report = lw.examine(stock / "photo.png", cache=False).report
    assert (len(report), report.count) == (1, 1)


def test_a_clip_without_a_face_has_a_report(stock, face_mesh):
    track, report = lw.examine(stock / "faceless.mp4", cache=False)
    assert report.counts() == {"no_face": 8}
    assert not track.has_face.any()


def test_report_and_sheet_show_why_a_clip_was_refused(clean, tmp_path):
    paths = CleanPaths(report=tmp_path / "report.json", sheet=tmp_path / "sheet.png")
    with pytest.raises(lw.FaceError):
        clean(settings={"thresholds": {"min_eyes_px": 900}}, paths=paths)
    assert lw.UsabilityReport.load(tmp_path / "report.json").ranges("too_small") == "0-7"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "sheet.png"]


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
        (["face.mp4", "--hold", "-1"], "hold_s"),
        (["face.mp4", "--thresholds.max-yaw-deg", "400"], "max_yaw_deg"),
        (["face.mp4", "--ignore", "ugly"], "ugly"),
    ],
)
def test_the_command_line_ends_with_status_2_and_no_traceback(stock, tmp_path, face_mesh, arguments, named):
    command = [*arguments, "--out", str(tmp_path / "out.mp4"), "--no-cache"]
    done = subprocess.run(
        [sys.executable, "-m", "lipwise", "clean", *command],
        capture_output=True,
        text=True,
        cwd=stock,
        env={**os.environ, "PYTHONPATH": str(Path(lw.__file__).parent.parent)},
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert named in done.stderr
    assert list(tmp_path.iterdir()) == []
