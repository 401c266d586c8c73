"""A full disk, which /dev/full stands for: every write to it fails as on one."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import lipwise.files
from lipwise.errors import DiskFullError
from lipwise.media import output
from lipwise.media.picture import write_picture
from lipwise.media.write import write_video

FULL = Path("/dev/full")
NOISE = np.random.default_rng(0).integers(0, 255, (128, 128, 3), np.uint8)


@pytest.fixture
def full_disk(monkeypatch):
    if not FULL.exists():
        pytest.skip("no /dev/full here")

    def part_on_full_disk(path):
        part = path.with_name(f".{path.name}.part")
        part.symlink_to(FULL)
        return part

    for module in (output, lipwise.files):
        monkeypatch.setattr(module, "new_part", part_on_full_disk)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_video_says_that_the_disk_is_full(ending, full_disk, tmp_path):
    with pytest.raises(DiskFullError, match=r"(?s)out\.\w+ cannot be written.*the disk is full.*free some space"):
        write_video(tmp_path / f"out.{ending}", [NOISE] * 40, fps=Fraction(25), quality=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
def test_a_photo_says_that_the_disk_is_full(ending, full_disk, tmp_path):
    with pytest.raises(DiskFullError, match=r"(?s)out\.\w+ cannot be written.*the disk is full"):
        write_picture(tmp_path / f"out.{ending}", NOISE)
    assert not list(tmp_path.iterdir())
