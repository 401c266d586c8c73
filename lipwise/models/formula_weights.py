"""Wav2Lip checkpoints without training: every number is made from a formula, the same ones everywhere.

The official weights may not be shipped. A file made here has their layout (the names and shapes of the published file,
under `state_dict` and behind `module.`), so that lessons and tests can run every step; its picture is noise.
"""

import math
import zlib
from collections.abc import Collection
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lipwise.files import written_whole
from lipwise.models.checkpoint import load_checkpoint
from lipwise.models.wav2lip_network import Wav2LipNetwork

NOTE = "untrained, made from a formula; its picture is noise"
SIGNAL = 0.8  # variance that a layer hands on: with it, signals neither die nor grow in a network of this kind


def write_untrained(path: str | Path) -> Path:
    """Write a Wav2Lip checkpoint of 145 MB in the official layout that nobody has trained.

    Raises:
        OSError, MediaError: it cannot be written.
    """
    shapes = {key: tuple(value.shape) for key, value in _empty_network().state_dict().items()}
    state = {f"module.{key}": formula_tensor(key, shape) for key, shape in shapes.items()}
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(target) as part, part.open("wb") as file:  # torch writes a path's name into what it saves
        torch.save({"state_dict": state, "global_step": 0, "note": NOTE}, file)
    return target


def formula_tensor(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """The tensor of that name: normal numbers seeded by the name, scaled so that signals neither die nor grow."""
    leaf = key.rsplit(".", 1)[-1]
    if leaf == "num_batches_tracked":
        return torch.zeros((), dtype=torch.int64)
    normal = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape).astype(np.float32)
    if leaf == "running_var":
        values = 1 + 0.1 * np.abs(normal)
    elif leaf in ("running_mean", "bias"):
        values = 0.05 * normal
    elif len(shape) == 1:
        values = 1 + 0.1 * normal
    else:
        values = normal * math.sqrt(SIGNAL / math.prod(shape[1:]))
    return torch.from_numpy(np.asarray(values, np.float32))


def load_network(path: str | Path, *, known_sha256: Collection[str] = ()) -> nn.Module:
    """Wav2Lip's bare network in float32: (B, 6, 96, 96) and (B, 1, 80, 16) in, (B, 3, 96, 96) out, all as published.

    Args:
        known_sha256: hashes of the files that may be TorchScript.

    Raises:
        CheckpointError: the file holds another network.
    """
    network = _empty_network()
    load_checkpoint(path, network, name="Wav2Lip", known_sha256=known_sha256)
    return network.eval().requires_grad_(False)


def _empty_network() -> nn.Module:
    with torch.device("meta"):  # no weights, so none are made to be thrown away
        return Wav2LipNetwork()
