"""What enhancing costs: the published upscalers as published against ours, side by side, and the memory of a 4K frame.

    python benchmarks/enhance.py upscalers [--x4plus RealESRGAN_x4plus.pth] [--rounds 3] [--threads 1]
    python benchmarks/enhance.py memory [--animevideov3 realesr-animevideov3.pth] [--precision auto]

`upscalers`: each network goes through realesrgan.RealESRGANer with its defaults (fp32, no tiles) and through LipWise,
in turn, on the same picture; medians and their ratio are told, in wall-clock time and in processor time, which is what
counts on a machine that others use too. Without a checkpoint a network has random weights: its speed is the same, its
PSNR says nothing. The claim is about the RRDB networks: 2.5 times, and 50 dB with the weights of x4plus, on a processor
with bf16 in hardware, or with AVX2 and no AVX-512.

`memory`: a 4K frame through the small network, and a frame of three tiles of 512 px through the large one, each in a
process of its own; the large network's memory is that of one tile, so the rest of a 4K frame would take time only. The
claim is 4 GB.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from skimage.data import astronaut
from torch import nn

from lipwise.models.engines import import_engine
from lipwise.models.processor import has_fast_bf16, winograd_pays
from lipwise.models.sr_loading import load_network
from lipwise.models.upscalers import load_upscaler

SPEED, PSNR_DB, MEMORY_GB = 2.5, 50.0, 4.0
SIDE = 128  # px of the trunk of an RRDB network
FRAMES_WH = {"animevideov3": (3840, 2160), "x4plus": (1280, 512)}
NETWORKS = ("x4plus", "x4plus_anime_6B", "x2plus", "animevideov3")
CPU = torch.device("cpu")


def published(name: str) -> nn.Module:
    """The network as the published code builds it, with random weights."""
    import_engine("realesrgan")
    from basicsr.archs.rrdbnet_arch import RRDBNet
    from realesrgan.archs.srvgg_arch import SRVGGNetCompact

    if name == "animevideov3":
        return SRVGGNetCompact()
    return RRDBNet(3, 3, scale=2 if name == "x2plus" else 4, num_block=6 if "6B" in name else 23)


def checkpoint_of(name: str, given: Path | None, folder: Path) -> Path:
    """The given checkpoint, ncnn files converted; one of random weights without it."""
    path = folder / f"{name}.pth"
    state = published(name).state_dict() if given is None else load_network(given).network.state_dict()
    torch.save({"params_ema": state}, path)
    return path


def picture(side: int) -> np.ndarray:
    """A real photo, (side, side, 3) RGB uint8."""
    return cv2.resize(astronaut(), (side, side), interpolation=cv2.INTER_AREA)


def medians(rounds: int, **calls: Callable[[], object]) -> dict[str, tuple[float, float]]:
    """Seconds on the clock and on the processor of each call; the calls take turns, and a first round warms up."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            start, busy = time.perf_counter(), time.process_time()
            call()
            seconds[name].append((time.perf_counter() - start, time.process_time() - busy))
    return {name: tuple(map(statistics.median, zip(*taken[1:], strict=True))) for name, taken in seconds.items()}


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """dB between two uint8 pictures."""
    return float(10 * np.log10(255**2 / max(np.mean((one.astype(float) - other) ** 2), 1e-12)))


