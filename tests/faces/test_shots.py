"""Scene cuts: single steps are found; motion, light and zooms are none."""

from functools import cache

import cv2
import numpy as np
import pytest
import skimage.data
from squares import FPS, picture

from lipwise.faces.shots import ShotFinder


def shots_of(frames):
    finder = ShotFinder()
    for frame in frames:
        finder.add(frame)
    return finder.shots(FPS)


def crops(picture, count, step_xy=(3, 1), size=200):
    """A camera that moves over a real picture."""
    for index in range(count):
        x, y = index * step_xy[0], index * step_xy[1]
        yield picture[y : y + size, x : x + size]


def test_a_cut_between_two_real_pictures_is_found():
    frames = [*crops(skimage.data.astronaut(), 12), *crops(skimage.data.coffee(), 12), *crops(skimage.data.cat(), 5)]
    assert shots_of(frames).tolist() == [0] * 12 + [1] * 12 + [2] * 5


def test_a_moving_camera_a_moving_face_and_repeated_frames_are_no_cut():
    assert shots_of(crops(skimage.data.astronaut(), 50, (6, 3))).max() == 0
    assert shots_of(picture((5 * x, 40, 90)) for x in range(45)).max() == 0
    slow = [frame for frame in crops(skimage.data.astronaut(), 20) for _ in range(2)]
    assert shots_of(slow).max() == 0
    assert shots_of([picture()]).tolist() == [0]


def test_a_large_face_that_starts_to_move_on_plain_ground_is_no_cut():
    places = [*range(0, 60, 12), *range(80, 150, 35)]
    assert shots_of(picture((x, 10, 160), ground=255) for x in places).max() == 0


def test_a_jump_inside_one_scene_is_a_cut():
    calm = [*crops(skimage.data.astronaut(), 15, (1, 0))]
    later = [np.roll(frame, (20, 30), axis=(0, 1)) for frame in calm]
    assert shots_of([*calm, *later]).tolist() == [0] * 15 + [1] * 15


def test_a_flash_is_no_cut():
    frames = [*crops(skimage.data.astronaut(), 20, (1, 0))]
    for index in (8, 9):
        frames[index] = np.clip(frames[index].astype(int) + 120, 0, 255).astype(np.uint8)
    assert shots_of(frames).max() == 0


# --- ramps are no cuts, and cuts in bad places are found

PICTURES = ("astronaut", "coffee", "cat", "rocket")
WAIT = 20  # frames of calm before and after
NOISE = np.random.default_rng(0).normal(0, 2, (100, 178, 3))


def view(name, x, y, zoom=1.0, turn_deg=0.0):
    """What a camera at (x, y) sees of a real picture, with its noise; (100, 178, 3) uint8."""
    camera = cv2.getRotationMatrix2D((x + 89, y + 50), turn_deg, zoom)
    camera[:, 2] -= x, y
    seen = cv2.warpAffine(wide(name), camera, (178, 100), borderMode=cv2.BORDER_REFLECT)
    return np.clip(seen + np.roll(NOISE, round(997 * (x + y))), 0, 255).astype(np.uint8)


@cache
def wide(name):
    return cv2.resize(getattr(skimage.data, name)(), (300, 200), interpolation=cv2.INTER_AREA)


def calm(name, count=WAIT, x=10, y=10):
    return [view(name, x + index / 4, y) for index in range(count)]


def ramp(length):
    """Share of a change that is done: calm, a ramp, calm."""
    return np.clip((np.arange(2 * WAIT + length) - WAIT + 1) / length, 0, 1)


def lit(frames, gains, offset=0):
    return [
        np.clip(frame * gain + offset * (gain - gains[0]), 0, 255).astype(np.uint8)
        for frame, gain in zip(frames, gains, strict=True)
    ]


RAMPS = {
    "light comes on": lambda name, part: lit(calm(name, len(part)), 0.3 + 0.7 * part),
    "light goes out": lambda name, part: lit(calm(name, len(part)), 1 - 0.85 * part),
    "light burns out": lambda name, part: lit(calm(name, len(part)), 1 + 0.3 * part, 200),
    "fast pan": lambda name, part: [view(name, 5 + 300 * done + n / 8, 10) for n, done in enumerate(part)],
    "zoom": lambda name, part: [view(name, 60 + n / 8, 50, 2.5**done) for n, done in enumerate(part)],
    "quarter turn": lambda name, part: [view(name, 60 + n / 8, 50, 1, 90 * done) for n, done in enumerate(part)],
}


@pytest.mark.parametrize("kind", RAMPS)
@pytest.mark.parametrize("name", PICTURES)
def test_many_steps_in_a_row_are_no_cut(kind, name):
    eased = np.sin(np.pi / 2 * ramp(8)) ** 2
    for part in (ramp(5), ramp(10), ramp(15), eased):
        assert shots_of(RAMPS[kind](name, part)).max() == 0


def first_frames(frames):
    return (np.flatnonzero(np.diff(shots_of(frames))) + 1).tolist()


@pytest.mark.parametrize(("one", "other"), [("astronaut", "coffee"), ("coffee", "cat"), ("rocket", "astronaut")])
def test_single_steps_are_found_in_the_dark_and_near_each_other(one, other):
    frames = calm(one) + calm(other)
    for light in (1, 0.3, 0.15, 0.08):
        assert first_frames(lit(frames, np.full(len(frames), light))) == [WAIT]
    back, third = calm(one, x=75, y=30), calm(next(name for name in PICTURES if name not in (one, other)))
    assert first_frames(calm(one) + calm(other, 5) + back) == [WAIT, WAIT + 5]
    assert first_frames(calm(one) + calm(other, 3) + third) == [WAIT, WAIT + 3]
    assert first_frames([frame for frame in frames for _ in range(2)]) == [2 * WAIT]


@pytest.mark.parametrize("mixed", [1, 2, 4])
@pytest.mark.parametrize(("one", "other"), [("astronaut", "coffee"), ("coffee", "cat"), ("rocket", "astronaut")])
def test_a_short_blend_of_two_scenes_is_one_cut_in_its_middle(one, other, mixed):
    parts = np.clip((np.arange(2 * WAIT + mixed) - WAIT + 1) / (mixed + 1), 0, 1)
    scenes = zip(calm(one, len(parts)), calm(other, len(parts)), parts, strict=True)
    cuts = first_frames([np.round(left * (1 - part) + right * part).astype(np.uint8) for left, right, part in scenes])
    assert len(cuts) == 1
    assert WAIT + mixed // 2 - 1 <= cuts[0] <= WAIT + mixed // 2 + 1
