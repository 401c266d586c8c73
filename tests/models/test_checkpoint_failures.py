"""Nothing but bad checkpoints: each is refused with words that say what it is, and none is obeyed."""

import os
import pickle
import warnings
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from lipwise.errors import CheckpointError
from lipwise.files import sha256_of
from lipwise.models import checkpoint
from lipwise.models.checkpoint import load_checkpoint, read_state_dict


class Touch:
    """Makes a file when it is unpickled by anything that obeys."""

    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def read_known(path):
    """Read a file as one whose hash a list of weights has, so that nothing but the reader stands in its way."""
    return read_state_dict(path, known_sha256={sha256_of(path)})


@pytest.mark.parametrize("form", ["zip", "old", "bare pickle", "torchscript"])
def test_pickled_code_is_refused_named_and_not_run(form, weights, save_as, tmp_path):
    trap, path = tmp_path / "sprung", tmp_path / "a.pth"
    content = {"state_dict": weights, "optimizer": Touch(trap)}
    if form == "bare pickle":
        path.write_bytes(pickle.dumps({"state_dict": {"a": 1}, "optimizer": Touch(trap)}, protocol=2))
    elif form == "torchscript":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a/data.pkl", pickle.dumps({"x": Touch(trap)}, protocol=2))
            archive.writestr("a/constants.pkl", b"")
    else:
        save_as[form](content, path)
    with pytest.raises(CheckpointError, match="was refused") as caught:
        read_known(path)
    assert "mkdir" in caught.value.cause
    assert not trap.exists()
    pickle.loads(pickle.dumps(Touch(trap)))  # the trap does work
    assert trap.exists()


def test_torchscript_code_is_not_run(save_script, tmp_path, monkeypatch):
    class Trap(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3))

        @torch.jit.export
        def __getstate__(self):
            return (self.weight, self.training)

        @torch.jit.export
        def __setstate__(self, state: tuple[torch.Tensor, bool]):
            self.weight = state[0]
            self.training = state[1]
            torch.save(self.weight, "sprung")

        def forward(self, x: torch.Tensor):
            return x

    monkeypatch.chdir(tmp_path)
    save_script(Trap(), tmp_path / "a.pt")
    (tmp_path / "sprung").unlink(missing_ok=True)
    with pytest.raises(CheckpointError, match="was refused"):
        read_known(tmp_path / "a.pt")
    assert not (tmp_path / "sprung").exists()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.load(tmp_path / "a.pt")  # the trap does work: this is why torch.jit.load is not used
    assert (tmp_path / "sprung").exists()


@pytest.mark.parametrize("known", [set(), {"0" * 64}])
def test_torchscript_that_no_list_knows_is_refused_unread(known, trained, save_script, tmp_path, monkeypatch):
    path = tmp_path / "a.pt"
    save_script(trained, path)
    monkeypatch.setattr(checkpoint, "read_torchscript", lambda path: pytest.fail("it was read"))
    with pytest.raises(CheckpointError, match="was refused") as caught:
        read_state_dict(path, known_sha256=known)
    monkeypatch.undo()
    assert sha256_of(path) in caught.value.cause
    assert "LIPWISE_WEIGHTS" in caught.value.next_step
    assert read_known(path).keys() == trained.state_dict().keys()


def test_a_compressed_tensor_in_torchscript_is_refused(trained, save_script, tmp_path):
    save_script(trained, tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "a.pt") as source, zipfile.ZipFile(tmp_path / "b.pt", "w") as target:
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry), compress_type=zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="was refused"):
        read_known(tmp_path / "b.pt")


