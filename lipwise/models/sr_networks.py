"""The two networks of Real-ESRGAN, under the layer names of the published checkpoints.

RRDBNet: Wang et al., "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", 2018; the scales 1 and 2,
which fold pixels into channels first, and SRVGGNetCompact: Wang et al., "Real-ESRGAN: Training Real-World Blind
Super-Resolution with Pure Synthetic Data", 2021. The layers stand in the order in which both compute, which is the
order of their weights in an ncnn file too.
"""

import math
import re
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAK = 0.2  # slope of the leaky ReLUs below zero
RESIDUAL = 0.2  # how much of what a block found is added to what it was given
RRDB_UPSAMPLING = 4  # RRDBNet ends in two doublings, whatever its scale
COLOURS = 3

# How far, in pixels of the trunk, a cut through the picture changes RRDBNet's output by more than a grey step: measured
# with the weights of x4plus on photographs. In theory it is the number of its convolutions, about 350.
RRDB_REACH = 80
# RRDBNet's last layers work on 16 times as many pixels as the trunk; they are given so many of its rows at a time, and
# so many more on either side as their four convolutions look across (1 / 2 + 3 / 4).
STRIP_ROWS, STRIP_HALO = 64, 2


def conv3(channels_in: int, channels_out: int) -> nn.Conv2d:
    """The 3 x 3 convolution that all of them are made of; keeps height and width."""
    return nn.Conv2d(channels_in, channels_out, 3, padding=1)


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees what all before it found."""

    def __init__(self, features: int = 64, growth: int = 32) -> None:
        super().__init__()
        self.conv1 = conv3(features, growth)
        self.conv2 = conv3(features + growth, growth)
        self.conv3 = conv3(features + 2 * growth, growth)
        self.conv4 = conv3(features + 3 * growth, growth)
        self.conv5 = conv3(features + 4 * growth, features)

    def forward(self, x: Tensor) -> Tensor:
        """(B, features, H, W) to the same."""
        seen = x
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            found = F.leaky_relu(convolution(seen), LEAK, inplace=True)
            seen = torch.cat((seen, found), dim=1)  # (B, features + k growth, H, W)
        return self.conv5(seen) * RESIDUAL + x


class RRDB(nn.Module):
    """Three dense blocks in a residual."""

    def __init__(self, features: int = 64, growth: int = 32) -> None:
        super().__init__()
        self.rdb1 = DenseBlock(features, growth)
        self.rdb2 = DenseBlock(features, growth)
        self.rdb3 = DenseBlock(features, growth)

    def forward(self, x: Tensor) -> Tensor:
        """(B, features, H, W) to the same."""
        return self.rdb3(self.rdb2(self.rdb1(x))) * RESIDUAL + x


class RRDBNet(nn.Module):
    """Real-ESRGAN's large network: x4plus (23 blocks), x4plus_anime_6B (6 blocks), x2plus (scale 2).

    Attributes:
        scale: how many times larger the output is: 4, or 2 or 1 when pixels are folded into channels first.
        multiple: height and width of the input have to be multiples of this.
        reach: how far in, in pixels of the input, a cut through the picture can be seen in the output.

    Args:
        scale: 4, 2 or 1.
        blocks: number of RRDBs.
        features: channels between the blocks.
        growth: channels that each convolution inside a dense block adds.
    """

    def __init__(self, *, scale: int = 4, blocks: int = 23, features: int = 64, growth: int = 32) -> None:
        super().__init__()
        self.scale = scale
        self.multiple = RRDB_UPSAMPLING // scale
        self.reach = RRDB_REACH * self.multiple
        self.conv_first = conv3(COLOURS * self.multiple**2, features)
        self.body = nn.Sequential(*(RRDB(features, growth) for _ in range(blocks)))
        self.conv_body = conv3(features, features)
        self.conv_up1 = conv3(features, features)
        self.conv_up2 = conv3(features, features)
        self.conv_hr = conv3(features, features)
        self.conv_last = conv3(features, COLOURS)

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) RGB in 0-1 to (B, 3, scale H, scale W), not clipped."""
        x = self.conv_first(F.pixel_unshuffle(pictures, self.multiple))  # (B, features, H / multiple, W / multiple)
        x = x + self.conv_body(self.body(x))
        rows = x.shape[2]
        strips = [self._enlarged_rows(x, row, min(row + STRIP_ROWS, rows)) for row in range(0, rows, STRIP_ROWS)]
        return torch.cat(strips, dim=2)

    def _enlarged_rows(self, x: Tensor, start: int, end: int) -> Tensor:
        """Rows of the trunk's output (B, features, h, w) to the picture's (B, 3, 4 (end - start), 4 w)."""
        first = max(start - STRIP_HALO, 0)
        x = x[:, :, first : end + STRIP_HALO]
        x = F.leaky_relu(self.conv_up1(F.interpolate(x, scale_factor=2)), LEAK, inplace=True)
        x = F.leaky_relu(self.conv_up2(F.interpolate(x, scale_factor=2)), LEAK, inplace=True)
        x = self.conv_last(F.leaky_relu(self.conv_hr(x), LEAK, inplace=True))
        return x[:, :, RRDB_UPSAMPLING * (start - first) : RRDB_UPSAMPLING * (end - first)]


