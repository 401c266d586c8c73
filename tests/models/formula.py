"""Weights that anyone can rebuild: each tensor is made from its own name. Stands in for checkpoints nobody may ship."""

import json
import math
import zlib
from pathlib import Path

import numpy as np
import torch


def formula_tensor(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """The tensor of that name: normal numbers seeded by the name, scaled so that signals neither die nor grow."""
    normal = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape).astype(np.float32)
    leaf = key.rsplit(".", 1)[1]
    if leaf == "num_batches_tracked":
        return torch.zeros((), dtype=torch.int64)
    if leaf == "running_var":
        values = 1 + 0.1 * np.abs(normal)
    elif leaf in ("running_mean", "bias"):
        values = 0.05 * normal
    elif len(shape) == 1:
        values = 1 + 0.1 * normal
    else:
        modulated = len(shape) == 5 and shape[0] == 1  # GFPGAN's; a 3-D convolution has five axes, too
        fan_in = math.prod(shape[2:] if modulated else shape[1:])
        values = normal * math.sqrt(0.8 / fan_in)
    return torch.from_numpy(np.asarray(values, dtype=np.float32))


def formula_weights(table: Path) -> dict[str, torch.Tensor]:
    """A whole state dict, from a JSON table of names and shapes."""
    return {key: formula_tensor(key, tuple(shape)) for key, shape in json.loads(table.read_text()).items()}
