"""Which processors the upscalers' quick form is taken on, and what becomes of it where numba is of no use."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.data import astronaut

from lipwise.errors import LipwiseWarning
from lipwise.models import winograd
from lipwise.models.sr_networks import RRDBNet
from lipwise.models.upscalers import NetworkUpscaler, load_upscaler
from lipwise.models.winograd import WinogradBody, WinogradConv
from lipwise.models.winograd_loops import convolve

PICTURE = astronaut()[60:84, 200:218]


@pytest.fixture(scope="module")
def rrdb(tmp_path_factory) -> Path:
    torch.manual_seed(12)
    path = tmp_path_factory.mktemp("sr") / "x4.pth"
    torch.save({"params": RRDBNet(blocks=1).state_dict()}, path)
    return path


@pytest.fixture
def processor(monkeypatch):
    """Sets what the processor can do at most, as torch names it."""
    return lambda able: monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: able)


def loaded(path: Path, precision: str = "fp32") -> NetworkUpscaler:
    return load_upscaler(path, device="cpu", precision=precision)


def quick_parts(upscaler: NetworkUpscaler) -> set[type]:
    return {type(module) for module in upscaler.runner._precise.modules()} & {WinogradBody, WinogradConv}


def test_with_avx2_it_is_taken_and_compiled_before_the_first_picture(rrdb, processor):
    processor("AVX2")
    with warnings.catch_warnings():
        warnings.simplefilter("error", LipwiseWarning)
        upscaler = loaded(rrdb)
    assert quick_parts(upscaler) == {WinogradBody, WinogradConv}
    assert len(convolve.signatures) == 1
    upscaler(PICTURE)
    assert len(convolve.signatures) == 1


@pytest.mark.parametrize(("able", "precision"), [("AVX512", "fp32"), ("DEFAULT", "fp32"), ("AVX2", "bf16")])
def test_elsewhere_torchs_own_convolutions_serve(rrdb, processor, able, precision):
    processor(able)
    assert not quick_parts(loaded(rrdb, precision))


@pytest.mark.parametrize(
    ("numba", "said"),
    [
        (None, "No module named 'numba'"),
        ("raise ImportError('Numba needs NumPy 2.4 or less. Got NumPy 2.5.')", "Got NumPy 2.5"),
        ("raise OSError('libllvmlite.so: cannot open shared object file')", "libllvmlite.so"),
    ],
    ids=["absent", "too old for numpy", "broken"],
)
def test_without_numba_the_same_picture_takes_longer_which_is_told(rrdb, processor, monkeypatch, tmp_path, numba, said):
    processor("AVX2")
    expected = loaded(rrdb)(PICTURE)
    for name in [name for name in sys.modules if name.partition(".")[0] == "numba"]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("lipwise.models.winograd", "lipwise.models.winograd_loops"):
        monkeypatch.delitem(sys.modules, name)
    stand_in = tmp_path / "numba.py"
    stand_in.write_text(numba or "raise ModuleNotFoundError(\"No module named 'numba'\")")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.warns(LipwiseWarning, match=f"numba cannot be used .*{said}.*twice as long.*pip install") as caught:
        upscaler = loaded(rrdb)
    assert len(caught) == 1
    assert not quick_parts(upscaler)
    assert np.abs(upscaler(PICTURE).astype(int) - expected).max() <= 1


def test_loops_that_cannot_be_compiled_leave_the_network_as_it_was(rrdb, processor, monkeypatch):
    processor("AVX2")

    def fails():
        raise RuntimeError("LLVM ERROR: no such instruction")

    monkeypatch.setattr(winograd, "compile_loops", fails)
    with pytest.warns(LipwiseWarning, match="x4: numba cannot be used .*no such instruction"):
        upscaler = loaded(rrdb)
    assert not quick_parts(upscaler)