def machine() -> str:
    """What it was measured on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "processor")
    able = f"{torch.backends.cpu.get_cpu_capability()}, {'' if has_fast_bf16() else 'no '}bf16 in hardware"
    way = "bf16, channels_last" if has_fast_bf16() else "Winograd" if winograd_pays(CPU, torch.float32) else "fp32"
    return f"{name}, {able}, so: {way}; {torch.get_num_threads()} thread(s), torch {torch.__version__}"


def compare(name: str, given: Path | None, arguments: argparse.Namespace, folder: Path) -> tuple[float, float]:
    """How many times as fast ours is in processor time, and the PSNR between the two."""
    path = checkpoint_of(name, given, folder)
    scale = 2 if name == "x2plus" else 4
    engine = import_engine("realesrgan")
    theirs = engine.RealESRGANer(scale=scale, model_path=str(path), model=published(name), device=CPU)
    ours = load_upscaler(path, device="cpu", precision=arguments.precision)
    frame = picture(SIDE * (2 if scale == 2 else 1))
    other = frame.copy()
    other[0, 0] ^= 1  # or the second round would find its answer ready
    frames = [frame, other] * (arguments.rounds + 2)
    reference = theirs.enhance(frame[:, :, ::-1])[0][:, :, ::-1]
    apart = psnr(ours(frame), reference)
    seconds = medians(
        arguments.rounds,
        published=lambda: theirs.enhance(frame[:, :, ::-1]),
        ours=lambda: ours(frames.pop()),
    )
    (clock, busy), (our_clock, our_busy) = seconds["published"], seconds["ours"]
    print(
        f"{name} ({'random weights' if given is None else given.name}), {frame.shape[1]} px, {ours.runner.dtype}: "
        f"clock {clock:.2f} s -> {our_clock:.2f} s, {clock / our_clock:.2f} times; "
        f"processor {busy:.2f} s -> {our_busy:.2f} s, {busy / our_busy:.2f} times; PSNR {apart:.1f} dB",
        flush=True,
    )
    return busy / our_busy, apart


def upscalers(arguments: argparse.Namespace) -> None:
    """The table of speeds."""
    given = {"x4plus": arguments.x4plus, "animevideov3": arguments.animevideov3}
    with tempfile.TemporaryDirectory() as folder:
        rows = {name: compare(name, given.get(name), arguments, Path(folder)) for name in arguments.networks}
    slowest = min((speed for name, (speed, _) in rows.items() if name != "animevideov3"), default=np.inf)
    met = slowest >= SPEED and rows.get("x4plus", (0, np.inf))[1] >= PSNR_DB
    print(f"claim (RRDB {SPEED:g} times, x4plus {PSNR_DB:g} dB): {'met' if met else 'NOT met'} on this machine")


def memory(arguments: argparse.Namespace) -> None:
    """The table of peaks; each network in a process of its own."""
    for name in FRAMES_WH:
        flags = [f"--{key}={path}" for key in FRAMES_WH if (path := getattr(arguments, key)) is not None]
        subprocess.run(
            [sys.executable, __file__, "peak", f"--networks={name}", f"--precision={arguments.precision}", *flags],
            check=True,
        )


def peak(arguments: argparse.Namespace) -> None:
    """The most memory that this process ever had, for one network."""
    name = arguments.networks[0]
    width, height = FRAMES_WH[name]
    with tempfile.TemporaryDirectory() as folder:
        path = checkpoint_of(name, getattr(arguments, name), Path(folder))
        upscaler = load_upscaler(path, device="cpu", precision=arguments.precision)
    frame = cv2.resize(astronaut(), (width, height))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    enlarged_height, enlarged_width = upscaler.upscale(frame).shape[:2]
    taken = time.perf_counter() - start
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # kilobytes on Linux
    print(
        f"{name}: {width} x {height} -> {enlarged_width} x {enlarged_height} in {taken:.0f} s; "
        f"peak {gigabytes:.2f} GB, {before / 2**20:.2f} GB of them before the first frame; "
        f"claim ({MEMORY_GB:g} GB) {'met' if gigabytes < MEMORY_GB else 'NOT met'}",
        flush=True,
    )


PARTS = {"upscalers": upscalers, "memory": memory, "peak": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--x4plus", type=Path, help="its checkpoint, or ncnn's .bin")
    parser.add_argument("--animevideov3", type=Path, help="its checkpoint, or ncnn's .bin")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16", "fp16"])
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(arguments.threads)
    if arguments.part != "peak":
        print(machine(), flush=True)
    PARTS[arguments.part](arguments)


if __name__ == "__main__":
    main()
