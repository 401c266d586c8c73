"""What the enhance stage refuses, and what it takes although it is odd."""

from dataclasses import replace

import numpy as np
import pytest
from enhance_parts import Restorer, enhanced, track_of
from skimage.data import astronaut

import lipwise as lw
from lipwise.errors import FaceError, SettingsError
from lipwise.faces.track import FaceTrack

T = 10


@pytest.fixture(scope="module")
def mesh(golden) -> np.ndarray:
    return np.load(golden / "astronaut_mesh.npz")["mesh_xy"]


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    return [np.roll(astronaut(), number, axis=1) for number in range(T)]


@pytest.fixture(scope="module")
def track(mesh) -> FaceTrack:
    """Frames 4 and 5 have no face."""
    meshes = np.stack([mesh + (number, 0) for number in range(T)])
    meshes[4:6] = np.nan
    return track_of(meshes)


def test_odd_frames_may_have_been_made_even_by_an_encoder(mesh):
    odd = track_of(mesh[None], size_wh=(511, 511))
    assert enhanced([astronaut()], odd, restorer=Restorer())[0].shape == (512, 512, 3)


def test_frames_of_another_size_are_refused(frames, track):
    with pytest.raises(FaceError, match="512 x 512 px"):
        enhanced([frames[0][:400]], track, restorer=Restorer())


def test_a_track_without_a_mesh_is_refused(frames, track):
    bare = replace(track, mesh_xy=np.zeros((0, 468, 2), np.float32))
    with pytest.raises(FaceError, match="no mesh"):
        enhanced(frames, bare, restorer=Restorer())


def test_more_frames_than_the_track_has_are_refused(frames, track):
    with pytest.raises(ValueError, match="at most 10 frames"):
        enhanced([*frames, frames[0]], track, restorer=Restorer())


@pytest.mark.parametrize(
    "values", [{"fidelity": 1.1}, {"fidelity": float("nan")}, {"region": "nose"}, {"feather": 0}, {"batch_frames": 0}]
)
def test_settings_that_make_no_sense_are_refused(values):
    with pytest.raises(SettingsError, match="is not usable"):
        lw.EnhanceSettings(**values)


def test_settings_may_be_given_by_name_and_what_is_none_is_refused(frames, track):
    for settings in ({"region": "nose"}, {"regoin": "face"}, "face"):
        with pytest.raises(SettingsError):
            enhanced(frames, track, restorer=Restorer(), settings=settings)
    assert (enhanced(frames[:1], track, restorer=Restorer(), settings={"region": "mouth"})[0] == frames[0]).all()
