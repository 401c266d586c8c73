"""Networks that enlarge pictures, from their files: ours for Real-ESRGAN's two, spandrel's for any other."""

from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lipwise.errors import CheckpointError, LipwiseError, SettingsError
from lipwise.models.checkpoint import load_checkpoint, read_state_dict
from lipwise.models.ncnn import is_ncnn, read_ncnn
from lipwise.models.sr_networks import COLOURS, SRNetwork, SRVGGNetCompact, network_for

Engine = Literal["lipwise", "spandrel"]
SPANDREL_REACH = 32  # px; where a cut stops to be seen is not known of any network, so this is a guess
SPANDRELS_LIST = "https://github.com/chaiNNer-org/spandrel#model-architecture-support"
_NO_COMMON = "Two checkpoints are mixed for realesr-general-x4v3 and realesr-general-wdn-x4v3 only."


class SRModule(Protocol):
    """What is asked of a network: see `lipwise.models.sr_networks.RRDBNet`."""

    scale: int
    multiple: int
    reach: int


class LoadedNetwork(NamedTuple):
    """A network with its weights.

    network: (B, 3, H, W) RGB in 0-1 to (B, 3, scale H, scale W).
    form: what it says of itself: scale, multiple, reach.
    engine: whose code it is.
    dtypes: number formats in which it is known to work.
    """

    network: nn.Module
    form: SRModule
    engine: Engine
    dtypes: tuple[torch.dtype, ...]


def load_network(
    path: str | Path, *, denoise: float = 1.0, wdn_path: str | Path | None = None, engine: Engine | None = None
) -> LoadedNetwork:
    """A super-resolution network with the weights of a file.

    Args:
        path: an official checkpoint, ncnn's `.bin` or `.param` of one, or any that spandrel knows.
        denoise: 1 leaves the weights as they are; under 1 mixes in so much of `wdn_path`, down to 0, its weights alone.
        wdn_path: the checkpoint of the same network that removes less noise, realesr-general-wdn-x4v3.
        engine: None takes ours where the network is known and spandrel elsewhere.

    Raises:
        CheckpointError: a file cannot be read, or holds no network that enlarges RGB pictures, or the two do not fit.
        SettingsError: a strength outside 0 to 1, or under 1 without a second checkpoint; an engine that does not exist.
        LipwiseError: spandrel is needed and not installed.
    """
    if engine not in (None, "lipwise", "spandrel"):
        raise SettingsError(f"no engine {engine!r}", cause="it has no such name", next_step="Use lipwise or spandrel.")
    if not 0 <= denoise <= 1 or (denoise < 1 and wdn_path is None):
        cause = "it goes from 0 to 1, and under 1 a second checkpoint is mixed in"
        raise SettingsError(
            f"denoise {denoise}", cause=cause, next_step="Use 1, or name realesr-general-wdn-x4v3 as wdn_path."
        )
    known = None if engine == "spandrel" else _our_network(Path(path))
    if denoise < 1 and wdn_path is not None:
        if not isinstance(known, SRVGGNetCompact):
            raise CheckpointError(f"{path} is not mixed", cause="it is another network", next_step=_NO_COMMON)
        _mix(known, Path(wdn_path), keep=denoise)
    if known is not None:
        return LoadedNetwork(known, known, "lipwise", (torch.float32, torch.bfloat16, torch.float16))
    if engine == "lipwise":
        raise CheckpointError(
            f"{path} holds a network that is not ours",
            cause="its names and shapes are neither RRDBNet's nor SRVGGNetCompact's",
            next_step='Leave engine out, or use "spandrel".',
        )
    return _spandrel_network(Path(path))


def _our_network(path: Path) -> SRNetwork | None:
    """RRDBNet or SRVGGNetCompact with the file's weights; None when it holds another network."""
    state = _state_of(path)
    network = network_for({name: tuple(tensor.shape) for name, tensor in state.items()})
    if network is None:
        return None
    if is_ncnn(path):
        network.load_state_dict(state, assign=True)
    else:
        load_checkpoint(path, network, name=type(network).__name__)
    return network


