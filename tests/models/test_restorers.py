"""Restorers on formula weights in the layout of the official files: those files may not be shipped."""

import importlib
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from skimage.data import astronaut

from lipwise.errors import CheckpointError, LipwiseWarning, SettingsError
from lipwise.models import restorer_networks, restorers
from lipwise.models.engines import engine_problem
from lipwise.models.modulation import ModulatedConvolution
from lipwise.models.nnpack import NnpackConv
from lipwise.models.restorers import NetworkRestorer, load_restorer
from lipwise.models.upscalers import load_upscaler


@pytest.fixture(scope="module")
def gfpgan_file(golden, formula_of, tmp_path_factory) -> Path:
    """All 87 million numbers under the names of GFPGANv1.3.pth and GFPGANv1.4.pth, nested as they are."""
    path = tmp_path_factory.mktemp("gfpgan") / "GFPGANv1.4.pth"
    torch.save({"params_ema": formula_of(golden / "gfpgan_state_dict.json")}, path)
    return path


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    return cv2.resize(astronaut()[40:240, 120:320], (512, 512), interpolation=cv2.INTER_CUBIC)[None]


@pytest.fixture(scope="module")
def needs_gfpgan() -> None:
    problem = engine_problem("gfpgan")
    if problem:
        pytest.skip(f"gfpgan cannot be used here: {problem}")


@pytest.fixture(scope="module")
def by_spandrel(gfpgan_file) -> NetworkRestorer:
    """Loaded with gfpgan out of reach, which has to be said."""
    pytest.importorskip("spandrel")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(restorer_networks, "engine_problem", lambda name: "it is not installed")
        with pytest.warns(LipwiseWarning, match=r"gfpgan cannot be used \(it is not installed\); spandrel"):
            return load_restorer(gfpgan_file, precision="fp32")


@pytest.fixture(scope="module")
def by_gfpgan(gfpgan_file, needs_gfpgan) -> NetworkRestorer:
    with warnings.catch_warnings():
        warnings.simplefilter("error", LipwiseWarning)
        return load_restorer(gfpgan_file, precision="fp32")


@pytest.fixture(scope="module")
def restored(by_gfpgan, face) -> np.ndarray:
    return by_gfpgan.restore(face)


def test_engines_give_the_same_picture_with_formula_weights(by_gfpgan, by_spandrel, restored, face):
    assert (by_gfpgan.engine, by_spandrel.engine) == ("gfpgan", "spandrel")
    assert np.abs(restored.astype(int) - by_spandrel.restore(face)).max() <= 1
    assert restored.std() > 5, "a flat picture would be equal whatever the engines do"


def test_the_picture_is_the_references_with_formula_weights(gfpgan_file, needs_gfpgan, restored, face):
    """GFPGANer's own steps round the network: RGB in -1 to 1 in, the same out, clipped and rounded."""
    network = importlib.import_module("gfpgan.archs.gfpganv1_clean_arch").GFPGANv1Clean(
        512, channel_multiplier=2, fix_decoder=False, input_is_latent=True, different_w=True, sft_half=True
    )
    network.load_state_dict(torch.load(gfpgan_file, weights_only=True, mmap=True)["params_ema"], assign=True)
    picture = ((torch.from_numpy(face).permute(0, 3, 1, 2) / 255 - 0.5) / 0.5).contiguous()
    with torch.inference_mode():
        output = network.eval()(picture, return_rgb=False, randomize_noise=False)[0]
    wanted = (output.clamp(-1, 1) + 1).mul(127.5).round().permute(0, 2, 3, 1).numpy()
    assert np.abs(restored.astype(int) - wanted).max() <= 1


def test_the_same_face_gives_the_same_bytes(by_gfpgan, restored, face):
    assert (by_gfpgan.restore(face) == restored).all(), "noise that is drawn anew is seen as flicker"


def test_the_note_names_the_engine_and_claims_no_licence_for_somebodys_file(by_gfpgan):
    assert by_gfpgan.note == (
        "GFPGAN by the code of gfpgan. A checkpoint of your own in GFPGAN's layout; its owner's licence holds."
    )
    assert by_gfpgan.name == "GFPGANv1.4"
    assert by_gfpgan.fp32_batches == 0


@pytest.mark.parametrize(("licence", "said"), [(None, "its owner's licence holds"), ("S-Lab Licence", "S-Lab")])
def test_codeformers_code_is_for_non_commercial_use_whosever_the_weights(by_gfpgan, licence, said):
    kind = restorer_networks.KINDS[2]
    restorer = NetworkRestorer(by_gfpgan.runner, kind, name="mine", engine="spandrel", licence=licence)
    assert said in restorer.note
    assert restorer.note.endswith("CodeFormer's code: S-Lab Licence, for non-commercial use only.")


@pytest.mark.parametrize("able", ["AVX2", "AVX512"])
def test_nnpack_serves_where_it_was_measured_to_be_quicker(gfpgan_file, monkeypatch, able):
    pytest.importorskip("spandrel")
    if not (hasattr(torch, "_nnpack_available") and torch._nnpack_available()):
        pytest.skip("torch was built without NNPACK, or it does not know this processor")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: able)
    restorer = load_restorer(gfpgan_file, engine="spandrel", device="cpu", precision="fp32")
    modules = list(restorer.runner._precise.modules())
    wide = [one.nnpack for one in modules if isinstance(one, ModulatedConvolution) and one.size == 3]
    assert any(isinstance(one, NnpackConv) for one in modules) == (able == "AVX2")
    assert any(wide) == (able == "AVX2")


