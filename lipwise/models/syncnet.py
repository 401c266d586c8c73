"""SyncNet: pictures of a mouth and the sound beside them as points in one space, near each other where they agree.

Architecture: Chung & Zisserman, "Out of time: automated lip sync in the wild", ACCV 2016 workshops; layers and their
names as in SyncNetModel.py of github.com/joonson/syncnet_python, so that the published `syncnet_v2.model` loads as it
is. What is made of the points stands in `lipwise.stages.lse`.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lipwise.errors import SettingsError
from lipwise.models.checkpoint import load_checkpoint
from lipwise.models.device import BatchRunner, Precision

CROP_SIZE = 224
WINDOW_FRAMES = 5  # pictures in one window: 0.2 s at 25 a second
MFCC_COEFFICIENTS, WINDOW_STEPS = 13, 20  # the sound of those 0.2 s, at 100 steps a second
STEPS_PER_FRAME = WINDOW_STEPS // WINDOW_FRAMES  # 4
FEATURES, EMBEDDING = 512, 1024
BATCH_SIZE = 20

LICENCE = "SyncNet's weights were published without clear terms: treat them as for research only."


class Pool(NamedTuple):
    """One max pooling."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...] | int = 0


class Conv(NamedTuple):
    """One convolution with batch norm and ReLU; `pool` follows it."""

    channels: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...] | int = 1
    padding: tuple[int, ...] | int = 0
    pool: Pool | None = None


# The comment is the size of what comes out: frames x height x width, coefficients x steps.
LIP_LAYERS = (
    Conv(96, (5, 7, 7), stride=(1, 2, 2), pool=Pool((1, 3, 3), (1, 2, 2))),  # 1 x 54 x 54
    Conv(
        256, (1, 5, 5), stride=(1, 2, 2), padding=(0, 1, 1), pool=Pool((1, 3, 3), (1, 2, 2), (0, 1, 1))
    ),  # 1 x 13 x 13
    Conv(256, (1, 3, 3), padding=(0, 1, 1)),  # 1 x 13 x 13
    Conv(256, (1, 3, 3), padding=(0, 1, 1)),  # 1 x 13 x 13
    Conv(256, (1, 3, 3), padding=(0, 1, 1), pool=Pool((1, 3, 3), (1, 2, 2))),  # 1 x 6 x 6
    Conv(FEATURES, (1, 6, 6)),  # 1 x 1 x 1
)
SOUND_LAYERS = (
    Conv(64, (3, 3), padding=1, pool=Pool((1, 1), (1, 1))),  # 13 x 20; pools nothing, but the layers' names count it
    Conv(192, (3, 3), padding=1, pool=Pool((3, 3), (1, 2))),  # 11 x 9
    Conv(384, (3, 3), padding=1),  # 11 x 9
    Conv(256, (3, 3), padding=1),  # 11 x 9
    Conv(256, (3, 3), padding=1, pool=Pool((3, 3), (2, 2))),  # 5 x 4
    Conv(FEATURES, (5, 4)),  # 1 x 1
)
_FLAT: tuple[Any, Any, Any] = (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d)
_IN_TIME: tuple[Any, Any, Any] = (nn.Conv3d, nn.BatchNorm3d, nn.MaxPool3d)


def _stack(channels: int, rows: Sequence[Conv], kinds: tuple[Any, Any, Any]) -> nn.Sequential:
    """The layers of a table; `kinds` are the classes of convolution, batch norm and pooling."""
    convolution, norm, pooling = kinds
    layers: list[nn.Module] = []
    for row in rows:
        layers += [convolution(channels, row.channels, row.kernel, row.stride, row.padding), norm(row.channels)]
        layers.append(nn.ReLU(inplace=True))
        if row.pool is not None:
            layers.append(pooling(row.pool.kernel, row.pool.stride, row.pool.padding))
        channels = row.channels
    return nn.Sequential(*layers)


def _head() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(FEATURES, FEATURES), nn.BatchNorm1d(FEATURES), nn.ReLU(), nn.Linear(FEATURES, EMBEDDING)
    )


