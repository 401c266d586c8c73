"""Networks that make pictures larger; `lipwise.models.lanczos` is what they are compared with."""

import warnings
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import nn

from lipwise.errors import LipwiseWarning, SettingsError
from lipwise.models.device import BatchRunner, Precision, choose_device, choose_dtype
from lipwise.models.lanczos import Lanczos
from lipwise.models.processor import winograd_pays
from lipwise.models.sr_loading import Engine, LoadedNetwork, load_network
from lipwise.models.stills import OutputSize, check_picture, join_picture, resized, split_picture, too_large
from lipwise.models.tiles import TiledNetwork, check_tile
from lipwise.settings import is_whole

TRUNK_TILE = 512  # px; RRDBNet takes 1.5 GB for one in fp32
BORDER = 10  # px
TILES_AT_ONCE = 1  # a tile of that size keeps any device busy

__all__ = ["Lanczos", "NetworkUpscaler", "Upscaler", "load_upscaler"]

# What is known of the licence of a checkpoint of one's own, by whose code its network is.
OWN_LICENCE: dict[Engine, str] = {
    "lipwise": "A checkpoint of your own in Real-ESRGAN's layout; its owner's licence holds.",
    "spandrel": "A checkpoint of your own that spandrel knows; its owner's licence holds.",
}


class Upscaler(Protocol):
    """Pictures in, larger pictures out.

    Attributes:
        name: what the user calls it.
        needs_weights: a checkpoint has to be fetched first.
        note: what to know about it, one or two sentences.
    """

    name: str
    needs_weights: bool
    note: str

    @property
    def scale(self) -> float | None:
        """How many times larger the output is; None when a height was asked for."""
        ...

    def size_for(self, size_wh: tuple[int, int]) -> tuple[int, int]:
        """Width and height of the output for those of the input."""
        ...

    def upscale(self, frame: np.ndarray) -> np.ndarray:
        """A frame or still, larger: (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey, uint8 or uint16, to the same kind.

        Raises:
            SettingsError: it is none of these.
            LipwiseError: it does not fit into memory, or the result is not finite.
        """
        ...

    def remarks(self) -> list[str]:
        """What had to be given up, one sentence each, for a report."""
        ...


