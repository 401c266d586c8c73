"""Clip statistics: which frames are looked at, what is kept of them, and that they survive storing."""

import numpy as np
import pytest
import skimage.data

from lipwise.errors import FaceError
from lipwise.models.mouth_look import MouthLook, measure_look
from lipwise.models.mouth_shape import mouth_shape
from lipwise.models.mouth_warp import warp_mouth


@pytest.fixture(scope="module")
def face():
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def mesh(golden):
    return np.load(golden / "astronaut_mesh.npz")["mesh_xy"]


@pytest.fixture(scope="module")
def closed(face, mesh):
    """A still whose mouth is shut, and its mesh (the inner lips laid on the new seam)."""
    picture = warp_mouth(face, mesh, 0.0, 0.0, measure_look(mesh[None], lambda _: face))
    points = mesh.copy()
    upper = np.array([191, 80, 81, 82, 13, 312, 311, 310, 415])
    lower = np.array([95, 88, 178, 87, 14, 317, 402, 318, 324])
    seam = 0.66 * mesh[upper] + 0.34 * mesh[lower]
    half = np.array([0, 0.2])
    points[upper], points[lower] = seam - half, seam + half
    return picture, points


def test_a_smile_gives_its_teeth(face, mesh):
    look = measure_look(mesh[None], lambda _: face)
    assert look.has_teeth
    shown = look.texture[look.mask > 200].astype(int)
    assert len(shown) > 120
    assert np.percentile(shown.min(-1), 70) > 150  # mostly teeth, and teeth are pale
    assert float(look.width) == pytest.approx(0.906, abs=0.01)
    assert 0.1 < float(look.split) <= 0.17  # one row of teeth down to the lower lip


def test_a_closed_mouth_gives_a_plain_inside_without_bright_teeth(closed):
    picture, points = closed
    look = measure_look(points[None], lambda _: picture)
    assert not look.has_teeth
    opened = warp_mouth(picture, points, 0.28, 0.0, look)
    shape = mouth_shape(points)
    depth = np.linspace(-0.05, 0.2, 26)  # the lip has gone up a little
    places = (
        shape.origin_xy + shape.eye_px * np.stack([np.full(26, shape.middle), shape.upper[20] + depth], 1) @ shape.axes
    )
    inside = opened[places[:, 1].round().astype(int), places[:, 0].round().astype(int)]
    assert inside.mean(-1).min() < 0.55 * float(look.skin)  # a dark mouth
    assert inside.mean(-1).max() < 1.1 * float(look.skin)  # and no cartoon teeth


def test_stored_looks_come_back_the_same(face, mesh, tmp_path):
    look = measure_look(mesh[None], lambda _: face)
    np.savez(tmp_path / "state.npz", other=np.zeros(3), **look.to_arrays())
    with np.load(tmp_path / "state.npz") as stored:
        again = MouthLook.from_arrays(dict(stored))
    for name, array in look.to_arrays().items():
        assert np.array_equal(array, again.to_arrays()[name]), name
    first = warp_mouth(face, mesh, 0.3, 0.05, look)
    assert np.array_equal(warp_mouth(face, mesh, 0.3, 0.05, again), first)


def test_a_look_with_something_missing_is_refused(face, mesh):
    arrays = measure_look(mesh[None], lambda _: face).to_arrays()
    del arrays["texture"]
    with pytest.raises(KeyError, match="texture"):
        MouthLook.from_arrays(arrays)


def test_few_frames_are_read_and_open_ones_first(face, mesh, closed):
    picture, shut = closed
    clip = np.repeat(shut[None], 300, 0)
    clip[40] = clip[220] = mesh
    clip[100:110] = np.nan
    read = []

    def read_frame(i):
        read.append(i)
        return face if i in (40, 220) else picture

    look = measure_look(clip, read_frame)
    assert look.has_teeth
    assert len(read) <= 6
    assert set(read) <= {40, 220}


def test_a_closed_clip_reads_one_frame(closed):
    picture, points = closed
    read = []
    measure_look(np.repeat(points[None], 50, 0), lambda i: read.append(i) or picture)
    assert len(read) == 1


def test_a_clip_without_faces_says_so(mesh):
    with pytest.raises(FaceError, match="none of 4 frames"):
        measure_look(np.full((4, 468, 2), np.nan), lambda _: None)
    with pytest.raises(FaceError, match="none of 0 frames"):
        measure_look(np.zeros((0, 468, 2)), lambda _: None)


def test_the_mesh_must_have_its_shape(mesh):
    with pytest.raises(ValueError, match="468"):
        measure_look(mesh, lambda _: None)