def test_a_torchscript_tensor_that_reaches_past_its_bytes_is_damage(trained, save_script, tmp_path):
    save_script(trained, tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "a.pt") as source, zipfile.ZipFile(tmp_path / "b.pt", "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            target.writestr(entry.filename, content[: len(content) // 2] if "/data/" in entry.filename else content)
    with pytest.raises(CheckpointError, match="cut off or damaged"):
        read_known(tmp_path / "b.pt")


@pytest.mark.parametrize("part", [0.999, 0.5, 0.1, 0.01])
@pytest.mark.parametrize("form", ["zip", "old", "safetensors", "torchscript"])
def test_a_truncated_file_is_called_so(form, part, save_as, save_script, tmp_path):
    path, network = tmp_path / "a.pth", nn.Linear(100, 100)
    if form == "safetensors":
        save_file(network.state_dict(), path)
    elif form == "torchscript":
        save_script(network, path)
    else:
        save_as[form](network.state_dict(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(CheckpointError, match=r"(?s)cut off or damaged .* bytes\).*get it again"):
        read_known(path)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "the file is empty"),
        (b"<!DOCTYPE html><html><title>Google Drive - Quota exceeded</title>", "a web page"),
        (b'\n <HTML lang="en"><body>Sign in', "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:b78b\nsize 435807851\n", "git-LFS pointer"),
        (b"404: Not Found", "begins with b'404: Not Found'"),
        (b"cposix\nsystem\n(S'touch x'\ntR.", "like none of the formats"),
        (pickle.dumps([1, 2], protocol=2), "a pickle of something else"),
    ],
)
def test_what_is_no_checkpoint_is_told_what_it_is(content, cause, tmp_path):
    path = tmp_path / "wav2lip.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        read_state_dict(path)
    assert cause in caught.value.cause
    assert str(path) in caught.value.what
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ({}, "an empty mapping"),
        ({"epoch": 1, "lr": 0.1}, "a mapping with the keys epoch, lr, no tensors by name"),
        ({"state_dict": {}}, "the keys state_dict, no tensors"),
        ([torch.ones(2)], "type list, no tensors by name"),
        (torch.ones(2), "type Tensor, no tensors by name"),
    ],
)
@pytest.mark.parametrize("form", ["zip", "old"])
def test_a_torch_file_without_a_state_dict_is_told_what_it_holds(form, content, cause, save_as, tmp_path):
    save_as[form](content, tmp_path / "a.pth")
    with pytest.raises(CheckpointError) as caught:
        read_state_dict(tmp_path / "a.pth")
    assert cause in caught.value.cause


def test_other_archives_folders_and_missing_files_are_told_apart(tmp_path):
    with zipfile.ZipFile(tmp_path / "wheel.whl", "w") as archive:
        archive.writestr("readme.txt", "hello")
    for name, cause in {"wheel.whl": "readme.txt", ".": "it is a folder", "no such.pth": "No such file"}.items():
        with pytest.raises(CheckpointError, match=f"(?s){cause}"):
            read_state_dict(tmp_path / name)


def test_another_network_gets_its_differences_named(weights, small_network, tmp_path):
    other = {f"netcnnlip.{index}.weight": torch.ones(2) for index in range(5)} | {"3.bias": weights["3.bias"]}
    torch.save(other, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="another network than Small") as caught:
        load_checkpoint(tmp_path / "a.pth", small_network(), name="Small")
    cause = caught.value.cause
    assert "7 missing: 0.weight, 0.bias, 1.weight, ..." in cause
    assert "5 not part of it: netcnnlip.0.weight, netcnnlip.1.weight, netcnnlip.2.weight, ..." in cause
    assert "it looks like SyncNet" in cause


def test_other_shapes_are_named(weights, small_network, tmp_path):
    torch.save(weights | {"3.weight": torch.ones(2, 9, 1, 1)}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"1 other shapes: 3.weight is \(2, 9, 1, 1\) and not \(2, 4, 1, 1\)"):
        load_checkpoint(tmp_path / "a.pth", small_network(), name="Small")


def test_weights_that_are_not_numbers_are_named(weights, small_network, tmp_path):
    torch.save(weights | {"3.bias": torch.tensor([1.0, float("nan")])}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"NaN or infinity in 3\.bias"):
        load_checkpoint(tmp_path / "a.pth", small_network(), name="Small")


def test_a_failed_load_leaves_the_network_as_it_was(trained, weights, tmp_path):
    torch.save({"3.bias": torch.zeros(2)}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / "a.pth", trained, name="Small")
    assert all(torch.equal(tensor, weights[key]) for key, tensor in trained.state_dict().items())