class NetworkUpscaler:
    """A network that draws detail. Made by `load_upscaler`.

    A frame equal to the one before is not computed again.

    Attributes:
        name, needs_weights, note: see `Upscaler`.
        network_scale: how many times larger the network alone makes it.
        engine: whose code the network is, "lipwise" or "spandrel".
        runner: computes tiles; knows device, precision and what it had to give up.
        tiles: cuts and joins.
        reused: how many frames were equal to the one before.
    """

    needs_weights = True

    def __init__(
        self,
        loaded: LoadedNetwork,
        runner: BatchRunner,
        *,
        name: str,
        size: OutputSize,
        tile: int | None,
        overlap: int | None,
        border: int,
        licence: str | None = None,
    ) -> None:
        check_tile(tile, overlap)
        if not is_whole(border) or border < 0:
            raise SettingsError(
                f"border {border!r}", cause="it is no whole number from 0 px on", next_step="Use 0 or more."
            )
        self.name = name
        self.note = OWN_LICENCE[loaded.engine] if licence is None else f"Its weights: {licence}."
        self.network_scale, self.engine, self.runner = loaded.form.scale, loaded.engine, runner
        self._multiple, self._size, self._border = loaded.form.multiple, size, border
        tile = TRUNK_TILE * self._multiple if tile is None else tile
        overlap = min(2 * loaded.form.reach, tile // 2) if overlap is None else overlap
        self.tiles = TiledNetwork(runner, scale=self.network_scale, multiple=self._multiple, tile=tile, overlap=overlap)
        self.reused = 0
        self._last: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def scale(self) -> float | None:
        """See `Upscaler`."""
        return None if self._size.height is not None else self._size.scale or float(self.network_scale)

    def size_for(self, size_wh: tuple[int, int]) -> tuple[int, int]:
        """See `Upscaler`."""
        return self._size.of(size_wh, own_scale=self.network_scale)

    def upscale(self, frame: np.ndarray) -> np.ndarray:
        """See `Upscaler`. What a network makes of 16 bits is as fine as its number format: fp32 keeps them."""
        check_picture(frame)
        if self._last is not None and _same(self._last[0], frame):
            self.reused += 1
            return self._last[1].copy()
        self._last = None  # its memory is needed while the next one is computed
        self._warn_of_coarse_numbers(frame)
        colours, alpha = split_picture(frame)
        size_wh = (frame.shape[1], frame.shape[0])
        try:
            enlarged = resized(self._enlarged(colours), self.size_for(size_wh))
            result = join_picture(enlarged, alpha, grey=frame.ndim == 2)
        except MemoryError as error:  # numpy's, for the whole picture; that of a tile has been dealt with
            raise too_large(size_wh, self.size_for(size_wh), error) from error
        self._last = frame.copy(), result  # the caller may draw on what it is given
        return result.copy()

    __call__ = upscale

    def remarks(self) -> list[str]:
        """See `Upscaler`."""
        equal = f"{self.name}: {self.reused} frames were equal to the one before and not computed again."
        return [*self.runner.remarks(), *self.tiles.remarks(), *([equal] if self.reused else [])]

    def _enlarged(self, colours: np.ndarray) -> np.ndarray:
        """(H, W, 3) to (network_scale H, network_scale W, 3)."""
        height, width = colours.shape[:2]
        sides = [(0, self._border + -(side + self._border) % self._multiple) for side in (height, width)]
        enlarged = self.tiles(np.pad(colours, (*sides, (0, 0)), mode="reflect"))
        return enlarged[: self.network_scale * height, : self.network_scale * width]

    def _warn_of_coarse_numbers(self, frame: np.ndarray) -> None:
        if frame.dtype == np.uint16 and self.runner.dtype != torch.float32:
            warnings.warn(
                f'{self.name}: 16 bits go through a network in {self.runner.dtype}; precision="fp32" keeps them.',
                LipwiseWarning,
                stacklevel=3,
            )


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and np.array_equal(one, other)


def load_upscaler(
    path: str | Path,
    *,
    name: str | None = None,
    scale: float | None = None,
    height: int | None = None,
    denoise: float = 1.0,
    wdn_path: str | Path | None = None,
    engine: Engine | None = None,
    device: str | None = None,
    precision: Precision = "auto",
    tile: int | None = None,
    overlap: int | None = None,
    border: int = BORDER,
    licence: str | None = None,
) -> NetworkUpscaler:
    """An upscaler with the weights of a file.

    Args:
        path, denoise, wdn_path, engine: see `lipwise.models.sr_loading.load_network`.
        name: what reports call it; None takes the file's name without its ending.
        scale, height: the size of the output, by a last resize; with neither it is what the network gives.
        device: None takes the graphics card if there is one.
        precision: "auto" is fp16 on CUDA, bf16 on a processor that has it in hardware, else fp32.
        tile: px, longest side of what goes to the device at once; None takes 512, twice that for x2plus.
        overlap: px that tiles share; None takes what makes tiles equal to the whole, at most half of a tile.
        border: px of mirrored picture added on the right and below and cut off afterwards, as the reference does.
        licence: of the weights, for the note; None is a checkpoint of one's own, whose licence is not known.

    Raises:
        CheckpointError, SettingsError, LipwiseError: see `load_network`, `OutputSize`, `TiledNetwork`, `choose_device`.

    Warns:
        LipwiseWarning: the network works in fp32 only; numba cannot be used, or keeps nothing: both cost time.
    """
    size = OutputSize(scale=scale, height=height)
    check_tile(tile, overlap)  # before anything large is loaded
    name = Path(path).stem if name is None else name
    place = choose_device(device)
    wanted = choose_dtype(place, precision)
    loaded = load_network(path, denoise=denoise, wdn_path=wdn_path, engine=engine)
    if wanted not in loaded.dtypes:
        warnings.warn(f"{name}: the network does not work in {wanted}; taking fp32.", LipwiseWarning, stacklevel=2)
        wanted, precision = torch.float32, "fp32"
    if loaded.engine == "lipwise" and winograd_pays(place, wanted):
        _quicken(loaded.network, name)
    runner = BatchRunner(loaded.network, name=name, device=str(place), precision=precision, batch_size=TILES_AT_ONCE)
    return NetworkUpscaler(
        loaded, runner, name=name, size=size, tile=tile, overlap=overlap, border=border, licence=licence
    )


def _quicken(network: nn.Module, name: str) -> None:
    """Put our own convolutions into the network, in place, if numba can compile them; else say what that costs."""
    try:
        from lipwise.models.winograd import compile_loops, with_winograd  # numba, only where it is needed

        compile_loops()
    except Exception as error:  # numba raises what it likes where it is broken or does not fit numpy
        warnings.warn(
            f"{name}: numba cannot be used ({type(error).__name__}: {str(error).strip()}), so a picture takes about "
            "twice as long; to have one that fits: pip install --upgrade numba",
            LipwiseWarning,
            stacklevel=3,
        )
    else:
        with_winograd(network)
