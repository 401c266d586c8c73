"""Checkpoints in every form they are passed around in."""

import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from lipwise.files import sha256_of
from lipwise.models.checkpoint import load_checkpoint, read_state_dict


def assert_loads(path, network, expected):
    load_checkpoint(path, network, name="Small", known_sha256={sha256_of(path)})
    with path.open("r+b") as file:  # nothing may still hang on the file
        file.write(bytes(path.stat().st_size))
    for key, tensor in network.state_dict().items():
        assert torch.equal(tensor, expected[key]), key


@pytest.mark.parametrize("form", ["zip", "old"])
@pytest.mark.parametrize("prefix", ["", "module.", "model.generator."])
@pytest.mark.parametrize("under", [None, "state_dict", "params_ema", "params"])
def test_pickled_state_dicts_load(form, prefix, under, weights, small_network, save_as, tmp_path):
    states = {prefix + key: tensor for key, tensor in weights.items()}
    optimizer = {"state": {0: {"step": 1, "exp_avg": torch.ones(4)}}, "param_groups": [{"lr": 0.1}]}
    content = states if under is None else {"epoch": 3, "optimizer": optimizer, under: states}
    save_as[form](content, tmp_path / "a.pth")
    assert_loads(tmp_path / "a.pth", small_network(), weights)


def test_safetensors_loads(weights, small_network, tmp_path):
    save_file(weights, tmp_path / "a.safetensors")
    assert_loads(tmp_path / "a.safetensors", small_network(), weights)


def test_torchscript_scripted_and_traced_load(trained, weights, small_network, save_script, tmp_path):
    save_script(trained, tmp_path / "scripted.pt")
    assert_loads(tmp_path / "scripted.pt", small_network(), weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(trained, torch.zeros(1, 3, 5, 5)).save(str(tmp_path / "traced.pt"))
    assert_loads(tmp_path / "traced.pt", small_network(), weights)


def test_torchscript_tensors_keep_shape_and_dtype(save_script, tmp_path):
    class Several(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            whole = torch.arange(12.0).reshape(3, 4)
            for name, tensor in {
                "transposed": whole.t(),
                "part": whole[1:, 2:],
                "sixteen_bit": torch.ones(2).half(),
                "whole_numbers": torch.tensor([[7]]),
                "empty": torch.zeros(0, 3),
            }.items():
                self.register_buffer(name, tensor)
            self.names, self.steps = ["a", "b"], [1, 2]

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    module = Several()
    save_script(module, tmp_path / "several.pt")
    read = read_state_dict(tmp_path / "several.pt", known_sha256={sha256_of(tmp_path / "several.pt")})
    assert read.keys() == module.state_dict().keys()
    for key, tensor in module.state_dict().items():
        assert read[key].dtype == tensor.dtype
        assert torch.equal(read[key], tensor)


def test_half_precision_is_widened_and_missing_counters_are_made_up(weights, small_network, tmp_path):
    kept = {key: value.half() for key, value in weights.items() if "num_batches" not in key}
    torch.save(kept, tmp_path / "a.pth")
    expected = {key: value.float() for key, value in kept.items()} | {"1.num_batches_tracked": torch.tensor(0)}
    assert_loads(tmp_path / "a.pth", small_network(), expected)


def test_a_network_on_the_meta_device_is_filled(weights, small_network, tmp_path):
    torch.save(weights, tmp_path / "a.pth")
    with torch.device("meta"):
        network = small_network()
    load_checkpoint(tmp_path / "a.pth", network, name="Small")
    assert torch.isfinite(network(torch.ones(1, 3, 4, 4))).all()


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is asked of Linux")
def test_the_optimizer_beside_is_not_read_into_memory(weights, tmp_path):
    optimizer = {"state": {0: {"exp_avg": torch.ones(50_000_000)}}}  # 200 MB
    torch.save({"state_dict": weights, "optimizer": optimizer}, tmp_path / "a.pth")
    code = """
import re, sys
from pathlib import Path
from lipwise.models.checkpoint import read_state_dict

def kilobytes(name):
    return int(re.search(rf"{name}:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
before = kilobytes("VmRSS")
kept = read_state_dict(sys.argv[1])
print(len(kept), kilobytes("VmHWM") - before)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "a.pth")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    count, grown = map(int, run.stdout.split())
    assert count == len(weights)
    assert grown / 1024 < 60  # MB
