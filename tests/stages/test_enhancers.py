"""Restorers and upscalers by name."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import lipwise as lw
from lipwise.errors import LipwiseWarning, SettingsError
from lipwise.models import restorers, upscalers
from lipwise.stages import enhancers


@pytest.fixture
def loaded(monkeypatch) -> dict:
    """What the loaders of files were asked for; nothing is fetched."""
    asked: dict = {}
    monkeypatch.setattr(enhancers, "fetch_weights", lambda name: [Path(f"{name}.pth")])
    for module, name in ((restorers, "load_restorer"), (upscalers, "load_upscaler")):
        monkeypatch.setattr(module, name, lambda path, **arguments: asked.update(path=Path(path), **arguments))
    return asked


@pytest.mark.parametrize("name", lw.RESTORERS)
def test_the_list_of_weights_says_which_engine(loaded, name):
    lw.load_restorer(name, device="cpu")
    assert loaded["engine"] == ("spandrel" if name == "codeformer" else "gfpgan")
    assert (loaded["path"], loaded["name"], loaded["device"]) == (Path(f"{name}.pth"), name, "cpu")
    assert loaded["licence"] == lw.weights_entries()[name].licence


@pytest.mark.parametrize("name", [name for name in lw.UPSCALERS if name != "lanczos"])
def test_the_list_of_weights_says_which_licence(loaded, name):
    lw.load_upscaler(name)
    assert loaded["licence"] == lw.weights_entries()[name].licence


def test_the_user_has_the_last_word(loaded):
    lw.load_restorer("gfpgan_1.3", engine="spandrel")
    assert loaded["engine"] == "spandrel"


def test_a_file_is_taken_as_it_is(loaded, tmp_path):
    path = tmp_path / "mine.pth"
    path.touch()
    lw.load_restorer(str(path))
    assert (loaded["path"], loaded["engine"], loaded.get("licence")) == (path, None, None)
    lw.load_upscaler(str(path), height=720)
    assert (loaded["path"], loaded["name"], loaded["height"]) == (path, None, 720)
    assert loaded["licence"] is None, "nobody knows whose it is"


def test_denoising_takes_a_second_file(loaded):
    lw.load_upscaler("realesr_general_x4v3", denoise=0.5)
    assert loaded["wdn_path"] == Path("realesr_general_wdn_x4v3.pth")
    with pytest.raises(SettingsError, match=r"denoise 0\.5 for lanczos"):
        lw.load_upscaler("lanczos", denoise=0.5)


def test_lanczos_needs_nothing():
    assert lw.load_upscaler().size_for((10, 20)) == (20, 40)
    with pytest.warns(LipwiseWarning, match="plays no part"):
        lw.load_upscaler(device="cuda")


@pytest.mark.parametrize(("load", "near"), [(lw.load_restorer, "gfpgan_1.4"), (lw.load_upscaler, "realesrgan_x4plus")])
def test_unknown_names_get_the_nearest_known(load, near):
    with pytest.raises(SettingsError, match=f"(?s)There is no .*{near}"):
        load("gfpgan_1.5" if near.startswith("gfpgan") else "realesrgan_x5plus")


@pytest.mark.parametrize(
    ("load", "name", "words"),
    [
        (lw.load_upscaler, "w/nothere.pth", "(?s)no upscaler 'w/nothere.pth'.*there is no such file.*w$"),
        (lw.load_upscaler, "nothere.safetensors", "there is no such file"),
        (lw.load_restorer, "w/nothere", "there is no such file"),
        (lw.load_upscaler, "/", "it is a folder"),
        (lw.load_upscaler, "gfpgan_1.4", "(?s)no upscaler.*that is a restorer.*restore=gfpgan_1.4"),
        (lw.load_restorer, "lanczos", "(?s)no restorer.*that is an upscaler.*upscale=lanczos"),
        (lw.load_upscaler, 5, "(?s)5 is no upscaler.*not a int"),
        (lw.load_restorer, ["gfpgan_1.4"], "(?s)is no restorer.*not a list"),
    ],
)
def test_what_a_name_stands_for_is_said(load, name, words):
    with pytest.raises(SettingsError, match=words):
        load(name)


def test_numbers_that_are_none_are_told():
    for size in ({"scale": "2"}, {"scale": [2]}, {"height": "720"}, {"height": 720.5}, {"scale": True}):
        with pytest.raises(SettingsError, match=r"not a (whole )?number"):
            lw.load_upscaler("lanczos", **size)
    with pytest.raises(SettingsError, match=r"(?s)denoise '1' is not usable.*not a number"):
        lw.load_upscaler("realesr_general_x4v3", denoise="1")
    assert lw.load_upscaler("lanczos", scale=np.float32(3)).size_for((10, 20)) == (30, 60)
    assert lw.load_upscaler("lanczos", height=np.int64(60)).size_for((10, 20)) == (30, 60)


def test_what_was_given_up_is_told():
    runner = SimpleNamespace(fp32_batches=2)
    one = SimpleNamespace(runner=runner, remarks=lambda: ["it overflowed"])
    both = lw.Enhancers(one, None)
    assert (both.fp32_batches, both.remarks()) == (2, ["it overflowed"])
    assert (lw.Enhancers().fp32_batches, lw.Enhancers().remarks()) == (0, [])


def test_tiles_and_precision_reach_the_network(loaded):
    lw.load_upscaler("realesrgan_x4plus", tile=256, overlap=16, precision="fp32")
    assert (loaded["tile"], loaded["overlap"], loaded["precision"]) == (256, 16, "fp32")
    with pytest.warns(LipwiseWarning) as caught:
        lw.load_upscaler("lanczos", tile=256, overlap=16, precision="fp32", device="cpu")
    assert [str(one.message).split()[0] for one in caught] == ["tile", "overlap", "precision"]


def test_a_strength_that_cannot_be_is_refused_before_anything_is_fetched(loaded):
    for denoise in (-0.1, 1.1, float("nan")):
        with pytest.raises(SettingsError, match="is not usable"):
            lw.load_upscaler("realesr_general_x4v3", denoise=denoise)
    assert not loaded
