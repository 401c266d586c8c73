"""StyleGAN2's modulated convolution, computed so that it is fast on large pictures.

The published code multiplies each picture's style into five-axis weights, runs a grouped convolution over the batch,
which no fast algorithm takes and channels_last does not know, and then goes four more times over the picture: for the
gain, the noise, the bias and the activation. Here each picture of a batch gets plain weights with its style, the
demodulation and the gain in them, and noise and activation are put in in place.

The style's sums are made in float32, so that fp16 neither overflows nor loses a small style. Karras et al., "Analyzing
and Improving the Image Quality of StyleGAN", 2020, section 2.2.
"""

import math
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lipwise.models.nnpack import nnpack_convolution, nnpack_gains
from lipwise.models.rewrite import rewrite

CONVOLUTION, STYLED = "ModulatedConv2d", "StyleConv"  # what the classes are called in gfpgan and in spandrel
GAIN, LEAK = math.sqrt(2), 0.2  # of a StyleConv


class ModulatedConvolution(nn.Module):
    """Stands in for one `ModulatedConv2d` of gfpgan or spandrel and takes its weights over.

    Args:
        other: the convolution to stand in for; one that does not shrink the picture.
        nnpack: compute it by `lipwise.models.nnpack` where it gains by that.
    """

    def __init__(self, other: nn.Module, *, nnpack: bool = False) -> None:
        super().__init__()
        self.modulation: nn.Module = other.modulation  # pyright: ignore[reportAttributeAccessIssue]  # a submodule
        self.weight = nn.Parameter(cast("Tensor", other.weight).detach()[0].clone(), requires_grad=False)
        width_out, width_in, self.size, _ = self.weight.shape
        self.demodulate, self.upsamples = bool(other.demodulate), other.sample_mode == "upsample"
        self.eps = float(other.eps)  # pyright: ignore[reportArgumentType]  # a plain number in both
        self.nnpack = nnpack and self.size == 3 and nnpack_gains(width_in, width_out)

    def forward(self, x: Tensor, style: Tensor, *, gain: float = 1.0, bias: Tensor | None = None) -> Tensor:
        """(B, in, H, W) and (B, style) to (B, out, H, W), or (B, out, 2 H, 2 W) where it upsamples.

        Args:
            gain: the sum is multiplied by it.
            bias: (out,), added then.
        """
        scale = self.modulation(style).float()  # (B, in)
        if self.upsamples:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        rows = [self._convolve(row, one, gain, bias) for row, one in zip(x.split(1), scale, strict=True)]
        return rows[0] if len(rows) == 1 else torch.cat(rows)

    def _convolve(self, row: Tensor, scale: Tensor, gain: float, bias: Tensor | None) -> Tensor:
        """One picture (1, in, H, W) with the style's scale (in,)."""
        weight = self.weight.float() * scale[:, None, None]  # (out, in, k, k)
        if self.demodulate:
            weight = weight * torch.rsqrt(weight.square().sum((1, 2, 3), keepdim=True) + self.eps)
        weight = (weight * gain).to(row.dtype)
        if self.size == 1:  # as a matrix: torch's own way copies the picture first
            flat = weight.flatten(1) @ row[0].flatten(1)  # (out, H W)
            flat = flat if bias is None else flat.add_(bias[:, None])
            return flat.unflatten(1, row.shape[2:])[None]
        if self.nnpack:
            return nnpack_convolution(row, weight, bias)
        return F.conv2d(row, weight, bias, padding=self.size // 2)


class StyledConvolution(nn.Module):
    """Stands in for one `StyleConv`: modulated convolution, noise, bias, leaky ReLU."""

    def __init__(self, other: nn.Module, *, nnpack: bool = False) -> None:
        super().__init__()
        inner = cast("nn.Module", other.modulated_conv)
        self.convolution = ModulatedConvolution(inner, nnpack=nnpack)
        self.strength = nn.Parameter(cast("Tensor", other.weight).detach().clone(), requires_grad=False)
        self.bias = nn.Parameter(cast("Tensor", other.bias).detach().flatten().clone(), requires_grad=False)

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None = None) -> Tensor:
        """As `ModulatedConvolution`; noise (1 or B, 1, H', W') of the output's size, None adds none."""
        x = self.convolution(x, style, gain=GAIN, bias=self.bias)
        if noise is not None:
            x.add_(self.strength * noise)
        return F.leaky_relu_(x, LEAK)


def rewrite_modulation(network: nn.Module, *, nnpack: bool = False) -> int:
    """Put our modules in the place of all `StyleConv` and all other `ModulatedConv2d`, in place; returns how many.

    Those that shrink the picture, which no generator has, stay as they are.
    """
    return rewrite(network, partial(_quicker, nnpack=nnpack))


def _quicker(module: nn.Module, *, nnpack: bool) -> nn.Module | None:
    kind = type(module).__name__
    if kind not in (STYLED, CONVOLUTION):
        return None
    inner = module.modulated_conv if kind == STYLED else module
    if getattr(inner, "sample_mode", None) == "downsample":
        return None
    return (StyledConvolution if kind == STYLED else ModulatedConvolution)(module, nnpack=nnpack)
