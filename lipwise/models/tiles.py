"""Large pictures through a network piece by piece, without a seam.

A network sees a cut through the picture as a border and draws differently near it. So tiles overlap by twice the
distance at which that can be seen, and pass into one another in a narrow strip in the middle of the overlap, where
either of them is right. The picture stays on the processor; one row of tiles is open at a time.
"""

import itertools
import warnings

import numpy as np
import torch

from lipwise.errors import LipwiseError, LipwiseWarning, SettingsError
from lipwise.models.device import BatchRunner, is_out_of_memory

SMALLEST_TILE = 32  # px; a network that does not fit into memory with this one will not with a smaller one
BLENDED = 8  # the strip in which two tiles mix is this part of their overlap


def tile_starts(length: int, tile: int, overlap: int, *, multiple: int = 1) -> tuple[int, list[int]]:
    """How a side is cut: the length of its tiles, at most `tile`, and where each starts.

    All tiles are equally long and no shorter than they have to be for so many of them; the last one ends with the side.

    Args:
        length: px of the side, a multiple of `multiple`.
        tile, overlap: px, tile > overlap.
        multiple: starts and lengths are multiples of this, lest a network that folds pixels fold others together.
    """
    if length <= tile:
        return length, [0]
    overlap = -(-overlap // multiple) * multiple
    count = -(-(length - overlap) // (tile - overlap))
    size = -(-(length + (count - 1) * overlap) // (count * multiple)) * multiple
    return size, [min(index * (size - overlap), length - size) for index in range(count)]


def tile_weights(starts: list[int], size: int, overlap: int, scale: int) -> np.ndarray:
    """How much each tile counts along one side of the output; sums to 1 at each pixel.

    Returns:
        (tiles, scale * size) float32.
    """
    length = scale * size
    outer, blend = scale * (overlap - overlap // BLENDED) // 2, max(scale * (overlap // BLENDED), 1)
    # 0 in the part of the overlap that a cut may have spoiled, then rising to 1; above 0 wherever no other tile is.
    rise = np.clip((np.arange(length) + 0.5 - outer) / blend, 0, 1).astype(np.float32) if overlap else np.ones(length)
    weights = np.ones((len(starts), length), np.float32)
    weights[1:] *= rise
    weights[:-1] *= rise[::-1]
    total = np.zeros(scale * starts[-1] + length, np.float32)
    for start, weight in zip(starts, weights, strict=True):
        total[scale * start :][:length] += weight
    for start, weight in zip(starts, weights, strict=True):
        weight /= total[scale * start :][:length]
    return weights


class TiledNetwork:
    """A picture of any size through a network that enlarges it.

    Args:
        runner: computes tiles (N, 3, h, w) float32 RGB in 0-1 to (N, 3, scale h, scale w).
        scale: how many times larger the network's output is.
        multiple: tiles have to be multiples of this on both sides.
        tile: longest side of a tile in px of the input; halved, for good, when memory runs out.
        overlap: px that neighbours share; 0 shows the seams.

    Attributes:
        tile, overlap: as of the next picture.
        halvings: how often memory ran out.

    Raises:
        SettingsError: the tile is smaller than `SMALLEST_TILE` or not larger than the overlap, which is under 0.
    """

    def __init__(self, runner: BatchRunner, *, scale: int, multiple: int = 1, tile: int, overlap: int) -> None:
        if tile < SMALLEST_TILE or not 0 <= overlap <= tile // 2:
            raise SettingsError(
                f"tiles of {tile} px that overlap by {overlap} px",
                cause=f"a tile needs {SMALLEST_TILE} px, and at most half of it may be shared with one neighbour",
                next_step=f"Use a larger tile or an overlap of 0 to {max(tile, SMALLEST_TILE) // 2}.",
            )
        self.runner, self.scale, self.multiple = runner, scale, multiple
        self.tile, self.overlap = -(-tile // multiple) * multiple, overlap
        self.halvings = 0

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """The picture `scale` times as large.

        Args:
            picture: (H, W, 3) RGB uint8 or uint16; H and W multiples of `multiple`.

        Returns:
            (scale H, scale W, 3) RGB of the same kind.

        Raises:
            LipwiseError: not even the smallest tile fits into memory, or the network gives NaN.
        """
        while True:
            try:
                return self._blended(picture)
            except LipwiseError as error:
                if error.__cause__ is None or not is_out_of_memory(error.__cause__):
                    raise
                self._halve(max(picture.shape[:2]), error)

    def remarks(self) -> list[str]:
        """What had to be given up, one sentence each, for a report."""
        if not self.halvings:
            return []
        return [
            f"{self.runner.name}: memory ran out {self.halvings} times; tiles of {self.tile} px, which overlap by "
            f"{self.overlap} px, fitted."
        ]

    def _halve(self, longest: int, error: LipwiseError) -> None:
        tried = min(self.tile, longest)
        half = max(tried // 2 // self.multiple * self.multiple, SMALLEST_TILE)
        if tried <= half:
            raise error
        self.tile, self.overlap = half, min(self.overlap, half // 2)
        self.halvings += 1
        warnings.warn(
            f"{self.runner.name}: memory ran out with tiles of {tried} px; going on with {self.tile} px, which overlap "
            f"by {self.overlap} px.",
            LipwiseWarning,
            stacklevel=3,
        )

    def _blended(self, picture: np.ndarray) -> np.ndarray:
        scale, (height, width) = self.scale, picture.shape[:2]
        size, tops = tile_starts(height, self.tile, self.overlap, multiple=self.multiple)
        weights = tile_weights(tops, size, self.overlap, scale)
        enlarged = np.empty((scale * height, scale * width, 3), picture.dtype)
        open_rows = np.zeros((0, scale * width, 3), np.float32)  # that the row of tiles below will be added to
        for weight, (top, below) in zip(weights, itertools.pairwise([*tops, height]), strict=True):
            band = self._band(picture[top : top + size])  # (scale size, scale W, 3)
            band *= weight[:, None, None]
            band[: len(open_rows)] += open_rows
            done = scale * (below - top)
            enlarged[scale * top : scale * below] = _rounded(band[:done], picture.dtype)
            open_rows = band[done:].copy()  # so that the rest of the band can go
        return enlarged

    def _band(self, rows: np.ndarray) -> np.ndarray:
        """One row of tiles, blended from left to right: (h, W, 3) integers to (scale h, scale W, 3) float32 in 0-1."""
        scale, (height, width) = self.scale, rows.shape[:2]
        size, lefts = tile_starts(width, self.tile, self.overlap, multiple=self.multiple)
        weights = tile_weights(lefts, size, self.overlap, scale)
        band = np.zeros((scale * height, scale * width, 3), np.float32)
        together = self.runner.batch_size
        for first in range(0, len(lefts), together):
            batch = lefts[first : first + together]
            outputs = self._compute(np.stack([rows[:, left : left + size] for left in batch]))
            for output, left, weight in zip(outputs, batch, weights[first:], strict=False):
                band[:, scale * left : scale * (left + size)] += output * weight[:, None]
        return band

    def _compute(self, tiles: np.ndarray) -> np.ndarray:
        """(N, h, w, 3) integers to (N, scale h, scale w, 3) float32 in 0-1."""
        top = np.iinfo(tiles.dtype).max
        inputs = torch.from_numpy(tiles.astype(np.float32) / top).permute(0, 3, 1, 2)  # (N, 3, h, w)
        return self.runner(inputs).clamp_(0, 1).permute(0, 2, 3, 1).numpy()


def _rounded(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """0-1 to the whole range of an integer type; overwrites what it is given."""
    values *= np.iinfo(dtype).max
    values += 0.5  # cutting off then rounds
    return values.astype(dtype)
