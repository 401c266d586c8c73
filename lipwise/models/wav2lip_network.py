"""The network of Wav2Lip.

Architecture: Prajwal et al., "A Lip Sync Expert Is All You Need for Speech to Lip Generation In the Wild", ACM MM 2020.
The names of the parameters are those of the published checkpoints, so that these load as they are.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Conv(NamedTuple):
    """One convolution with batch norm and ReLU; `repeats` residual 3 x 3 convolutions of the same width follow it."""

    channels: int
    kernel: int = 3
    stride: int | tuple[int, int] = 1
    padding: int = 1
    repeats: int = 0


class Grow(NamedTuple):
    """One transposed 3 x 3 convolution with batch norm and ReLU; `repeats` residual convolutions follow it."""

    channels: int
    stride: int = 2
    padding: int = 1
    repeats: int = 2


# The comment is the size of what comes out: height x width.
FACE_ENCODER = (
    Conv(16, kernel=7, padding=3),  # 96 x 96
    Conv(32, stride=2, repeats=2),  # 48 x 48
    Conv(64, stride=2, repeats=3),  # 24 x 24
    Conv(128, stride=2, repeats=2),  # 12 x 12
    Conv(256, stride=2, repeats=2),  # 6 x 6
    Conv(512, stride=2, repeats=1),  # 3 x 3
    (Conv(512, padding=0), Conv(512, kernel=1, padding=0)),  # 1 x 1
)
AUDIO_ENCODER = (
    Conv(32, repeats=2),  # 80 x 16: mel bands x steps
    Conv(64, stride=(3, 1), repeats=2),  # 27 x 16
    Conv(128, stride=3, repeats=2),  # 9 x 6
    Conv(256, stride=(3, 2), repeats=1),  # 3 x 3
    Conv(512, padding=0),  # 1 x 1
    Conv(512, kernel=1, padding=0),  # 1 x 1
)
FACE_DECODER = (
    Conv(512, kernel=1, padding=0),  # 1 x 1
    Grow(512, stride=1, padding=0, repeats=1),  # 3 x 3
    Grow(512),  # 6 x 6
    Grow(384),  # 12 x 12
    Grow(256),  # 24 x 24
    Grow(128),  # 48 x 48
    Grow(64),  # 96 x 96
)
OUTPUT_CHANNELS = 32


class ConvBlock(nn.Module):
    """Convolution, batch norm, ReLU; a residual one adds its input before the ReLU."""

    def __init__(self, convolution: nn.Module, channels: int, *, residual: bool = False) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(convolution, nn.BatchNorm2d(channels))
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv_block(x)
        return torch.relu_(y.add_(x) if self.residual else y)


def _blocks(in_channels: int, spec: Conv | Grow) -> list[ConvBlock]:
    """The first convolution of a row of the tables and the residual ones behind it."""
    out = spec.channels
    if isinstance(spec, Grow):
        # A stride of 2 doubles the size exactly: (n - 1) * 2 - 2 * padding + 3 + 1 = 2n.
        first: nn.Module = nn.ConvTranspose2d(
            in_channels, out, 3, stride=spec.stride, padding=spec.padding, output_padding=spec.stride - 1
        )
    else:
        first = nn.Conv2d(in_channels, out, spec.kernel, stride=spec.stride, padding=spec.padding)
    residual = [ConvBlock(nn.Conv2d(out, out, 3, padding=1), out, residual=True) for _ in range(spec.repeats)]
    return [ConvBlock(first, out), *residual]


def _chain(in_channels: int, specs: Sequence[Conv | Grow]) -> tuple[list[ConvBlock], int]:
    """Rows one after another, and the number of channels that comes out."""
    blocks: list[ConvBlock] = []
    for spec in specs:
        blocks += _blocks(in_channels, spec)
        in_channels = spec.channels
    return blocks, in_channels


class Wav2LipNetwork(nn.Module):
    """36,298,035 parameters; keys and shapes of the state dict are those of the published generator.

    A face encoder keeps the picture at seven scales, an audio encoder turns the mel window into one vector, and the
    decoder grows a face from that vector, taking in the face features of each scale on its way.
    """

    def __init__(self) -> None:
        super().__init__()
        self.face_encoder_blocks, skips = nn.ModuleList(), []
        channels = 6
        for row in FACE_ENCODER:
            blocks, channels = _chain(channels, (row,) if isinstance(row, Conv) else row)
            self.face_encoder_blocks.append(nn.Sequential(*blocks))
            skips.append(channels)
        blocks, channels = _chain(1, AUDIO_ENCODER)
        self.audio_encoder = nn.Sequential(*blocks)
        self.face_decoder_blocks = nn.ModuleList()
        for row in FACE_DECODER:
            blocks, channels = _chain(channels, (row,))
            self.face_decoder_blocks.append(nn.Sequential(*blocks))
            channels += skips.pop()
        blocks, channels = _chain(channels, (Conv(OUTPUT_CHANNELS),))
        self.output_block = nn.Sequential(*blocks, nn.Conv2d(channels, 3, 1))

    def forward(self, faces: Tensor, mels: Tensor) -> Tensor:
        """New faces.

        Args:
            faces: (B, 6, 96, 96) in 0-1, BGR: the crop with its lower half zeroed, then a reference crop.
            mels: (B, 1, 80, 16) in -4 to 4.

        Returns:
            (B, 3, 96, 96) in 0-1, BGR; float32 whatever the network computes in.
        """
        skips = []
        for block in self.face_encoder_blocks:
            faces = block(faces)
            skips.append(faces)  # (B, 16, 96, 96) ... (B, 512, 3, 3), (B, 512, 1, 1)
        x = self.audio_encoder(mels)  # (B, 512, 1, 1)
        for block in self.face_decoder_blocks:
            x = torch.cat((block(x), skips.pop()), dim=1)  # (B, 1024, 1, 1) ... (B, 80, 96, 96)
        return torch.sigmoid(self.output_block(x).float())