class SyncNetNetwork(nn.Module):
    """13,631,616 parameters in two branches that share nothing; keys and shapes are those of `syncnet_v2.model`."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud, self.netfcaud = _stack(1, SOUND_LAYERS, _FLAT), _head()
        self.netcnnlip, self.netfclip = _stack(3, LIP_LAYERS, _IN_TIME), _head()

    def embed_lips(self, windows: Tensor) -> Tensor:
        """(B, 3, 5, 224, 224) BGR in 0-255 to (B, 1024)."""
        return self.netfclip(self.netcnnlip(windows).flatten(1))  # (B, 512, 1, 1, 1) -> (B, 512) -> (B, 1024)

    def embed_sound(self, windows: Tensor) -> Tensor:
        """MFCC (B, 1, 13, 20) to (B, 1024)."""
        return self.netfcaud(self.netcnnaud(windows).flatten(1))  # (B, 512, 1, 1) -> (B, 512) -> (B, 1024)


class LipBranch(nn.Module):
    """The branch that sees, with its pictures as people keep them: RGB, uint8."""

    def __init__(self, network: SyncNetNetwork) -> None:
        super().__init__()
        self.features, self.head = network.netcnnlip, network.netfclip

    def forward(self, windows: Tensor) -> Tensor:
        """(B, 3, 5, 224, 224) RGB uint8 to (B, 1024)."""
        bgr = windows.flip(1).to(next(self.parameters()).dtype)
        return self.head(self.features(bgr).flatten(1))


class SoundBranch(nn.Module):
    """The branch that hears."""

    def __init__(self, network: SyncNetNetwork) -> None:
        super().__init__()
        self.features, self.head = network.netcnnaud, network.netfcaud

    def forward(self, windows: Tensor) -> Tensor:
        """MFCC (B, 1, 13, 20) to (B, 1024)."""
        return self.head(self.features(windows).flatten(1))


class SyncNet:
    """Both branches, ready for any number of pictures. Made by `load_syncnet`.

    Attributes:
        crop_size: height and width of the pictures.
        window_frames: pictures in one window.
        parameters: number of trained parameters.
        licence: what the weights may be used for.
    """

    crop_size = CROP_SIZE
    window_frames = WINDOW_FRAMES
    licence = LICENCE

    def __init__(self, lips: BatchRunner, sound: BatchRunner, *, parameters: int) -> None:
        self._lips = lips
        self._sound = sound
        self.parameters = parameters

    def embed_lips(self, crops: Iterable[np.ndarray]) -> np.ndarray:
        """One embedding for each five pictures in a row; pictures are taken a batch at a time, so any number fits.

        Args:
            crops: T pictures (224, 224, 3) RGB uint8, 25 a second; see `lipwise.faces.sync_crop`.

        Returns:
            (max(T - 4, 0), 1024) float32; row i sees the pictures i .. i + 4.

        Raises:
            SettingsError: a picture of another shape or dtype.
        """
        stream, held = iter(crops), []
        embeddings = [np.zeros((0, EMBEDDING), np.float32)]
        while block := list(islice(stream, self._lips.batch_size)):
            for crop in block:
                _check("a crop", crop, (CROP_SIZE, CROP_SIZE, 3), np.uint8)
            held += block
            if len(held) >= WINDOW_FRAMES:
                embeddings.append(self._lips(_lip_windows(held)).numpy())
                held = held[1 - WINDOW_FRAMES :]
        return np.concatenate(embeddings)

    def embed_sound(self, mfcc: np.ndarray) -> np.ndarray:
        """One embedding for each 0.2 s of sound, 25 a second.

        Args:
            mfcc: (13, M) float32, 100 steps a second; see `lipwise.media.mfcc`.

        Returns:
            (N, 1024) float32 with N = max(0, (M - 20) // 4 + 1); row i hears the steps 4i .. 4i + 19.

        Raises:
            SettingsError: another shape or dtype.
        """
        _check("mfcc", mfcc, (MFCC_COEFFICIENTS, mfcc.shape[-1]), np.float32)
        if mfcc.shape[1] < WINDOW_STEPS:
            return np.zeros((0, EMBEDDING), np.float32)
        steps = torch.from_numpy(np.ascontiguousarray(mfcc))
        windows = steps.unfold(1, WINDOW_STEPS, STEPS_PER_FRAME)  # (13, N, 20)
        return self._sound(windows.transpose(0, 1).unsqueeze(1)).numpy()  # (N, 1, 13, 20) -> (N, 1024)

    def remarks(self) -> list[str]:
        """What had to be given up, one sentence each, for a report."""
        return [*self._lips.remarks(), *self._sound.remarks()]


def _lip_windows(crops: list[np.ndarray]) -> Tensor:
    """All runs of five pictures, (T - 4, 3, 5, 224, 224) uint8; a view that holds every picture once."""
    pictures = torch.from_numpy(np.stack(crops))  # (T, 224, 224, 3)
    return pictures.unfold(0, WINDOW_FRAMES, 1).permute(0, 3, 4, 1, 2)  # (T - 4, 224, 224, 3, 5) before


def load_syncnet(
    path: str | Path,
    *,
    device: str | None = None,
    precision: Precision = "fp32",
    batch_size: int = BATCH_SIZE,
    known_sha256: Collection[str] = (),
) -> SyncNet:
    """SyncNet with the weights of `syncnet_v2.model`, or of the same tensors in another form.

    Args:
        path: see `lipwise.models.checkpoint.load_checkpoint`.
        device: None takes the graphics card if there is one.
        precision: scores are compared with published ones, which were taken in fp32.
        batch_size: windows computed at once; halved when memory runs out.
        known_sha256: hashes of the files that may be TorchScript.

    Raises:
        CheckpointError: the file is not a SyncNet checkpoint.
        SettingsError: a device or precision that is not there.
    """
    with torch.device("meta"):  # no weights yet, so none are made to be thrown away
        network = SyncNetNetwork()
    load_checkpoint(path, network, name="SyncNet", known_sha256=known_sha256)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    lips, sound = (
        BatchRunner(branch(network), name="SyncNet", device=device, precision=precision, batch_size=batch_size)
        for branch in (LipBranch, SoundBranch)
    )
    return SyncNet(lips, sound, parameters=parameters)


def _check(name: str, array: np.ndarray, shape: tuple[int, ...], dtype: type) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise SettingsError(
            f"{name} has the wrong form",
            cause=f"expected {shape} {np.dtype(dtype)}, got {array.shape} {array.dtype}",
            next_step="Cut crops with `sync_crop`, and make MFCC with `mfcc`.",
        )
