"""The reader of ncnn's files: hand-made ones, with every fault, and the published ones against the official weights."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from lipwise.errors import CheckpointError, LipwiseError
from lipwise.models.ncnn import FLOAT16, FLOAT32, read_ncnn
from lipwise.models.sr_networks import RRDBNet, SRVGGNetCompact

PUBLISHED = {
    "realesrgan_x4plus_ncnn": "RealESRGAN_x4plus.from_ncnn_fp16.pth",
    "realesr_animevideov3_ncnn": "realesr-animevideov3.from_ncnn_fp16.pth",
}


def bin_of(state: dict[str, torch.Tensor], *, flag: int = FLOAT16) -> bytes:
    """What ncnn's converter writes."""
    content = b""
    for tensor in state.values():
        if tensor.dim() == 4:
            half = tensor.numpy().astype("<f2" if flag == FLOAT16 else "<f4").tobytes()
            content += struct.pack("<I", flag) + half + b"\0" * (-len(half) % 4)
        else:
            content += tensor.numpy().astype("<f4").tobytes()
    return content


def param_of(state: dict[str, torch.Tensor]) -> str:
    """The layers with weights, and one without."""
    lines = ["Input                    input.1                  0 1 data"]
    for index, tensor in enumerate(state[name] for name in state if name.endswith(".weight")):
        before = f"Layer_{index} 1 1 in_{index} out_{index} 0={tensor.shape[0]}"
        if tensor.dim() == 1:
            lines.append(f"PReLU {before}")
        else:
            lines.append(f"Convolution {before} 1=3 4=1 5=1 6={tensor.numel()} 9=2 -23310=1,2.000000e-01")
    return "\n".join(["7767517", f"{len(lines)} 99", *lines, ""])


def rounded_state(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Its weights as float16 keeps them; biases and slopes as they are."""
    return {
        name: tensor.half().float() if tensor.dim() == 4 else tensor for name, tensor in network.state_dict().items()
    }


@pytest.fixture
def srvgg() -> dict[str, torch.Tensor]:
    # 3 features: an odd number of weights is padded to whole 4 bytes.
    torch.manual_seed(1)
    return rounded_state(SRVGGNetCompact(scale=1, convolutions=1, features=3))


@pytest.fixture
def rrdb() -> dict[str, torch.Tensor]:
    torch.manual_seed(2)
    return rounded_state(RRDBNet(blocks=2, features=8, growth=4))


def write(folder: Path, content: bytes, param: str | None) -> Path:
    path = folder / "network.bin"
    path.write_bytes(content)
    if param is not None:
        path.with_suffix(".param").write_text(param)
    return path


def refused(path: Path, *words: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        read_ncnn(path)
    for word in (*words, "network."):
        assert word in str(caught.value)


@pytest.mark.parametrize("flag", [FLOAT16, FLOAT32])
@pytest.mark.parametrize("kind", ["srvgg", "rrdb"])
def test_names_and_numbers_come_back(request, tmp_path, kind, flag):
    state = request.getfixturevalue(kind)
    path = write(tmp_path, bin_of(state, flag=flag), param_of(state))
    for named in (path, path.with_suffix(".param")):
        read = read_ncnn(named)
        assert list(read) == list(state)
        assert all(torch.equal(read[name], state[name]) and read[name].dtype == torch.float32 for name in state)


KNOWN = {  # realesr-animevideov3, realesr-general-x4v3, x4plus_anime_6B
    "animevideov3": lambda: SRVGGNetCompact(convolutions=16),
    "general": lambda: SRVGGNetCompact(convolutions=32),
    "anime_6B": lambda: RRDBNet(blocks=6),
}


@pytest.mark.parametrize("network", KNOWN.values(), ids=KNOWN)
def test_a_known_network_needs_no_param(tmp_path, network):
    torch.manual_seed(3)
    state = rounded_state(network())
    read = read_ncnn(write(tmp_path, bin_of(state), None))
    assert list(read) == list(state)
    assert all(torch.equal(read[name], state[name]) for name in state)


@pytest.mark.parametrize("left", [0, 3, 100, -2, -1])
def test_a_file_that_is_cut_off(tmp_path, srvgg, left):
    refused(write(tmp_path, bin_of(srvgg)[:left], param_of(srvgg)), "begins at byte")


def test_bytes_behind_the_last_layer(tmp_path, srvgg):
    refused(write(tmp_path, bin_of(srvgg) + b"\0\0\0\0", param_of(srvgg)), "4 bytes are left over")


@pytest.mark.parametrize("flag", [0x000D4B38, 0x0002C056, 1])
def test_a_flag_that_is_not_known(tmp_path, srvgg, flag):
    content = struct.pack("<I", flag) + bin_of(srvgg)[4:]
    refused(write(tmp_path, content, param_of(srvgg)), f"0x{flag:08X}", "body.0.weight")


def test_a_wrong_number_of_convolutions(tmp_path, rrdb):
    without = {name: tensor for name, tensor in rrdb.items() if not name.startswith("conv_up2")}
    refused(write(tmp_path, bin_of(without), param_of(without)), "35 convolutions")


def test_a_layer_of_another_size(tmp_path, rrdb):
    other = dict(rrdb)
    other["body.1.rdb2.conv3.weight"] = torch.zeros(4, 12, 3, 3)
    refused(write(tmp_path, bin_of(other), param_of(other)), "layer 23", "(4, 12, 3, 3)", "(4, 16, 3, 3)")


def test_a_list_shorter_than_it_promises(tmp_path, srvgg):
    param = param_of(srvgg).rsplit("\n", 2)[0] + "\n"
    refused(write(tmp_path, bin_of(srvgg), param), "promises 6 layers and lists 5")


@pytest.mark.parametrize(
    "param", ["", "7767516\n1 1\n", "7767517", "7767517\n1 1\nConvolution c 1 1 a b 0=x", "\0\1\2"]
)
def test_a_list_that_is_none(tmp_path, srvgg, param):
    refused(write(tmp_path, bin_of(srvgg), param), "network.param")


def test_numbers_that_are_not_finite(tmp_path, srvgg):
    srvgg["body.2.bias"][1] = torch.nan
    refused(write(tmp_path, bin_of(srvgg), param_of(srvgg)), "NaN or infinity in body.2.bias")


def test_a_size_that_no_known_network_has(tmp_path, srvgg):
    refused(write(tmp_path, bin_of(srvgg), None), "never has")


def test_files_that_are_not_there(tmp_path):
    refused(tmp_path / "network.bin", "cannot be opened")
    refused(tmp_path / "network.param", "cannot be opened")


@pytest.mark.parametrize(("entry", "official"), PUBLISHED.items())
def test_the_published_files_are_the_official_networks(shared_weights, entry, official):
    from lipwise.weights import fetch_weights

    try:
        path = fetch_weights(entry)[0]
    except LipwiseError as error:
        pytest.skip(f"{entry} is not at hand: {error.cause}")
    saved = torch.load(shared_weights / official, weights_only=True)
    expected = saved.get("params_ema", saved.get("params"))
    read = read_ncnn(path)
    assert set(read) == set(expected)
    assert all(torch.equal(read[name], expected[name]) for name in expected)
    assert np.sum([tensor.numel() for tensor in read.values()]) > 600_000
