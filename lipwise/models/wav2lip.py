"""Wav2Lip as a generator: RGB crops and mel windows in, RGB crops whose lips say the windows out."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from lipwise.errors import SettingsError
from lipwise.models.checkpoint import load_checkpoint
from lipwise.models.device import BatchRunner, Precision, fold_batch_norm
from lipwise.models.generator import GeneratorState, ReadFrame, ReadWindows
from lipwise.models.wav2lip_network import Wav2LipNetwork

CROP_SIZE = 96
MEL_BANDS, WINDOW_STEPS = 80, 16
BATCH_SIZE = 16

LICENCE = "Wav2Lip's weights (trained on LRS2) are for research and other non-commercial use only."


class CropsToFaces(nn.Module):
    """The network with its pictures as people keep them: RGB, 0-255 in, 0-1 out."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor, mel_windows: Tensor) -> Tensor:
        """(B, 3, 96, 96) RGB uint8 and (B, 80, 16) in the network's dtype to (B, 3, 96, 96) RGB in 0-1."""
        reference = crops.flip(1).float() / 255  # BGR
        masked = reference.clone()
        masked[:, :, CROP_SIZE // 2 :] = 0
        faces = torch.cat((masked, reference), dim=1)  # (B, 6, 96, 96)
        mels = mel_windows.unsqueeze(1)  # (B, 1, 80, 16)
        return self.network(faces.to(mels.dtype), mels).flip(1)


class Wav2Lip:
    """The generator: faces and mel windows in, faces that say them out. Made by `load_wav2lip`.

    Attributes:
        name: what the user calls it, the checkpoint's file name without its ending.
        runner: computes the batches; knows device, precision and what it had to give up.
        parameters: number of trained parameters.
        needs_weights: a checkpoint has to be fetched first.
        licence: what the weights may be used for.

    The others are explained in `lipwise.models.generator.Generator`.
    """

    note = f"96 x 96 px faces. {LICENCE}"
    crop: Literal["face"] = "face"
    crop_size = CROP_SIZE
    keeps_colours = False
    moves_beyond = 0.0
    window_shift_s = 0.0  # the reference's timing; see audio_offset_s where the windows are cut
    needs_weights = True
    licence = LICENCE

    def __init__(self, runner: BatchRunner, *, name: str, parameters: int) -> None:
        self.runner = runner
        self.name = name
        self.parameters = parameters

    def prepare(
        self, mesh_xy: np.ndarray, source_index: np.ndarray, read_frame: ReadFrame, read_windows: ReadWindows
    ) -> GeneratorState:
        """Nothing about the clip as a whole is needed."""
        return GeneratorState()

    def render(
        self,
        crops: Sequence[np.ndarray] | np.ndarray,
        mel_windows: np.ndarray,
        mesh_xy: Sequence[np.ndarray] = (),
        state: GeneratorState | None = None,
    ) -> list[np.ndarray]:
        """The same as `synthesize`, in the form the lip-sync stage asks for; mesh and state play no part."""
        stacked = np.stack(list(crops)) if len(crops) else np.zeros((0, CROP_SIZE, CROP_SIZE, 3), np.uint8)
        return list(self.synthesize(stacked, mel_windows))

    def synthesize(self, crops: np.ndarray, mel_windows: np.ndarray) -> np.ndarray:
        """Faces whose mouths say the windows.

        Values are rounded; the reference cuts their fractions off, which darkens the face by half a grey step.

        Args:
            crops: (N, 96, 96, 3) RGB uint8, the chin inside; only the upper half and the look of the rest are used.
            mel_windows: (N, 80, 16) float32 in -4 to 4.

        Returns:
            (N, 96, 96, 3) RGB uint8.

        Raises:
            SettingsError: a shape or dtype is not as above.
        """
        _check("crops", crops, (len(crops), CROP_SIZE, CROP_SIZE, 3), np.uint8)
        _check("mel_windows", mel_windows, (len(crops), MEL_BANDS, WINDOW_STEPS), np.float32)
        pictures = torch.from_numpy(np.ascontiguousarray(crops)).permute(0, 3, 1, 2)  # (N, 3, 96, 96)
        faces = self.runner(pictures, torch.from_numpy(np.ascontiguousarray(mel_windows)))
        return (faces * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()

    def remarks(self, state: GeneratorState) -> list[str]:
        """What the runner had to give up, in words."""
        return self.runner.remarks()


def load_wav2lip(
    path: str | Path,
    *,
    device: str | None = None,
    precision: Precision = "auto",
    batch_size: int = BATCH_SIZE,
    known_sha256: Collection[str] = (),
) -> Wav2Lip:
    """The Wav2Lip generator with the weights of a checkpoint in any of the forms it is passed around in.

    Args:
        path: see `lipwise.models.checkpoint.load_checkpoint`.
        device: None takes the graphics card if there is one.
        precision: "auto" is fp16 on CUDA, bf16 on a processor that has it in hardware, else fp32.
        batch_size: faces computed at once; halved when memory runs out.
        known_sha256: hashes of the files that may be TorchScript.

    Raises:
        CheckpointError: the file is not a Wav2Lip checkpoint.
        SettingsError: a device or precision that is not there.
    """
    with torch.device("meta"):  # no weights yet, so none are made to be thrown away
        network = Wav2LipNetwork()
    load_checkpoint(path, network, name="Wav2Lip", known_sha256=known_sha256)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    model = CropsToFaces(fold_batch_norm(network))
    runner = BatchRunner(model, name="Wav2Lip", device=device, precision=precision, batch_size=batch_size)
    return Wav2Lip(runner, name=Path(path).stem, parameters=parameters)


def _check(name: str, array: np.ndarray, shape: tuple[int, ...], dtype: type) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise SettingsError(
            f"{name} has the wrong form",
            cause=f"expected {shape} {np.dtype(dtype)}, got {array.shape} {array.dtype}",
            next_step="Cut the crops and windows as `render` asks for them.",
        )
