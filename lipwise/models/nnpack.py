"""Single convolutions by NNPACK, which torch carries inside, for the restorers; see `lipwise.models.winograd`.

torch's own choice of algorithm never takes NNPACK for one picture. It transforms the kernels at every call; to do so
once, as for the upscalers, would take seven times the weights' memory, too much for a restorer.
"""

import torch
from torch import Tensor, nn

from lipwise.models.processor import winograd_pays
from lipwise.models.rewrite import is_plain_conv3, rewrite

FEWEST_CHANNELS = 32


def nnpack_pays(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether NNPACK's convolutions are there and faster than torch's own."""
    if not winograd_pays(device, dtype):
        return False
    if not hasattr(torch, "_nnpack_available") or not hasattr(torch, "_nnpack_spatial_convolution"):
        return False
    # It also sets NNPACK up, without which the convolution fails.
    return torch._nnpack_available()  # pyright: ignore[reportPrivateImportUsage]  # torch names it nowhere else


def nnpack_gains(channels_in: int, channels_out: int) -> bool:
    """Whether a convolution is wide enough for transforming to cost less than it saves."""
    return min(channels_in, channels_out) >= FEWEST_CHANNELS


def with_nnpack(network: nn.Module) -> nn.Module:
    """Replace, in place, every 3 x 3 convolution that gains by it; for float32 on the processor."""
    rewrite(network, _quicker)
    return network


def _quicker(module: nn.Module) -> nn.Module | None:
    if is_plain_conv3(module) and nnpack_gains(module.in_channels, module.out_channels):
        return NnpackConv(module.weight, module.bias)
    return None


def nnpack_convolution(picture: Tensor, kernels: Tensor, bias: Tensor | None) -> Tensor:
    """One picture (1, in, H, W) with kernels (out, in, 3, 3), a border of one zero pixel: (1, out, H, W) float32."""
    convolve = torch._nnpack_spatial_convolution  # pyright: ignore[reportPrivateImportUsage]  # torch names it nowhere else
    return convolve(picture, kernels, bias, [1, 1])


class NnpackConv(nn.Module):
    """A 3 x 3 convolution with a border of one zero pixel.

    Args:
        weight: (out, in, 3, 3) float32.
        bias: (out,), or None for none.
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        # Three axes, so that a change of the memory layout of the whole network passes the weights by.
        self.register_buffer("weight", weight.detach().flatten(2).contiguous())  # (out, in, 9)
        self.register_buffer("bias", None if bias is None else bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) to (B, out, H, W)."""
        kernels = self.weight.unflatten(2, (3, 3))
        # Row by row: for a batch NNPACK has no such algorithm.
        rows = [nnpack_convolution(row, kernels, self.bias) for row in x.split(1)]
        return rows[0] if len(rows) == 1 else torch.cat(rows)
