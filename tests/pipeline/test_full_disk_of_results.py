"""A full disk is told of under the result's name, although its parts are written under others."""

from pathlib import Path

import av
import numpy as np
import pytest

import lipwise as lw
from lipwise import files
from lipwise.media import output
from lipwise.pipeline.clean import CleanPaths, clean_clip
from lipwise.pipeline.report import Enhancement, EnhanceReport

FULL = Path("/dev/full")
NAMES = {"track.npz", "state.npz", "run.json", "recipe.yaml", "00000.mp4"}  # files of a run that is kept


@pytest.fixture
def full_disk(monkeypatch):
    """Makes files of some names impossible to write; /dev/full refuses every write as a full disk does."""
    if not FULL.exists():
        pytest.skip("no /dev/full here")
    usual = files.new_part

    def fill(*names: str) -> None:
        def part_on_full_disk(path: Path) -> Path:
            if names and path.name not in names:
                return usual(path)
            part = path.with_name(f".{path.name}.part")
            part.symlink_to(FULL)
            return part

        for module in (files, output):
            monkeypatch.setattr(module, "new_part", part_on_full_disk)

    return fill


def recipe_of(sample, out) -> lw.Recipe:
    return lw.Recipe(face=sample.face, speech=sample.speech, speech_end_s=0.2, out=out, consent=True)


def test_of_an_enhanced_video(sample, full_disk, tmp_path):
    full_disk()
    out = tmp_path / "large.mp4"
    with pytest.raises(lw.DiskFullError, match=r"picture\.mp4") as caught:
        lw.enhance(sample.face, out, upscale="lanczos", progress=False)
    assert caught.value.what == f"{out} cannot be written"
    assert not list(tmp_path.iterdir())


def test_of_an_enhanced_video_when_its_sound_is_joined(clip, full_disk, tmp_path):
    full_disk("large.mp4")
    out = tmp_path / "large.mp4"
    with av.open(str(clip)) as container:
        assert container.streams.audio
    with pytest.raises(lw.DiskFullError, match="the disk is full") as caught:
        lw.enhance(clip, out, upscale="lanczos", progress=False)
    assert caught.value.what == f"{out} cannot be written"
    assert "part of it" not in caught.value.cause
    assert ".mkv" not in caught.value.next_step
    assert not list(tmp_path.iterdir())


def test_of_a_run(sample, full_disk, tmp_path):
    full_disk()
    recipe = recipe_of(sample, tmp_path / "o.mp4")
    with pytest.raises(lw.DiskFullError, match="the disk is full") as caught:
        lw.run(recipe, progress=False)
    assert caught.value.what == f"{recipe.out} cannot be written"
    assert "track.npz" in caught.value.cause
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", sorted(NAMES))
def test_of_a_run_that_is_kept(name, sample, full_disk, tmp_path):
    full_disk(name)
    recipe = recipe_of(sample, tmp_path / "o.mp4")
    with pytest.raises(lw.DiskFullError, match="the disk is full") as caught:
        lw.run(recipe, run_folder=tmp_path / "run", progress=False)
    assert caught.value.what == f"{recipe.out} cannot be written"
    assert name in caught.value.cause
    assert caught.value.next_step.startswith("free some space")
    left = {path.name for path in (tmp_path / "run").rglob("*")}
    assert name not in left
    assert not [one for one in left if one.endswith(".part")]


@pytest.mark.parametrize("role", CleanPaths._fields)
def test_of_what_is_written_beside_a_cleaned_clip(role, clip, full_disk, tmp_path):
    endings = {"report": "json", "sheet": "png"}
    path = tmp_path / f"{role}.{endings.get(role, 'npz')}"
    full_disk(path.name)
    with pytest.raises(lw.DiskFullError, match="the disk is full") as caught:
        clean_clip(clip, tmp_path / "o.mp4", paths=CleanPaths(**{role: path}), cache=False, progress=False)
    assert caught.value.what == f"{path} cannot be written"
    assert {one.name for one in tmp_path.iterdir()} <= {"o.mp4"}


def test_of_a_report_says_that_the_result_is_there(full_disk, tmp_path):
    report = EnhanceReport(tmp_path / "o.mp4", 1, (8, 8), Enhancement(), (), {})
    full_disk()
    with pytest.raises(lw.DiskFullError, match=r"report\.json cannot be written") as caught:
        report.save(tmp_path / "report.json")
    assert caught.value.next_step.endswith(f"the result itself is complete: {report.out}")
    assert not list(tmp_path.iterdir())


def test_of_a_recording_and_a_recipe(full_disk, tmp_path):
    full_disk()
    with pytest.raises(lw.DiskFullError, match=r"a\.wav cannot be written"):
        lw.save_wav(tmp_path / "a.wav", np.zeros(9, np.float32), sample_rate=16_000)
    with pytest.raises(lw.DiskFullError, match=r"r\.yaml cannot be written"):
        lw.Recipe(face="a.mp4", speech="b.wav").to_yaml(tmp_path / "r.yaml")
    assert not list(tmp_path.iterdir())
