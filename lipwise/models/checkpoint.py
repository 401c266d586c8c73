"""Weights from a file into a network, never running code that the file may hold.

Four kinds of file are read. Pickles, in the ZIP form of today and in the form before torch 1.6, go through
`torch.load(weights_only=True)`, whose unpickler builds tensors, numbers and containers only. safetensors holds no code.
TorchScript archives are read by `lipwise.models.torchscript`, which says why `torch.jit.load` will not do, and only
those whose hash the caller knows: a list of weights has it, and which lists there are is not this room's business.
"""

import pickle
import re
import struct
import zipfile
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from lipwise.errors import CheckpointError
from lipwise.files import sha256_of
from lipwise.models.torchscript import is_torchscript, read_torchscript

NESTED = ("state_dict", "params_ema", "params", "model_state_dict")
_AGAIN = "Delete it and get it again; compare its size with the one given where it is offered."
_HEAD_BYTES = 512
# What torch, zipfile and pickle say of a file that ends too early or has wrong bytes in it.
_DAMAGE = (
    *(RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, EOFError),
    *(struct.error, zipfile.BadZipFile, AssertionError, OSError),  # OSError: an offset that lies before the file
)
# A name inside a state dict that gives a well-known network away.
_SIGNS = {
    "netcnnlip": "SyncNet, the scorer",
    "stylegan_decoder": "GFPGAN",
    "binary_pred": "Wav2Lip's picture discriminator",
    "face_decoder_blocks": "Wav2Lip, of another size",
    "face_encoder.": "Wav2Lip's lip-sync expert",
    "rdb1.conv1": "Real-ESRGAN (RRDBNet)",
    "RDB1.conv1": "ESRGAN (RRDBNet, old names)",
}


def load_checkpoint(
    path: str | Path,
    network: nn.Module,
    *,
    name: str,
    nested: Sequence[str] = NESTED,
    known_sha256: Collection[str] = (),
) -> None:
    """Fill a network with the weights of a file.

    Tensors are kept as float32 copies, so that nothing else in the file (an optimizer, say) stays in memory or mapped.

    Args:
        path: safetensors, TorchScript, or a pickled state dict, bare or nested.
        network: what to fill; may have been built on the "meta" device, which saves making weights to throw away.
        name: what errors call the network.
        nested: keys under which a state dict may lie, the first one found counts.
        known_sha256: hashes of the files that may be TorchScript.

    Raises:
        CheckpointError: there is no such file, it is not a checkpoint, it is damaged, it holds something that could run
            code, it is TorchScript that nobody knows, or it belongs to another network.
    """
    path = Path(path)
    state = read_state_dict(path, nested=nested, known_sha256=known_sha256)
    weights = _fitted(state, network.state_dict(), path=path, name=name)
    network.load_state_dict(weights, assign=True)


def read_state_dict(
    path: str | Path, *, nested: Sequence[str] = NESTED, known_sha256: Collection[str] = ()
) -> dict[str, Tensor]:
    """The tensors of a file by name; of a ZIP-form pickle and of safetensors only those asked for are read from disk.

    Raises:
        CheckpointError: as in `load_checkpoint`.
    """
    path = Path(path)
    head = _head(path)
    try:
        loaded = _load(path, head, known_sha256)
    except pickle.UnpicklingError as error:
        raise _refused(path, error) from error
    except _DAMAGE as error:
        words = str(error).strip().split("\n")[0].split(". ")[0] or type(error).__name__
        if "magic number" in words:
            _fail(path, "it is a pickle of something else, not saved by torch", "Use .pth, .pt or .safetensors.")
        _fail(path, f"the file is cut off or damaged ({path.stat().st_size:,} bytes): {words}", _AGAIN)
    return _tensors(loaded, nested, path)


def _fail(path: Path, cause: str, next_step: str) -> NoReturn:
    raise CheckpointError(f"{path} is not a checkpoint that can be read", cause=cause, next_step=next_step)


def _head(path: Path) -> bytes:
    """The first bytes, once they look like one of the formats at all."""
    if path.is_dir():
        _fail(path, "it is a folder", "Name the file inside it.")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be opened", cause=str(error), next_step="Check the path and that you may read the file."
        ) from error
    if not head:
        _fail(path, "the file is empty", _AGAIN)
    if head.startswith(b"version https://git-lfs"):
        _fail(
            path, "it is a git-LFS pointer, a few lines that stand for the real file", "Fetch it with `git lfs pull`."
        )
    if re.match(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml|head|!--)", head, re.IGNORECASE):
        cause = "it is a web page saved under this name, as a download service's quota or login page is"
        _fail(path, cause, "Delete it and download the file itself, later or from another mirror.")
    return head


