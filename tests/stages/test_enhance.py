"""The enhance stage with restorers that show exactly what they were given."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

import lipwise as lw
from lipwise.errors import FaceError, SettingsError
from lipwise.faces.align import for_larger_frame
from lipwise.faces.blend import seam_energy
from lipwise.faces.steady import SETTLED_FRAMES
from lipwise.faces.track import DETECTED, NONE, FaceTrack
from lipwise.models.upscalers import Lanczos

T = 10


class Restorer:
    """Applies a function to each face and remembers how many came at once."""

    name = engine = note = "test"
    needs_weights = False

    def __init__(self, change=lambda face: face):
        self.change, self.batches, self.faces = change, [], []

    def restore(self, faces):
        assert faces.shape[1:] == (512, 512, 3)
        assert faces.dtype == np.uint8
        self.batches.append(len(faces))
        self.faces += list(faces)
        return np.stack([self.change(face) for face in faces])

    def remarks(self):
        return []


def inverted(face):
    return 255 - face


def blurred(face):
    return cv2.GaussianBlur(face, (0, 0), 6)


def sharpened(face):
    return np.clip(1.6 * face.astype(float) - 0.6 * cv2.GaussianBlur(face, (0, 0), 3), 0, 255).astype(np.uint8)


def track_of(meshes: np.ndarray, size_wh=(512, 512), shot=None) -> FaceTrack:
    meshes = np.asarray(meshes, np.float32)
    count = len(meshes)
    low, high = meshes.min(1), meshes.max(1)
    seen = np.isfinite(meshes[:, 0, 0])
    return FaceTrack(
        boxes_xyxy=np.concatenate([low, high], 1),
        landmarks_xy=meshes[:, [33, 263, 1, 61, 291]],
        score=np.ones(count, np.float32),
        origin=np.where(seen, DETECTED, NONE).astype(np.uint8),
        shot=np.zeros(count, np.int32) if shot is None else shot,
        people=np.ones(1, np.int32),
        size_wh=size_wh,
        mesh_xy=meshes,
    )


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


def enhanced(frames, track, timeline=None, **arguments) -> list[np.ndarray]:
    return list(lw.enhance_frames(frames, track, timeline, **arguments))


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
    assert (step.result[mask == 0].astype(int) - step.enlarged[mask == 0] <= 1).all()
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


def test_a_part_equals_that_part_of_the_whole(frames, track):
    settings = lw.EnhanceSettings(steady=0)
    whole = enhanced(frames, track, restorer=Restorer(blurred), settings=settings)
    part = enhanced(frames[3:8], track, restorer=Restorer(blurred), part=slice(3, 8), settings=settings)
    assert all((one == other).all() for one, other in zip(part, whole[3:8], strict=True))


def test_equal_frames_are_computed_once_and_give_equal_frames(mesh):
    """Though the track trembles: what is equal goes in must be equal coming out."""
    rng = np.random.default_rng(0)
    track = track_of(np.stack([mesh + rng.normal(0, 1, 2) for _ in range(6)]))
    restorer = Restorer(blurred)
    upscaled = []

    class Counting(Lanczos):
        def upscale(self, frame):
            upscaled.append(1)
            return super().upscale(frame)

    still = [astronaut() for _ in range(6)]
    settings = lw.EnhanceSettings(batch_frames=4)
    made = enhanced(still, track, restorer=restorer, upscaler=Counting(), settings=settings)
    assert (restorer.batches, len(upscaled)) == ([1], 1)
    assert all((one == made[0]).all() for one in made)
    made[0][:] = 0
    assert made[1].any(), "frames share their memory"


def test_equal_frames_of_which_one_is_left_alone_differ(mesh):
    track = track_of(np.stack([mesh] * 3))
    timeline = lw.Timeline(np.arange(3), np.array([True, False, True]), Fraction(25))
    settings = lw.EnhanceSettings(only_synthesised=True)
    made = enhanced([astronaut()] * 3, track, timeline, restorer=Restorer(inverted), settings=settings)
    assert [(one == astronaut()).all() for one in made] == [False, True, False]


def test_two_runs_give_the_same_bytes(frames, track):
    runs = [enhanced(frames, track, restorer=Restorer(sharpened), upscaler=Lanczos(scale=1.5)) for _ in range(2)]
    assert all((one == other).all() for one, other in zip(*runs, strict=True))


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


def test_without_a_restorer_frames_are_only_upscaled(frames):
    made = enhanced(frames[:2], None, upscaler=Lanczos(scale=0.5))
    assert (made[1] == Lanczos(scale=0.5).upscale(frames[1])).all()


def test_flicker_is_measured_on_the_way(frames, track):
    meter = lw.FlickerMeter()
    enhanced(frames, track, restorer=Restorer(), meter=meter)
    assert meter.ratio == 1
    assert meter.pairs == 3 + 3, "the gap parts the clip"
    meter = lw.FlickerMeter()
    enhanced(frames, track, upscaler=Lanczos(scale=2), meter=meter)
    assert 0.9 < meter.ratio < 1.1


def test_a_restorer_that_draws_anew_each_time_is_steadied(mesh):
    """Noise in the face, other in every frame, as a network's detail is; the clip itself is noisy, too."""
    rng = np.random.default_rng(0)

    def seen() -> np.ndarray:
        return np.clip(astronaut() + rng.normal(0, 2, (512, 512, 3)), 0, 255).astype(np.uint8)

    def drawn(face):
        detail = cv2.GaussianBlur(rng.normal(0, 60, (512, 512, 1)).astype(np.float32), (0, 0), 3)[..., None]
        return np.clip(face + detail, 0, 255).astype(np.uint8)

    clip, ratios = [seen() for _ in range(8)], []
    for steady in (0, 0.8):
        meter = lw.FlickerMeter()
        settings = lw.EnhanceSettings(steady=steady)
        enhanced(clip, track_of(np.stack([mesh] * 8)), restorer=Restorer(drawn), meter=meter, settings=settings)
        ratios.append(meter.ratio)
    assert ratios[1] - 1 < 0.6 * (ratios[0] - 1)
    assert ratios[0] > 1.5


