"""The flicker figure."""

import itertools

import numpy as np
import pytest
from skimage.data import astronaut

from lipwise.faces.flicker import FlickerMeter

MASK = np.zeros((256, 256), np.float32)
MASK[40:220, 40:220] = 1


def walk(count: int = 6, noise: float = 2.0) -> list[np.ndarray]:
    """A face that moves by two pixels a frame before a camera with some noise."""
    rng = np.random.default_rng(0)
    picture = astronaut()
    parts = [picture[:256, 100 + 2 * number : 356 + 2 * number] for number in range(count)]
    return [np.clip(part + rng.normal(0, noise, part.shape), 0, 255).astype(np.uint8) for part in parts]


def measured(before: list[np.ndarray], after: list[np.ndarray]) -> FlickerMeter:
    meter = FlickerMeter()
    for one, other in zip(before, after, strict=True):
        meter.add(one, other, MASK)
    return meter


@pytest.mark.parametrize("count", [0, 1])
def test_without_a_pair_there_is_no_figure(count):
    assert measured(walk(count), walk(count)).ratio is None


def test_what_is_not_changed_flickers_as_before():
    frames = walk()
    meter = measured(frames, frames)
    assert meter.ratio == 1
    assert meter.pairs == 5


def test_a_still_does_not_flicker():
    frames = [walk(1)[0]] * 4
    meter = measured(frames, frames)
    assert (meter.before, meter.ratio) == (0, 1)


def test_motion_is_no_flicker():
    steps = walk(noise=0)
    plain = np.mean([np.abs(a.astype(int) - b)[MASK > 0].mean() for a, b in itertools.pairwise(steps)])
    assert measured(steps, steps).before < 0.25 * plain


def test_a_restorer_with_noise_of_its_own_is_caught():
    rng = np.random.default_rng(1)
    frames = walk()
    noisy = [np.clip(frame + rng.normal(0, 4, frame.shape), 0, 255).astype(np.uint8) for frame in frames]
    assert measured(frames, noisy).ratio > 1.5


def test_trembling_is_flicker_and_not_motion():
    frames = walk(8)
    trembling = [np.roll(frame, number % 2, axis=1) for number, frame in enumerate(frames)]
    assert measured(frames, trembling).ratio > 1.15


def test_a_smoother_face_flickers_less():
    import cv2

    frames = walk()
    assert measured(frames, [cv2.GaussianBlur(frame, (0, 0), 3) for frame in frames]).ratio < 1


def test_what_lies_outside_the_mask_does_not_count():
    frames = walk()
    changed = [frame.copy() for frame in frames]
    for number, frame in enumerate(changed):
        frame[:30] = 255 * (number % 2)
    assert measured(frames, changed).ratio == pytest.approx(1, abs=0.02)


def test_cuts_and_gaps_are_not_compared():
    one, other = walk(1)[0], astronaut()[256:, 256:]
    meter = FlickerMeter()
    meter.add(one, one, MASK)
    meter.add(other, other, MASK, scene=1)
    assert meter.pairs == 0
    meter.restart()
    meter.add(one, one, MASK, scene=1)
    assert meter.pairs == 0
