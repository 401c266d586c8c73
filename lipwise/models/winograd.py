"""The upscalers' convolutions with fewer multiplications, for processors that have AVX2 and nothing wider.

Winograd's method computes a 3 x 3 convolution in tiles of 8 x 8 with a fifth of the multiplications (Lavin and Gray,
"Fast Algorithms for Convolutional Neural Networks", 2016). torch has it for a single convolution only, inside NNPACK,
and transforming its tiles costs more than multiplying them. In a dense block every convolution sees what all before it
found, so here each feature is transformed once for all that look at it, the kernels once for all pictures, and sums are
read back while they are in the cache. The sums are the same in another order: outputs differ in the fifth decimal.

On one core of an AMD EPYC of the third generation, which has AVX2, RRDBNet takes about two fifths of plain fp32's time
so (benchmarks/enhance.py); no other processor was measured. `lipwise.models.processor` says which ones are sent here.
"""

import os
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import cycle
from pathlib import Path
from pickle import UnpicklingError
from typing import TypeGuard

import numpy as np
import torch
from torch import Tensor, nn

from lipwise.errors import LipwiseWarning
from lipwise.models.rewrite import is_plain_conv3, rewrite
from lipwise.models.sr_networks import LEAK, RESIDUAL, RRDB, DenseBlock
from lipwise.models.winograd_loops import GROUP, POINTS, SIDE, TILES, convolve

BLOCKS = 3  # in an RRDB
# Kernels (3 taps) to their values at 0, 1, -1, 2, -2, 1/2, -1/2 and infinity, scaled so that the way back is simple.
TAPS_TO_POINTS = np.array(
    [[1, 0, 0], [-2 / 9, -2 / 9, -2 / 9], [-2 / 9, 2 / 9, -2 / 9], [1 / 90, 1 / 45, 2 / 45], [1 / 90, -1 / 45, 2 / 45],
     [32 / 45, 16 / 45, 8 / 45], [32 / 45, -16 / 45, 8 / 45], [0, 0, 1]]
)  # fmt: skip


def with_winograd(network: nn.Module) -> nn.Module:
    """Replace, in place, every chain of dense blocks and 3 x 3 convolution that gains by it; for float32."""
    rewrite(network, _quicker)
    return network


@cache
def compile_loops() -> None:
    """Compile the inner loops and keep them for later processes: about ten seconds, once for each machine.

    Otherwise they would count as the time that a first picture takes.

    Warns:
        LipwiseWarning: numba can keep them nowhere, so each process compiles them.
    """
    try:
        convolve.enable_caching()
        try:
            _convolve_once()
        except (EOFError, UnpicklingError):  # what was kept is damaged, as a power cut leaves it
            for kept in Path(convolve.stats.cache_path or os.devnull).glob("*.convolve-*.nb[ic]"):
                kept.unlink()
            _convolve_once()
    except (RuntimeError, OSError) as error:  # numba's for no folder, the system's for a folder that takes no file
        warnings.warn(
            f"The upscalers' inner loops are compiled in each process, about ten seconds, because numba cannot keep "
            f"them ({error}); NUMBA_CACHE_DIR names a folder to keep them in.",
            LipwiseWarning,
            stacklevel=2,
        )
        _convolve_once()


def _convolve_once() -> None:
    """The least picture, for which the loops have to be compiled."""
    one, kernels = (np.zeros(shape, np.float32) for shape in ((1, 1, GROUP), (POINTS, GROUP, GROUP)))
    convolve(one, _room(1, 1).numpy(), 0, kernels, one[0, 0], np.float32(1), one.copy(), 0, 1)


def _quicker(module: nn.Module) -> nn.Module | None:
    if isinstance(module, nn.Sequential) and _is_body(module):
        return WinogradBody([block for rrdb in module for block in _blocks_of(rrdb)])
    return WinogradConv(module) if _gains(module) else None


def _is_body(chain: nn.Sequential) -> bool:
    """Whether it is made of `RRDB`, all of whose convolutions gain."""
    if not len(chain) or not all(isinstance(one, RRDB) for one in chain):
        return False
    return all(_gains(one) for one in chain.modules() if isinstance(one, nn.Conv2d))


def _blocks_of(rrdb: nn.Module) -> list[DenseBlock]:
    return [block for block in rrdb.children() if isinstance(block, DenseBlock)]


def _gains(module: nn.Module) -> TypeGuard[nn.Conv2d]:
    return is_plain_conv3(module) and module.in_channels % GROUP == module.out_channels % GROUP == 0


