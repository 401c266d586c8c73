"""Real-ESRGAN's weights in ncnn's format, into the state dicts of the official checkpoints.

ncnn keeps a network in two files. The `.param` text lists the layers in the order in which they compute, the `.bin`
holds nothing but their numbers in that order. Each convolution there is a flag of 4 bytes, its weights (out, in, 3, 3)
and its bias; the flag 0x01306B47 says that the weights are float16, padded to whole 4 bytes, and 0 that they are
float32. Biases, and the slopes of a PReLU, are float32 without a flag (ncnn, docs/developer-guide/param-and-model-file-
structure.md). Names are not kept; but the order is that of our networks' own layers.

The `.bin` alone is enough: among the known networks its size belongs to one only. A `.param` beside it is checked as
well.
"""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch
from torch import Tensor

from lipwise.errors import CheckpointError
from lipwise.models.sr_networks import RRDBNet, SRNetwork, SRVGGNetCompact

PARAM_MAGIC = "7767517"
FLOAT16, FLOAT32 = 0x01306B47, 0
ALIGNMENT = FLAG_BYTES = 4
KNOWN_BLOCKS = (23, 6)  # x4plus, x4plus_anime_6B
KNOWN_CONVOLUTIONS = (16, 32)  # realesr-animevideov3, realesr-general-x4v3
CONVS_A_BLOCK, CONVS_AROUND = 15, 6  # an RRDB has 15 convolutions; one stands before the blocks and five behind
_NUM_OUTPUT, _KERNEL_WIDTH, _WEIGHT_COUNT = 0, 1, 6  # keys of a Convolution in the .param
_AGAIN = "Delete it and get it again; compare its size with the one given where it is offered."

Shapes = dict[str, tuple[int, ...]]


def is_ncnn(path: str | Path) -> bool:
    """Whether the name is that of an ncnn file."""
    return Path(path).suffix.lower() in (".bin", ".param")


def read_ncnn(path: str | Path) -> dict[str, Tensor]:
    """The state dict of an ncnn Real-ESRGAN network, with the names of the official checkpoint.

    Args:
        path: the `.bin`, or the `.param` beside it.

    Returns:
        float32 tensors by name.

    Raises:
        CheckpointError: a file is not there, cut off, too long, damaged, or belongs to a network that is not known.
    """
    path = Path(path)
    numbers, param = path.with_suffix(".bin"), path.with_suffix(".param")
    content = _bytes_of(numbers)
    listed = _listed_layers(param) if param.is_file() or path == param else None
    shapes = _shapes_by_size(numbers, len(content)) if listed is None else _shapes_by_list(param, listed)
    return _read_weights(numbers, content, shapes)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be opened", cause=str(error), next_step="Check the path and that you may read the file."
        ) from error


def _fail(path: Path, cause: str, next_step: str) -> NoReturn:
    raise CheckpointError(f"{path} is not an ncnn file that can be read", cause=cause, next_step=next_step)


def _shapes_of(network: SRNetwork) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def _known_networks() -> Iterator[SRNetwork]:
    with torch.device("meta"):  # only their shapes are wanted
        for blocks in KNOWN_BLOCKS:
            yield RRDBNet(blocks=blocks)
        for convolutions in KNOWN_CONVOLUTIONS:
            yield SRVGGNetCompact(convolutions=convolutions)


def _shapes_by_size(path: Path, size: int) -> Shapes:
    """The shapes of the known network whose `.bin` has that many bytes."""
    for network in _known_networks():
        shapes = _shapes_of(network)
        if size in (_bin_bytes(shapes, 2), _bin_bytes(shapes, 4)):
            return shapes
    cause = f"a Real-ESRGAN network never has {size:,} bytes: it is cut off, or another network"
    _fail(path, cause, f"{_AGAIN} For another network put its .param beside it.")


