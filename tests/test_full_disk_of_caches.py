"""What is kept for the next call may find no room: the call goes on without."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

import lipwise as lw
from lipwise import files

FULL = Path("/dev/full")


@pytest.fixture
def own_home(tmp_path, monkeypatch, face_mesh) -> Path:
    """A folder of weights of the test's own on a disk that has filled up; /dev/full refuses every write."""
    if not FULL.exists():
        pytest.skip("no /dev/full here")

    def part_on_full_disk(path: Path) -> Path:
        part = path.with_name(f".{path.name}.part")
        part.symlink_to(FULL)
        return part

    home = tmp_path / "home"
    home.mkdir()
    (home / face_mesh.name).write_bytes(face_mesh.read_bytes())
    monkeypatch.setenv("LIPWISE_HOME", str(home))
    monkeypatch.setattr(files, "new_part", part_on_full_disk)
    return home


def test_weights_are_found_though_the_record_cannot_be_kept(own_home, face_mesh):
    for _ in range(2):
        assert lw.find_weights("face_mesh") == own_home / face_mesh.name
    assert not [path for path in own_home.rglob("*") if path.is_file() and path.name != face_mesh.name]


def test_a_clip_is_examined_though_its_track_cannot_be_kept(own_home, tmp_path):
    face = cv2.resize(skimage.data.astronaut()[:320, 64:384], (160, 160))
    clip = lw.write_video(tmp_path / "clip.mp4", [np.roll(face, step, axis=1) for step in range(4)], fps=25)
    with pytest.warns(lw.LipwiseWarning, match=r"cannot be kept for a second call: .*cannot be written"):
        assert len(lw.examine(clip).report) == 4
    assert not list((own_home / "tracks").iterdir())
