"""Bad input to upscalers."""

import sys

import numpy as np
import pytest
import torch

from lipwise.errors import CheckpointError, LipwiseError, SettingsError
from lipwise.models.sr_networks import RRDBNet, SRVGGNetCompact
from lipwise.models.upscalers import Lanczos, load_upscaler


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.pth"
    torch.save(SRVGGNetCompact(convolutions=1, features=8).state_dict(), path)
    return path


@pytest.fixture
def rrdb(tmp_path):
    path = tmp_path / "rrdb.pth"
    torch.save(RRDBNet(blocks=1, features=8, growth=4).state_dict(), path)
    return path


@pytest.mark.parametrize(
    "size",
    [{"scale": 0}, {"scale": -1}, {"scale": np.nan}, {"scale": np.inf}, {"height": 0}, {"scale": 2, "height": 9}],
)
def test_sizes_that_make_no_sense(small, size):
    with pytest.raises(SettingsError, match=r"scale|height"):
        Lanczos(**size)
    with pytest.raises(SettingsError, match=r"scale|height"):
        load_upscaler(small, **size)


@pytest.mark.parametrize(
    ("picture", "word"),
    [
        (np.zeros((0, 5, 3), np.uint8), "(0, 5, 3)"),
        (np.zeros((5, 5, 2), np.uint8), "(5, 5, 2)"),
        (np.zeros((1, 5, 5, 3), np.uint8), "(1, 5, 5, 3)"),
        (np.zeros(5, np.uint8), "(5,)"),
        (np.zeros((5, 5, 3), np.float32), "float32"),
        (np.zeros((5, 5, 3), np.int16), "Tone-map"),
        (np.zeros((5, 5), bool), "bool"),
    ],
)
def test_pictures_of_another_kind(small, picture, word):
    for upscaler in (Lanczos(), load_upscaler(small, device="cpu")):
        with pytest.raises(SettingsError) as caught:
            upscaler.upscale(picture)
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"denoise": 0.5},
        {"denoise": -0.1, "wdn_path": "x"},
        {"denoise": 1.1, "wdn_path": "x"},
        {"denoise": np.nan, "wdn_path": "x"},
        {"engine": "basicsr"},
        {"device": "abacus"},
        {"precision": "fp8"},
        {"tile": 8},
        {"tile": 64, "overlap": 64},
        {"overlap": -1},
        {"border": -1},
    ],
)
def test_settings_that_make_no_sense(small, settings):
    with pytest.raises(SettingsError):
        load_upscaler(small, **settings)


def test_files_that_are_no_networks(tmp_path, small):
    page = tmp_path / "page.pth"
    page.write_text("<!DOCTYPE html><html>quota exceeded</html>")
    for path in (page, tmp_path / "none.pth", tmp_path, tmp_path / "none.bin"):
        with pytest.raises(CheckpointError):
            load_upscaler(path)
    cut = tmp_path / "cut.pth"
    cut.write_bytes(small.read_bytes()[:-900])
    with pytest.raises(CheckpointError, match="cut off or damaged"):
        load_upscaler(cut)


def test_a_network_with_layers_missing(tmp_path, rrdb):
    state = torch.load(rrdb, weights_only=True)
    del state["conv_up2.weight"]
    torch.save(state, rrdb)
    with pytest.raises(CheckpointError, match=r"conv_up2\.weight"):
        load_upscaler(rrdb)


def test_checkpoints_that_do_not_mix(small, rrdb, tmp_path):
    larger = tmp_path / "larger.pth"
    torch.save(SRVGGNetCompact(convolutions=2, features=8).state_dict(), larger)
    for path, other in ((rrdb, rrdb), (small, rrdb), (small, larger)):
        with pytest.raises(CheckpointError, match="another network"):
            load_upscaler(path, denoise=0.5, wdn_path=other)


def test_another_network_without_spandrel(tmp_path, monkeypatch):
    path = tmp_path / "other.pth"
    torch.save({"params": {"layer.weight": torch.zeros(3, 3)}}, path)
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(LipwiseError, match="Install spandrel"):
        load_upscaler(path)
    with pytest.raises(CheckpointError, match="not ours"):
        load_upscaler(path, engine="lipwise")


def test_another_network_that_spandrel_does_not_know(tmp_path):
    pytest.importorskip("spandrel")
    path = tmp_path / "other.pth"
    torch.save({"params": {"layer.weight": torch.zeros(3, 3)}}, path)
    with pytest.raises(CheckpointError, match="spandrel says"):
        load_upscaler(path)
    # Black and white to black and white: known, but of no use for RGB.
    grey = SRVGGNetCompact(convolutions=2, features=8).state_dict()
    grey["body.0.weight"], grey["body.6.weight"] = torch.zeros(8, 1, 3, 3), torch.zeros(16, 8, 3, 3)
    grey["body.6.bias"] = torch.zeros(16)
    torch.save({"params": grey}, path)
    with pytest.raises(CheckpointError, match="RGB"):
        load_upscaler(path)


def test_a_picture_that_becomes_too_large_is_told_with_both_sizes(small, monkeypatch):
    with pytest.raises(
        LipwiseError, match=r"(?s)100 x 90 px cannot be brought to 100000000 x 90000000 px.*smaller scale"
    ):
        Lanczos(scale=1e6)(np.zeros((90, 100, 3), np.uint8))
    upscaler = load_upscaler(small, device="cpu")

    def full(_):
        raise MemoryError("Unable to allocate 99 GiB")

    monkeypatch.setattr(upscaler, "tiles", full)
    with pytest.raises(LipwiseError, match=r"(?s)9 x 8 px cannot be brought to 36 x 32 px.*99 GiB"):
        upscaler(np.zeros((8, 9, 3), np.uint8))
