"""Tensors of a TorchScript archive, read without running anything in it.

`torch.load(weights_only=True)` refuses TorchScript, and `torch.jit.load` is no way round: it compiles the archive's
code and runs every `__setstate__` it finds there, and TorchScript code may write files (`aten::save`). But an archive
is a ZIP file whose `data.pkl` describes a tree of modules and whose `data/0`, `data/1` ... are the tensors' bytes. Here
that pickle is read by an unpickler that knows a handful of names and puts an empty holder in the place of every class
of the archive; any other name stops it.
"""

import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_STORAGE_DTYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


class _Module:
    """Stands in for a class of the archive: takes the attributes and does nothing."""

    def __setstate__(self, attributes: Any) -> None:
        if not isinstance(attributes, dict):  # left by a __getstate__ of the archive, for its own code to read
            raise pickle.UnpicklingError("a module keeps its attributes in a form of its own")
        vars(self).update(attributes)


def _tensor(storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object) -> Tensor:
    return storage.as_strided(size, stride, offset)  # raises where it would read past the storage


def _as_it_is(value: Any, *_: object) -> Any:
    return value


_ALLOWED = {
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _as_it_is,
    ("collections", "OrderedDict"): dict,
    ("torch.jit._pickle", "restore_type_tag"): _as_it_is,
    ("torch.jit._pickle", "build_intlist"): _as_it_is,
    ("torch.jit._pickle", "build_doublelist"): _as_it_is,
    ("torch.jit._pickle", "build_boollist"): _as_it_is,
    ("torch.jit._pickle", "build_tensorlist"): _as_it_is,
} | {("torch", name): dtype for name, dtype in _STORAGE_DTYPES.items()}


class _TensorUnpickler(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(archive.open(f"{root}data.pkl"))
        self._archive, self._root = archive, root
        self._storages: dict[str, Tensor] = {}

    def find_class(self, module_name: str, global_name: str) -> Any:
        if module_name.partition(".")[0] == "__torch__":
            return _Module
        try:
            return _ALLOWED[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"GLOBAL {module_name}.{global_name} is not allowed") from None

    def persistent_load(self, pid: Any) -> Tensor:
        _, dtype, key, _, count = pid  # ("storage", dtype, "12", "cpu", number of elements)
        if key not in self._storages:
            self._storages[key] = self._storage(dtype, key, count)
        return self._storages[key]

    def _storage(self, dtype: torch.dtype, key: str, count: int) -> Tensor:
        if count == 0:
            return torch.empty(0, dtype=dtype)
        entry = self._archive.getinfo(f"{self._root}data/{key}")
        # torch never packs tensors; a few packed bytes could unfold to gigabytes.
        if entry.compress_type != zipfile.ZIP_STORED:
            raise pickle.UnpicklingError(f"{entry.filename} is compressed")
        return torch.frombuffer(bytearray(self._archive.read(entry)), dtype=dtype, count=count)


def is_torchscript(archive: zipfile.ZipFile) -> bool:
    """Whether a torch archive holds code beside its tensors."""
    return any(name.endswith("/constants.pkl") for name in archive.namelist())


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """Every tensor of the module, named as in its state dict.

    Raises:
        pickle.UnpicklingError: the archive asks for something that no module of plain tensors needs.
        zipfile.BadZipFile, KeyError, ValueError, RuntimeError: the archive is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        root = next(name for name in archive.namelist() if name.endswith("/constants.pkl")).removesuffix(
            "constants.pkl"
        )
        return dict(_tensors(_TensorUnpickler(archive, root).load()))


def _tensors(module: object, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    for name, value in vars(module).items():
        if isinstance(value, Tensor):
            yield f"{prefix}{name}", value
        elif isinstance(value, _Module):
            yield from _tensors(value, f"{prefix}{name}.")
