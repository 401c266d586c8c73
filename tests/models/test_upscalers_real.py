"""The published weights: against the published code, and on pictures that were shrunk."""

import cv2
import numpy as np
import pytest
import torch
from skimage.data import astronaut

from lipwise.errors import LipwiseError
from lipwise.models.upscalers import Lanczos, load_upscaler

X4PLUS = "RealESRGAN_x4plus.from_ncnn_fp16.pth"
ANIME = "realesr-animevideov3.from_ncnn_fp16.pth"


@pytest.fixture(scope="module")
def weights(shared_weights):
    def find(name: str):
        path = shared_weights / name
        if not path.is_file():
            pytest.skip(f"the shared weights {name} are not there")
        return path

    return find


@pytest.fixture(scope="module")
def engine():
    engines = pytest.importorskip("lipwise.models.engines", reason="the engines cannot be imported without it")

    def imported(name: str):
        try:
            return engines.import_engine(name)
        except LipwiseError as error:
            pytest.skip(f"{name}: {error.cause}")

    return imported


def shrunk(picture: np.ndarray, factor: int) -> np.ndarray:
    height, width = picture.shape[:2]
    return cv2.resize(picture, (width // factor, height // factor), interpolation=cv2.INTER_AREA)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


def drawing() -> np.ndarray:
    """A drawn face, (240, 240, 3): plain colours between dark outlines."""
    picture = np.full((240, 240, 3), (235, 225, 200), np.uint8)
    ink, smooth = (40, 20, 20), cv2.LINE_AA
    cv2.circle(picture, (120, 115), 70, (250, 215, 190), -1, smooth)
    cv2.circle(picture, (120, 115), 70, ink, 3, smooth)
    for x in (95, 145):
        cv2.ellipse(picture, (x, 108), (14, 19), 0, 0, 360, (255, 255, 255), -1, smooth)
        cv2.ellipse(picture, (x, 108), (14, 19), 0, 0, 360, ink, 2, smooth)
        cv2.circle(picture, (x, 112), 7, (60, 110, 170), -1, smooth)
    cv2.ellipse(picture, (120, 145), (26, 14), 0, 0, 180, (170, 40, 60), -1, smooth)
    cv2.ellipse(picture, (120, 145), (26, 14), 0, 0, 180, ink, 2, smooth)
    for x in range(-60, 61, 12):
        cv2.line(picture, (120 + x, 50), (120 + int(1.3 * x), 15 + abs(x) // 3), (90, 50, 20), 2, smooth)
    return picture


def reference(realesrgan, path, network, picture: np.ndarray) -> np.ndarray:
    """What RealESRGANer makes of it with its defaults: fp32, no tiles."""
    upsampler = realesrgan.RealESRGANer(scale=4, model_path=str(path), model=network, device=torch.device("cpu"))
    return upsampler.enhance(np.ascontiguousarray(picture[:, :, ::-1]))[0][:, :, ::-1]


@pytest.mark.slow
def test_x4plus_gives_what_realesrganer_gives(weights, engine):
    realesrgan = engine("realesrgan")
    network = __import__("basicsr.archs.rrdbnet_arch", fromlist=["RRDBNet"]).RRDBNet(3, 3)
    picture = shrunk(astronaut()[60:188, 150:278], 4)  # 32 x 32
    theirs = reference(realesrgan, weights(X4PLUS), network, picture)
    assert psnr(load_upscaler(weights(X4PLUS))(picture), theirs) >= 50
    exact = load_upscaler(weights(X4PLUS), device="cpu", precision="fp32")(picture)
    assert np.abs(exact.astype(int) - theirs).max() <= 1


def test_animevideov3_gives_what_realesrganer_gives(weights, engine):
    realesrgan = engine("realesrgan")
    archs = __import__("realesrgan.archs.srvgg_arch", fromlist=["SRVGGNetCompact"])
    picture = shrunk(astronaut()[40:201, 140:300], 2)
    theirs = reference(realesrgan, weights(ANIME), archs.SRVGGNetCompact(), picture)
    exact = load_upscaler(weights(ANIME), device="cpu", precision="fp32")(picture)
    assert np.abs(exact.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("name", [pytest.param(X4PLUS, marks=pytest.mark.slow), ANIME])
def test_spandrel_gives_the_same(weights, name):
    pytest.importorskip("spandrel")
    picture = shrunk(astronaut()[60:156, 170:266], 4)
    settings = {"device": "cpu", "precision": "fp32"}
    theirs = load_upscaler(weights(name), engine="spandrel", **settings)
    assert theirs.engine == "spandrel"
    ours = load_upscaler(weights(name), **settings)(picture).astype(int)
    assert np.abs(theirs(picture) - ours).max() <= 1


@pytest.mark.slow
def test_x4plus_beats_lanczos_on_a_photo(weights, engine):
    """NIQE (lower is better) needs no original: how far local statistics are from those of natural photographs.

    PSNR to the original would reward blur, as it does for every network of this kind.
    """
    engine("basicsr")
    from basicsr.metrics.niqe import calculate_niqe

    def niqe(picture: np.ndarray) -> float:
        return float(calculate_niqe(picture[:, :, ::-1].copy(), crop_border=4, input_order="HWC", convert_to="y"))

    small = shrunk(astronaut()[0:256, 110:366], 4)
    upscaled, blurred = load_upscaler(weights(X4PLUS))(small), Lanczos(scale=4)(small)
    assert niqe(upscaled) < niqe(blurred) - 1
    assert psnr(shrunk(upscaled, 4), small) > 25  # it is still the same picture


def test_animevideov3_beats_lanczos_on_a_drawing(weights):
    """It is made for drawings, whose statistics are not those NIQE knows; but a drawing can be redrawn exactly."""
    original = drawing()
    small = shrunk(original, 4)
    upscaled, blurred = load_upscaler(weights(ANIME))(small), Lanczos(scale=4)(small)
    assert psnr(upscaled, original) > psnr(blurred, original) + 1


def test_tiles_of_animevideov3_equal_the_whole(weights):
    picture = astronaut()[:120, 150:300]
    upscaler = load_upscaler(weights(ANIME), device="cpu", precision="fp32")
    tiled = load_upscaler(weights(ANIME), device="cpu", precision="fp32", tile=100)
    assert np.abs(upscaler(picture).astype(int) - tiled(picture)).max() <= 1


@pytest.mark.slow  # one core needs a minute
def test_tiles_of_x4plus_equal_the_whole(weights):
    picture = shrunk(astronaut(), 2)[40:168, :]  # 128 x 256
    whole = load_upscaler(weights(X4PLUS), device="cpu", precision="fp32")(picture).astype(int)
    tiled = load_upscaler(weights(X4PLUS), device="cpu", precision="fp32", tile=256)(picture)
    assert np.abs(tiled - whole).max() <= 1