def _state_of(path: Path) -> dict[str, Tensor]:
    return read_ncnn(path) if is_ncnn(path) else read_state_dict(path)


def _mix(network: SRVGGNetCompact, other_path: Path, *, keep: float) -> None:
    """Deep network interpolation, weight by weight (Wang et al., 2019)."""
    other = _our_network(other_path)
    own = network.state_dict()
    theirs = {} if other is None else other.state_dict()
    if {name: tensor.shape for name, tensor in own.items()} != {name: tensor.shape for name, tensor in theirs.items()}:
        raise CheckpointError(f"{other_path} is not mixed in", cause="it is another network", next_step=_NO_COMMON)
    network.load_state_dict({name: torch.lerp(theirs[name], own[name], keep) for name in own}, assign=True)


class SpandrelNetwork(nn.Module):
    """A network of spandrel's behind the face of ours: pads to the sides that it asks for and cuts them off again."""

    def __init__(self, model: nn.Module, *, scale: int, multiple: int, smallest: int, square: bool) -> None:
        super().__init__()
        self.model = model
        self.scale, self.multiple, self.reach = scale, 1, SPANDREL_REACH
        self._multiple, self._smallest, self._square = multiple, smallest, square

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) RGB in 0-1 to (B, 3, scale H, scale W)."""
        height, width = pictures.shape[2:]
        tall, wide = (max(-(-side // self._multiple) * self._multiple, self._smallest) for side in (height, width))
        if self._square:
            tall = wide = max(tall, wide)
        padded = F.pad(pictures, (0, wide - width, 0, tall - height), mode="replicate")
        return self.model(padded)[:, :, : self.scale * height, : self.scale * width]


def _spandrel_network(path: Path) -> LoadedNetwork:
    try:
        import spandrel  # pyright: ignore[reportMissingImports]  # not installed everywhere
    except ImportError as error:
        raise LipwiseError(
            f"{path.name} needs spandrel",
            cause=f"it is neither RRDBNet nor SRVGGNetCompact, and spandrel cannot be imported: {error}",
            next_step="Install spandrel, or use one of Real-ESRGAN's networks.",
        ) from error
    state = _state_of(path)
    try:
        found = spandrel.ModelLoader(device="cpu").load_from_state_dict(state)
    except spandrel.UnsupportedModelError as error:
        raise CheckpointError(
            f"{path} holds no network that is known to enlarge pictures",
            cause=f"its tensors ({', '.join(list(state)[:3])}, ...) are those of no architecture that spandrel knows",
            next_step=f"Name a super-resolution checkpoint of an architecture on spandrel's list ({SPANDRELS_LIST}).",
        ) from error
    except Exception as error:  # an architecture raises what it likes over weights that do not fit
        raise CheckpointError(
            f"{path} holds no network that is known",
            cause=f"spandrel says {type(error).__name__}: {str(error).strip() or 'no architecture fits'}",
            next_step="Name a super-resolution checkpoint from spandrel's list of architectures.",
        ) from error
    enlarges = found.purpose in ("SR", "Restoration") and found.input_channels == found.output_channels == COLOURS
    if not enlarges or not isinstance(found, spandrel.ImageModelDescriptor):
        raise CheckpointError(
            f"{path} holds no network that enlarges RGB pictures",
            cause=f"it is {found.architecture.name}, for {found.purpose}, {found.input_channels} channels in",
            next_step="Name a super-resolution checkpoint.",
        )
    needs = found.size_requirements
    network = SpandrelNetwork(
        found.model,
        scale=found.scale,
        multiple=needs.multiple_of or 1,
        smallest=needs.minimum or 1,
        square=needs.square,
    )
    halves = [torch.bfloat16] * found.supports_bfloat16 + [torch.float16] * found.supports_half
    return LoadedNetwork(network, network, "spandrel", (torch.float32, *halves))
