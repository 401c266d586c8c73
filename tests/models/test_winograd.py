"""The quick form of the upscalers for processors: the same pictures, and only where it was measured to be quicker."""

import copy

import pytest
import torch
from numba import njit
from torch import nn

from lipwise.models import winograd_loops
from lipwise.models.processor import winograd_pays
from lipwise.models.sr_networks import RRDB, RRDBNet, SRVGGNetCompact
from lipwise.models.winograd import WinogradBody, WinogradConv, compile_loops, with_winograd
from lipwise.models.winograd_loops import GROUP, ROWS, TILES

CPU = torch.device("cpu")


@pytest.fixture(params=["rrdb", "rrdb at scale 2", "srvgg"])
def network(request) -> nn.Module:
    torch.manual_seed(7)
    if request.param == "srvgg":
        return SRVGGNetCompact(convolutions=3, features=32).eval()
    return RRDBNet(scale=2 if "2" in request.param else 4, blocks=2).eval()


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


# The last is more than a block of tiles, and ends with a tile that is cut on both sides.
@pytest.mark.parametrize("size", [(2, 2), (2, 40), (36, 50), (74, 76)])
@torch.inference_mode()
def test_the_quick_form_gives_the_same(network, size):
    pictures = torch.rand(2, 3, *size)
    expected = network(pictures)
    quick = with_winograd(copy.deepcopy(network)).to(memory_format=torch.channels_last)
    torch.testing.assert_close(quick(pictures), expected, atol=2e-5, rtol=1e-4)


@torch.inference_mode()
def test_no_number_of_threads_changes_a_bit(threads):
    torch.manual_seed(7)
    convolution = WinogradConv(nn.Conv2d(64, 32, 3, padding=1))
    x = torch.rand(1, 64, 150, 90)
    made = convolution(x)
    torch.set_num_threads(1)
    assert torch.equal(made, convolution(x))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("channels_in", "channels_out"), [(32, 96), (96, 32)])
@torch.inference_mode()
def test_any_whole_number_of_groups(channels_in, channels_out, bias):
    plain = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=bias)
    x = torch.rand(1, channels_in, 9, 13)
    torch.testing.assert_close(WinogradConv(plain)(x), plain(x), atol=1e-5, rtol=1e-4)


def test_numbers_that_are_none_reach_the_output():
    """What tells the runner that a precision overflowed must not be lost in a maximum."""
    convolution = WinogradConv(nn.Conv2d(32, 32, 3, padding=1))
    x = torch.zeros(1, 32, 12, 12)
    x[0, 5, 3, 3] = torch.nan
    assert not torch.isfinite(convolution(x)).all()


def test_every_convolution_of_whole_groups_is_replaced(network):
    quick = with_winograd(copy.deepcopy(network))
    left = [module for module in quick.modules() if isinstance(module, nn.Conv2d)]
    assert all(module.in_channels % GROUP or module.out_channels % GROUP for module in left)
    assert not any(isinstance(module, RRDB) for module in quick.modules())
    bodies = [module for module in quick.modules() if isinstance(module, WinogradBody)]
    assert len(bodies) == isinstance(network, RRDBNet)
    wanted = sum(isinstance(module, nn.Conv2d) for module in network.modules())
    assert len(left) + sum(isinstance(module, WinogradConv) for module in quick.modules()) == wanted


def test_other_convolutions_are_left_alone():
    others = nn.Sequential(
        nn.Conv2d(32, 32, 3),
        nn.Conv2d(32, 32, 3, padding=1, stride=2),
        nn.Conv2d(32, 32, 3, padding=1, groups=2),
        nn.Conv2d(32, 32, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(32, 48, 3, padding=1),
        nn.Conv2d(32, 32, 1),
    )
    assert not any(isinstance(module, WinogradConv) for module in with_winograd(others).modules())


def test_dense_blocks_of_other_widths_are_left_alone():
    network = RRDBNet(blocks=1, features=32, growth=16).eval()
    pictures = torch.rand(1, 3, 8, 8)
    with torch.inference_mode():
        expected = network(pictures)
        quick = with_winograd(network)
        torch.testing.assert_close(quick(pictures), expected, atol=2e-5, rtol=1e-4)
    assert not any(isinstance(module, WinogradBody) for module in quick.modules())


def test_a_block_is_whole_rows_of_the_product():
    assert TILES % ROWS == 0


def test_only_fp32_on_a_processor_that_was_measured(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert winograd_pays(CPU, torch.float32)
    assert not winograd_pays(CPU, torch.bfloat16)
    assert not winograd_pays(torch.device("cuda"), torch.float32)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    assert not winograd_pays(CPU, torch.float32)


def test_without_a_folder_to_keep_it_in_it_is_compiled_each_time(monkeypatch):
    def without_folder(function, *, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(function, **options)

    monkeypatch.setattr(winograd_loops, "njit", without_folder)
    assert winograd_loops._compiled(lambda one: one + 1)(2) == 3


def test_the_first_picture_compiles_nothing():
    compile_loops()
    known = list(winograd_loops.convolve.signatures)
    WinogradConv(nn.Conv2d(64, 32, 3, padding=1))(torch.rand(1, 64, 7, 7))
    assert winograd_loops.convolve.signatures == known
