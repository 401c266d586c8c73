"""Colours: every matrix, range and depth read right; HDR and wide gamuts brought to BT.709."""

from fractions import Fraction

import av
import numpy as np
import pytest

from lipwise.media.colour import LUMA, Colour, ToRgb, rgb_of_yuv, to_bt709, yuv_of_rgb
from lipwise.media.probe import probe
from lipwise.media.read import read_frames
from lipwise.media.tone import (
    DISPLAY_GAMMA,
    HLG_GAMMA,
    HLG_PEAK,
    KNEE,
    REFERENCE_WHITE,
    compress_highlights,
    gamut_matrix,
    light_of_level,
    to_sdr,
)

COLOURS = np.array(
    [
        (0, 0, 0),
        (255, 255, 255),
        (128, 128, 128),
        (200, 59, 39),
        (236, 188, 160),
        (20, 120, 60),
        (30, 60, 200),
        (230, 220, 40),
    ]
)
CODES = {"bt709": 1, "bt601": 6, "smpte240m": 7, "bt2020": 9}
LIMITED, FULL = 1, 2


def chart(size: int = 32) -> np.ndarray:
    """The colours side by side in squares, (size, 8 * size, 3) uint8."""
    return np.repeat(np.repeat(COLOURS[None], size, axis=0), size, axis=1).astype(np.uint8)