class SRVGGNetCompact(nn.Module):
    """Real-ESRGAN's small networks: realesr-general-x4v3 (32 inner convolutions), realesr-animevideov3 (16).

    Attributes:
        scale: how many times larger the output is.
        multiple: 1, any height and width will do.
        reach: how far in, in pixels, a cut through the picture changes the output at all.

    Args:
        scale: any whole number.
        convolutions: number of them between the first and the last.
        features: channels between them.
    """

    multiple = 1

    def __init__(self, *, scale: int = 4, convolutions: int = 16, features: int = 64) -> None:
        super().__init__()
        self.scale = scale
        self.reach = convolutions + 2  # one pixel for each of its convolutions
        layers: list[nn.Module] = [conv3(COLOURS, features), nn.PReLU(features)]
        for _ in range(convolutions):
            layers += [conv3(features, features), nn.PReLU(features)]
        self.body = nn.Sequential(*layers, conv3(features, COLOURS * scale**2))

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) RGB in 0-1 to (B, 3, scale H, scale W), not clipped."""
        detail = F.pixel_shuffle(self.body(pictures), self.scale)
        return detail + F.interpolate(pictures, scale_factor=self.scale)


SRNetwork = RRDBNet | SRVGGNetCompact


def network_for(shapes: Mapping[str, tuple[int, ...]]) -> SRNetwork | None:
    """The network that a state dict of these names and shapes belongs to, without weights; None when it is neither.

    Only what tells the sizes is looked at: whether all the rest fits is found out when the weights are filled in.
    """
    blocks = {int(found[1]) for name in shapes if (found := re.match(r"body\.(\d+)\.rdb1\.conv1\.weight$", name))}
    with torch.device("meta"):  # no weights yet, so none are made to be thrown away
        if blocks:
            return _rrdb_net(shapes, blocks=max(blocks) + 1)
        return _srvgg_net(shapes)


def _rrdb_net(shapes: Mapping[str, tuple[int, ...]], *, blocks: int) -> RRDBNet | None:
    first, growing = shapes.get("conv_first.weight", ()), shapes["body.0.rdb1.conv1.weight"]
    scales = {COLOURS * (RRDB_UPSAMPLING // scale) ** 2: scale for scale in (4, 2, 1)}
    if len(first) != 4 or len(growing) != 4 or first[1] not in scales:
        return None
    return RRDBNet(scale=scales[first[1]], blocks=blocks, features=first[0], growth=growing[0])


def _srvgg_net(shapes: Mapping[str, tuple[int, ...]]) -> SRVGGNetCompact | None:
    numbers = [int(found[1]) for name in shapes if (found := re.match(r"body\.(\d+)\.weight$", name))]
    first, last = shapes.get("body.0.weight", ()), shapes.get(f"body.{max(numbers, default=0)}.weight", ())
    if len(first) != 4 or len(last) != 4 or shapes.get("body.1.weight") != first[:1]:  # the slopes of a PReLU
        return None
    scale = math.isqrt(last[0] // COLOURS)
    inner = max(numbers) // 2 - 1
    if first[1] != COLOURS or scale < 1 or inner < 0:
        return None
    return SRVGGNetCompact(scale=scale, convolutions=inner, features=first[0])
