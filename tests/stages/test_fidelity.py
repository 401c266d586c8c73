"""Nearness, flicker and trembling of made pictures, where the right answer is known."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from lipwise.stages.face_flicker import FaceFlicker
from lipwise.stages.fidelity import FidelityMeter, psnr_db, ssim_map

PHOTO = np.ascontiguousarray(astronaut()[:160, 100:300])
MASK = np.zeros(PHOTO.shape[:2], np.float32)
MASK[40:100, 60:140] = 1
MASK = cv2.GaussianBlur(MASK, (21, 21), 4)
REST = (MASK <= 0).astype(np.float32)


def noisy(picture: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def test_the_same_as_scikit_image():
    other = noisy(PHOTO, 6)
    outside, inside = FidelityMeter().add(other, PHOTO, None)
    grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (PHOTO, other)]
    _, theirs = structural_similarity(*grey, gaussian_weights=True, use_sample_covariance=False, sigma=1.5, full=True)
    assert outside.psnr_db == pytest.approx(peak_signal_noise_ratio(PHOTO, other), abs=1e-3)
    assert np.abs(ssim_map(other, PHOTO) - theirs).max() < 1e-3
    assert outside.ssim == pytest.approx(theirs.mean(), abs=1e-4)
    assert np.isnan(inside).all()


def test_identical_pictures():
    meter = FidelityMeter()
    meter.add(PHOTO, PHOTO, MASK)
    assert meter.outside == (100, pytest.approx(1)) == meter.inside


def test_what_is_new_inside_the_mask_does_not_count_outside():
    result = np.where((MASK > 0)[..., None], 255 - PHOTO, PHOTO)
    outside, inside = FidelityMeter().add(result, PHOTO, MASK)
    assert outside.psnr_db == 100
    assert inside.psnr_db < 15
    assert inside.ssim < 0.3 < 0.94 < outside.ssim


def test_a_clip_is_judged_by_all_its_pixels():
    meter, sums = FidelityMeter(), []
    for seed, sigma in enumerate((2, 12)):
        other = noisy(PHOTO, sigma, seed)
        meter.add(other, PHOTO, None)
        sums.append(((other.astype(float) - PHOTO) ** 2).mean())
    assert meter.outside.psnr_db == pytest.approx(psnr_db(np.mean(sums)), abs=1e-3)


def test_frames_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        FidelityMeter().add(PHOTO, PHOTO[1:], None)


def flicker_of(change, frames: int = 6) -> tuple[float, float]:
    """Flicker and trembling of a slowly moving photo, of which `change(picture, number)` makes the result."""
    meter = FaceFlicker()
    for number in range(frames):
        picture = noisy(np.roll(PHOTO, 2 * number, axis=1), 1.0, number)
        meter.add(picture, change(picture, number), np.ones_like(MASK), REST)
    return meter.flicker, meter.trembling


def test_a_copy_neither_flickers_nor_trembles():
    assert flicker_of(lambda picture, number: picture) == (pytest.approx(1), pytest.approx(1))


def test_light_that_comes_and_goes_flickers():
    flicker, _ = flicker_of(lambda picture, number: cv2.add(picture, np.full_like(picture, 12 * (number % 2))))
    assert flicker > 2


def test_a_face_that_shakes_trembles_and_does_not_flicker():
    flicker, trembling = flicker_of(lambda picture, number: np.roll(picture, 2 * (number % 2), axis=0))
    assert trembling > 2
    assert flicker < 1.8


def test_new_lips_do_not_tremble():
    def other_lips(picture, number):
        return np.where((MASK > 0)[..., None], np.roll(picture, 3 * (number % 2), axis=0), picture)

    _, trembling = flicker_of(other_lips)
    assert trembling < 1.05


def test_without_two_frames_there_is_nothing_to_tell():
    assert np.isnan(flicker_of(lambda picture, number: picture, frames=1)).all()


def test_a_face_that_is_all_lips_has_no_trembling():
    meter = FaceFlicker()
    for number in range(3):
        meter.add(noisy(PHOTO, 1, number), noisy(PHOTO, 1, number), np.ones_like(MASK), np.zeros_like(MASK))
    assert np.isfinite(meter.flicker)
    assert np.isnan(meter.trembling)
