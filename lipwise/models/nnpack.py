"""Single convolutions by Winograd's method, for the restorers on processors that have AVX2 and nothing wider.

It computes a 3 x 3 convolution in tiles of 8 x 8 with a fifth of the multiplications (Lavin and Gray, "Fast Algorithms
for Convolutional Neural Networks", 2016). NNPACK, which torch carries inside, has it; torch's own choice of algorithm
never takes it for one picture. It transforms the kernels at every call: `lipwise.models.winograd` does so once, which
would take seven times the weights' memory, too much for a restorer.
"""

import torch
from torch import Tensor, nn

from lipwise.models.processor import winograd_pays

FEWEST_CHANNELS = 32  # with fewer of them, transforming costs more than it saves


def nnpack_pays(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether NNPACK's convolutions are there and faster than torch's own."""
    if not winograd_pays(device, dtype):
        return False
    if not hasattr(torch, "_nnpack_available") or not hasattr(torch, "_nnpack_spatial_convolution"):
        return False
    # It also sets NNPACK up, without which the convolution fails.
    return torch._nnpack_available()  # pyright: ignore[reportPrivateImportUsage]  # torch names it nowhere else


def with_nnpack(network: nn.Module) -> nn.Module:
    """Replace, in place, every 3 x 3 convolution that gains by it; for float32 on the processor."""
    for name, child in network.named_children():
        if isinstance(child, nn.Conv2d) and _gains(child):
            setattr(network, name, NnpackConv(child.weight, child.bias))
        else:
            with_nnpack(child)
    return network


def _gains(convolution: nn.Conv2d) -> bool:
    plain = convolution.stride == convolution.dilation == (1, 1) and convolution.padding_mode == "zeros"
    wide = min(convolution.in_channels, convolution.out_channels) >= FEWEST_CHANNELS
    return (
        plain
        and wide
        and convolution.groups == 1
        and convolution.kernel_size == (3, 3)
        and convolution.padding == (1, 1)
    )


def _nnpack_convolution(picture: Tensor, kernels: Tensor, bias: Tensor | None) -> Tensor:
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
        rows = [_nnpack_convolution(row, kernels, self.bias) for row in x.split(1)]
        return rows[0] if len(rows) == 1 else torch.cat(rows)
