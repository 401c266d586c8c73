"""Upscalers: sizes, kinds of pictures, repeated frames, mixed weights; with small random networks."""

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.data import astronaut

from lipwise.errors import LipwiseWarning
from lipwise.models import upscalers
from lipwise.models.sr_loading import LoadedNetwork, SpandrelNetwork
from lipwise.models.sr_networks import RRDBNet, SRVGGNetCompact
from lipwise.models.upscalers import Lanczos, NetworkUpscaler, load_upscaler

PICTURE = astronaut()[60:101, 200:253]  # 41 x 53, both odd


def save(network: torch.nn.Module, path: Path) -> Path:
    torch.save({"params": network.state_dict()}, path)
    return path


@pytest.fixture(scope="module")
def srvgg(tmp_path_factory) -> Path:
    torch.manual_seed(11)
    return save(SRVGGNetCompact(convolutions=2, features=8), tmp_path_factory.mktemp("sr") / "small.pth")


@pytest.fixture(scope="module")
def rrdb_x2(tmp_path_factory) -> Path:
    torch.manual_seed(12)
    network = RRDBNet(scale=2, blocks=1, features=8, growth=4)
    torch.nn.init.constant_(network.conv_last.bias, 0.5)
    return save(network, tmp_path_factory.mktemp("sr") / "x2.pth")


def on_cpu(path: Path, **settings) -> NetworkUpscaler:
    return load_upscaler(path, device="cpu", precision="fp32", **settings)


@pytest.mark.parametrize(
    ("asked", "size_wh", "scale"),
    [
        ({}, (212, 164), 4.0),
        ({"scale": 2}, (106, 82), 2),
        ({"scale": 1.5}, (80, 62), 1.5),
        ({"scale": 0.25}, (13, 10), 0.25),
        ({"scale": 6}, (318, 246), 6),
        ({"height": 100}, (129, 100), None),
        ({"height": 1}, (1, 1), None),
    ],
)
def test_any_size(srvgg, asked, size_wh, scale):
    for upscaler in (on_cpu(srvgg, **asked), Lanczos(**asked) if asked else Lanczos(scale=4)):
        assert upscaler.scale == scale
        assert upscaler.size_for((53, 41)) == size_wh
        enlarged = upscaler.upscale(PICTURE)
        assert (enlarged.shape, enlarged.dtype) == ((size_wh[1], size_wh[0], 3), np.uint8)
        assert np.abs(enlarged.mean((0, 1)) - PICTURE.mean((0, 1))).max() < 25  # the colours are still in their order


def test_lanczos_doubles_when_nothing_is_asked_for():
    assert Lanczos().scale == 2.0
    assert Lanczos()(PICTURE).shape == (82, 106, 3)
    assert not Lanczos.needs_weights
    assert Lanczos().remarks() == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (2, 1), (3, 2)])
@pytest.mark.parametrize("kind", ["srvgg", "rrdb_x2"])
def test_tiny_pictures(request, kind, shape):
    upscaler = on_cpu(request.getfixturevalue(kind))
    picture = np.full((*shape, 3), 90, np.uint8)
    scale = int(upscaler.scale)
    assert upscaler(picture).shape == (scale * shape[0], scale * shape[1], 3)


def test_a_very_long_picture(srvgg):
    picture = np.random.default_rng(0).integers(0, 255, (20, 20_000, 3), np.uint8)
    assert on_cpu(srvgg, border=0)(picture).shape == (80, 80_000, 3)
    assert Lanczos(scale=2)(picture).shape == (40, 40_000, 3)


def test_grey_stays_grey(srvgg):
    grey = PICTURE[:, :, 1]
    expected = on_cpu(srvgg)(np.dstack([grey] * 3)).astype(float) @ (0.299, 0.587, 0.114)
    assert np.abs(on_cpu(srvgg)(grey) - expected).max() <= 1
    assert Lanczos()(grey).shape == (82, 106)


def test_alpha_is_enlarged_beside_the_colours(srvgg):
    alpha = np.zeros(PICTURE.shape[:2], np.uint8)
    alpha[:, 20:] = 255
    enlarged = on_cpu(srvgg)(np.dstack((PICTURE, alpha)))
    np.testing.assert_array_equal(enlarged[:, :, :3], on_cpu(srvgg)(PICTURE))
    assert not enlarged[:, :70, 3].any()
    assert (enlarged[:, 90:, 3] == 255).all()