def test_nothing_is_given_and_nothing_comes_back(by_gfpgan):
    assert by_gfpgan.restore(np.zeros((0, 512, 512, 3), np.uint8)).shape == (0, 512, 512, 3)


@pytest.mark.parametrize("shape", [(512, 512, 3), (1, 256, 256, 3), (1, 512, 512, 4)])
def test_faces_of_another_form_are_refused(by_gfpgan, shape):
    with pytest.raises(SettingsError, match="wrong form"):
        by_gfpgan.restore(np.zeros(shape, np.uint8))


def test_floats_are_refused(by_gfpgan):
    with pytest.raises(SettingsError, match="float32"):
        by_gfpgan.restore(np.zeros((1, 512, 512, 3), np.float32))


class Overflows(torch.nn.Module):
    def forward(self, faces):
        return faces / (0 if faces.dtype == torch.bfloat16 else 1)


def test_what_overflows_is_computed_again_in_fp32_and_counted(face):
    from lipwise.models.device import BatchRunner

    runner = BatchRunner(Overflows(), name="fake", device="cpu", precision="bf16")
    restorer = NetworkRestorer(runner, restorer_networks.KINDS[0], name="fake", engine="gfpgan")
    with pytest.warns(LipwiseWarning, match="NaN or infinity in bf16"):
        assert (restorer.restore(face) == face).all()
    assert restorer.fp32_batches == 1
    assert "fp32" in restorer.remarks()[0]


def test_code_books_stay_in_fp32(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: True)
    gfpgan, restoreformer, codeformer = restorer_networks.KINDS
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    assert restorers._precision(cuda, "auto", gfpgan) == "bf16"
    assert restorers._precision(cpu, "auto", gfpgan) == "auto"
    assert {restorers._precision(cuda, "auto", kind) for kind in (restoreformer, codeformer)} == {"fp32"}
    assert restorers._precision(cuda, "fp16", codeformer) == "fp16"


def kind_file(kind: restorer_networks.FaceNetwork, path: Path) -> Path:
    """A file with the signs of a network and nothing else of it."""
    torch.save({sign: torch.zeros(1) for sign in kind.signs}, path)
    return path


@pytest.mark.parametrize("engine", ["gfpgan", "spandrel"])
def test_half_a_checkpoint_is_refused(engine, tmp_path):
    pytest.importorskip(engine if engine == "spandrel" else "yaml")
    if engine == "gfpgan" and engine_problem("gfpgan"):
        pytest.skip("gfpgan cannot be used here")
    with pytest.raises(CheckpointError, match="another network than GFPGAN"):
        load_restorer(kind_file(restorer_networks.KINDS[0], tmp_path / "half.pth"), engine=engine)


def test_other_networks_are_refused(tmp_path, weights):
    torch.save(weights, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match="no network that restores faces"):
        load_restorer(tmp_path / "other.pth")


def test_a_restorer_is_not_taken_for_an_upscaler(gfpgan_file):
    pytest.importorskip("spandrel")
    with pytest.raises(CheckpointError, match=r"(?s)no network that enlarges.*FaceSR"):
        load_upscaler(gfpgan_file, device="cpu")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="cannot be opened"):
        load_restorer(tmp_path / "none.pth")


def test_engines_are_named(tmp_path):
    with pytest.raises(SettingsError, match="no engine 'onnx'"):
        load_restorer(tmp_path / "none.pth", engine="onnx")
    with pytest.raises(SettingsError, match="no code for CodeFormer"):
        load_restorer(kind_file(restorer_networks.KINDS[2], tmp_path / "c.pth"), engine="gfpgan")


def test_codeformers_package_is_asked_for_with_its_licence(tmp_path, monkeypatch):
    from lipwise.errors import LipwiseError

    monkeypatch.setitem(__import__("sys").modules, "spandrel_extra_arches", None)
    with pytest.raises(LipwiseError, match=r"(?s)needs spandrel_extra_arches.*non-commercial"):
        load_restorer(kind_file(restorer_networks.KINDS[2], tmp_path / "codeformer.pth"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["RestoreFormer", "CodeFormer"])
def test_other_networks_restore_with_random_weights(kind, tmp_path, face):
    """The layout is taken from the engine's own network, for no official file is at hand."""
    torch.manual_seed(0)
    if kind == "CodeFormer":
        module = pytest.importorskip("spandrel_extra_arches.architectures.CodeFormer").CodeFormer
        network, engines = module(), ["spandrel"]
    else:
        pytest.importorskip("spandrel")
        if engine_problem("gfpgan"):
            pytest.skip("gfpgan cannot be used here")
        network = importlib.import_module("gfpgan.archs.restoreformer_arch").RestoreFormer()
        engines = ["gfpgan", "spandrel"]
    torch.save({"params_ema": network.state_dict()}, tmp_path / "any.pth")
    picture = torch.from_numpy(face.astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2).contiguous()
    with torch.inference_mode():
        output = network.eval()(picture)[0]
    wanted = (output.clamp(-1, 1) + 1).mul(127.5).round().permute(0, 2, 3, 1).numpy()
    for engine in engines:
        made = load_restorer(tmp_path / "any.pth", engine=engine)
        assert made.kind.name == kind
        assert np.abs(made.restore(face).astype(int) - wanted).max() <= 1
