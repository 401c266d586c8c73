"""The warp on a real face: skimage's astronaut with its mesh points as a small golden."""

from itertools import pairwise

import numpy as np
import pytest
import skimage.data

from lipwise.faces.mesh import FaceMesh
from lipwise.landmarks import eye_distance, mouth_gap, mouth_width
from lipwise.models.mouth_field import plan_move
from lipwise.models.mouth_look import measure_look
from lipwise.models.mouth_shape import across, amplitude, mouth_shape, mouth_targets, smoothstep, yaw_degrees
from lipwise.models.mouth_warp import mouth_box, warp_mouth


@pytest.fixture(scope="module")
def face():
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def mesh(golden):
    return np.load(golden / "astronaut_mesh.npz")["mesh_xy"]


@pytest.fixture(scope="module")
def look(face, mesh):
    return measure_look(mesh[None], lambda _: face)


def psnr(a, b):
    return 10 * np.log10(255**2 / max(np.mean((a.astype(float) - b) ** 2), 1e-9))


def around_mouth(picture, mesh):
    x0, y0, x1, y1 = mouth_box(mouth_shape(mesh), picture.shape[1::-1])
    return picture[y0:y1, x0:x1]


def turned(mesh, degrees):
    """The mesh's picture as if the head had turned: points moved by their depth (a bump at the nose)."""
    along = mesh[263] - mesh[33]
    u = (mesh - (mesh[33] + mesh[263]) / 2) @ along / (along @ along) * 2
    depth = 0.97 * np.exp(-((mesh - mesh[1]) ** 2).sum(1) / (0.3 * np.linalg.norm(along)) ** 2)
    moved = u * np.cos(np.radians(degrees)) + depth * np.sin(np.radians(degrees))
    return mesh + (moved - u)[:, None] * along / 2


# --- what the network's numbers ask for


def test_no_frames_ask_for_nothing():
    gap, width = mouth_targets(np.zeros((0, 4)))
    assert gap.shape == width.shape == (0,)


def test_targets_follow_the_mouth():
    gap, width = mouth_targets(
        np.array([[0, 0.5, 0, 0], [0.5, 0.5, 0, 0], [1, 0.5, 0, 0], [1, 0.5, 0, 1], [9, 9, -9, 0]])
    )
    assert gap[0] == 0
    assert gap[0] < gap[1] < gap[2] < 0.34
    assert gap[3] == 0  # a closure overrules
    assert width[4] == pytest.approx(0.14)
    rounded = mouth_targets(np.array([[0.3, 0.4, 1.0, 0]]))[1]
    assert rounded[0] == pytest.approx(-0.24)


def test_targets_are_smooth():
    ramp = np.linspace(0, 1, 400)
    for column in range(4):
        mouth = np.full((400, 4), 0.4, np.float32)
        mouth[:, column] = ramp
        for curve in mouth_targets(mouth):
            assert np.abs(np.diff(curve)).max() < 0.004


@pytest.mark.parametrize("shape", [(4,), (3, 5), (2, 2, 4)])
def test_targets_refuse_other_shapes(shape):
    with pytest.raises(ValueError, match="open, wide, round, closed"):
        mouth_targets(np.zeros(shape))


# --- geometry


def test_shape_agrees_with_the_landmarks(mesh):
    shape = mouth_shape(mesh)
    assert shape.gap == pytest.approx(float(mouth_gap(mesh)), abs=1e-4)
    assert (shape.lower >= shape.upper).all()
    assert shape.upper[0] == pytest.approx(shape.lower[0], abs=0.02)
    assert np.linalg.norm(shape.axes, axis=1) == pytest.approx([1, 1])


def test_place_across_a_turned_mouth_is_monotonous():
    place = across(np.linspace(-0.4, 0.4, 99), 0.12, 0.4)
    assert place[0] == pytest.approx(-1)
    assert place[-1] == pytest.approx(1)
    assert across(np.array([0.12]), 0.12, 0.4)[0] == pytest.approx(0.027, abs=0.02)
    assert (np.diff(place) > 0).all()


