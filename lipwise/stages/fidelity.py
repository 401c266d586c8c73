"""PSNR and SSIM inside and outside a mask, added up frame by frame in memory that does not depend on the length.

SSIM: Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE TIP 2004, on the
luma, with the Gaussian window of sigma 1.5 and 11 pixels; equal to scikit-image's, at a tenth of its time.
"""

from typing import NamedTuple

import cv2
import numpy as np

PEAK = 255.0
MOST_DB = 100.0  # stands for identical pictures, whose PSNR has no end
TOUCHED = 0.5  # a pixel counts as inside from this share of new picture on, and as outside only where there is none
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2


class Fidelity(NamedTuple):
    """How near two pictures are over some pixels: PSNR in dB over R, G and B, and SSIM of the luma up to 1.

    NaN where there is not one such pixel.
    """

    psnr_db: float
    ssim: float


def ssim_map(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Structural similarity at every pixel, (H, W) float32, of two pictures (H, W, 3) uint8 RGB."""
    luma = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in (first, second)]
    mean_a, mean_b = (_blurred(plane) for plane in luma)
    both = mean_a * mean_b
    square_a, square_b = mean_a * mean_a, mean_b * mean_b
    spread_a, spread_b = _blurred(luma[0] * luma[0]) - square_a, _blurred(luma[1] * luma[1]) - square_b
    together = _blurred(luma[0] * luma[1]) - both
    alike = (2 * both + _C1) * (2 * together + _C2)
    return alike / ((square_a + square_b + _C1) * (spread_a + spread_b + _C2))


def _blurred(plane: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(plane, (_WINDOW, _WINDOW), _SIGMA, borderType=cv2.BORDER_REFLECT)


def psnr_db(squared_error: float) -> float:
    """PSNR of a mean squared error of values 0-255; `MOST_DB` at the most, and NaN for NaN."""
    if squared_error <= PEAK**2 / 10 ** (MOST_DB / 10):
        return MOST_DB
    return float(10 * np.log10(PEAK**2 / squared_error))


class FidelityMeter:
    """Adds up the nearness of pairs of frames.

    The PSNR of a clip is that of the mean squared error over all its pixels, its SSIM the mean over them.
    """

    def __init__(self) -> None:
        self._sums = np.zeros((2, 3))  # outside, inside: pixels, squared error, SSIM

    def add(self, result: np.ndarray, source: np.ndarray, mask: np.ndarray | None) -> tuple[Fidelity, Fidelity]:
        """Take a pair of frames.

        Args:
            result, source: (H, W, 3) uint8 of the same size.
            mask: (H, W) float32, see `TOUCHED`; None says that nothing of the frame was touched.

        Returns:
            This frame outside and inside.
        """
        if result.shape != source.shape:
            raise ValueError(f"expected frames of one shape, got {result.shape} and {source.shape}")
        squared = (cv2.absdiff(result, source).astype(np.float32) ** 2).mean(axis=2)
        alike = ssim_map(result, source)
        parts = [np.ones(squared.shape, bool), None] if mask is None else [mask <= 0, mask >= TOUCHED]
        rows = np.zeros((2, 3))
        for row, part in zip(rows, parts, strict=True):
            if part is not None:
                row[:] = np.count_nonzero(part), squared[part].sum(dtype=np.float64), alike[part].sum(dtype=np.float64)
        self._sums += rows
        return _fidelity(rows[0]), _fidelity(rows[1])

    @property
    def outside(self) -> Fidelity:
        """Of all frames, where nothing was touched."""
        return _fidelity(self._sums[0])

    @property
    def inside(self) -> Fidelity:
        """Of all frames, where the picture is new."""
        return _fidelity(self._sums[1])


def _fidelity(sums: np.ndarray) -> Fidelity:
    count, squared, alike = (float(value) for value in sums)
    return Fidelity(psnr_db(squared / count), alike / count) if count else Fidelity(float("nan"), float("nan"))
