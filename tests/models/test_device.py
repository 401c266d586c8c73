"""Which device and number format are chosen, and batch norm folded into convolutions."""

import pytest
import torch
from torch import nn

from lipwise.errors import SettingsError
from lipwise.models import device as device_module
from lipwise.models.device import (
    choose_device,
    choose_dtype,
    fold_batch_norm,
    is_out_of_memory,
)


def test_a_real_allocation_that_fails_is_known_as_one():
    with pytest.raises((RuntimeError, MemoryError)) as caught:
        torch.empty(2**48)
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize("name", ["cuda:99", "teapot", "mps:7"])
def test_a_device_that_is_not_there_is_named(name):
    with pytest.raises(SettingsError, match=f"no device '{name}'"):
        choose_device(name)


def test_the_graphics_card_is_chosen_if_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device().type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device().type == "cpu"
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize(
    ("device", "bf16", "dtype"),
    [
        ("cuda", False, torch.float16),
        ("cpu", True, torch.bfloat16),
        ("cpu", False, torch.float32),
        ("mps", True, torch.float32),
    ],
)
def test_precision_chosen_for_a_device(device, bf16, dtype, monkeypatch):
    monkeypatch.setattr(device_module, "has_fast_bf16", lambda: bf16)
    assert choose_dtype(torch.device(device)) == dtype
    assert choose_dtype(torch.device(device), "fp32") == torch.float32


def test_an_unknown_precision_is_refused():
    with pytest.raises(SettingsError, match="no precision 'fp8'"):
        choose_dtype(torch.device("cpu"), "fp8")


def random_block(convolution: nn.Module) -> nn.Sequential:
    norm = nn.BatchNorm2d(6)
    with torch.no_grad():
        for values in (norm.weight, norm.running_var):
            values.uniform_(0.5, 2)
        for values in (norm.bias, norm.running_mean):
            values.normal_()
    return nn.Sequential(nn.Sequential(convolution, norm), nn.ReLU()).eval()


@pytest.mark.parametrize(
    ("convolution", "folds"),
    [
        (nn.Conv2d(4, 6, 3, stride=2, padding=1), True),
        (nn.Conv2d(4, 6, 3, groups=2, bias=False), True),
        (nn.ConvTranspose2d(4, 6, 3, stride=2, output_padding=1), True),
        (nn.ConvTranspose2d(4, 6, 3, groups=2), False),
    ],
    ids=["plain", "grouped", "transposed", "transposed and grouped"],
)
def test_folding_batch_norm_keeps_the_output(convolution, folds):
    torch.manual_seed(1)
    block, x = random_block(convolution), torch.randn(2, 4, 9, 9)
    before = block(x)
    after = fold_batch_norm(block)(x)
    assert torch.allclose(before, after, atol=1e-5)
    assert any(isinstance(module, nn.BatchNorm2d) for module in block.modules()) is not folds
