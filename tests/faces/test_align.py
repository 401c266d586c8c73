"""Faces onto the template and back."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from lipwise.faces.align import (
    FFHQ_TEMPLATE,
    align_face,
    align_matrix,
    five_points,
    for_larger_frame,
    paste_change,
    scale_of,
    steady_points,
)


@pytest.fixture(scope="module")
def mesh(golden) -> np.ndarray:
    return np.load(golden / "astronaut_mesh.npz")["mesh_xy"]


@pytest.fixture(scope="module")
def to_aligned(mesh) -> np.ndarray:
    return align_matrix(five_points(mesh))


def moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


@pytest.mark.parametrize("angle", [0, 0.4, np.pi])
@pytest.mark.parametrize("scale", [0.1, 1, 7])
def test_a_turned_and_scaled_template_is_brought_back(angle, scale):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = FFHQ_TEMPLATE @ turn.T + (30, -50)
    matrix = align_matrix(points)
    assert np.allclose(moved(points, matrix), FFHQ_TEMPLATE)
    assert np.isclose(scale_of(matrix), 1 / scale)


def test_a_face_is_never_mirrored():
    mirrored = FFHQ_TEMPLATE * (-1, 1)
    assert np.linalg.det(align_matrix(mirrored)[:, :2]) > 0


def test_it_is_the_least_squares_of_opencv(mesh):
    points = five_points(mesh)
    matrix = align_matrix(points)
    error = np.square(moved(points, matrix) - FFHQ_TEMPLATE).sum()
    for delta in np.random.default_rng(0).normal(0, 1, (50, 4)):
        a, b = delta[:2] * 1e-3
        other = matrix + np.array([[a, -b, delta[2]], [b, a, delta[3]]])
        assert np.square(moved(points, other) - FFHQ_TEMPLATE).sum() >= error


def test_eyes_and_mouth_of_a_real_face_come_to_their_places(mesh, to_aligned):
    assert np.linalg.norm(moved(five_points(mesh), to_aligned) - FFHQ_TEMPLATE, axis=1).max() < 20  # she smiles


@pytest.mark.parametrize("points", [np.full((5, 2), np.nan), np.full((5, 2), 7.0)])
def test_no_face_has_no_place(points):
    assert np.isnan(align_matrix(points)).all()


@pytest.mark.parametrize("shape", [(4, 2), (5, 3), (10,)])
def test_other_points_are_refused(shape):
    with pytest.raises(ValueError, match="expected points"):
        align_matrix(np.zeros(shape))


def test_a_clip_is_aligned_row_by_row(mesh):
    points = np.stack([five_points(mesh) + number for number in range(3)])
    assert np.allclose(align_matrix(points)[2], align_matrix(points[2]))


def test_an_unchanged_face_leaves_the_frame_as_it_is(to_aligned):
    frame = astronaut()
    nothing = np.zeros((512, 512, 3), np.float32)
    assert (paste_change(frame, nothing, to_aligned) == frame).all()


def test_the_inverse_puts_a_mark_where_it_was_cut(mesh, to_aligned):
    nose = mesh[1]
    x, y = moved(nose[None], to_aligned)[0]
    change = np.zeros((512, 512, 3), np.float32)
    cv2.circle(change, (round(x), round(y)), 6, (90.0, 90.0, 90.0), -1)
    frame = np.full((512, 512, 3), 50, np.uint8)
    weight = paste_change(frame, change, to_aligned)[..., 0].astype(float) - 50
    rows, columns = np.mgrid[:512, :512]
    found = (weight * columns).sum() / weight.sum(), (weight * rows).sum() / weight.sum()
    assert np.allclose(found, nose, atol=0.3)
    assert 80 < weight.max() <= 92
    assert np.count_nonzero(weight) < 120, "pixels that the mark does not reach stay"


@pytest.mark.parametrize("scale", [2, 3, 0.5])
def test_a_larger_frame_has_its_face_in_the_same_crop(to_aligned, scale):
    frame = cv2.GaussianBlur(astronaut(), (0, 0), 3)
    larger = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    there = for_larger_frame(to_aligned, (512, 512), larger.shape[1::-1])
    one, other = align_face(frame, to_aligned).astype(int), align_face(larger, there)
    assert np.abs(one - other).max() <= 6
    assert np.abs(one - other).mean() < 0.55, "half a pixel aside"


def test_a_face_at_the_border_is_cut_with_a_mirrored_surrounding(to_aligned):
    frame = astronaut()[60:]  # through the hair
    shifted = to_aligned.copy()
    shifted[:, 2] += to_aligned[:, :2] @ (0, 60)
    crop, whole = align_face(frame, shifted), align_face(astronaut(), to_aligned)
    assert (crop.max(axis=(1, 2)) > 40).all()
    assert (crop[250:] == whole[250:]).mean() > 0.999
    assert paste_change(frame, np.full((512, 512, 3), 5.0, np.float32), shifted).shape == frame.shape


def test_a_face_outside_the_frame_changes_nothing(to_aligned):
    away = to_aligned.copy()
    away[:, 2] += to_aligned[:, :2] @ (2000, 2000)
    frame = astronaut()
    assert (paste_change(frame, np.ones((512, 512, 3), np.float32) * 9, away) == frame).all()


def test_shrinking_does_not_alias():
    stripes = np.zeros((2000, 2000, 3), np.uint8)
    stripes[:, ::2] = 255
    matrix = np.array([[0.3, 0, -40.0], [0, 0.3, -40.0]])
    assert align_face(stripes, matrix).std() < 6
    change = np.zeros((512, 512, 3), np.float32)
    change[100:400, 100:400:2] = 200
    small = paste_change(np.full((99, 99, 3), 20, np.uint8), change, np.array([[6.0, 0, 0], [0, 6.0, 0]]))
    assert small[25:60, 25:60].std() < 12


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_sixteen_bits_keep_their_scale(to_aligned, dtype):
    top = np.iinfo(dtype).max
    frame = np.full((512, 512, 3), top // 2, dtype)
    made = paste_change(frame, np.full((512, 512, 3), 51.0, np.float32), to_aligned)
    assert abs(int(made[120, 220, 0]) - (top // 2 + top // 5)) <= 1


@pytest.fixture(scope="module")
def noisy_track(tmp_path_factory, face_mesh):
    """A face that stands still, seen by a noisy camera and an encoder."""
    import lipwise as lw

    rng = np.random.default_rng(1)
    picture = astronaut()
    frames = [np.clip(picture + rng.normal(0, 5, picture.shape), 0, 255).astype(np.uint8) for _ in range(54)]
    clip = lw.write_video(tmp_path_factory.mktemp("still") / "still.mp4", frames, fps=Fraction(25), quality=23)
    return lw.track_faces(lw.probe(clip))


def test_a_still_face_stays_within_half_a_pixel_of_its_crop(noisy_track):
    mesh, shot = noisy_track.mesh_xy, noisy_track.shot
    truth = five_points(mesh).mean(axis=0)

    def spread(sigma: float) -> float:
        matrices = align_matrix(steady_points(mesh, shot, sigma=sigma))
        places = np.stack([moved(truth, matrix) for matrix in matrices])
        return float(np.ptp(places, axis=0).max())

    assert spread(2) < 0.5
    assert spread(0) > 0.5, "the clip does not tremble, so the test says nothing"


def test_a_moving_face_is_followed(mesh):
    seconds = np.arange(150) / 25
    across = np.where(seconds < 3, 0, (seconds - 3) * 30)  # stands, then walks
    meshes = mesh + np.stack([across, 0 * across], -1)[:, None]
    points = steady_points(meshes, np.zeros(150, int))
    away = np.linalg.norm(points - five_points(meshes), axis=-1).max(axis=1)
    assert away[:50].max() < 0.5
    assert np.median(away) < 0.5
    assert away.max() < 4


def test_smoothing_stops_at_cuts_and_gaps(mesh):
    meshes = np.stack([mesh + (100 if number >= 10 else 0) for number in range(20)]).astype(np.float32)
    shot = np.repeat([0, 1], 10)
    points = steady_points(meshes, shot)
    assert np.allclose(points, five_points(meshes), atol=1e-3)
    meshes[5] = np.nan
    points = steady_points(meshes, shot)
    assert np.isnan(points[5]).all()
    assert np.isfinite(np.delete(points, 5, axis=0)).all()
