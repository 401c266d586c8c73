"""The enhance stage with restorers that show exactly what they were given."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from enhance_parts import Restorer, blurred, enhanced, inverted, sharpened, track_of
from skimage.data import astronaut

import lipwise as lw
from lipwise.faces.align import for_larger_frame
from lipwise.faces.blend import seam_energy
from lipwise.faces.track import FaceTrack
from lipwise.models.lanczos import Lanczos

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


@pytest.fixture(scope="module")
def timeline(track) -> lw.Timeline:
    return lw.Timeline(np.arange(T), track.has_face & (np.arange(T) != 2), Fraction(25))


def test_no_frame_gives_none(track):
    assert enhanced([], track, restorer=Restorer()) == []


def test_a_restorer_that_changes_nothing_changes_no_bit(frames, track):
    for before, after in zip(frames, enhanced(frames, track, restorer=Restorer()), strict=True):
        assert (before == after).all()


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_faces_come_in_batches_and_frames_without_pass(frames, track, batch):
    restorer = Restorer(inverted)
    settings = lw.EnhanceSettings(batch_frames=batch)
    made = enhanced(frames, track, restorer=restorer, settings=settings)
    assert sum(restorer.batches) == T - 2
    assert max(restorer.batches) <= batch
    for number, (before, after) in enumerate(zip(frames, made, strict=True)):
        assert (before == after).all() == (number in (4, 5))


@pytest.mark.parametrize("change", [blurred, sharpened])
@pytest.mark.parametrize("region", ["face", "lower_face", "mouth"])
@pytest.mark.parametrize("scale", [None, 2])
def test_no_seam_shows(frames, track, change, region, scale):
    settings = lw.EnhanceSettings(region=region)
    aligned = lw.align_track(track, settings)
    upscaler = Lanczos(scale=scale) if scale else None
    shown = [lw.ShownFrame(frames[0], 0, True)]
    arguments = {"restorer": Restorer(change), "upscaler": upscaler, "settings": settings}
    step = next(lw.enhance_steps(shown, track, aligned, **arguments))
    size_wh = step.result.shape[1::-1]
    there = for_larger_frame(step.to_aligned, (512, 512), size_wh)
    mask = cv2.warpAffine(step.mask, there, size_wh, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    assert seam_energy(step.result, step.enlarged, mask) < 1.2
    assert np.abs(step.result[mask == 0].astype(int) - step.enlarged[mask == 0]).max() <= 1
    assert np.abs(step.result[mask > 0.9].astype(int) - step.enlarged[mask > 0.9]).max() > 10


def test_a_face_in_other_colours_takes_the_frames(frames, track):
    def warmer(face):
        return np.clip(face * np.array([1.15, 1, 0.85]) + 12, 0, 255).astype(np.uint8)

    made = enhanced(frames[:1], track, restorer=Restorer(warmer))[0]
    cheek = np.s_[110:125, 235:250]
    assert np.abs(made[cheek].mean((0, 1)) - frames[0][cheek].mean((0, 1))).max() < 12


def test_the_region_is_what_changes(frames, track, mesh):
    reach = {}
    for region in ("mouth", "lower_face", "face"):
        settings = lw.EnhanceSettings(region=region)
        made = enhanced(frames[:1], track, restorer=Restorer(inverted), settings=settings)[0]
        reach[region] = np.flatnonzero((made != frames[0]).any((1, 2)))[0], np.count_nonzero(made != frames[0])
    brow = mesh[10, 1]
    assert reach["face"][0] < brow + 5 < reach["lower_face"][0] < reach["mouth"][0]
    assert reach["face"][1] > reach["lower_face"][1] > reach["mouth"][1]


def test_fidelity_blends(frames, track):
    def made(fidelity: float) -> np.ndarray:
        settings = lw.EnhanceSettings(fidelity=fidelity)
        return enhanced(frames[:1], track, restorer=Restorer(blurred), settings=settings)[0].astype(int)

    assert (made(1) == frames[0]).all()
    assert np.abs(made(0) - frames[0]).max() > 20
    assert np.abs(made(0.5) - (made(0) + made(1)) / 2).max() <= 2
    assert np.abs(made(0.25) - (0.75 * made(0) + 0.25 * made(1))).max() <= 2


def test_small_faces_are_left_alone_shot_by_shot(frames, mesh):
    """Its height goes about the limit: it is decided once for the shot, or the face would flicker."""
    height = np.ptp(mesh[:, 1])
    meshes = np.stack([mesh * (1.05 if number % 3 else 1) for number in range(6)])
    track = track_of(np.concatenate([meshes, meshes[:4] * 0.5]), shot=np.repeat([0, 1], [6, 4]).astype(np.int32))
    settings = lw.EnhanceSettings(least_face_px=round(1.03 * height))
    count = lw.count_faces(lw.align_track(track, settings), settings=settings)
    assert (count.restored, count.small) == (6, 4)
    restorer = Restorer()
    enhanced(frames, track, restorer=restorer, settings=settings)
    assert sum(restorer.batches) == 6


def test_frames_that_keep_their_lips_can_be_left_alone(frames, track, timeline):
    settings = lw.EnhanceSettings(only_synthesised=True)
    made = enhanced(frames, track, timeline, restorer=Restorer(inverted), settings=settings)
    same = [(before == after).all() for before, after in zip(frames, made, strict=True)]
    assert np.flatnonzero(same).tolist() == [2, 4, 5]
    count = lw.count_faces(lw.align_track(track, settings), timeline, settings)
    assert (count.restored, count.not_synthesised, count.without_face) == (7, 1, 2)


def test_the_track_is_read_where_the_timeline_says(frames, track):
    rows = np.array([7, 6, 3])
    timeline = lw.Timeline(rows, np.ones(3, bool), Fraction(25))
    restorer, straight = Restorer(), Restorer()
    enhanced([frames[row] for row in rows], track, timeline, restorer=restorer)
    enhanced(frames, track, restorer=straight)
    for face, row in zip(restorer.faces, (5, 4, 3), strict=True):  # two frames without a face come before 6 and 7
        assert (face == straight.faces[row]).all()


def test_the_restored_faces_detail_survives_upscaling(frames, track):
    """512 px of it, where the face in the frame has 170."""
    rng = np.random.default_rng(0)
    pattern = rng.integers(-40, 40, (512, 512, 1))

    def patterned(face):
        return np.clip(face.astype(int) + pattern, 0, 255).astype(np.uint8)

    def detail(frame: np.ndarray, width: int) -> float:
        size = (width, width)
        grey = cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC), cv2.COLOR_RGB2GRAY)
        fine = grey.astype(float) - cv2.GaussianBlur(grey, (0, 0), 1.5)
        return float(fine[300:360, 660:720].std())

    larger = enhanced(frames[:1], track, restorer=Restorer(patterned), upscaler=Lanczos(scale=3))[0]
    pasted_before = cv2.resize(enhanced(frames[:1], track, restorer=Restorer(patterned))[0], (1536, 1536))
    assert detail(larger, 1536) > 2 * detail(pasted_before, 1536)


def test_memory_holds_a_batch_only(frames, track):
    """Frames are asked for no earlier than they are needed."""
    asked = []

    def stream():
        for number, frame in enumerate(frames):
            asked.append(number)
            yield frame

    settings = lw.EnhanceSettings(batch_frames=2)
    made = lw.enhance_frames(stream(), track, restorer=Restorer(), settings=settings)
    next(made)
    assert asked == [0, 1]