@pytest.mark.parametrize("wanted", [0.0, 0.05, 0.25, 0.34])
def test_planned_lips_are_as_far_apart_as_asked(mesh, wanted):
    shape = mouth_shape(mesh)
    move = plan_move(shape, wanted, 0.0, 0.0)
    middle = slice(16, 25)
    now, planned = (shape.lower - shape.upper)[middle].mean(), (move.bottom - move.top)[middle].mean()
    if wanted < shape.gap:
        assert planned == pytest.approx(now * max(wanted, 0.014) / shape.gap, abs=0.002)
    else:
        assert planned == pytest.approx(wanted, abs=0.03)
    assert (np.abs(move.bottom - move.top)[[0, -1]] < 0.03).all()  # the corners stay together


def test_own_gap_plans_no_motion(mesh):
    shape = mouth_shape(mesh)
    move = plan_move(shape, shape.gap, 0.0, 0.0)
    assert np.abs(move.top - shape.upper).max() < 1e-6
    assert np.abs(move.bottom - shape.lower).max() < 1e-6
    assert move.chin == 0


def test_amplitude_is_whole_on_a_frontal_face_of_good_size(mesh):
    assert amplitude(mesh) == 1
    assert amplitude(np.stack([mesh, mesh])).shape == (2,)


def test_amplitude_fades_with_size_and_turn(mesh):
    sizes = np.array([amplitude(mesh * s) for s in np.linspace(0.1, 1, 60)])
    assert sizes[0] == 0
    assert sizes[-1] == 1
    assert (np.diff(sizes) >= 0).all()
    assert np.diff(sizes).max() < 0.06
    angles = [float(amplitude(turned(mesh, d))) for d in (0, 15, 40, 70)]
    assert angles[0] == angles[1] == 1
    assert 0 < angles[2] < 1
    assert angles[3] == 0


def test_amplitude_of_no_face_is_nought(mesh):
    assert amplitude(np.full_like(mesh, np.nan)) == 0


def test_yaw_has_the_right_size(mesh):
    assert abs(yaw_degrees(mesh)) < 5
    assert yaw_degrees(turned(mesh, 30)) - yaw_degrees(mesh) == pytest.approx(30, abs=6)


def test_smoothstep():
    assert smoothstep(np.array([-1, 0, 0.5, 1, 2])).tolist() == [0, 0, 0.5, 1, 1]


# --- the picture


def test_own_gap_and_width_change_nothing_visible(face, mesh, look):
    shape = mouth_shape(mesh)
    out = warp_mouth(face, mesh, shape.gap, shape.width / float(look.width) - 1, look)
    assert psnr(around_mouth(out, mesh), around_mouth(face, mesh)) >= 42