def _load(path: Path, head: bytes, known_sha256: Collection[str]) -> Any:
    if head.startswith(b"PK\x03\x04"):
        return _load_zip(path, known_sha256)
    if head.startswith(b"\x80"):  # a pickle; before torch 1.6 several of them in a row, the tensors' bytes behind
        return torch.load(path, map_location="cpu", weights_only=True)
    if head[8:9] == b"{":
        return _load_safetensors(path)
    _fail(path, f"it begins with {head[:24]!r}, like none of the formats known", "Use .pth, .pt or .safetensors.")


def _load_zip(path: Path, known_sha256: Collection[str]) -> Any:
    with zipfile.ZipFile(path) as archive:
        names, script = archive.namelist(), is_torchscript(archive)
    if script:
        _refuse_unknown(path, known_sha256)
        return read_torchscript(path)
    if not any(name.endswith("data.pkl") for name in names):
        _fail(
            path, f"it is a ZIP archive of other things ({', '.join(names[:3])})", "Unpack it and name the checkpoint."
        )
    return torch.load(str(path), map_location="cpu", weights_only=True, mmap=True)


def _refuse_unknown(path: Path, known_sha256: Collection[str]) -> None:
    digest = sha256_of(path)
    if digest not in known_sha256:
        raise CheckpointError(
            f"{path} was refused",
            cause=f"it is TorchScript, which can hold code, and no list of weights has its SHA-256 {digest}; "
            "nothing of it was run",
            next_step="Save its state dict with torch.save, or, if you trust where it comes from, add it to your own "
            "list of weights (LIPWISE_WEIGHTS).",
        )


def _load_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _refused(path: Path, error: Exception) -> CheckpointError:
    named = re.search(r"GLOBAL (\S+)", str(error))
    what = (
        f"it asks for {named[1]}" if named else "it is damaged, or asks for more than tensors, numbers and containers"
    )
    return CheckpointError(
        f"{path} was refused",
        cause=f"{what}, which could run any code; nothing of it was run",
        next_step="Get the weights as a state dict or as safetensors from a source you trust.",
    )


def _tensors(loaded: Any, nested: Sequence[str], path: Path) -> dict[str, Tensor]:
    """The state dict inside what was loaded; whatever lies beside it is let go."""
    if isinstance(loaded, Mapping):
        inner = next((loaded[key] for key in nested if isinstance(loaded.get(key), Mapping)), loaded)
        found = {str(key): value for key, value in inner.items() if isinstance(value, Tensor)}
        if found:
            return found
        held = f"a mapping with the keys {_some(list(map(str, loaded)))}" if loaded else "an empty mapping"
    else:
        held = f"an object of type {type(loaded).__name__}"
    _fail(path, f"it holds {held}, no tensors by name", f"Give a state dict, bare or under {' or '.join(nested)}.")


def _fitted(state: dict[str, Tensor], wanted: Mapping[str, Tensor], *, path: Path, name: str) -> dict[str, Tensor]:
    """Tensors under the network's own names, as copies in its own dtypes."""
    prefix = _prefix(state, wanted)
    given = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    for key, tensor in wanted.items():  # a counter that only training reads; conversions leave it out
        if key.endswith("num_batches_tracked"):
            given.setdefault(key, torch.zeros((), dtype=tensor.dtype))
    faults = _faults(given, wanted)
    if faults:
        sign = next((network for mark, network in _SIGNS.items() if any(mark in key for key in state)), None)
        guess = f"; it looks like {sign}" if sign else ""
        raise CheckpointError(
            f"{path} holds another network than {name}",
            cause="; ".join(faults) + guess,
            next_step=f"Name a checkpoint of {name}.",
        )
    fitted = {key: given[key].to(tensor.dtype, copy=True) for key, tensor in wanted.items()}
    broken = [key for key, tensor in fitted.items() if not torch.isfinite(tensor).all()]
    if broken:
        _fail(path, f"NaN or infinity in {_some(broken)}", _AGAIN)
    return fitted


def _prefix(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    """What stands before the network's own names, `module.` after DataParallel for one; "" if little fits."""
    found = Counter(key[: -len(own)] for own in wanted for key in state if f".{key}".endswith(f".{own}"))
    prefix, count = found.most_common(1)[0] if found else ("", 0)
    return prefix if count > len(wanted) / 2 else ""  # a few names in common are chance


def _faults(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    missing = [key for key in wanted if key not in given]
    extra = [key for key in given if key not in wanted]
    shapes = [
        f"{key} is {tuple(given[key].shape)} and not {tuple(tensor.shape)}"
        for key, tensor in wanted.items()
        if key in given and given[key].shape != tensor.shape
    ]
    kinds = {"missing": missing, "not part of it": extra, "other shapes": shapes}
    return [f"{len(rows)} {kind}: {_some(rows)}" for kind, rows in kinds.items() if rows]


def _some(rows: Sequence[str], count: int = 3) -> str:
    return ", ".join(rows[:count]) + (", ..." if len(rows) > count else "")