def test_a_part_that_begins_earlier_has_settled(mesh):
    rng = np.random.default_rng(0)
    clip = [np.clip(astronaut() + rng.normal(0, 2, (512, 512, 3)), 0, 255).astype(np.uint8) for _ in range(16)]
    track = track_of(np.stack([mesh] * 16))
    whole = enhanced(clip, track, restorer=Restorer(sharpened))
    part = enhanced(clip[3:], track, restorer=Restorer(sharpened), part=slice(3, 16))
    assert np.abs(part[0].astype(int) - whole[3]).max() > 5
    assert np.abs(part[SETTLED_FRAMES].astype(int) - whole[3 + SETTLED_FRAMES]).max() <= 2


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


def test_odd_frames_may_have_been_made_even_by_an_encoder(mesh):
    odd = track_of(mesh[None], size_wh=(511, 511))
    assert enhanced([astronaut()], odd, restorer=Restorer())[0].shape == (512, 512, 3)


def test_frames_of_another_size_are_refused(frames, track):
    with pytest.raises(FaceError, match="512 x 512 px"):
        enhanced([frames[0][:400]], track, restorer=Restorer())


def test_a_track_without_a_mesh_is_refused(frames, track):
    from dataclasses import replace

    bare = replace(track, mesh_xy=np.zeros((0, 468, 2), np.float32))
    with pytest.raises(FaceError, match="no mesh"):
        enhanced(frames, bare, restorer=Restorer())


def test_more_frames_than_the_track_has_are_refused(frames, track):
    with pytest.raises(ValueError, match="at most 10 frames"):
        enhanced([*frames, frames[0]], track, restorer=Restorer())


@pytest.mark.parametrize(
    "values", [{"fidelity": 1.1}, {"fidelity": float("nan")}, {"region": "nose"}, {"feather": 0}, {"batch": 1}]
)
def test_settings_that_make_no_sense_are_refused(values):
    with pytest.raises(SettingsError, match="is not usable"):
        lw.EnhanceSettings(**values)
