"""Weights made from a formula, shared by the tests of the networks."""

import importlib.util
from pathlib import Path

import pytest
import torch

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
