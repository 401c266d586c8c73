"""The network against the reference's own numbers, and the generator around it.

The official checkpoint may not be shipped, so all of this runs on weights made from a formula.
"""

import copy
import json
import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from lipwise.errors import SettingsError
from lipwise.files import sha256_of
from lipwise.models.device import BatchRunner, fold_batch_norm
from lipwise.models.generator import GeneratorState
from lipwise.models.wav2lip import CropsToFaces, Wav2Lip, load_wav2lip
from lipwise.models.wav2lip_network import Wav2LipNetwork


@pytest.fixture(scope="module")
def network(wav2lip_weights) -> nn.Module:
    network = Wav2LipNetwork().eval().requires_grad_(False)
    network.load_state_dict(wav2lip_weights)
    return network


@pytest.fixture(scope="module")
def reference(golden):
    with np.load(golden / "wav2lip_forward.npz") as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    from skimage.data import astronaut

    face = astronaut()[80:176, 180:276]
    return np.stack([face, face[:, ::-1], np.roll(face, 7, axis=0), face // 2, face, 255 - face])


@pytest.fixture(scope="module")
def mel_windows() -> np.ndarray:
    return np.random.default_rng(5).uniform(-4, 4, (6, 80, 16)).astype(np.float32)


def generator_of(model: nn.Module, **settings) -> Wav2Lip:
    return Wav2Lip(
        BatchRunner(CropsToFaces(model), name="Wav2Lip", device="cpu", **settings), name="test", parameters=0
    )


class Echo(nn.Module):
    """Gives back the reference crop, and remembers what it was given."""

    def forward(self, faces, mels):
        self.faces, self.mels = faces, mels
        return faces[:, 3:].float()


def test_state_dict_has_the_published_keys_and_shapes(wav2lip_table):
    with torch.device("meta"):
        network = Wav2LipNetwork()
    assert {key: list(tensor.shape) for key, tensor in network.state_dict().items()} == json.loads(
        wav2lip_table.read_text()
    )
    assert sum(parameter.numel() for parameter in network.parameters()) == 36_298_035


def test_forward_equals_reference_with_formula_weights(network, reference):
    with torch.inference_mode():
        output = network(reference["faces"], reference["mels"])
    assert (output - reference["output"]).abs().max() < 1e-4


def test_folded_batch_norm_equals_reference_with_formula_weights(network, reference):
    folded = fold_batch_norm(copy.deepcopy(network))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    with torch.inference_mode():
        output = folded(reference["faces"], reference["mels"])
    assert (output - reference["output"]).abs().max() < 1e-4


def bf16_differences(network, crops, mel_windows):
    """Of one face in grey steps, and the plain fp32 face they were measured on."""
    rows = torch.from_numpy(crops[:1]).permute(0, 3, 1, 2), torch.from_numpy(mel_windows[:1])
    with torch.inference_mode():
        plain = CropsToFaces(network)(*rows)
    folded = fold_batch_norm(copy.deepcopy(network))
    runner = BatchRunner(CropsToFaces(folded), name="Wav2Lip", device="cpu", precision="bf16")
    differences = (runner(*rows) - plain).abs() * 255
    assert runner.fp32_batches == 0
    assert differences.max() > 0  # it did compute in another format
    return differences, plain


def test_bf16_stays_within_two_grey_steps_with_formula_weights(network, crops, mel_windows):
    differences, _ = bf16_differences(network, crops, mel_windows)
    assert differences.max() <= 2


def test_bf16_stays_within_four_grey_steps_at_full_contrast_with_formula_weights(network, crops, mel_windows):
    contrasted = copy.deepcopy(network)
    contrasted.output_block[1].weight *= 12  # the plain formula's face is flat and grey, which flatters a coarse format
    differences, plain = bf16_differences(contrasted, crops, mel_windows)
    assert plain.min() < 0.1
    assert plain.max() > 0.9
    assert differences.mean() < 0.5
    assert differences.max() <= 4


def test_network_sees_masked_crop_then_reference_in_bgr(crops, mel_windows):
    echo = Echo()
    generator_of(echo).synthesize(crops, mel_windows)
    bgr = torch.from_numpy(crops[..., ::-1].copy()).permute(0, 3, 1, 2).float() / 255
    assert echo.faces.shape == (6, 6, 96, 96)
    assert torch.equal(echo.faces[:, 3:], bgr)
    assert torch.equal(echo.faces[:, :3, :48], bgr[:, :, :48])
    assert not echo.faces[:, :3, 48:].any()
    assert torch.equal(echo.mels, torch.from_numpy(mel_windows)[:, None])


def test_a_network_that_echoes_gives_the_crops_back_in_rgb(crops, mel_windows):
    kept = crops.copy()
    rendered = generator_of(Echo(), batch_size=4).render(list(crops), mel_windows)
    assert np.array_equal(np.stack(rendered), kept)
    assert np.array_equal(crops, kept)


@pytest.mark.parametrize("given", [[], np.zeros((0, 96, 96, 3), np.uint8)], ids=["list", "array"])
def test_no_crops_give_no_faces_with_formula_weights(network, given):
    assert generator_of(network).render(given, np.zeros((0, 80, 16), np.float32)) == []


def test_batch_size_does_not_show_in_the_faces_with_formula_weights(network, crops, mel_windows):
    whole = generator_of(network, precision="fp32").synthesize(crops[:3], mel_windows[:3])
    parts = generator_of(network, precision="fp32", batch_size=2).synthesize(crops[:3], mel_windows[:3])
    assert (
        np.abs(whole.astype(int) - parts).max() <= 1
    )  # a value on the edge between two grey steps may round either way


def test_window_and_upper_half_change_the_face_with_formula_weights(network, crops, mel_windows):
    generator = generator_of(network, precision="fp32")
    face = generator.synthesize(crops[:1], mel_windows[:1])
    assert face.shape == (1, 96, 96, 3)
    assert face.dtype == np.uint8
    assert not np.array_equal(face, generator.synthesize(crops[:1], mel_windows[1:2]))
    assert not np.array_equal(face, generator.synthesize(crops[1:2], mel_windows[:1]))


@pytest.mark.parametrize(
    ("crop_shape", "crop_dtype", "mel_shape", "mel_dtype", "words"),
    [
        ((2, 95, 96, 3), np.uint8, (2, 80, 16), np.float32, "crops .*expected .2, 96, 96, 3. uint8, got .2, 95, 96, 3"),
        ((2, 3, 96, 96), np.uint8, (2, 80, 16), np.float32, "crops"),
        ((2, 96, 96, 3), np.float32, (2, 80, 16), np.float32, "crops .*got .* float32"),
        ((2, 96, 96, 3), np.uint8, (2, 16, 80), np.float32, "mel_windows .*expected .2, 80, 16."),
        ((2, 96, 96, 3), np.uint8, (3, 80, 16), np.float32, "mel_windows .*got .3, 80, 16."),
        ((2, 96, 96, 3), np.uint8, (2, 80, 16), np.float64, "mel_windows .*float64"),
    ],
)
def test_wrong_arrays_are_named(crop_shape, crop_dtype, mel_shape, mel_dtype, words):
    generator = generator_of(Echo())
    with pytest.raises(SettingsError, match=f"(?s){words}"):
        generator.synthesize(np.zeros(crop_shape, crop_dtype), np.zeros(mel_shape, mel_dtype))


def save_legacy(weights, path, *, zipped):
    """As the training script of the reference saves: DataParallel's prefix, the optimizer and counters beside."""
    optimizer = {"state": {0: {"step": 7, "exp_avg": torch.ones(5)}}, "param_groups": [{"lr": 1e-4, "params": [0]}]}
    states = {f"module.{key}": tensor for key, tensor in weights.items()}
    legacy = {"state_dict": states, "optimizer": optimizer, "global_step": 7, "global_epoch": 1}
    torch.save(legacy, path, _use_new_zipfile_serialization=zipped)


def save_torchscript(network, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated, the files are not
        torch.jit.trace(network, (torch.zeros(1, 6, 96, 96), torch.zeros(1, 1, 80, 16)), check_trace=False).save(
            str(path)
        )


@pytest.mark.parametrize("form", ["legacy.pth", "legacy_zip.pth", "bare.pth", "wav2lip.safetensors", "script.pt"])
def test_every_form_of_checkpoint_renders_the_same_with_formula_weights(
    form, network, wav2lip_weights, crops, mel_windows, tmp_path
):
    path = tmp_path / form
    if form == "script.pt":
        save_torchscript(network, path)
    elif form == "wav2lip.safetensors":
        save_file(wav2lip_weights, path)
    elif form == "bare.pth":
        torch.save(wav2lip_weights, path)
    else:
        save_legacy(wav2lip_weights, path, zipped=form == "legacy_zip.pth")
    generator = load_wav2lip(path, device="cpu", precision="fp32", known_sha256={sha256_of(path)})
    path.unlink()  # nothing may still hang on the file
    plain = generator_of(network, precision="fp32").synthesize(crops[:1], mel_windows[:1])
    assert np.abs(generator.synthesize(crops[:1], mel_windows[:1]).astype(int) - plain).max() <= 1
    assert generator.parameters == 36_298_035
    assert generator.name == path.stem


def test_the_generator_says_what_it_is_and_asks_nothing_of_the_clip():
    generator = generator_of(Echo())
    assert (generator.crop, generator.crop_size, generator.needs_weights) == ("face", 96, True)
    assert "non-commercial" in generator.licence
    assert "non-commercial" in generator.note
    state = generator.prepare(np.zeros((1, 468, 2)), np.zeros(1, int), lambda i: None, lambda first, count: None)
    assert state.to_arrays() == {}
    assert generator.remarks(GeneratorState()) == []
