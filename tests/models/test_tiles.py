"""Cutting and joining: nothing of it may be seen, and memory stays that of a row of tiles."""

import itertools
import tracemalloc

import numpy as np
import pytest
import torch
from skimage.data import astronaut
from torch import nn

from lipwise.errors import LipwiseError, LipwiseWarning, SettingsError
from lipwise.models.device import BatchRunner
from lipwise.models.sr_networks import SRVGGNetCompact
from lipwise.models.tiles import TiledNetwork, tile_starts, tile_weights

SIDES = (1, 31, 32, 33, 64, 100, 257, 20_000)
CUTS = ((32, 0), (32, 1), (32, 3), (33, 16), (64, 12), (512, 128))


class Nearest(nn.Module):
    """Repeats pixels; fails on tiles of more than `most` pixels as torch does when memory runs out."""

    def __init__(self, scale: int, most: int = 10**9) -> None:
        super().__init__()
        self.scale, self.most = scale, most

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        if pictures.shape[2] * pictures.shape[3] > self.most:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
        return nn.functional.interpolate(pictures, scale_factor=self.scale)


def tiled(model: nn.Module, *, scale: int, tile: int, overlap: int, multiple: int = 1) -> TiledNetwork:
    runner = BatchRunner(model, name="test", device="cpu", precision="fp32", batch_size=2)
    return TiledNetwork(runner, scale=scale, multiple=multiple, tile=tile, overlap=overlap)


@pytest.fixture(scope="module")
def network() -> SRVGGNetCompact:
    """Random weights, but strong enough to change the picture; it looks 6 px far."""
    torch.manual_seed(5)
    network = SRVGGNetCompact(scale=2, convolutions=4, features=16)
    with torch.no_grad():
        network.body[-1].weight *= 6
    return network


@pytest.mark.parametrize(("side", "cut", "multiple"), itertools.product(SIDES, CUTS, (1, 2)))
def test_tiles_cover_a_side(side, cut, multiple):
    tile, overlap = -(-cut[0] // multiple) * multiple, cut[1]
    side = -(-side // multiple) * multiple
    size, starts = tile_starts(side, tile, overlap, multiple=multiple)
    assert size <= tile
    assert starts[0] == 0
    assert starts[-1] + size == side
    assert all(start % multiple == 0 for start in [*starts, size])
    assert all(0 < second - first <= size - overlap for first, second in itertools.pairwise(starts))
    weights = tile_weights(starts, size, overlap, 2)
    total = np.zeros(2 * side)
    for start, weight in zip(starts, weights, strict=True):
        total[2 * start :][: 2 * size] += weight
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert weights.min() >= 0


def test_what_a_cut_spoils_does_not_count():
    size, starts = tile_starts(100, 64, 16)
    weights = tile_weights(starts, size, 16, 1)
    assert not weights[0][-7:].any()
    assert not weights[1][:7].any()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 200), (45, 33), (96, 131)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_repeated_pixels_come_back_exactly(height, width, kind):
    picture = np.random.default_rng(1).integers(0, np.iinfo(kind).max, (height, width, 3), endpoint=True).astype(kind)
    enlarged = tiled(Nearest(3), scale=3, tile=40, overlap=8)(picture)
    np.testing.assert_array_equal(enlarged, picture.repeat(3, axis=0).repeat(3, axis=1))


def test_tiles_equal_the_whole(network):
    picture = astronaut()[:150, 150:390]
    whole = tiled(network, scale=2, tile=512, overlap=12)(picture).astype(int)
    pieces = tiled(network, scale=2, tile=64, overlap=12)(picture)
    assert whole.std() > 20
    assert np.abs(whole - pieces).max() <= 1  # everywhere: borders of the picture are borders of a tile too


def test_without_overlap_the_seams_show(network):
    picture = astronaut()[:150, 150:390]
    whole = tiled(network, scale=2, tile=512, overlap=12)(picture).astype(int)
    cut = tiled(network, scale=2, tile=64, overlap=0)(picture)
    assert np.abs(whole - cut).max() > 10


def test_tiles_start_where_pixels_are_folded():
    class Folded(Nearest):
        def forward(self, pictures):
            corner = nn.functional.pixel_unshuffle(pictures, 2)[:, ::4]  # the upper left pixel of each four
            return nn.functional.interpolate(corner, scale_factor=2 * self.scale)

    picture = np.random.default_rng(2).integers(0, 255, (70, 94, 3), np.uint8)
    enlarged = tiled(Folded(1), scale=1, tile=36, overlap=7, multiple=2)(picture)
    np.testing.assert_array_equal(enlarged, picture[::2, ::2].repeat(2, axis=0).repeat(2, axis=1))


def test_memory_that_runs_out_halves_the_tile_for_good():
    network = tiled(Nearest(2, most=40 * 40), scale=2, tile=128, overlap=32)
    picture = astronaut()[:100, :90]
    with pytest.warns(LipwiseWarning) as caught:
        enlarged = network(picture)
    np.testing.assert_array_equal(enlarged, picture.repeat(2, axis=0).repeat(2, axis=1))
    assert sum("memory ran out with tiles" in str(warning.message) for warning in caught) == network.halvings > 0
    assert network.tile <= 40
    assert f"{network.tile} px" in network.remarks()[0]
    halvings = network.halvings
    network(picture)
    assert network.halvings == halvings


def test_a_network_that_fits_in_no_size_says_so():
    with pytest.warns(LipwiseWarning), pytest.raises(LipwiseError, match="does not fit into memory"):
        tiled(Nearest(2, most=100), scale=2, tile=128, overlap=0)(astronaut()[:100, :90])


def test_other_faults_pass_through():
    class Broken(nn.Module):
        def forward(self, pictures):
            return pictures * torch.nan

    with pytest.raises(LipwiseError, match="NaN"):
        tiled(Broken(), scale=1, tile=64, overlap=0)(astronaut()[:100, :90])


@pytest.mark.parametrize(("tile", "overlap"), [(0, 0), (31, 0), (64, 33), (64, 64), (64, 100), (64, -1)])
def test_tiles_that_make_no_sense(tile, overlap):
    with pytest.raises(SettingsError, match=f"tiles of {tile} px"):
        tiled(Nearest(2), scale=2, tile=tile, overlap=overlap)


def test_memory_does_not_grow_with_the_height():
    def peak_beside_output(height: int) -> int:
        picture = np.zeros((height, 256, 3), np.uint8)
        tracemalloc.start()
        enlarged = tiled(Nearest(4), scale=4, tile=64, overlap=16)(picture)
        peak = tracemalloc.get_traced_memory()[1] - enlarged.nbytes
        tracemalloc.stop()
        return peak

    assert peak_beside_output(800) < 1.25 * peak_beside_output(200)