def _bin_bytes(shapes: Mapping[str, tuple[int, ...]], weight_bytes: int) -> int:
    """The size of a `.bin` whose convolutions keep their weights in numbers of that many bytes."""
    convolutions = [shape for shape in shapes.values() if len(shape) == 4]
    vectors = sum(4 * shape[0] for shape in shapes.values() if len(shape) == 1)
    weights = sum(-(-int(np.prod(shape)) * weight_bytes // ALIGNMENT) * ALIGNMENT for shape in convolutions)
    return FLAG_BYTES * len(convolutions) + weights + vectors


def _listed_layers(path: Path) -> list[tuple[int, ...]]:
    """The shape of each convolution's weights and each PReLU's slopes, in the order of the `.param`."""
    lines = _bytes_of(path).decode(errors="replace").split("\n")
    if lines[0].strip() != PARAM_MAGIC:
        _fail(path, f"it begins with {lines[0][:24]!r} and not with {PARAM_MAGIC}", "Name an ncnn .param in text form.")
    layers = [line.split() for line in lines[2:] if line.strip()]
    try:
        promised = int(lines[1].split()[0])
        shapes = [shape for fields in layers if (shape := _listed_shape(fields)) is not None]
    except (IndexError, KeyError, ValueError, ZeroDivisionError) as error:
        _fail(path, f"a line in it cannot be understood ({type(error).__name__}: {error})", _AGAIN)
    if promised != len(layers):
        _fail(path, f"it promises {promised} layers and lists {len(layers)}", _AGAIN)
    return shapes


def _listed_shape(fields: list[str]) -> tuple[int, ...] | None:
    """The shape of a layer's weights, None when it has none.

    `fields` are kind, name, number of inputs, number of outputs, their names, and then key=value; keys under zero
    stand for lists, which no size is read from.
    """
    kind = fields[0]
    if kind not in ("Convolution", "PReLU"):
        return None
    first_value = 4 + int(fields[2]) + int(fields[3])
    pairs = [field.split("=", 1) for field in fields[first_value:]]
    values = {int(key): int(value) for key, value in pairs if not key.startswith("-") and "." not in value}
    if kind == "PReLU":
        return (values[_NUM_OUTPUT],)
    out, side = values[_NUM_OUTPUT], values[_KERNEL_WIDTH]
    return (out, values[_WEIGHT_COUNT] // (out * side**2), side, side)


def _shapes_by_list(path: Path, listed: list[tuple[int, ...]]) -> Shapes:
    """The names for the listed layers, once they are those of a network of ours."""
    convolutions, slopes = [[shape for shape in listed if len(shape) == axes] for axes in (4, 1)]
    blocks, rest = divmod(len(convolutions) - CONVS_AROUND, CONVS_A_BLOCK)
    if len(convolutions) < 2 or (not slopes and (blocks < 1 or rest)):
        cause = f"{len(convolutions)} convolutions and {len(slopes)} PReLUs make no network of Real-ESRGAN"
        _fail(path, cause, "Name the files of a Real-ESRGAN network.")
    features = convolutions[0][0]
    with torch.device("meta"):
        if slopes:
            scale = max(1, round((convolutions[-1][0] / 3) ** 0.5))
            network = SRVGGNetCompact(scale=scale, convolutions=len(convolutions) - 2, features=features)
        else:
            network = RRDBNet(blocks=blocks, features=features, growth=convolutions[1][0])
    shapes = _shapes_of(network)
    expected = [shape for name, shape in shapes.items() if name.endswith(".weight")]
    if listed != expected:
        at = next((index for index, pair in enumerate(zip(listed, expected, strict=False)) if pair[0] != pair[1]), -1)
        cause = f"layer {at} with weights is {listed[at]}, where {type(network).__name__} has {expected[at]}"
        _fail(path, cause, "Name the files of a Real-ESRGAN network.")
    return shapes


def _read_weights(path: Path, content: bytes, shapes: Shapes) -> dict[str, Tensor]:
    state, position = {}, 0
    for name, shape in shapes.items():
        try:
            values, position = _read_tensor(content, position, shape)
        except (ValueError, struct.error) as error:
            _fail(path, f"{name}, {shape}, which begins at byte {position:,} of {len(content):,}: {error}", _AGAIN)
        if not np.isfinite(values).all():
            _fail(path, f"NaN or infinity in {name}", _AGAIN)
        state[name] = torch.from_numpy(values.astype(np.float32).reshape(shape))
    if position != len(content):
        cause = f"{len(content) - position:,} bytes are left over behind the last layer"
        _fail(path, cause, f"{_AGAIN} Look whether .param and .bin belong together.")
    return state


def _read_tensor(content: bytes, position: int, shape: tuple[int, ...]) -> tuple[np.ndarray, int]:
    """The numbers that begin there, and where the next ones begin."""
    count, kind = int(np.prod(shape)), np.dtype("<f4")
    if len(shape) == 4:
        (flag,) = struct.unpack_from("<I", content, position)
        position += FLAG_BYTES
        if flag not in (FLOAT16, FLOAT32):
            raise ValueError(f"the flag 0x{flag:08X} stands for neither float16 nor float32 weights")
        kind = np.dtype("<f2") if flag == FLOAT16 else kind
    values = np.frombuffer(content, dtype=kind, count=count, offset=position)
    return values, position + -(-values.nbytes // ALIGNMENT) * ALIGNMENT
