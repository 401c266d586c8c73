"""Weights made from a formula, and small checkpoints in every form, shared by the tests of the networks."""

import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

_SPEC = importlib.util.spec_from_file_location("formula", Path(__file__).with_name("formula.py"))
formula = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(formula)


@pytest.fixture(scope="session")
def wav2lip_table(golden: Path) -> Path:
    """Every key and shape of the published generator's state dict."""
    return golden / "wav2lip_state_dict.json"


@pytest.fixture(scope="session")
def wav2lip_weights(wav2lip_table: Path) -> dict[str, torch.Tensor]:
    """36 million formula weights; not to be changed."""
    return formula.formula_weights(wav2lip_table)


@pytest.fixture(scope="session")
def formula_of() -> Callable[[Path], dict[str, torch.Tensor]]:
    """Makes formula weights from a table of names and shapes."""
    return formula.formula_weights


def _small_network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1)).eval()


def _save_old(content: object, path: Path) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


def _save_script(module: nn.Module, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated, the files are not
        torch.jit.script(module).save(str(path))


@pytest.fixture(scope="session")
def small_network() -> Callable[[], nn.Sequential]:
    """Makes a network of a few weights."""
    return _small_network


@pytest.fixture
def trained() -> nn.Sequential:
    """A small network whose weights are always the same."""
    torch.manual_seed(3)
    return _small_network()


@pytest.fixture
def weights(trained: nn.Sequential) -> dict[str, torch.Tensor]:
    return dict(trained.state_dict())


@pytest.fixture(scope="session")
def save_script() -> Callable[[nn.Module, Path], None]:
    """Saves a module as TorchScript."""
    return _save_script


@pytest.fixture(scope="session")
def save_as() -> dict[str, Callable[[object, Path], None]]:
    """Savers of pickled content: "zip" is today's form, "old" that before torch 1.6, which the official file has."""
    return {"zip": torch.save, "old": _save_old}