def patches(frame: np.ndarray) -> np.ndarray:
    """Mean colour inside each square of a chart, (8, 3)."""
    size = frame.shape[0]
    inner = slice(size // 4, 3 * size // 4)
    return np.stack([part[inner, inner].mean(axis=(0, 1)) for part in np.split(frame, len(COLOURS), axis=1)])


def exact_yuv(matrix: str, full: bool, depth: int) -> np.ndarray:
    """The chart's Y, Cb, Cr by the formulas of ITU-T H.273, (8, 3)."""
    red, blue = LUMA[matrix]
    r, g, b = COLOURS.T / 255
    y = red * r + (1 - red - blue) * g + blue * b
    cb, cr = (b - y) / (2 - 2 * blue), (r - y) / (2 - 2 * red)
    scale, most = 2 ** (depth - 8), 2**depth - 1
    if full:
        return np.stack([y * most, cb * most + 128 * scale, cr * most + 128 * scale], axis=1)
    return np.stack([16 + 219 * y, 128 + 224 * cb, 128 + 224 * cr], axis=1) * scale


def stored_chart(values: np.ndarray, pixel_format: str, size: int = 32) -> av.VideoFrame:
    """A frame whose planes hold these Y, Cb, Cr in squares."""
    frame = av.VideoFrame(size * len(values), size, pixel_format)
    for plane, channel in zip(frame.planes, values.T, strict=True):
        dtype = np.uint16 if "10" in pixel_format else np.uint8
        row = np.zeros(plane.line_size // np.dtype(dtype).itemsize, dtype)
        row[: plane.width] = np.repeat(np.round(channel), plane.width // len(values))
        plane.update(np.tile(row, plane.height).tobytes())
    return frame


@pytest.mark.parametrize("matrix", CODES)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_matrix_range_and_depth_are_honoured(clips, matrix: str, full: bool, pixel_format: str) -> None:
    frame = stored_chart(exact_yuv(matrix, full, 10 if "10" in pixel_format else 8), pixel_format)
    tags = (CODES[matrix], FULL if full else LIMITED, 1, 1)
    frame.colorspace, frame.color_range = tags[:2]
    path = clips.encode("chart.mkv", [frame], pixel_format=pixel_format, colour=tags, qp="0")
    colour = probe(path).colour
    assert (colour.matrix, colour.range, colour.guessed) == (matrix, "full" if full else "limited", False)
    assert np.abs(patches(next(read_frames(path))) - COLOURS).max() <= 2


@pytest.mark.parametrize(("height", "matrix"), [(360, "bt601"), (720, "bt709")])
def test_untagged_colour_is_guessed_from_the_height(clips, height: int, matrix: str) -> None:
    frame = av.VideoFrame(64, height, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([100]) * plane.buffer_size)
    colour = probe(clips.encode("untagged.mp4", [frame])).colour
    assert (colour.matrix, colour.range, colour.guessed) == (matrix, "limited", True)


def test_squared_pixels_keep_their_colour(clips) -> None:
    frame = stored_chart(exact_yuv("bt709", False, 8), "yuv420p")
    frame.colorspace, frame.color_range = 1, LIMITED

    def prepare(stream) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(2)

    path = clips.encode("wide.mkv", [frame], colour=(1, LIMITED, 1, 1), qp="0", prepare=prepare)
    picture = next(read_frames(path))
    assert picture.shape == (32, 512, 3)
    assert np.abs(patches(picture[:, ::2]) - COLOURS).max() <= 2


@pytest.mark.parametrize("matrix", LUMA)
@pytest.mark.parametrize("full", [False, True])
def test_matrices_are_each_others_inverse(matrix: str, full: bool) -> None:
    forward, back = yuv_of_rgb(matrix, full=full), rgb_of_yuv(matrix, full=full)
    yuv = COLOURS @ forward[:, :3].T + forward[:, 3]
    assert np.allclose(yuv, exact_yuv(matrix, full, 8))
    assert np.allclose(yuv @ back[:, :3].T + back[:, 3], COLOURS)


def test_writing_converts_exactly() -> None:
    frame = to_bt709(chart())
    stored = [np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size) for plane in frame.planes]
    centres = [plane[plane.shape[0] // 2, plane.shape[0] // 2 :: plane.shape[0]][:8] for plane in stored]
    assert np.abs(np.stack(centres, axis=1) - exact_yuv("bt709", False, 8)).max() < 1


def pq_level(nits: float) -> float:
    """Inverse EOTF of SMPTE ST 2084, 0 to 1."""
    power = (nits / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def test_pq_levels_stand_for_their_light() -> None:
    for nits in (1, 100, 203, 1000, 10_000):
        level = round(pq_level(nits) * 65535)
        assert light_of_level("pq")[level] * 203 == pytest.approx(nits, rel=2e-3)


def test_hlg_reference_white() -> None:
    grey = np.full((1, 1, 3), round(0.75 * 65535), np.uint16)  # 75 % HLG is reference white, ITU-R BT.2408
    pq = np.full((1, 1, 3), round(pq_level(203) * 65535), np.uint16)
    assert np.abs(to_sdr(grey, "hlg", "bt2020").astype(int) - to_sdr(pq, "pq", "bt2020")).max() <= 2


def test_highlights_are_compressed_without_a_kink() -> None:
    light = np.linspace(0, 6, 6001)
    shown = compress_highlights(light)
    assert np.array_equal(shown[light <= KNEE], light[light <= KNEE])
    assert np.all(np.diff(shown) >= 0)
    assert shown.max() == pytest.approx(1)
    assert np.abs(np.diff(shown, 2)).max() < 1e-4  # a kink of slope would be 1e-3 times its size


def test_wide_gamuts_keep_grey_and_stretch_colour() -> None:
    for primaries in ("bt2020", "p3"):
        assert np.allclose(gamut_matrix(primaries).sum(axis=1), 1, atol=1e-5)
        grey = np.full((1, 1, 3), 30_000, np.uint16)
        assert np.abs(to_sdr(grey, "bt709", primaries) / 255 - 30_000 / 65535).max() < 0.004
        red = np.array([[[45_000, 20_000, 20_000]]], np.uint16)
        shown = to_sdr(red, "bt709", primaries)[0, 0].astype(int)
        assert shown[0] - shown[1] > (45_000 - 20_000) * 255 // 65535 + 3
    # ITU-R BT.2087, table 1: linear BT.2020 to BT.709.
    assert np.allclose(gamut_matrix("bt2020")[0], (1.6605, -0.5876, -0.0728), atol=1e-3)


@pytest.mark.parametrize(("transfer", "code"), [("pq", 16), ("hlg", 18)])
def test_hdr_clips_are_shown_in_standard_range(clips, transfer: str, code: int) -> None:
    level = pq_level(100) if transfer == "pq" else 0.5
    values = np.tile([64 + 876 * level, 512, 512], (8, 1))
    frame = stored_chart(values, "yuv420p10le")
    frame.colorspace, frame.color_range = 9, LIMITED
    path = clips.encode("hdr.mkv", [frame], pixel_format="yuv420p10le", colour=(9, LIMITED, 9, code), qp="0")
    video = probe(path)
    assert video.is_hdr
    assert video.colour.primaries == "bt2020"
    assert any("HDR" in note for note in video.notes)
    shown = patches(next(read_frames(path)))[0]
    expected_light = 100 / 203 if transfer == "pq" else (1000 / 203) * (1 / 12) ** 1.2
    assert np.abs(shown - 255 * expected_light ** (1 / 2.4)).max() <= 2


@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "yuv422p10le", "yuv444p10le"])
@pytest.mark.parametrize("transfer", ["pq", "hlg"])
def test_hdr_colours_are_those_that_were_filmed(transfer: str, pixel_format: str) -> None:
    """Colours of an SDR display, none above the knee, in BT.2020 and HDR and back."""
    colours = COLOURS * 0.75
    light = (colours / 255) ** DISPLAY_GAMMA @ np.linalg.inv(gamut_matrix("bt2020")).T
    if transfer == "pq":
        levels = np.vectorize(pq_level)(np.maximum(light, 0) * REFERENCE_WHITE)
    else:
        scene = light * (REFERENCE_WHITE / HLG_PEAK)
        luminance = np.maximum(scene @ (0.2627, 0.6780, 0.0593), 1e-9)[:, None]
        scene = np.maximum(scene * luminance ** (1 / HLG_GAMMA - 1), 0)
        levels = np.interp(scene, light_of_level("hlg"), np.arange(65536) / 65535)
    red, blue = LUMA["bt2020"]
    luma = levels @ (red, 1 - red - blue, blue)
    cb, cr = (levels[:, 2] - luma) / (2 - 2 * blue), (levels[:, 0] - luma) / (2 - 2 * red)
    stored = stored_chart(np.stack([64 + 876 * luma, 512 + 896 * cb, 512 + 896 * cr], axis=1), pixel_format)
    colour = Colour("bt2020", "limited", "bt2020", transfer, guessed=False)
    deep = ToRgb(colour, (stored.width, stored.height), deep=True)(stored)
    assert np.abs(patches(to_sdr(deep, transfer, "bt2020")) - colours).max() < 4
