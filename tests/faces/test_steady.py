"""Blending along motion."""

import numpy as np
import pytest
from skimage.data import astronaut

from lipwise.faces.steady import MotionFilter

RNG = np.random.default_rng(0)


def shown(shift: int = 0) -> np.ndarray:
    return astronaut()[:256, 100 + shift : 356 + shift].copy()


def noisy(picture: np.ndarray, sigma: float = 8) -> np.ndarray:
    return np.clip(picture + RNG.normal(0, sigma, picture.shape), 0, 255).astype(np.uint8)


def doubled(picture: np.ndarray) -> np.ndarray:
    return picture.repeat(2, 0).repeat(2, 1)


def wrong(made: np.ndarray, wanted: np.ndarray) -> float:
    inner = np.s_[40:-40, 40:-40]
    return float(np.abs(made[inner].astype(float) - wanted[inner]).mean())


def test_the_first_picture_is_as_it_was_drawn():
    drawn = noisy(shown())
    assert (MotionFilter(0.8)(shown(), drawn) == drawn).all()


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("speed", [0, 3])
def test_noise_goes_and_what_moves_is_followed(scale, speed):
    steady = MotionFilter(0.8)
    for number in range(12):
        source = shown(speed * number)
        wanted = source if scale == 1 else doubled(source)
        drawn = noisy(wanted)
        made = steady(source, drawn)
    assert wrong(made, wanted) < 0.65 * wrong(drawn, wanted)


def test_what_the_network_left_alone_stays_bit_for_bit():
    steady = MotionFilter(0.9)
    for number in range(4):
        source = noisy(shown(2 * number), 3)
        assert (steady(source, source) == source).all()


def test_nothing_of_the_picture_before_a_cut_is_left():
    drawn = 255 - shown()
    for scenes in ((0, 1), (0, 0)):  # told of the cut, and not told
        steady = MotionFilter(0.9)
        steady(astronaut()[256:, :256].copy(), noisy(astronaut()[256:, :256]), scene=scenes[0])
        made = steady(shown(), drawn, scene=scenes[1])
        assert wrong(made, drawn) < (3 if scenes[0] == scenes[1] else 1e-9)


def test_what_appears_is_shown_at_once():
    steady = MotionFilter(0.9)
    steady(shown(), 255 - shown())
    changed = shown()
    changed[100:160, 100:160] = (255, 0, 0)
    made = steady(changed, 255 - changed)
    assert np.abs(made[110:150, 110:150].astype(int) - (0, 255, 255)).max() <= 3


def test_a_restart_forgets():
    steady = MotionFilter(0.9)
    steady(shown(), noisy(shown(), 30))
    steady.restart()
    drawn = noisy(shown())
    assert (steady(shown(), drawn) == drawn).all()


def test_no_strength_does_nothing():
    steady = MotionFilter(0)
    steady(shown(), noisy(shown()))
    drawn = noisy(shown())
    assert (steady(shown(), drawn) == drawn).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 90), (20, 20)])
def test_pictures_of_any_size(shape):
    steady = MotionFilter(0.8)
    for _ in range(2):
        picture = np.full((*shape, 3), 90, np.uint8)
        assert steady(picture, doubled(picture)).shape == (2 * shape[0], 2 * shape[1], 3)


@pytest.mark.parametrize("strength", [-0.1, 1, float("nan")])
def test_strengths_that_never_settle_are_refused(strength):
    with pytest.raises(ValueError, match="expected a strength"):
        MotionFilter(strength)
