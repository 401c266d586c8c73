"""Wav2Lip's weights for lessons: trained ones where they are, else a formula's, which say that nobody trained them."""

import numpy as np
import pytest
import torch

from lipwise.errors import CheckpointError, SettingsError
from lipwise.files import sha256_of
from lipwise.models.formula_weights import write_untrained
from lipwise.notebook import formula_weights
from lipwise.notebook.formula_weights import UNTRAINED, LessonWeights, lesson_weights
from lipwise.stages.generators import load_generator


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    return write_untrained(tmp_path_factory.mktemp("weights") / "made here" / UNTRAINED)


@pytest.fixture
def nothing_fetched(monkeypatch):
    monkeypatch.setattr(formula_weights, "find_weights", lambda name: None)


def test_the_file_has_the_official_layout(untrained, golden):
    stored = torch.load(untrained, weights_only=True)
    assert all(key.startswith("module.") for key in stored["state_dict"])
    assert "noise" in stored["note"]
    assert [path.name for path in untrained.parent.iterdir()] == [UNTRAINED]  # no part is left


def test_with_formula_weights_the_network_gives_the_reference_s_numbers(untrained, golden):
    with np.load(golden / "wav2lip_forward.npz") as arrays:
        faces, mels, output = (torch.from_numpy(arrays[name]) for name in ("faces", "mels", "output"))
    with torch.inference_mode():
        made = LessonWeights(untrained, False).network()(faces, mels)
    assert (made - output).abs().max() < 1e-4


def test_the_library_loads_it_as_any_other_checkpoint(untrained):
    generator = load_generator(str(untrained))
    assert (generator.name, generator.crop_size) == ("untrained_wav2lip", 96)


def test_it_says_plainly_that_nobody_trained_it(untrained, nothing_fetched, tmp_path):
    made = lesson_weights(folder=tmp_path)
    assert made == (tmp_path / UNTRAINED, False)
    assert sha256_of(made.path) == sha256_of(untrained)  # the same numbers everywhere
    assert "its picture is noise" in str(made)
    assert made.name == "Wav2Lip (untrained)"


def test_fetched_weights_come_first_and_nothing_is_written(monkeypatch, tmp_path):
    fetched = {"wav2lip": tmp_path / "wav2lip.pth"}
    monkeypatch.setattr(formula_weights, "find_weights", fetched.get)
    found = lesson_weights(folder=tmp_path)
    assert found == (fetched["wav2lip"], True)
    assert "non-commercial" in str(found)
    assert "noise" not in str(found)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_your_own_comes_before_all(untrained, tmp_path):
    own = tmp_path / "own.pth"
    own.write_bytes(b"x")
    assert lesson_weights(own, folder=tmp_path) == (own, True)
    assert not lesson_weights(untrained, folder=tmp_path).trained  # a copy made by a lesson is still untrained


def test_a_checkpoint_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SettingsError, match="There is no checkpoint"):
        lesson_weights(tmp_path / "none.pth", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_something_else_is_told(tmp_path):
    path = tmp_path / "page.pth"
    path.write_bytes(b"<!doctype html>")
    with pytest.raises(CheckpointError, match="web page"):
        LessonWeights(path, True).network()
