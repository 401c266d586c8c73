"""The rewritten modulated convolution against the published ones."""

import importlib

import pytest
import torch

from lipwise.models.engines import engine_problem
from lipwise.models.modulation import ModulatedConvolution, rewrite_modulation
from lipwise.models.nnpack import nnpack_pays

HOMES = {
    "gfpgan": "gfpgan.archs.stylegan2_clean_arch",
    "spandrel": "spandrel.architectures.GFPGAN.__arch.stylegan2_clean_arch",
}


@pytest.fixture(params=HOMES)
def convolution_class(request):
    if request.param == "gfpgan" and engine_problem("gfpgan"):
        pytest.skip("gfpgan cannot be used here")
    pytest.importorskip(request.param)
    return importlib.import_module(HOMES[request.param]).ModulatedConv2d


@pytest.mark.parametrize("nnpack", [False, True])
@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize(("kernel", "mode"), [(3, "upsample"), (3, None), (1, None)])
def test_it_computes_the_same_for_batches(convolution_class, kernel, mode, demodulate, nnpack):
    if nnpack and not nnpack_pays(torch.device("cpu"), torch.float32):
        pytest.skip("this processor is not sent there")
    torch.manual_seed(1)
    other = convolution_class(32, 40, kernel, 16, demodulate=demodulate, sample_mode=mode)
    x, style = torch.randn(3, 32, 12, 10), torch.randn(3, 16)
    with torch.inference_mode():
        wanted, made = other(x, style), ModulatedConvolution(other, nnpack=nnpack)(x, style)
    assert made.shape == wanted.shape
    assert torch.allclose(made, wanted, atol=2e-5 * float(wanted.abs().max()))


@pytest.mark.parametrize("nnpack", [False, True])
@pytest.mark.parametrize("engine", HOMES)
def test_noise_bias_and_activation_are_the_same(engine, nnpack):
    if nnpack and not nnpack_pays(torch.device("cpu"), torch.float32):
        pytest.skip("this processor is not sent there")
    if engine == "gfpgan" and engine_problem("gfpgan"):
        pytest.skip("gfpgan cannot be used here")
    pytest.importorskip(engine)
    torch.manual_seed(1)
    module = importlib.import_module(HOMES[engine])
    other = module.StyleConv(32, 40, 3, 16, sample_mode="upsample").requires_grad_(False)
    other.weight += 0.3
    other.bias += torch.randn_like(other.bias)
    x, style, noise = torch.randn(2, 32, 6, 5), torch.randn(2, 16), torch.randn(1, 1, 12, 10)
    network = torch.nn.ModuleDict({"one": other})
    wanted = other(x, style, noise)
    assert rewrite_modulation(network, nnpack=nnpack) == 1
    assert torch.allclose(network["one"](x, style, noise), wanted, atol=1e-4)


def test_it_runs_in_channels_last(convolution_class):
    torch.manual_seed(1)
    other = convolution_class(8, 8, 3, 16)
    ours = ModulatedConvolution(other).to(memory_format=torch.channels_last)
    x, style = torch.randn(2, 8, 6, 6), torch.randn(2, 16)
    with torch.inference_mode():
        made = ours(x.contiguous(memory_format=torch.channels_last), style)
        assert torch.allclose(made, other(x, style), atol=1e-5)


def test_large_styles_do_not_overflow_in_half_precision(convolution_class):
    torch.manual_seed(1)
    other = convolution_class(64, 8, 3, 16)
    x, style = torch.randn(1, 64, 6, 6), 3e4 * torch.rand(1, 16)
    with torch.inference_mode():
        wanted = other(x, style)
        made = ModulatedConvolution(other).half()(x.half(), style.half())
    assert torch.isfinite(made).all()
    assert torch.allclose(made.float(), wanted, atol=0.05 * float(wanted.abs().max()))


def test_all_of_a_network_are_rewritten_but_those_that_shrink(convolution_class):
    network = torch.nn.ModuleDict(
        {
            "a": torch.nn.Sequential(convolution_class(4, 4, 3, 8)),
            "b": convolution_class(4, 4, 3, 8, sample_mode="downsample"),
        }
    )
    assert rewrite_modulation(network) == 1
    assert isinstance(network["a"][0], ModulatedConvolution)
    assert not isinstance(network["b"], ModulatedConvolution)


def test_a_style_of_zeros_gives_numbers(convolution_class):
    other = convolution_class(4, 4, 3, 8)
    for parameter in other.modulation.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.inference_mode():
        made = ModulatedConvolution(other)(torch.randn(1, 4, 6, 6), torch.randn(1, 8))
    assert torch.isfinite(made).all()
