"""SyncNet against the reference's own numbers, and what surrounds it.

The official checkpoint may not be shipped, so all of this runs on weights made from a formula.
"""

import json
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lipwise.errors import CheckpointError, SettingsError
from lipwise.models.syncnet import EMBEDDING, LICENCE, SyncNet, SyncNetNetwork, load_syncnet


@pytest.fixture(scope="module")
def table(golden):
    return golden / "syncnet_state_dict.json"


@pytest.fixture(scope="module")
def weights(table, formula_of) -> dict[str, torch.Tensor]:
    return formula_of(table)


@pytest.fixture(scope="module")
def reference(golden) -> dict[str, np.ndarray]:
    with np.load(golden / "syncnet_forward.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


@pytest.fixture(scope="module")
def lip_windows() -> np.ndarray:
    """(2, 3, 5, 224, 224) uint8, BGR as far as the network is concerned."""
    return (np.random.default_rng(3).random((2, 3, 5, 224, 224), dtype=np.float32) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def official_file(weights, tmp_path_factory):
    """As the published file is: a bare state dict in the form before torch 1.6."""
    path = tmp_path_factory.mktemp("syncnet") / "syncnet_v2.model"
    torch.save(weights, path, _use_new_zipfile_serialization=False)
    return path


@pytest.fixture(scope="module")
def syncnet(official_file) -> SyncNet:
    return load_syncnet(official_file, device="cpu", batch_size=3)


@pytest.fixture(scope="module")
def crops() -> list[np.ndarray]:
    """Eight pictures of a real face that moves."""
    from skimage.data import astronaut

    return [astronaut()[i : i + 224, 110 + 2 * i : 334 + 2 * i].copy() for i in range(8)]


def test_state_dict_has_the_published_keys_and_shapes(table):
    with torch.device("meta"):
        network = SyncNetNetwork()
    assert {key: list(tensor.shape) for key, tensor in network.state_dict().items()} == json.loads(table.read_text())


def test_forward_equals_reference_with_formula_weights(weights, reference, lip_windows):
    network = SyncNetNetwork().eval()
    network.load_state_dict(weights)
    with torch.inference_mode():
        lips = network.embed_lips(torch.from_numpy(lip_windows).float()).numpy()
        sound = network.embed_sound(torch.from_numpy(reference["audio"])).numpy()
    assert np.abs(lips - reference["lip_embedding"]).max() < 1e-3
    assert np.abs(sound - reference["audio_embedding"]).max() < 1e-4


def test_five_rgb_pictures_equal_reference_with_formula_weights(syncnet, reference, lip_windows):
    for window, expected in zip(lip_windows, reference["lip_embedding"], strict=True):
        pictures = window[::-1].transpose(1, 2, 3, 0)  # BGR to RGB, (5, 224, 224, 3)
        found = syncnet.embed_lips(np.ascontiguousarray(pictures))
        assert found.shape == (1, EMBEDDING)
        assert np.abs(found[0] - expected).max() < 1e-3


def test_twenty_steps_of_sound_equal_reference_with_formula_weights(syncnet, reference):
    for window, expected in zip(reference["audio"], reference["audio_embedding"], strict=True):
        assert np.abs(syncnet.embed_sound(window[0])[0] - expected).max() < 1e-4


def test_a_stream_of_pictures_gives_every_window_of_five_with_formula_weights(syncnet, crops):
    def stream() -> Iterator[np.ndarray]:
        yield from crops

    found = syncnet.embed_lips(stream())  # in batches of three, so that windows lie across their borders
    alone = np.concatenate([syncnet.embed_lips(crops[i : i + 5]) for i in range(4)])
    assert found.shape == (4, EMBEDDING)
    assert np.abs(found - alone).max() < 1e-3
    assert np.abs(alone[0] - alone[1]).max() > 1e-2  # the pictures are not all one to it


@pytest.mark.parametrize(("steps", "windows"), [(0, 0), (19, 0), (20, 1), (23, 1), (24, 2), (40, 6)])
def test_sound_gives_a_window_every_four_steps_with_formula_weights(syncnet, steps, windows):
    mfcc = np.random.default_rng(1).normal(0, 9, (13, steps)).astype(np.float32)
    found = syncnet.embed_sound(mfcc)
    assert found.shape == (windows, EMBEDDING)
    for i in range(windows):
        assert np.abs(found[i] - syncnet.embed_sound(mfcc[:, 4 * i : 4 * i + 20])[0]).max() < 1e-4


@pytest.mark.parametrize("count", [0, 1, 4])
def test_fewer_than_five_pictures_give_no_embedding(syncnet, crops, count):
    assert syncnet.embed_lips(crops[:count]).shape == (0, EMBEDDING)


def test_safetensors_give_the_same_with_formula_weights(syncnet, weights, reference, tmp_path):
    path = tmp_path / "syncnet.safetensors"
    save_file(weights, path)
    loaded = load_syncnet(path, device="cpu")
    path.unlink()  # nothing may still hang on the file
    mfcc = reference["audio"][0, 0]
    assert np.array_equal(loaded.embed_sound(mfcc), syncnet.embed_sound(mfcc))
    assert loaded.parameters == 13_631_616
    assert loaded.licence == LICENCE
    assert loaded.remarks() == []


def test_another_network_is_refused(wav2lip_weights, tmp_path):
    path = tmp_path / "syncnet_v2.model"
    torch.save({key: tensor for key, tensor in wav2lip_weights.items() if key.startswith("face_decoder")}, path)
    with pytest.raises(CheckpointError, match=r"another network than SyncNet(?s:.*)looks like Wav2Lip"):
        load_syncnet(path)


@pytest.mark.parametrize(
    ("shape", "dtype"), [((96, 96, 3), np.uint8), ((3, 224, 224), np.uint8), ((224, 224, 3), np.float32)]
)
def test_wrong_pictures_are_named(syncnet, shape, dtype):
    with pytest.raises(SettingsError, match=r"crop has the wrong form(?s:.*)expected \(224, 224, 3\) uint8"):
        syncnet.embed_lips([np.zeros(shape, dtype)])


@pytest.mark.parametrize(
    ("shape", "dtype"), [((26, 40), np.float32), ((40, 13), np.float32), ((40,), np.float32), ((13, 40), np.float64)]
)
def test_wrong_mfcc_is_named(syncnet, shape, dtype):
    with pytest.raises(SettingsError, match="mfcc has the wrong form"):
        syncnet.embed_sound(np.zeros(shape, dtype))
