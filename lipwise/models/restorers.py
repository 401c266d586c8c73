"""Restorers: aligned faces in, the same faces with detail out."""

from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from lipwise.errors import SettingsError
from lipwise.models.device import BatchRunner, Precision, choose_device, choose_dtype
from lipwise.models.modulation import rewrite_modulation
from lipwise.models.nnpack import nnpack_pays, with_nnpack
from lipwise.models.restorer_networks import Engine, FaceNetwork, load_face_network

FACE_PX = 512  # side of the faces that all these networks were trained on
FACES_AT_ONCE = 4  # one face takes about 1 GB on the way


class Restorer(Protocol):
    """Faces in, better faces out.

    Attributes:
        name: what the user calls it.
        engine: whose code runs it.
        needs_weights: a checkpoint has to be fetched first.
        note: what to know about it, one or two sentences.
    """

    name: str
    engine: str
    needs_weights: bool
    note: str

    def restore(self, faces: np.ndarray) -> np.ndarray:
        """Aligned faces (N, 512, 512, 3) RGB uint8 to the same; the same faces give the same bytes."""
        ...

    def remarks(self) -> list[str]:
        """What had to be given up, one sentence each, for a report."""
        ...


class NetworkRestorer:
    """A restorer with a network. Made by `load_restorer`.

    Attributes:
        name, engine, needs_weights, note: see `Restorer`.
        kind: what is known of the network.
        runner: computes the batches; knows device, precision and what it had to give up.
    """

    needs_weights = True

    def __init__(
        self, runner: BatchRunner, kind: FaceNetwork, *, name: str, engine: Engine, licence: str | None = None
    ) -> None:
        self.runner, self.kind, self.name, self.engine = runner, kind, name, engine
        own = f"A checkpoint of your own in {kind.name}'s layout; its owner's licence holds."
        weights = own if licence is None else f"Its weights: {licence}."
        self.note = f"{kind.name} by the code of {engine}. {weights} {kind.terms}".rstrip()

    @property
    def fp32_batches(self) -> int:
        """How many batches were computed again in fp32."""
        return self.runner.fp32_batches

    def restore(self, faces: np.ndarray) -> np.ndarray:
        """See `Restorer`.

        Raises:
            SettingsError: the faces have another form.
            LipwiseError: one face does not fit into memory, or the network gives NaN.
        """
        expected = (len(faces), FACE_PX, FACE_PX, 3)
        if faces.shape != expected or faces.dtype != np.uint8:
            raise SettingsError(
                "faces of the wrong form",
                cause=f"expected {expected} uint8, got {faces.shape} {faces.dtype}",
                next_step="Align the faces to the template first.",
            )
        if not len(faces):
            return faces.copy()
        pictures = torch.from_numpy(faces.astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)  # (N, 3, 512, 512)
        restored = self.runner(pictures).clamp_(-1, 1).add_(1).mul_(127.5).round_()
        return restored.to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()

    __call__ = restore

    def remarks(self) -> list[str]:
        """See `Restorer`."""
        return self.runner.remarks()


def load_restorer(
    path: str | Path,
    *,
    name: str | None = None,
    engine: Engine | None = None,
    device: str | None = None,
    precision: Precision = "auto",
    batch_size: int = FACES_AT_ONCE,
    licence: str | None = None,
) -> NetworkRestorer:
    """A restorer with the weights of a file. Nothing is downloaded.

    Args:
        path, engine: see `lipwise.models.restorer_networks.load_face_network`.
        name: what reports call it; None takes the file's name without its ending.
        device: None takes the graphics card if there is one.
        precision: "auto" is what is fast and safe: for GFPGAN bf16 where the device has it in hardware, else fp16 on
            CUDA and fp32 on a processor; fp32 for the others.
        batch_size: faces computed at once; halved when memory runs out.
        licence: of the weights, for the note; None is a checkpoint of one's own, whose licence is not known.

    Raises:
        CheckpointError, SettingsError, LipwiseError: see `load_face_network`, `choose_device`, `choose_dtype`.
    """
    place = choose_device(device)
    choose_dtype(place, precision)  # refuses a precision that does not exist before anything is loaded
    network, kind, used = load_face_network(path, engine=engine)
    name = Path(path).stem if name is None else name
    precision = _precision(place, precision, kind)
    nnpack = nnpack_pays(place, choose_dtype(place, precision))
    rewrite_modulation(network, nnpack=nnpack)
    if nnpack:
        with_nnpack(network)
    runner = BatchRunner(network, name=name, device=str(place), precision=precision, batch_size=batch_size)
    return NetworkRestorer(runner, kind, name=name, engine=used, licence=licence)


def _precision(place: torch.device, precision: Precision, kind: FaceNetwork) -> Precision:
    """What "auto" means for a network; any other precision is the user's wish."""
    if precision != "auto":
        return precision
    if not kind.low_precision:
        return "fp32"
    # The decoder's numbers grow large: bf16 reaches as far as fp32, fp16 does not.
    return "bf16" if place.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False) else "auto"
