"""Networks that restore faces, from their files: gfpgan's own code or spandrel's around the same weights."""

import importlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import Tensor, nn

from lipwise.errors import CheckpointError, LipwiseError, LipwiseWarning, SettingsError
from lipwise.models.checkpoint import load_checkpoint, read_state_dict
from lipwise.models.engines import engine_problem, import_engine

Engine = Literal["gfpgan", "spandrel"]
ENGINES: tuple[Engine, ...] = ("gfpgan", "spandrel")
# A layout that all network code of the two engines was written for, whatever layout the picture came in.
FLATTENED_AFTER = "final_conv"


@dataclass(frozen=True)
class FaceNetwork:
    """What is known of one kind of network.

    Attributes:
        name: as its authors call it.
        signs: tensors that only its checkpoints have.
        arguments: given to it beside the picture.
        engines: whose code there is for it.
        low_precision: works in bf16 and fp16. Networks that look up the nearest entry of a code book do not: rounding
            turns to another entry, which is seen as flicker.
        terms: what its code may be used for, whoever made the weights; empty where that is not restricted.
    """

    name: str
    signs: tuple[str, ...]
    arguments: Mapping[str, Any]
    engines: tuple[Engine, ...]
    low_precision: bool
    terms: str = ""


KINDS = (
    FaceNetwork(
        name="GFPGAN",
        signs=("conv_body_first.weight", "stylegan_decoder.constant_input.weight"),
        # New noise for each picture would be seen as flicker; the pictures of the lower levels are for training.
        arguments={"return_rgb": False, "randomize_noise": False},
        engines=("gfpgan", "spandrel"),
        low_precision=True,
    ),
    FaceNetwork(
        name="RestoreFormer",
        signs=("quantize.embedding.weight", "encoder.conv_in.weight", "quant_conv.weight"),
        arguments={},
        engines=("gfpgan", "spandrel"),
        low_precision=False,
    ),
    FaceNetwork(
        name="CodeFormer",
        signs=("position_emb", "idx_pred_layer.1.weight", "quantize.embedding.weight"),
        arguments={},  # its own trade between quality and likeness stays at 0.5; `fidelity` blends with the source
        engines=("spandrel",),
        low_precision=False,
        terms="CodeFormer's code: S-Lab Licence, for non-commercial use only.",
    ),
)


class Contiguous(nn.Module):
    """Brings a picture's numbers into plain order, which what follows takes for granted."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        return x.contiguous()


class Restoring(nn.Module):
    """A network of either engine as pictures in, pictures out."""

    def __init__(self, network: nn.Module, arguments: Mapping[str, Any]) -> None:
        super().__init__()
        self.network, self.arguments = network, dict(arguments)
        if hasattr(network, FLATTENED_AFTER):
            setattr(network, FLATTENED_AFTER, nn.Sequential(getattr(network, FLATTENED_AFTER), Contiguous()))

    def forward(self, faces: Tensor) -> Tensor:
        """(B, 3, 512, 512) RGB in -1 to 1, to the same."""
        return self.network(faces, **self.arguments)[0]


def load_face_network(path: str | Path, *, engine: Engine | None = None) -> tuple[Restoring, FaceNetwork, Engine]:
    """A network with the weights of a file, what is known of it, and whose code it runs.

    Args:
        path: a checkpoint of GFPGAN v1.2 to v1.4, RestoreFormer or CodeFormer.
        engine: None takes gfpgan's code where there is some for it, else spandrel's.

    Raises:
        CheckpointError: the file cannot be read, or holds another network.
        SettingsError: there is no such engine, or not for this network.
        LipwiseError: neither engine can be imported.

    Warns:
        LipwiseWarning: gfpgan cannot be imported and spandrel takes its place.
    """
    if engine not in (None, *ENGINES):
        raise SettingsError(
            f"no engine {engine!r}", cause="it has no such name", next_step=f"Use {' or '.join(ENGINES)}, or None."
        )
    path = Path(path)
    state = read_state_dict(path)
    kind = _kind_of(state)
    if kind is None:
        raise CheckpointError(
            f"{path} holds no network that restores faces",
            cause=f"its tensors ({', '.join(list(state)[:3])}, ...) are those of none of {_names()}",
            next_step=f"Name a checkpoint of {_names()}.",
        )
    if engine is not None and engine not in kind.engines:
        raise SettingsError(
            f"the engine {engine} for {path.name}",
            cause=f"it has no code for {kind.name}",
            next_step=f"Use {' or '.join(kind.engines)}, or leave the engine out.",
        )
    chosen = _importable(engine or kind.engines[0], kind)
    network = _spandrel_network(path, state, kind) if chosen == "spandrel" else _gfpgan_network(path, kind)
    return Restoring(network, kind.arguments), kind, chosen


def _names() -> str:
    return ", ".join(kind.name for kind in KINDS)


def _kind_of(state: Mapping[str, Tensor]) -> FaceNetwork | None:
    names = {name.removeprefix("module.") for name in state}
    return next((kind for kind in KINDS if names.issuperset(kind.signs)), None)


def _importable(engine: Engine, kind: FaceNetwork) -> Engine:
    """The engine, or spandrel where it cannot be imported."""
    problem = engine_problem(engine) if engine == "gfpgan" else None
    if problem is None:
        return engine
    warnings.warn(
        f"{kind.name}: gfpgan cannot be used ({problem}); spandrel's code runs the same weights.",
        LipwiseWarning,
        stacklevel=4,
    )
    return "spandrel"


def _gfpgan_network(path: Path, kind: FaceNetwork) -> nn.Module:
    import torch

    import_engine("gfpgan")
    with torch.device("meta"):  # no weights yet, so none are made to be thrown away
        if kind.name == "RestoreFormer":
            network = importlib.import_module("gfpgan.archs.restoreformer_arch").RestoreFormer()
        else:
            # The sizes of v1.2 to v1.4, as gfpgan's own GFPGANer builds them.
            network = importlib.import_module("gfpgan.archs.gfpganv1_clean_arch").GFPGANv1Clean(
                out_size=512,
                channel_multiplier=2,
                fix_decoder=False,
                input_is_latent=True,
                different_w=True,
                sft_half=True,
            )
    load_checkpoint(path, network, name=kind.name)
    return network


def _spandrel_network(path: Path, state: Mapping[str, Tensor], kind: FaceNetwork) -> nn.Module:
    registry = _spandrel_registry(path, kind)
    plain = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    try:
        network = registry.load(plain).model
    except Exception as error:  # an architecture raises what it likes over weights that do not fit
        raise CheckpointError(
            f"{path} holds another network than {kind.name}",
            cause=f"spandrel says {type(error).__name__}: {str(error).strip()[:300] or 'no architecture fits'}",
            next_step=f"Name a checkpoint of {_names()}.",
        ) from error
    load_checkpoint(path, network, name=kind.name)  # in float32, and all of it: spandrel keeps what it is given
    return network


def _spandrel_registry(path: Path, kind: FaceNetwork) -> Any:
    """What looks up spandrel's architectures, with the extra ones where the network is one of them."""
    extra = "gfpgan" not in kind.engines
    try:
        if extra:
            return importlib.import_module("spandrel_extra_arches").EXTRA_REGISTRY
        return importlib.import_module("spandrel").MAIN_REGISTRY
    except ImportError as error:
        package = "spandrel_extra_arches" if extra else "spandrel"
        raise LipwiseError(
            f"{path.name} needs {package}",
            cause=f"{kind.name} is run by it, and it cannot be imported: {error}",
            next_step=f"Install {package}" + (f". {kind.terms}" if extra else ", or gfpgan and basicsr."),
        ) from error
