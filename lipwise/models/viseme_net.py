"""The network of the built-in generator: hears a mel window, tells how the mouth stands.

Trained by tools/train_viseme.py on synthetic speech only (espeak-ng and flite); its weights lie beside this file.
"""

import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lipwise.errors import CheckpointError

WEIGHTS = Path(__file__).with_name("viseme.npz")
MOUTH = ("open", "wide", "round", "closed")
MEL_BANDS = 80
WINDOW_STEPS = 16
MEL_FRAMES_PER_SECOND = 80
CENTRE_STEP = WINDOW_STEPS // 2  # a window tells about the sound in its middle
# Lips move before they are heard: they are where the sound will be this much later. Chosen so that the median of real
# clips is at no lag (benchmarks/viseme_audio.py); single files differ by 0.1 s, because their sound is offset.
LEAD_S = 0.04
# What has to be added to a frame's time to get the start of its mel window. Negative is earlier: the window starts
# before the frame, so that the network hears what comes before as well as what comes after.
WINDOW_SHIFT_S = LEAD_S - CENTRE_STEP / MEL_FRAMES_PER_SECOND  # -0.06
BATCH = 64


def _halve_bands(channels_in: int, channels_out: int) -> nn.Conv2d:
    """(N, C, bands, S) to (N, C', bands / 2, S - 2)."""
    return nn.Conv2d(channels_in, channels_out, kernel_size=(5, 3), stride=(2, 1), padding=(2, 0))


class VisemeNet(nn.Module):
    """Mel (N, 80, S) to mouth (N, 4, S - 15): one value for each window of 16 steps.

    Nothing is padded in time, so a long mel and its separate windows give the same numbers; training uses the first,
    which costs a tenth.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bands = nn.Sequential(
            _halve_bands(1, 12), nn.ReLU(),
            _halve_bands(12, 20), nn.ReLU(),
            _halve_bands(20, 28), nn.ReLU(),
        )  # fmt: skip
        self.steps = nn.Sequential(
            nn.Conv1d(280, 64, 3), nn.ReLU(),
            nn.Conv1d(64, 64, 3), nn.ReLU(),
            nn.Conv1d(64, 64, 6), nn.ReLU(),
            nn.Conv1d(64, 4, 1),
        )  # fmt: skip

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        """(N, 80, S) in [-4, 4] to (N, 4, S - 15) in 0..1."""
        features = self.bands(mel[:, None] / 4)  # (N, 28, 10, S - 6)
        return torch.sigmoid(self.steps(features.flatten(1, 2)))  # (N, 280, S - 6) -> (N, 4, S - 15)


def save_weights(net: VisemeNet, path: Path) -> None:
    """Write the weights as float16 arrays named by their state-dict keys (.npz, nothing pickled)."""
    arrays = {key: value.detach().cpu().numpy().astype(np.float16) for key, value in net.state_dict().items()}
    np.savez_compressed(path, **arrays)


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}
    except (OSError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise CheckpointError(
            f"The weights of the built-in generator cannot be read: {path}",
            cause=str(error),
            next_step="install LipWise again, or train them: python tools/train_viseme.py --out " + str(path),
        ) from error


@lru_cache(maxsize=2)
def load_viseme_net(path: Path = WEIGHTS) -> VisemeNet:
    """The network with its weights, ready to predict.

    Raises:
        CheckpointError: the file is missing, damaged or holds another network.
    """
    net = VisemeNet()
    arrays = _read_arrays(path)
    wanted = {key: tuple(value.shape) for key, value in net.state_dict().items()}
    found = {key: value.shape for key, value in arrays.items()}
    wrong = sorted(key for key in wanted | found if wanted.get(key) != found.get(key))
    if wrong:
        raise CheckpointError(
            f"{path} does not hold the built-in generator's network",
            cause=f"{wrong[0]}: expected {wanted.get(wrong[0])}, found {found.get(wrong[0])}",
            next_step="install LipWise again, or train them: python tools/train_viseme.py --out " + str(path),
        )
    net.load_state_dict({key: torch.from_numpy(value.astype(np.float32)) for key, value in arrays.items()})
    return net.eval()


def predict_mouth(mel_windows: np.ndarray, *, net: VisemeNet | None = None) -> np.ndarray:
    """How the mouth stands in each window, whatever the windows round it.

    Args:
        mel_windows: (N, 80, 16) float in [-4, 4]; the window of a frame begins WINDOW_SHIFT_S after the frame's time.
        net: another network than the one that ships.

    Returns:
        (N, 4) float32, 0..1: open, wide, round, closed (lips pressed together, as for m, b and p). In a pause the
        mouth rests: open and closed are both near 0.
    """
    if mel_windows.ndim != 3 or mel_windows.shape[1:] != (MEL_BANDS, WINDOW_STEPS):
        raise ValueError(f"expected mel windows (N, {MEL_BANDS}, {WINDOW_STEPS}), got {mel_windows.shape}")
    net = load_viseme_net() if net is None else net
    mouth = np.empty((len(mel_windows), len(MOUTH)), np.float32)
    # Always full batches: then a window's numbers do not depend on how many others were asked for with it.
    batch = torch.zeros(BATCH, MEL_BANDS, WINDOW_STEPS)
    with torch.inference_mode():
        for first in range(0, len(mel_windows), BATCH):
            part = mel_windows[first : first + BATCH]
            batch[: len(part)] = torch.from_numpy(np.ascontiguousarray(part, np.float32))
            mouth[first : first + len(part)] = net(batch)[: len(part), :, 0].numpy()
    return mouth
