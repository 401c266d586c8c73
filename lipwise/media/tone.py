"""HDR and wide-gamut pictures to the BT.709 that the rest of the program works in.

Light is counted in units of HDR reference white: 203 cd/m2, the level of a white sheet (ITU-R BT.2408).
"""

from functools import cache

import cv2
import numpy as np

REFERENCE_WHITE = 203.0  # cd/m2, ITU-R BT.2408
PQ_PEAK = 10_000.0  # cd/m2, SMPTE ST 2084
HLG_PEAK = 1_000.0  # cd/m2 of the nominal HLG display, ITU-R BT.2100
HLG_GAMMA = 1.2  # its system gamma
DISPLAY_GAMMA = 2.4  # of an SDR display, ITU-R BT.1886
KNEE = 0.6  # of SDR white: what is darker keeps its brightness
BRIGHTEST = HLG_PEAK / REFERENCE_WHITE  # mapped to SDR white; what is brighter is clipped
DEEP_LEVELS = 65536  # 16 bits a channel

# (x, y) of red, green, blue; ITU-R BT.709, BT.2020 and SMPTE EG 432-1, all with D65 white.
CHROMATICITY = {
    "bt709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    "p3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
D65 = (0.3127, 0.3290)


def _xyz(x: float, y: float) -> np.ndarray:
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _to_xyz(primaries: str) -> np.ndarray:
    """(3, 3) matrix from linear RGB to CIE XYZ, white at Y = 1 (SMPTE RP 177)."""
    columns = np.stack([_xyz(x, y) for x, y in CHROMATICITY[primaries]], axis=1)
    return columns * np.linalg.solve(columns, _xyz(*D65))


@cache
def gamut_matrix(primaries: str) -> np.ndarray:
    """(3, 3) float32 matrix from linear RGB with these primaries to linear BT.709."""
    return np.linalg.solve(_to_xyz("bt709"), _to_xyz(primaries)).astype(np.float32)


@cache
def light_of_level(transfer: str) -> np.ndarray:
    """(65536,) float32: the light that each 16-bit level stands for; white (HDR reference white) is 1.

    PQ is the EOTF of SMPTE ST 2084. HLG is the inverse OETF of ITU-R BT.2100, still scene light from 0 to 1.
    All others are taken for pictures made on an SDR display.
    """
    level = np.arange(DEEP_LEVELS, dtype=np.float64) / (DEEP_LEVELS - 1)
    if transfer == "pq":
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        root = level ** (1 / m2)
        light = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) * (PQ_PEAK / REFERENCE_WHITE)
    elif transfer == "hlg":
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(level <= 0.5, level**2 / 3, (np.exp((level - c) / a) + b) / 12)
    else:
        light = level**DISPLAY_GAMMA
    return light.astype(np.float32)


def compress_highlights(brightest_channel: np.ndarray) -> np.ndarray:
    """Brightness of HDR light on an SDR display, 0 to 1: straight up to the knee, then a shoulder.

    The shoulder is Reinhard's curve with a white point (Reinhard et al. 2002, equation 4), joined with equal slope.
    """
    white = (BRIGHTEST - KNEE) / (1 - KNEE)
    over = np.clip((brightest_channel - KNEE) / (1 - KNEE), 0, white)
    shoulder = KNEE + (1 - KNEE) * over * (1 + over / white**2) / (1 + over)
    return np.where(brightest_channel <= KNEE, brightest_channel, shoulder)


def to_sdr(deep: np.ndarray, transfer: str, primaries: str) -> np.ndarray:
    """A deep picture as BT.709 for an SDR display.

    HDR highlights are compressed by the brightest channel, all three alike, so that no hue shifts. Colours outside
    BT.709 are clipped.

    Args:
        deep: (H, W, 3) uint16 RGB with the source's own transfer and primaries.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    light = light_of_level(transfer)[deep]
    if transfer == "hlg":
        luminance = light @ _to_xyz("bt2020")[1].astype(np.float32)
        light *= (np.maximum(luminance, 1e-9) ** (HLG_GAMMA - 1) * (HLG_PEAK / REFERENCE_WHITE))[..., None]
    if primaries in CHROMATICITY and primaries != "bt709":
        light = cv2.transform(light, gamut_matrix(primaries))
    light = np.maximum(light, 0)
    if transfer in ("pq", "hlg"):
        brightest = light.max(axis=2)
        light *= (compress_highlights(brightest) / np.maximum(brightest, 1e-9))[..., None].astype(np.float32)
    return (cv2.pow(np.minimum(light, 1), 1 / DISPLAY_GAMMA) * 255 + 0.5).astype(np.uint8)
