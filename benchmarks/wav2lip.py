"""What Wav2Lip costs a face: the plain fp32 network against the generator as LipWise runs it, side by side.

    python benchmarks/wav2lip.py [--weights wav2lip_gan.pth] [--batch 16] [--rounds 5] [--threads 1] [--precision auto]

Plain is the network as published: fp32, batch norm apart, channels first. Both get the same crops in the same round, in
turn; medians of the rounds and their ratio are told. Without a checkpoint the weights come from the tests' formula,
once as they are and once with the last layer amplified to full contrast, where a coarse number format shows more.
The claim is: at least twice the speed on one core with AVX-512 BF16, at a largest difference of two grey steps.
"""

import argparse
import copy
import importlib.util
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from skimage.data import astronaut
from torch import nn

from lipwise.models.checkpoint import load_checkpoint
from lipwise.models.device import BatchRunner, fold_batch_norm
from lipwise.models.processor import has_fast_bf16
from lipwise.models.wav2lip import CropsToFaces, Wav2Lip
from lipwise.models.wav2lip_network import Wav2LipNetwork

ROOT = Path(__file__).resolve().parent.parent
SPEED, GREY_STEPS = 2.0, 2.0
CONTRAST = 12


def formula_weights() -> dict[str, torch.Tensor]:
    """The tests' stand-in for a checkpoint."""
    spec = importlib.util.spec_from_file_location("formula", ROOT / "tests" / "models" / "formula.py")
    formula = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(formula)
    return formula.formula_weights(ROOT / "tests" / "golden" / "wav2lip_state_dict.json")


def networks(weights: Path | None) -> dict[str, nn.Module]:
    """The plain network, by what its weights are."""
    network = Wav2LipNetwork().eval().requires_grad_(False)
    if weights is not None:
        load_checkpoint(weights, network, name="Wav2Lip")
        return {weights.name: network.eval().requires_grad_(False)}
    network.load_state_dict(formula_weights())
    contrasted = copy.deepcopy(network)
    contrasted.output_block[1].weight *= CONTRAST
    return {"formula weights": network, "formula weights at full contrast": contrasted}


def faces_and_windows(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Crops of a real face at slightly different places, and windows of noise."""
    picture = astronaut()
    crops = np.stack([picture[70 + i : 166 + i, 170 + i : 266 + i] for i in range(count)])
    return crops, np.random.default_rng(5).uniform(-4, 4, (count, 80, 16)).astype(np.float32)


def rgb_channels_first(crops: np.ndarray) -> torch.Tensor:
    """(N, 96, 96, 3) to (N, 3, 96, 96), in that order in memory too."""
    return torch.from_numpy(crops).permute(0, 3, 1, 2).contiguous()


def plain_faces(network: nn.Module, crops: np.ndarray, mel_windows: np.ndarray) -> torch.Tensor:
    """(N, 3, 96, 96) RGB in 0-1 from the plain network, in one batch."""
    with torch.inference_mode():
        return CropsToFaces(network)(rgb_channels_first(crops), torch.from_numpy(mel_windows))


def runner_of(network: nn.Module, batch: int, precision: str) -> BatchRunner:
    """As `load_wav2lip` makes it."""
    model = CropsToFaces(fold_batch_norm(copy.deepcopy(network)))
    return BatchRunner(model, name="Wav2Lip", device="cpu", precision=precision, batch_size=batch)


def medians(rounds: int, **calls: Callable[[], object]) -> dict[str, float]:
    """Seconds of each call, the calls taking turns; a first round warms up and does not count."""
    seconds = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times[1:]) for name, times in seconds.items()}


def machine() -> str:
    """What it was measured on."""
    cpuinfo = Path("/proc/cpuinfo")
    names = (
        [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")] if cpuinfo.exists() else []
    )
    name = names[0].partition(":")[2].strip() if names else platform.processor()
    bf16 = "bf16 in hardware" if has_fast_bf16() else "no bf16 in hardware"
    return f"{name}, {torch.get_num_threads()} thread(s), {bf16}, torch {torch.__version__}, {platform.system()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="a checkpoint; without one, weights from a formula")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16", "fp16"])
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    crops, windows = faces_and_windows(arguments.batch)
    print(machine())

    differences = []
    for name, network in networks(arguments.weights).items():
        runner = runner_of(network, arguments.batch, arguments.precision)
        rows = rgb_channels_first(crops), torch.from_numpy(windows)
        apart = (runner(*rows) - plain_faces(network, crops, windows)).abs() * 255
        differences.append(float(apart.max()))
        print(f"{name}: {runner.dtype}, grey steps apart: largest {apart.max():.3f}, mean {apart.mean():.4f}")
        if len(differences) == 1:
            first, generator = network, Wav2Lip(runner, name=name, parameters=0)

    seconds = medians(
        arguments.rounds,
        plain=lambda: plain_faces(first, crops, windows),
        ours=lambda: generator.synthesize(crops, windows),
    )
    for name, taken in seconds.items():
        print(f"{name}: {taken / arguments.batch * 1000:.1f} ms a face (batch {arguments.batch})")
    ratio = seconds["plain"] / seconds["ours"]
    print(f"ours is {ratio:.2f} times as fast as plain")
    if not has_fast_bf16():
        print("The claim is about processors with bf16 in hardware; it cannot be checked on this one.")
        return
    met = ratio >= SPEED and differences[0] <= GREY_STEPS
    print(f"claim ({SPEED:g} times, {GREY_STEPS:g} grey steps): {'met' if met else 'NOT met'}")


if __name__ == "__main__":
    main()
