"""A full disk is told of under the result's name, although its parts are written under others."""

from pathlib import Path

import pytest

import lipwise as lw
from lipwise.media import output

FULL = Path("/dev/full")


@pytest.fixture
def full_disk(monkeypatch):
    """Videos cannot be written; /dev/full refuses every write as a full disk does."""
    if not FULL.exists():
        pytest.skip("no /dev/full here")

    def part_on_full_disk(path: Path) -> Path:
        part = path.with_name(f".{path.name}.part")
        part.symlink_to(FULL)
        return part

    monkeypatch.setattr(output, "new_part", part_on_full_disk)


def test_of_an_enhanced_video(sample, full_disk, tmp_path):
    out = tmp_path / "large.mp4"
    with pytest.raises(lw.DiskFullError, match=r"picture\.mp4") as caught:
        lw.enhance(sample.face, out, upscale="lanczos", progress=False)
    assert caught.value.what == f"{out} cannot be written"
    assert not list(tmp_path.iterdir())


def test_of_a_run(sample, full_disk, tmp_path):
    recipe = lw.Recipe(face=sample.face, speech=sample.speech, speech_end_s=0.2, out=tmp_path / "o.mp4", consent=True)
    with pytest.raises(lw.DiskFullError, match="the disk is full") as caught:
        lw.run(recipe, progress=False)
    assert caught.value.what == f"{recipe.out} cannot be written"
    assert not list(tmp_path.iterdir())
