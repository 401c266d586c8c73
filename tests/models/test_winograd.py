"""The quick form of the networks for processors: the same pictures, and only where it was measured to be quicker."""

import copy

import pytest
import torch

from lipwise.models import winograd
from lipwise.models.sr_networks import RRDBNet, SRVGGNetCompact
from lipwise.models.winograd import RegroupedDenseBlock, WinogradConv, winograd_pays, with_winograd

CPU = torch.device("cpu")
available = hasattr(torch, "_nnpack_available") and torch._nnpack_available()
needs_nnpack = pytest.mark.skipif(
    not available, reason="torch was built without NNPACK, or it does not know this processor"
)


@pytest.fixture(params=["rrdb", "rrdb at scale 2", "srvgg"])
def network(request) -> torch.nn.Module:
    torch.manual_seed(7)
    if request.param == "srvgg":
        return SRVGGNetCompact(convolutions=3, features=32).eval()
    return RRDBNet(scale=2 if "2" in request.param else 4, blocks=2).eval()


@needs_nnpack
@pytest.mark.parametrize("size", [(2, 2), (2, 40), (36, 50)])
@torch.inference_mode()
def test_the_quick_form_gives_the_same(network, size):
    pictures = torch.rand(2, 3, *size)
    expected = network(pictures)
    quick = with_winograd(copy.deepcopy(network)).to(memory_format=torch.channels_last)
    torch.testing.assert_close(quick(pictures), expected, atol=2e-5, rtol=1e-4)


@needs_nnpack
def test_every_wide_convolution_is_replaced(network):
    quick = with_winograd(copy.deepcopy(network))
    left = [module for module in quick.modules() if isinstance(module, torch.nn.Conv2d)]
    assert all(min(module.in_channels, module.out_channels) < winograd.FEWEST_CHANNELS for module in left)
    assert any(isinstance(module, WinogradConv) for module in quick.modules())
    blocks = sum(isinstance(module, RegroupedDenseBlock) for module in quick.modules())
    assert blocks == (6 if isinstance(network, RRDBNet) else 0)


def test_other_convolutions_are_left_alone():
    others = torch.nn.Sequential(
        torch.nn.Conv2d(32, 32, 3),
        torch.nn.Conv2d(32, 32, 3, padding=1, stride=2),
        torch.nn.Conv2d(32, 32, 3, padding=1, groups=2),
        torch.nn.Conv2d(32, 32, 3, padding=1, padding_mode="reflect"),
        torch.nn.Conv2d(32, 32, 1),
    )
    assert not any(isinstance(module, WinogradConv) for module in with_winograd(others).modules())


def test_only_fp32_on_a_processor_that_was_measured(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert winograd_pays(CPU, torch.float32) == available
    assert not winograd_pays(CPU, torch.bfloat16)
    assert not winograd_pays(torch.device("cuda"), torch.float32)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    assert not winograd_pays(CPU, torch.float32)


def test_a_torch_without_nnpack(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    monkeypatch.delattr(torch, "_nnpack_available")
    assert not winograd_pays(CPU, torch.float32)