@pytest.mark.parametrize("wanted", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("width", [-0.24, 0.0, 0.14])
def test_nothing_changes_outside_the_box_and_no_edge_shows(face, mesh, look, wanted, width):
    x0, y0, x1, y1 = mouth_box(mouth_shape(mesh), face.shape[1::-1])
    out = warp_mouth(face, mesh, wanted, width, look)
    changed = np.abs(out.astype(int) - face).max(-1)
    inside = changed[y0:y1, x0:x1].copy()
    changed[y0:y1, x0:x1] = 0
    assert not changed.any()
    rim = np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
    assert rim.max() <= 2  # the motion has faded before the box ends
    assert inside.max() > 20  # while the mouth did change


def test_the_warp_is_pure(face, mesh, look):
    frame, points = face.copy(), mesh.copy()
    first = warp_mouth(frame, points, 0.25, -0.1, look)
    assert np.array_equal(frame, face)
    assert np.array_equal(points, mesh)
    assert np.array_equal(warp_mouth(frame, points, 0.25, -0.1, look), first)


def test_a_slow_sweep_changes_the_picture_smoothly(face, mesh, look):
    sweep = [around_mouth(warp_mouth(face, mesh, g, 0.0, look), mesh).astype(float) for g in np.linspace(0, 0.34, 69)]
    steps = np.array([np.sqrt(np.mean((b - a) ** 2)) for a, b in pairwise(sweep)])
    assert steps.max() < 2.5  # of 255, for 5 thousandths of an eye distance
    assert steps.max() < 2.5 * np.median(steps)  # nothing pops


def test_closing_hides_the_teeth_and_opening_shows_dark(face, mesh, look):
    shape = mouth_shape(mesh)

    def pale(picture):  # pixels between the old lips that are as white as teeth
        (x0, y0), (x1, y1) = mesh[[78, 13]].min(0).astype(int), mesh[[308, 14]].max(0).astype(int) + 1
        part = picture[y0:y1, x0:x1].astype(int)
        return int(((part.min(-1) > 175) & (part.max(-1) - part.min(-1) < 45)).sum())

    assert pale(face) > 80
    assert pale(warp_mouth(face, mesh, 0.0, 0.0, look)) < 0.4 * pale(face)  # what is left are highlights on the lip
    opened = warp_mouth(face, mesh, 0.32, 0.0, look)
    x, y = np.round(shape.origin_xy + shape.eye_px * np.array([shape.middle, 0.24]) @ shape.axes).astype(int)
    assert face[y, x].mean() > 140  # the lower lip
    assert opened[y, x].mean() < 110  # now the throat


def test_the_mesh_sees_the_gap_that_was_asked_for(face, mesh, look, face_mesh):
    network = FaceMesh(face_mesh)
    five = np.stack([mesh[[33, 133]].mean(0), mesh[[263, 362]].mean(0), mesh[1], mesh[61], mesh[291]])
    wanted = np.linspace(0, 0.32, 9)
    seen = [mouth_gap(network.points(warp_mouth(face, mesh, g, 0.0, look), five)) for g in wanted]
    # The mesh flattens wide smiles; MediaPipe's landmarker, in benchmarks/viseme_picture.py, sees a slope of 0.85.
    assert np.corrcoef(wanted, seen)[0, 1] >= 0.93
    assert (np.diff(seen) > -0.02).all()
    assert seen[0] < 0.03
    assert seen[-1] > 0.17


def test_rounding_narrows_and_spreading_widens(face, mesh, look, face_mesh):
    network = FaceMesh(face_mesh)
    five = np.stack([mesh[[33, 133]].mean(0), mesh[[263, 362]].mean(0), mesh[1], mesh[61], mesh[291]])
    widths = [mouth_width(network.points(warp_mouth(face, mesh, 0.12, w, look), five)) for w in (-0.24, 0.0, 0.12)]
    assert widths[0] < 0.9 * widths[1]
    assert widths[2] > widths[1]


def test_small_faces_move_less_but_close(face, mesh, look):
    small = face[::2, ::2]
    points = mesh / 2  # 21 px between the eyes
    assert 0 < amplitude(points) < 0.9
    shut = warp_mouth(small, points, 0.0, 0.0, look)
    assert np.abs(shut.astype(int) - small).max() > 40
    tiny = face[::6, ::6]
    assert np.array_equal(warp_mouth(tiny, mesh / 6, 0.3, 0.0, look), tiny)


def test_a_mouth_at_the_frames_border_is_warped_all_the_same(face, mesh, look):
    x, y = np.round(mesh[14]).astype(int)
    cut = face[: y + 12, x - 20 :].copy()
    out = warp_mouth(cut, mesh - [x - 20, 0], 0.3, 0.0, look)
    assert out.shape == cut.shape
    assert (out != cut).any()


def test_a_face_outside_the_frame_leaves_it_alone(face, mesh, look):
    assert np.array_equal(warp_mouth(face, mesh + 5000, 0.3, 0.0, look), face)


# --- bad input


def test_no_face_leaves_the_frame_alone(face, mesh, look):
    out = warp_mouth(face, np.full_like(mesh, np.nan), 0.3, 0.0, look)
    assert np.array_equal(out, face)
    assert out is not face
    holed = mesh.copy()
    holed[14] = np.nan  # a single lost point is no face either
    assert np.array_equal(warp_mouth(face, holed, 0.3, 0.0, look), face)


@pytest.mark.parametrize(("gap", "width"), [(np.nan, 0.0), (0.1, np.inf)])
def test_targets_must_be_numbers(face, mesh, look, gap, width):
    with pytest.raises(ValueError, match="finite"):
        warp_mouth(face, mesh, gap, width, look)


def test_frame_and_mesh_must_have_their_shapes(face, mesh, look):
    with pytest.raises(ValueError, match="uint8"):
        warp_mouth(face.astype(np.float32), mesh, 0.1, 0.0, look)
    with pytest.raises(ValueError, match="468"):
        warp_mouth(face, mesh[:100], 0.1, 0.0, look)


def test_eye_distance_is_the_unit(mesh):
    assert mouth_shape(mesh).eye_px == pytest.approx(float(eye_distance(mesh)), rel=1e-4)
