"""From frame to frame: what is equal stays equal, what a network draws anew each time is steadied, cuts are cuts."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from enhance_parts import Restorer, blurred, enhanced, inverted, sharpened, track_of
from skimage.data import astronaut

import lipwise as lw
from lipwise.faces.align import align_face, for_larger_frame
from lipwise.faces.steady import SETTLED_FRAMES, Steadier
from lipwise.faces.track import FaceTrack
from lipwise.models.lanczos import Lanczos
from lipwise.stages import enhance

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
    meter = lw.FlickerMeter()
    made = enhanced(still, track, restorer=restorer, upscaler=Counting(), settings=settings, meter=meter)
    assert meter.pairs == 0, "a frame that is not made anew says nothing of flicker"
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


class Drawing(Lanczos):
    """Draws detail, another one in each frame, as networks do; counts its frames."""

    needs_weights = True

    def __init__(self, **size):
        super().__init__(**size)
        self.rng, self.frames = np.random.default_rng(0), 0

    def upscale(self, frame):
        self.frames += 1
        larger = super().upscale(frame)
        detail = cv2.GaussianBlur(self.rng.normal(0, 60, larger.shape[:2]).astype(np.float32), (0, 0), 3)
        return np.clip(larger + detail[..., None], 0, 255).astype(np.uint8)


def test_an_upscaler_that_draws_anew_each_time_is_steadied(mesh):
    rng = np.random.default_rng(0)
    small = cv2.resize(astronaut(), (256, 256), interpolation=cv2.INTER_AREA)
    clip = [np.clip(small + rng.normal(0, 2, small.shape), 0, 255).astype(np.uint8) for _ in range(8)]
    track = track_of(np.stack([mesh / 2] * 8), size_wh=(256, 256))
    ratios = []
    for steady in (0, 0.8):
        meter = lw.FlickerMeter()
        enhanced(clip, track, upscaler=Drawing(), meter=meter, settings=lw.EnhanceSettings(steady=steady))
        ratios.append(meter.ratio)
    assert ratios[0] > 1.5
    assert ratios[1] - 1 < 0.6 * (ratios[0] - 1)


def test_what_draws_nothing_is_not_steadied(frames):
    noisy = [np.clip(frame + np.random.default_rng(1).normal(0, 9, frame.shape), 0, 255) for frame in frames[:2]]
    clip = [frame.astype(np.uint8) for frame in noisy]
    made = enhanced(clip, None, upscaler=Lanczos(scale=2))
    assert (made[1] == Lanczos(scale=2).upscale(clip[1])).all()


def test_pictures_of_two_shots_are_not_blended(mesh, monkeypatch):
    asked = {"faces": [], "pictures": []}

    class Recording(Steadier):
        def __init__(self, strength):
            super().__init__(strength)
            for what in asked:
                setattr(self, what, self.recording(what, getattr(self, what)))

        @staticmethod
        def recording(what, steady):
            def call(source, drawn, *, scene):
                asked[what].append(scene)
                return steady(source, drawn, scene=scene)

            call.restart = steady.restart
            return call

    monkeypatch.setattr(enhance, "Steadier", Recording)
    track = track_of(np.stack([mesh] * 4), shot=np.array([0, 0, 1, 1], np.int32))
    clip = [np.roll(astronaut(), number, axis=0) for number in range(4)]
    enhanced(clip, track, restorer=Restorer(blurred), upscaler=Drawing(scale=1))
    assert asked == {"faces": [0, 0, 1, 1], "pictures": [0, 0, 1, 1]}


def test_a_face_after_a_gap_is_blended_with_none_before_it(mesh):
    meshes = np.stack([mesh] * 4)
    meshes[2] = np.nan
    clip = [np.roll(astronaut(), number, axis=0) for number in range(4)]
    clip[3] = clip[1]  # the same place, so that blending would find it
    made = {}
    for steady in (0, 0.8):
        rng = np.random.default_rng(0)

        def drawn(face, rng=rng):
            detail = cv2.GaussianBlur(rng.normal(0, 60, (512, 512, 1)).astype(np.float32), (0, 0), 3)[..., None]
            return np.clip(face + detail, 0, 255).astype(np.uint8)

        settings = lw.EnhanceSettings(steady=steady)
        made[steady] = enhanced(clip, track_of(meshes), restorer=Restorer(drawn), settings=settings)
    assert (made[0][1] != made[0.8][1]).any(), "nothing was steadied at all"
    assert (made[0][3] == made[0.8][3]).all()


def test_a_restored_face_takes_the_place_of_what_the_upscaler_drew(frames, track):
    shown, aligned = [lw.ShownFrame(frames[0], 0, True)], lw.align_track(track)
    (step,) = lw.enhance_steps(shown, track, aligned, restorer=Restorer(blurred), upscaler=Drawing(scale=2))
    there = for_larger_frame(step.to_aligned, (512, 512), (1024, 1024))
    whole = step.mask > 0.98
    made, drawn = (align_face(picture, there).astype(float)[whole] for picture in (step.result, step.enlarged))
    assert np.abs(drawn - step.matched[whole]).mean() > 5
    assert np.abs(made - step.matched[whole]).mean() < 1
