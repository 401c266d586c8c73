"""What evaluation is asked that cannot be answered: refused, or named with its reason."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from skimage.data import coffee

import lipwise as lw
from lipwise import __main__ as command_line
from lipwise.sample import SPEECH, sample_frames

FRAMES, SIDE = 8, 256


@pytest.fixture(scope="module")
def clip(tmp_path_factory, face_mesh):
    """A short clip with a face and its track."""
    folder = tmp_path_factory.mktemp("failures")
    frames = (cv2.resize(frame, (SIDE, SIDE)) for _, frame in zip(range(FRAMES), sample_frames(), strict=False))
    path = lw.write_video(folder / "clip.mp4", frames, fps=25)
    return lw.probe(path), lw.track_faces(path)


def timeline_of(count: int, fps: int = 25, first: int = 0) -> lw.Timeline:
    return lw.Timeline(np.arange(first, first + count), np.ones(count, bool), Fraction(fps))


def test_a_missing_result_is_refused(tmp_path):
    with pytest.raises(lw.MediaError, match="nowhere"):
        lw.evaluate(tmp_path / "nowhere.mp4")


def test_a_missing_source_is_refused(clip, tmp_path):
    with pytest.raises(lw.MediaError, match="nowhere"):
        lw.evaluate(clip[0], source=tmp_path / "nowhere.mp4")


def test_a_missing_speech_is_refused(clip, tmp_path):
    with pytest.raises(lw.MediaError, match="nowhere"):
        lw.evaluate(clip[0], source=clip[0], track=clip[1], speech=tmp_path / "nowhere.wav", sync=None)


def test_a_picture_is_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "photo.png"), coffee())
    with pytest.raises(lw.MediaError, match="is a picture"):
        lw.evaluate(tmp_path / "photo.png")


@pytest.mark.parametrize(
    ("timeline", "words"),
    [
        (timeline_of(FRAMES - 1), "7 frames, the result 8"),
        (timeline_of(FRAMES + 3), "11 frames, the result 8"),
        (timeline_of(FRAMES, fps=30), "30 frames a second, the result 25"),
        (timeline_of(FRAMES, first=4), "names frame 11, and the source has 8"),
        (timeline_of(FRAMES, first=-2), "names frame -2, and the source has 8"),
    ],
)
def test_another_results_timeline_is_refused(clip, timeline, words):
    with pytest.raises(lw.SettingsError, match=words):
        lw.evaluate(clip[0], source=clip[0], track=clip[1], timeline=timeline)


def test_another_clips_track_is_refused(clip):
    with pytest.raises(lw.SettingsError, match="it has 5 frames, the clip 8"):
        lw.evaluate(clip[0], source=clip[0], track=clip[1].part(0, 5))


@pytest.mark.parametrize("given", ["track", "timeline", "source_start_s"])
def test_a_track_without_its_source_is_refused(clip, given):
    values = {"track": clip[1], "timeline": timeline_of(FRAMES), "source_start_s": 0.2}
    with pytest.raises(lw.SettingsError, match="without its source"):
        lw.evaluate(clip[0], **{given: values[given]})


@pytest.mark.parametrize("given", ["source", "track", "timeline", "source_start_s"])
def test_what_a_run_knows_is_refused_beside_it(clip, tmp_path, given):
    values = {"source": clip[0], "track": clip[1], "timeline": timeline_of(FRAMES), "source_start_s": 0.2}
    with pytest.raises(lw.SettingsError, match="as well"):
        lw.evaluate(clip[0], run=tmp_path, **{given: values[given]})


@pytest.mark.parametrize(
    ("name", "cause"), [("gone", "no such folder"), ("empty", "no file of a run"), ("a.txt", "file")]
)
def test_a_folder_that_holds_no_run_is_refused(clip, tmp_path, name, cause):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").touch()
    with pytest.raises(lw.SettingsError) as caught:
        lw.evaluate(clip[0], run=tmp_path / name)
    assert caught.value.what == f"{tmp_path / name} holds no whole run"
    assert cause in caught.value.cause
    assert "--keep-run" in caught.value.next_step


@pytest.mark.parametrize("name", ["recipe.yaml", "track.npz", "state.npz"])
def test_a_run_with_a_damaged_file_is_refused(clip, tmp_path, name):
    lw.Recipe(face=clip[0].path, speech=clip[0].path, consent=True).to_yaml(tmp_path / "recipe.yaml")
    clip[1].save(tmp_path / "track.npz")
    for other in ("timeline", "speech", "state"):
        (tmp_path / f"{other}.npz").touch()
    (tmp_path / name).write_bytes(b"half")
    with pytest.raises(lw.SettingsError, match="holds no whole run"):
        lw.evaluate(clip[0], run=tmp_path)


def test_half_a_run_is_refused(clip, tmp_path):
    lw.Recipe(face=clip[0].path, speech=clip[0].path, consent=True).to_yaml(tmp_path / "recipe.yaml")
    clip[1].save(tmp_path / "track.npz")
    with pytest.raises(lw.SettingsError, match=r"holds no whole run[\s\S]*timeline.npz, speech.npz, state.npz lacking"):
        lw.evaluate(clip[0], run=tmp_path)


def test_an_unknown_generator_is_refused():
    with pytest.raises(lw.SettingsError, match="no generator 'wave2lip'"):
        lw.PastedRegion("wave2lip")


def test_a_result_alone_without_sound(clip):
    found = lw.evaluate(clip[0], sync=None, cache=False)
    assert not found.figures
    assert set(found.missing) == set(lw.FIGURES)
    assert found.missing["seam"] == "no source was given to compare with"
    assert found.missing["offset_s"] == "clip.mp4 has no sound (its file holds a picture only)"
    assert found.missing_anchors["offset_s"] == "no source was given"
    assert "not measured: PSNR outside the mask; SSIM outside the mask; " in str(found)
    assert "result      source" not in str(found)  # nothing stands under such a heading


def test_a_picture_has_no_sound_to_compare_with(clip, tmp_path):
    cv2.imwrite(str(tmp_path / "photo.png"), next(lw.read_frames(clip[0]))[..., ::-1])
    found = lw.evaluate(clip[0], source=tmp_path / "photo.png", sync=None, cache=False)
    assert found.missing_anchors["offset_s"] == "photo.png is a picture and says nothing"


def test_a_result_without_a_face(clip, tmp_path):
    wall = cv2.resize(coffee(), (SIDE, SIDE))
    result = lw.write_video(tmp_path / "wall.mp4", [wall] * FRAMES, fps=25)
    found = lw.evaluate(result, source=clip[0], track=clip[1], sync=None)
    assert "No face is seen in wall.mp4" in found.missing["mouth_opening"]
    assert "psnr_outside_db" in found.figures


def test_a_source_without_a_face(clip, tmp_path):
    wall = cv2.resize(coffee(), (SIDE, SIDE))
    source = lw.write_video(tmp_path / "wall.mp4", [wall] * 2, fps=25)
    found = lw.evaluate(clip[0].part(0, 2), source=source, sync=None, cache=False)
    assert "psnr_outside_db" in found.figures
    assert {"seam", "psnr_inside_db", "flicker", "trembling"} <= set(found.missing)


def test_too_short_a_result_for_an_offset(clip, tmp_path):
    sound = lw.read_sound(SPEECH, end_s=FRAMES / 25)
    result = lw.write_video(tmp_path / "short.mp4", lw.read_frames(clip[0]), fps=25, sound=sound)
    found = lw.evaluate(result, source=clip[0], track=clip[1], sync=None)
    assert "0.32 s and 1 s are needed" in found.missing["offset_s"]


def test_silent_sound_is_named(clip, tmp_path):
    silence = [np.zeros((15360, 2), np.float32)]
    result = lw.write_video(tmp_path / "silent.mp4", lw.read_frames(clip[0]), fps=25, sound=silence)
    found = lw.evaluate(result, source=clip[0], track=clip[1], sync=None)
    assert "silen" in found.missing["offset_s"]


def test_a_result_of_another_shape(clip, tmp_path):
    frames = [frame[:192] for frame in lw.read_frames(clip[0])]
    result = lw.write_video(tmp_path / "wide.mp4", frames, fps=25)
    found = lw.evaluate(result, source=clip[0], track=clip[1], sync=None)
    assert "256 x 192 and 256 x 256 pixels, of different shapes" in found.missing["psnr_outside_db"]


def test_another_rate_without_a_timeline(clip, tmp_path):
    result = lw.write_video(tmp_path / "fast.mp4", lw.read_frames(clip[0]), fps=30)
    found = lw.evaluate(result, source=clip[0], track=clip[1], sync=None)
    assert "30 and 25 frames a second" in found.missing["psnr_outside_db"]


def test_a_report_that_cannot_be_written_is_refused_first(clip, tmp_path, capsys):
    for report in (tmp_path / "no" / "e.json", tmp_path, clip[0].path):
        with pytest.raises(SystemExit):
            command_line.main(["evaluate", str(clip[0].path), "--report", str(report)])
        assert "The report cannot be written" in capsys.readouterr().err


def test_the_command_tells_of_a_missing_file(tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        command_line.main(["evaluate", str(tmp_path / "nowhere.mp4")])
    assert left.value.code == 2
    assert "nowhere.mp4" in capsys.readouterr().err