class WinogradConv(nn.Module):
    """A 3 x 3 convolution with a border of one zero pixel.

    Args:
        convolution: its numbers of channels are multiples of GROUP.
    """

    kernels: Tensor
    bias: Tensor

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        taps = torch.from_numpy(TAPS_TO_POINTS)
        values = torch.einsum("ay,oiyx,bx->abio", taps, convolution.weight.detach().double(), taps)
        # Three axes, so that a change of the memory layout of the whole network passes the kernels by.
        self.register_buffer("kernels", values.flatten(0, 1).float().contiguous())  # (POINTS, in, out)
        bias = torch.zeros(convolution.out_channels) if convolution.bias is None else convolution.bias.detach().float()
        self.register_buffer("bias", bias.clone())

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) float32 to (B, out, H, W), in torch's memory format channels_last.

        Raises:
            ValueError: it is given something else.
        """
        pictures = _channels_last(x, self.kernels.shape[1])
        out = torch.empty(*pictures.shape[:3], len(self.bias))
        for picture, made in zip(pictures, out, strict=True):
            self.convolve(picture, made)
        return out.permute(0, 3, 1, 2)

    def convolve(self, picture: Tensor, out: Tensor, *, slope: float = 1, features: Tensor | None = None) -> None:
        """One picture, and a leaky ReLU with a slope below zero.

        Args:
            picture: (H, W, the last of the input channels).
            out: (H, W, out), written.
            features: see `_room`: the channels before them, as earlier calls left them there; the picture's are added.
                None where the picture has all of them.
        """
        groups = self.kernels.shape[1] // GROUP
        before = groups - picture.shape[2] // GROUP
        kernels, bias = self.kernels.numpy(), self.bias.numpy()

        def work(first: int, end: int) -> None:
            kept = (_room(1, groups) if features is None else features).numpy()
            convolve(picture.numpy(), kept, before, kernels, bias, np.float32(slope), out.numpy(), first, end)

        _share_out(work, _block_count(picture))


def _channels_last(x: Tensor, channels: int) -> Tensor:
    """(B, channels, H, W) as (B, H, W, channels), contiguous; no copy where that is its memory format."""
    if x.dim() != 4 or x.shape[1] != channels or x.dtype != torch.float32:  # the loops would read what is not there
        raise ValueError(f"expected (B, {channels}, H, W) float32, got {tuple(x.shape)} {x.dtype}")
    return x.detach().permute(0, 2, 3, 1).contiguous()


def _block_count(picture: Tensor) -> int:
    """How many blocks of tiles cover a picture (H, W, channels)."""
    tiles = -(-picture.shape[0] // SIDE) * -(-picture.shape[1] // SIDE)
    return -(-tiles // TILES)


def _room(blocks: int, groups: int) -> Tensor:
    """For the transformed channels of so many blocks of tiles."""
    return torch.empty(blocks, POINTS, groups, TILES, GROUP)


def _share_out(work: Callable[[int, int], None], count: int) -> None:
    """Call work(first, end) for parts of 0 to count, on as many threads as torch uses."""
    threads = min(torch.get_num_threads(), count)
    if threads == 1:
        work(0, count)
        return
    cuts = [count * index // threads for index in range(threads + 1)]
    list(_pool(threads).map(work, cuts[:-1], cuts[1:]))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="winograd")


class WinogradDenseBlock(nn.Module):
    """The five convolutions of a dense block.

    Args:
        block: its numbers of channels are multiples of GROUP.
    """

    def __init__(self, block: DenseBlock) -> None:
        super().__init__()
        self.before = [WinogradConv(one) for one in (block.conv1, block.conv2, block.conv3, block.conv4)]
        self.last = WinogradConv(block.conv5)
        self.registered = nn.ModuleList(self.before)  # torch knows them by this name, and we their type by the other

    def forward(self, seen: Tensor, found: list[Tensor], made: Tensor, features: Tensor) -> None:
        """One picture.

        Args:
            seen: (H, W, features).
            found: two of (H, W, growth), written in turn by all convolutions but the last.
            made: (H, W, features), written by the last.
            features: see `_room`.
        """
        for convolution, out in zip(self.before, cycle(found), strict=False):
            convolution.convolve(seen, out, slope=LEAK, features=features)
            seen = out
        self.last.convolve(seen, made, features=features)


class WinogradBody(nn.Module):
    """Stands in for a chain of `RRDB`, in arrays that are made once for all of them.

    Args:
        blocks: BLOCKS of each.
    """

    def __init__(self, blocks: list[DenseBlock]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(map(WinogradDenseBlock, blocks))
        first, last = blocks[0].conv1, blocks[0].conv5
        self.features, self.growth, self.seen = first.in_channels, first.out_channels, last.in_channels

    def forward(self, x: Tensor) -> Tensor:
        """(B, features, H, W) float32 to the same; raises ValueError for something else."""
        out = torch.stack([self._through_all(picture) for picture in _channels_last(x, self.features)])
        return out.permute(0, 3, 1, 2)

    def _through_all(self, picture: Tensor) -> Tensor:
        """(H, W, features) to the same."""
        found = [picture.new_empty(*picture.shape[:2], self.growth) for _ in range(2)]
        features = _room(_block_count(picture), self.seen // GROUP)
        now, free = picture.clone(), [torch.empty_like(picture), torch.empty_like(picture)]
        start = now
        for number, block in enumerate(self.blocks, start=1):
            made = free.pop()
            block(now, found, made, features)
            made.mul_(RESIDUAL).add_(now)
            if now is not start:
                free.append(now)
            now = made
            if number % BLOCKS == 0:
                now.mul_(RESIDUAL).add_(start)
                free.append(start)
                start = now
        return now
