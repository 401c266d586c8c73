"""Convolutions with fewer multiplications, for processors that have AVX2 and nothing wider.

Winograd's method computes a 3 x 3 convolution in tiles of 8 x 8 with a fifth of the multiplications (Lavin and Gray,
"Fast Algorithms for Convolutional Neural Networks", 2016). NNPACK, which torch carries inside, has it; torch's own
choice of algorithm never takes it for one picture. Transforming a tile costs more than reading it back, so the dense
block is regrouped as well: each feature is transformed once and gives its share to all later convolutions at the same
time, where the plain block transforms it again for every one of them. The sums are the same in another order; the
outputs differ in the fifth decimal.

On one core of an AMD EPYC of the third generation RRDBNet takes a little over half of plain fp32's time so
(benchmarks/enhance.py). Processors with AVX-512 are not sent here: torch's own convolutions are twice as wide there.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lipwise.models.sr_networks import LEAK, RESIDUAL, DenseBlock

MEASURED_ON = "AVX2"  # as torch names what a processor can do at most
FEWEST_CHANNELS = 32  # with fewer of them, transforming costs more than it saves


def winograd_pays(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether NNPACK's convolutions are there and faster than torch's own.

    A rule and not a timing at each start: two runs have to take the same way to give the same bytes.
    """
    if device.type != "cpu" or dtype != torch.float32 or torch.backends.cpu.get_cpu_capability() != MEASURED_ON:
        return False
    if not hasattr(torch, "_nnpack_available") or not hasattr(torch, "_nnpack_spatial_convolution"):
        return False
    # It also sets NNPACK up, without which the convolution fails.
    return torch._nnpack_available()  # pyright: ignore[reportPrivateImportUsage]  # torch names it nowhere else


def with_winograd(network: nn.Module) -> nn.Module:
    """Replace, in place, every dense block and 3 x 3 convolution that gains by it; for float32 on the processor."""
    for name, child in network.named_children():
        if isinstance(child, DenseBlock):
            setattr(network, name, RegroupedDenseBlock(child))
        elif isinstance(child, nn.Conv2d) and _gains(child):
            setattr(network, name, WinogradConv(child.weight, child.bias))
        else:
            with_winograd(child)
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


class WinogradConv(nn.Module):
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


class RegroupedDenseBlock(nn.Module):
    """A dense block that adds up what each feature gives to all later convolutions."""

    def __init__(self, block: DenseBlock) -> None:
        super().__init__()
        convolutions = [block.conv1, block.conv2, block.conv3, block.conv4, block.conv5]
        self.features, self.growth = block.conv1.in_channels, block.conv1.out_channels
        ends = [self.features + index * self.growth for index in range(len(convolutions))]
        shares = []
        for index, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            weight = torch.cat([later.weight[:, start:end] for later in convolutions[index:]])
            biases = [later.bias for later in convolutions if later.bias is not None] if index == 0 else []
            shares.append(WinogradConv(weight, torch.cat(biases) if biases else None))
        self.shares = nn.ModuleList(shares)

    def forward(self, x: Tensor) -> Tensor:
        """(B, features, H, W) to the same."""
        sums = self.shares[0](x)  # (B, 4 growth + features, H, W): what each convolution has got so far
        for share in list(self.shares)[1:]:
            found = F.leaky_relu(sums[:, : self.growth], LEAK)
            sums = sums[:, self.growth :].add_(share(found))
        return sums.mul_(RESIDUAL).add_(x)