def test_sixteen_bits_are_kept(srvgg):
    ramp = np.tile(np.linspace(0, 65535, 3000).astype(np.uint16)[None, :, None], (8, 1, 3))
    enlarged = on_cpu(srvgg, border=0)(ramp)
    assert enlarged.dtype == np.uint16
    assert len(np.unique(enlarged[:, :, 0])) > 3000
    eight = on_cpu(srvgg, border=0)((ramp // 257).astype(np.uint8))
    assert np.abs(enlarged / 257.0 - eight).max() < 3
    assert Lanczos()(ramp).dtype == np.uint16


def test_sixteen_bits_through_a_coarse_format_are_told(srvgg):
    upscaler = load_upscaler(srvgg, device="cpu", precision="bf16")
    with pytest.warns(LipwiseWarning, match="fp32"):
        upscaler(PICTURE.astype(np.uint16) * 257)


def test_equal_frames_are_computed_once(srvgg, monkeypatch):
    upscaler = on_cpu(srvgg)
    computed = []
    whole = upscaler.tiles.__call__
    monkeypatch.setattr(upscaler, "tiles", lambda picture: computed.append(1) or whole(picture))
    other = PICTURE.copy()
    other[0, 0, 0] ^= 1
    frame = PICTURE.copy()
    first = upscaler(frame)
    kept = first.copy()
    first[:] = 0  # the caller may draw on what it got
    np.testing.assert_array_equal(upscaler(frame), kept)
    assert (len(computed), upscaler.reused) == (1, 1)
    frame[0, 0, 0] ^= 1  # and may use its own memory again
    np.testing.assert_array_equal(upscaler(frame), upscaler(other))
    assert (len(computed), upscaler.reused) == (2, 2)
    upscaler(PICTURE)
    upscaler(PICTURE[:, :, 0])
    assert (len(computed), upscaler.reused) == (4, 2)


def test_two_runs_give_the_same_bytes(srvgg):
    np.testing.assert_array_equal(on_cpu(srvgg, tile=32)(PICTURE), on_cpu(srvgg, tile=32)(PICTURE))


def test_tiles_equal_the_whole_for_folded_pixels(tmp_path):
    torch.manual_seed(13)
    network = RRDBNet(scale=2, blocks=1, features=8, growth=4)
    with torch.no_grad():
        network.conv_last.weight *= 20
    path = save(network, tmp_path / "x2.pth")
    picture = astronaut()[:131, 150:301]
    whole = on_cpu(path)(picture).astype(int)
    assert whole.std() > 5
    assert np.abs(on_cpu(path, tile=100, overlap=50)(picture) - whole).max() <= 1


def test_denoise_mixes_two_checkpoints(tmp_path):
    torch.manual_seed(14)
    networks = [SRVGGNetCompact(convolutions=2, features=8) for _ in range(2)]
    path, wdn = (save(network, tmp_path / name) for network, name in zip(networks, ("g.pth", "wdn.pth"), strict=True))
    own, other = (network.state_dict() for network in networks)
    for strength in (0.0, 0.3, 1.0):
        mixed = on_cpu(path, denoise=strength, wdn_path=wdn).runner._precise.state_dict()
        for name, tensor in mixed.items():
            torch.testing.assert_close(tensor, strength * own[name] + (1 - strength) * other[name])


def test_what_it_says_of_itself(srvgg):
    upscaler = on_cpu(srvgg)
    assert (upscaler.name, upscaler.engine, upscaler.network_scale) == ("small", "lipwise", 4)
    assert upscaler.needs_weights
    assert upscaler.note == "A checkpoint of your own in Real-ESRGAN's layout; its owner's licence holds."
    assert on_cpu(srvgg, licence="BSD-3-Clause").note == "Its weights: BSD-3-Clause."
    assert on_cpu(srvgg, name="mine").name == "mine"
    assert upscaler.remarks() == []
    assert upscaler.tiles.overlap == 2 * 4  # as far as its convolutions look, on either side


def test_shrinking_takes_the_mean_of_what_a_pixel_covers():
    """Picking single pixels, as interpolation alone does, would show stripes that are not there."""
    stripes = np.tile(np.array([0, 255, 255, 0, 255, 0], np.uint8)[None, :, None], (48, 16, 3))
    assert Lanczos(scale=0.125)(stripes).std() < 30
    assert Lanczos(scale=1 / 6)(stripes).std() < 1


class NeedsEights(torch.nn.Module):
    def forward(self, pictures):
        assert pictures.shape[2] % 8 == pictures.shape[3] % 8 == 0
        return pictures.repeat_interleave(2, 2).repeat_interleave(2, 3)


def test_spandrels_networks_are_given_the_sides_they_ask_for():
    network = SpandrelNetwork(NeedsEights(), scale=2, multiple=8, smallest=1, square=False)
    pictures = torch.rand(1, 3, 13, 9)
    torch.testing.assert_close(network(pictures), pictures.repeat_interleave(2, 2).repeat_interleave(2, 3))
    square = SpandrelNetwork(torch.nn.Identity(), scale=1, multiple=4, smallest=16, square=True)
    assert square.model(pictures).shape == square(pictures).shape


def test_a_network_that_works_in_fp32_only_is_left_there(monkeypatch):
    form = SpandrelNetwork(NeedsEights(), scale=2, multiple=8, smallest=1, square=False)
    monkeypatch.setattr(
        upscalers, "load_network", lambda *_, **__: LoadedNetwork(form, form, "spandrel", (torch.float32,))
    )
    with pytest.warns(LipwiseWarning, match=r"does not work in torch\.bfloat16"):
        upscaler = load_upscaler("any.pth", device="cpu", precision="bf16")
    assert upscaler.runner.dtype == torch.float32
    assert upscaler.note == "A checkpoint of your own that spandrel knows; its owner's licence holds."
    assert (upscaler(PICTURE) == PICTURE.repeat(2, 0).repeat(2, 1)).all()
