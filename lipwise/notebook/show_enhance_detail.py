"""Figures about detail: what a picture of few pixels has lost, and what cutting a picture into tiles does to it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from lipwise.models.tiles import TiledNetwork
from lipwise.notebook.show import PAGE_IN
from lipwise.notebook.stand_in import UnsharpNetwork

if TYPE_CHECKING:  # at run time it would bring torch along
    from lipwise.models.device import BatchRunner
    from lipwise.models.upscalers import Upscaler

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
NEAR = 0.5  # of a picture's side that is shown
AMPLIFIED = 8  # how much brighter differences are drawn
MOST_ABREAST = 4  # pictures in a row
LINES = ("-", "--", "-.", ":", (0, (3, 1, 1, 1, 1, 1)))


def middle(frame: np.ndarray, side: int) -> np.ndarray:
    """The square in the middle of a frame (H, W, 3), of that side or the frame's shorter one."""
    side = min(side, *frame.shape[:2])
    top, left = ((length - side) // 2 for length in frame.shape[:2])
    return np.ascontiguousarray(frame[top : top + side, left : left + side])


def radial_power(picture: np.ndarray) -> np.ndarray:
    """How much of each fineness a picture holds: the power of its spectrum, averaged over all directions.

    The picture's edges are faded out (Hann window), because an edge would count as fine detail.

    Args:
        picture: (S, S, 3) RGB or (S, S) grey, uint8.

    Returns:
        (S // 2,) float64; number n is the power of waves of n cycles across the picture.
    """
    side = picture.shape[0]
    if picture.shape[:2] != (side, side) or side < 2:
        raise ValueError(f"expected a square picture of at least 2 x 2 px, got {picture.shape[1]} x {side}")
    grey = picture.astype(np.float64) @ np.array(LUMA) if picture.ndim == 3 else picture.astype(np.float64)
    window = np.hanning(side + 2)[1:-1]
    faded = (grey - grey.mean()) * window[:, None] * window
    power = np.abs(np.fft.fft2(faded)) ** 2
    along = np.fft.fftfreq(side, 1 / side)
    ring = np.rint(np.hypot(along[:, None], along)).astype(int)
    count = np.bincount(ring.ravel())
    return (np.bincount(ring.ravel(), power.ravel()) / count)[: side // 2]


def share_beyond(picture: np.ndarray, truth: np.ndarray, cycles: int) -> float:
    """How much of the truth's detail finer than some cycles a picture of the same size holds: power against power."""
    return float(radial_power(picture)[cycles:].sum() / max(radial_power(truth)[cycles:].sum(), 1e-9))


def spectrum(pictures: Mapping[str, np.ndarray], *, small_px: int) -> Figure:
    """The middles of pictures of one size above, how much of each fineness the whole ones hold below.

    Args:
        pictures: name -> (S, S, 3) uint8; the first is the real one, the others were made from `small_px` pixels.
        small_px: side of the small picture; it can hold waves of half so many cycles and no finer ones.
    """
    truth = next(iter(pictures.values()))
    abreast = len(pictures) if len(pictures) <= MOST_ABREAST else -(-len(pictures) // 2)
    rows = -(-len(pictures) // abreast)
    high = PAGE_IN / abreast + 0.4
    figure = plt.figure(figsize=(PAGE_IN, rows * high + 3.6), layout="constrained")
    grid = figure.add_gridspec(rows + 1, abreast, height_ratios=[high] * rows + [3.6])
    curves = figure.add_subplot(grid[rows, :])
    for place, ((name, picture), line) in enumerate(zip(pictures.items(), LINES * len(pictures), strict=False)):
        axes = figure.add_subplot(grid[place // abreast, place % abreast])
        axes.imshow(middle(picture, round(NEAR * len(picture))))
        axes.axis("off")
        share = share_beyond(picture, truth, small_px // 2)
        axes.set_title(f"{name}\nfine detail: {share:.0%}", fontsize=10)
        curves.semilogy(np.maximum(radial_power(picture), 1), ls=line, lw=2, label=name)
    end = truth.shape[0] // 2
    curves.axvspan(small_px / 2, end, color="0.5", alpha=0.15, lw=0)
    curves.text(
        small_px / 2, 0.96, f"  finer than {small_px} px can hold", transform=curves.get_xaxis_transform(), va="top"
    )
    curves.set(xlim=(1, end), xlabel="cycles across the picture (coarse to fine)", ylabel="power")
    curves.legend(loc="lower left", fontsize=9)
    plt.close(figure)
    return figure


def beside(pictures: Mapping[str, np.ndarray]) -> Figure:
    """Pictures (H, W, 3) of any size beside each other under their names; pixels are drawn as squares."""
    figure, axes = plt.subplots(
        1, len(pictures), figsize=(PAGE_IN, PAGE_IN / len(pictures) + 0.3), layout="constrained", squeeze=False
    )
    for place, (name, picture) in zip(axes[0], pictures.items(), strict=True):
        place.imshow(picture, interpolation="nearest")
        place.set_title(name, fontsize=11)
        place.axis("off")
    plt.close(figure)
    return figure


def tiled(upscaler: "Upscaler", frame: np.ndarray, *, tile: int, overlap: int) -> np.ndarray:
    """A frame enlarged in tiles, and not resized afterwards.

    An upscaler without a network, such as "lanczos", needs no tiles; a sharpening filter stands in for it.

    Args:
        frame: (H, W, 3) uint8.
        tile: px, longest side of a tile.
        overlap: px that neighbours share.

    Raises:
        SettingsError: the overlap is more than half of the tile.
    """
    network = getattr(upscaler, "tiles", None)
    runner = UnsharpNetwork() if network is None else network.runner
    scale, multiple = (runner.scale, 1) if network is None else (network.scale, network.multiple)
    pieces = TiledNetwork(cast("BatchRunner", runner), scale=scale, multiple=multiple, tile=tile, overlap=overlap)
    rows, columns = (side // multiple * multiple for side in frame.shape[:2])
    return pieces(np.ascontiguousarray(frame[:rows, :columns]))


def most_overlap(upscaler: "Upscaler", tile: int) -> int:
    """The overlap at which no seam is left, as far as the tile has room for it (half of its side)."""
    network: Any = getattr(upscaler, "tiles", None)
    reach = 2 * UnsharpNetwork.reach if network is None else network.overlap
    return min(reach, tile // 2)


def seams(whole: np.ndarray, cut: Mapping[str, np.ndarray]) -> Figure:
    """Pictures made in tiles above, how they differ from the one made in one piece below, brightened.

    Args:
        whole: (H, W, 3) uint8.
        cut: name -> the same in tiles.
    """
    figure, axes = plt.subplots(2, len(cut), figsize=(PAGE_IN, 2 * PAGE_IN / len(cut) + 0.8), layout="constrained")
    for (above, below), (name, picture) in zip(axes.reshape(2, -1).T, cut.items(), strict=True):
        apart = difference(whole, picture)
        above.imshow(picture)
        above.set_title(name, fontsize=11)
        below.imshow(np.minimum(AMPLIFIED * apart.astype(int), 255), cmap="gray", vmin=0, vmax=255)
        below.set_title(f"against one piece, {AMPLIFIED} times as bright: at most {apart.max()} of 255", fontsize=10)
    for place in axes.flat:
        place.axis("off")
    plt.close(figure)
    return figure


def difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(H, W) uint8, the largest difference of the three channels."""
    return np.abs(one.astype(np.int16) - other).max(-1).astype(np.uint8)
