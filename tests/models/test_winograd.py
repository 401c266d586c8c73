"""The quick form of the upscalers for processors: the same pictures, and only where it was measured to be quicker."""

import copy
import importlib.util
import os
import warnings

import numba
import pytest
import torch
from torch import nn

from lipwise.errors import LipwiseWarning
from lipwise.models import winograd, winograd_loops
from lipwise.models.sr_networks import RRDB, DenseBlock, RRDBNet, SRVGGNetCompact
from lipwise.models.winograd import WinogradBody, WinogradConv, compile_loops, with_winograd
from lipwise.models.winograd_loops import GROUP, ROWS, TILES


@pytest.fixture(autouse=True, scope="module")
def compiled():
    """Once for all, and kept."""
    compile_loops()


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


# Some end with whole tiles; the last is more than a block of tiles, and ends with one that is cut on both sides.
@pytest.mark.parametrize("size", [(2, 2), (2, 40), (6, 6), (12, 18), (30, 36), (36, 50), (74, 76)])
@torch.inference_mode()
def test_the_quick_form_gives_the_same(network, size):
    pictures = torch.rand(2, 3, *size)
    expected = network(pictures)
    quick = with_winograd(copy.deepcopy(network)).to(memory_format=torch.channels_last)
    torch.testing.assert_close(quick(pictures), expected, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (6, 6), (12, 18), (13, 12), (30, 30), (24, 18)])
@torch.inference_mode()
def test_every_pixel_up_to_the_border_is_right(size):
    torch.manual_seed(7)
    plain = nn.Conv2d(32, 32, 3, padding=1)
    x = torch.rand(1, 32, *size)
    torch.testing.assert_close(WinogradConv(plain)(x), plain(x), atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_views_of_other_pictures_are_read_rightly():
    torch.manual_seed(7)
    plain = nn.Conv2d(32, 32, 3, padding=1)
    larger = torch.rand(2, 64, 40, 33)
    quick = WinogradConv(plain)
    for view in (larger[1:, ::2, 3:15, 5:], larger[:, 32:].transpose(2, 3), larger[:1, :32].flip(3)):
        torch.testing.assert_close(quick(view), plain(view), atol=1e-5, rtol=1e-4)


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


@pytest.mark.parametrize("body", [False, True])
@pytest.mark.parametrize(
    "x",
    [torch.rand(1, 32, 7, 7), torch.rand(1, 96, 7, 7), torch.rand(7, 64, 7), torch.rand(1, 64, 7, 7).bfloat16()],
    ids=["too few channels", "too many", "an axis missing", "bf16"],
)
def test_other_inputs_are_refused(x, body):
    quick = WinogradBody([DenseBlock()] * 3) if body else WinogradConv(nn.Conv2d(64, 32, 3, padding=1))
    with pytest.raises(ValueError, match=r"expected \(B, 64, H, W\) float32, got \("):
        quick(x)


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


STAND_IN = """
from numba import njit

@njit
def convolve(picture, features, group, kernels, bias, slope, out, first, end):
    out[:] = slope
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Loops that compile in no time, from a file of their own."""
    path = tmp_path / "stand_in.py"
    path.write_text(STAND_IN)
    spec = importlib.util.spec_from_file_location("stand_in", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(winograd, "convolve", module.convolve)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    return module.convolve


def test_what_is_compiled_is_kept_for_later_runs(stand_in, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile_loops.__wrapped__()
    assert len(stand_in.signatures) == 1
    assert {path.suffix for path in (tmp_path / "__pycache__").glob("stand_in.convolve*")} == {".nbi", ".nbc"}


@pytest.mark.parametrize("content", [b"", b"rubbish"])
@pytest.mark.parametrize("which", ["nbi", "nbc"])
def test_what_is_kept_and_damaged_is_made_again(stand_in, tmp_path, which, content):
    compile_loops.__wrapped__()
    (kept,) = (tmp_path / "__pycache__").glob(f"stand_in.convolve*.{which}")
    whole = kept.stat().st_size
    kept.write_bytes(content)
    again = numba.njit(stand_in.py_func)  # as a later process has it
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")
        patch.setattr(winograd, "convolve", again)
        compile_loops.__wrapped__()
    assert len(again.signatures) == 1
    assert kept.stat().st_size == whole


def test_where_there_is_no_folder_to_keep_it_in_that_is_told(stand_in, tmp_path, monkeypatch):
    (tmp_path / "__pycache__").touch()
    monkeypatch.setenv("HOME", os.devnull)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    with pytest.warns(LipwiseWarning, match=r"in each process, .*no locator.*NUMBA_CACHE_DIR"):
        compile_loops.__wrapped__()
    assert len(stand_in.signatures) == 1


def test_where_the_disk_is_full_that_is_told(stand_in):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.warns(LipwiseWarning, match=r"in each process, .*File too large.*NUMBA_CACHE_DIR"):
            compile_loops.__wrapped__()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(stand_in.signatures) == 1


def test_the_first_picture_compiles_nothing():
    """Of any layout: the pictures of all the tests here need no other loops."""
    WinogradConv(nn.Conv2d(64, 32, 3, padding=1))(torch.rand(1, 64, 7, 7))
    assert len(winograd_loops.convolve.signatures) == 1
