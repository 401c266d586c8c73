"""Files and folders that a run is given: a track, and the folder that keeps it."""

import cv2
import numpy as np
import pytest

import lipwise as lw

FRAMES, BARE = 20, slice(8, 13)  # of the clip, and those without a face


@pytest.fixture(scope="module")
def tracked(sample, tmp_path_factory):
    """A small clip with a gap, and its track beside it."""
    frames = [cv2.resize(frame, (160, 160)) for frame in lw.read_frames(sample.face, range(FRAMES))]
    frames[BARE] = [np.full_like(frames[0], 90)] * (BARE.stop - BARE.start)
    path = lw.write_video(tmp_path_factory.mktemp("tracked") / "clip.mp4", frames, fps=25)
    lw.examine(path, mesh=True, cache=False).track.save(path.with_suffix(".npz"))
    return path


def recipe_of(face, sample, out, **more) -> lw.Recipe:
    return lw.Recipe(face=face, speech=sample.speech, speech_end_s=0.2, out=out, consent=True, **more)


@pytest.mark.parametrize("policy", ["hold", "drop", "pass"])
@pytest.mark.parametrize("length", [FRAMES - 4, FRAMES + 9])
def test_a_given_track_shows_every_frame_so_that_none_is_held_or_dropped(policy, length, tracked, sample, tmp_path):
    given = {"policy": policy, "track_file": tracked.with_suffix(".npz")}
    recipe = recipe_of(tracked, sample, tmp_path / "o.mp4", clean=given)
    report = lw.run(recipe.model_copy(update={"speech_end_s": length / 25}), progress=False)
    assert (report.frames, report.held, report.dropped) == (length, 0, 0)
    assert report.passed >= BARE.stop - BARE.start


@pytest.mark.parametrize("role", ["face", "speech", "track"])
@pytest.mark.parametrize(("name", "cause"), [("gone.npz", "nothing has that name"), ("folder", "it is a folder")])
def test_a_file_that_is_none_is_told_also_where_the_run_is_kept(role, name, cause, tracked, sample, tmp_path):
    (tmp_path / "folder").mkdir()
    given = {"clean": {"track_file": tmp_path / name}} if role == "track" else {}
    recipe = recipe_of(tracked, sample, tmp_path / "o.mp4", **given)
    recipe = recipe if given else recipe.model_copy(update={role: tmp_path / name})
    with pytest.raises(lw.MediaError, match=cause) as caught:
        lw.run(recipe, run_folder=tmp_path / "run", progress=False)
    assert caught.value.what.startswith(f"The {role} file {tmp_path / name}")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("name", ["file/run", "file/more/run", "a" * 300])
def test_a_run_folder_that_cannot_be_made_is_told_before_any_work(name, tracked, sample, tmp_path, monkeypatch):
    def begun(*_, **__):
        raise AssertionError("begun")

    monkeypatch.setattr("lipwise.pipeline.chain.load_generator", begun)
    (tmp_path / "file").write_bytes(b"own")
    with pytest.raises(lw.MediaError, match="cannot be written") as caught:
        lw.run(recipe_of(tracked, sample, tmp_path / "o.mp4"), run_folder=tmp_path / name, progress=False)
    assert caught.value.what == f"{tmp_path / name} cannot be written"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"own"}


def test_a_run_that_fails_early_takes_its_new_run_folder_with_it(sample, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise lw.FaceError("Nobody", cause="is there", next_step="go on")

    monkeypatch.setattr("lipwise.pipeline.chain.load_generator", fail)
    with pytest.raises(lw.FaceError):
        lw.run(recipe_of(sample.face, sample, tmp_path / "o.mp4"), run_folder=tmp_path / "new" / "run", progress=False)
    assert not list(tmp_path.iterdir())
