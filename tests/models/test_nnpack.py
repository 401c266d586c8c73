"""NNPACK's convolutions, for the restorers: the same numbers, and only where they were measured to be quicker."""

import pytest
import torch
from torch import nn

from lipwise.models.nnpack import FEWEST_CHANNELS, NnpackConv, nnpack_pays, with_nnpack

CPU = torch.device("cpu")
available = hasattr(torch, "_nnpack_available") and torch._nnpack_available()
needs_nnpack = pytest.mark.skipif(
    not available, reason="torch was built without NNPACK, or it does not know this processor"
)


@needs_nnpack
@pytest.mark.parametrize("size", [(2, 2), (36, 50)])
@torch.inference_mode()
def test_it_computes_the_same(size):
    torch.manual_seed(7)
    network = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.Conv2d(64, 32, 3, padding=1))
    pictures = torch.rand(2, 3, *size)
    expected = network(pictures)
    quick = with_nnpack(network).to(memory_format=torch.channels_last)
    torch.testing.assert_close(quick(pictures), expected, atol=2e-5, rtol=1e-4)
    assert [isinstance(one, NnpackConv) for one in quick] == [False, True]


def test_other_convolutions_are_left_alone():
    others = nn.Sequential(
        nn.Conv2d(32, 32, 3),
        nn.Conv2d(32, 32, 3, padding=1, stride=2),
        nn.Conv2d(32, 32, 3, padding=1, groups=2),
        nn.Conv2d(32, 32, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(32, FEWEST_CHANNELS - 1, 3, padding=1),
        nn.Conv2d(32, 32, 1),
    )
    assert not any(isinstance(module, NnpackConv) for module in with_nnpack(others).modules())


def test_only_fp32_on_a_processor_that_was_measured(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert nnpack_pays(CPU, torch.float32) == available
    assert not nnpack_pays(CPU, torch.bfloat16)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    assert not nnpack_pays(CPU, torch.float32)


def test_a_torch_without_nnpack(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    monkeypatch.delattr(torch, "_nnpack_available")
    assert not nnpack_pays(CPU, torch.float32)
