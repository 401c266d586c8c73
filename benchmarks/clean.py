"""What cleaning costs: frames a second at 720p, where the time goes, memory against length, and the second call.

    python benchmarks/clean.py [--detector yunet] [--short-s 20] [--long-s 120]

Each examination is a process of its own, so that its peak memory is its own. The clip is the sample at 1280 x 720.
The parts are timed alone on one thread, as processor time, so that a busy machine moves them less; the whole runs on
two cores at best.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from lipwise.faces.detect import load_detector
from lipwise.faces.detections import _halved
from lipwise.faces.measure import MeasuringDetector, measure_faces
from lipwise.faces.shots import ShotFinder
from lipwise.media.read import read_frames
from lipwise.media.write import write_video
from lipwise.sample import sample_frames
from lipwise.weights import fetch_weights

SIZE_WH = (1280, 720)
TIMED = 60  # frames of the single parts

CHILD = """
import json, os, resource, sys, time
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
import lipwise as lw
video = lw.probe(sys.argv[1])
lw.examine(video.part(0, 2), detector=sys.argv[2], cache=False)  # weights and libraries are there
wall, spent = time.perf_counter(), time.process_time()
report = lw.examine(video, detector=sys.argv[2], cache=len(sys.argv) > 3).report
wall, spent = time.perf_counter() - wall, time.process_time() - spent
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"frames": len(report), "usable": report.count, "wall_s": wall, "cpu_s": spent, "peak_mb": peak_mb}))
"""


def write_clip(path: Path, seconds: float) -> Path:
    """The sample in the middle of 1280 x 720, played back and forth, with its edges mirrored."""
    width, height = SIZE_WH
    side = (width - height) // 2
    squares = [cv2.resize(frame, (height, height)) for frame in sample_frames()]
    frames = [cv2.copyMakeBorder(square, 0, 0, side, side, cv2.BORDER_REFLECT) for square in squares]
    lap = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    return write_video(path, (frames[lap[n % len(lap)]] for n in range(round(seconds * 25))), fps=Fraction(25))


def examine_alone(path: Path, detector: str, *more: str, env: dict[str, str] | None = None) -> dict:
    """Examine a clip once in a process of its own, on two cores."""
    command = [sys.executable, "-c", CHILD, str(path), detector, *more]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **(env or {})})
    return json.loads(done.stdout.splitlines()[-1])


def cpu_ms(work: Callable[[], object]) -> float:
    """Processor milliseconds a frame, the better of two runs."""
    spent = []
    for _ in range(2):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return 1000 * min(spent) / TIMED


def parts(path: Path, name: str) -> dict[str, float]:
    """What each part costs alone, in processor milliseconds a frame."""
    cv2.setNumThreads(1)
    frames = list(read_frames(path, np.arange(TIMED)))
    yunet = fetch_weights("yunet_2023mar")[0] if name == "yunet" else None
    detector = load_detector(name, yunet_path=yunet)
    found = [detector.detect(frame).landmarks_xy for frame in frames]
    looking = MeasuringDetector(detector, fetch_weights("face_mesh")[0])
    shots = ShotFinder()
    detect = cpu_ms(lambda: [detector.detect(frame) for frame in frames])
    measure = cpu_ms(lambda: [measure_faces(frame, points) for frame, points in zip(frames, found, strict=True)])
    return {
        "decode to RGB": cpu_ms(lambda: list(read_frames(path, np.arange(TIMED)))),
        f"detect ({name})": detect,
        "mesh for turn and presence": cpu_ms(lambda: [looking(frame) for frame in frames]) - detect - measure,
        "sharpness, light, look": measure,
        "scene cuts": cpu_ms(lambda: [shots.add(_halved(frame)) for frame in frames]),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", default="yunet")
    parser.add_argument("--short-s", type=float, default=20)
    parser.add_argument("--long-s", type=float, default=120)
    chosen = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short, long = (write_clip(folder / f"{s}.mp4", s) for s in (chosen.short_s, chosen.long_s))
        runs = {path: examine_alone(path, chosen.detector) for path in (short, long)}
        for path, run in runs.items():
            cpu = 1000 * run["cpu_s"] / run["frames"]
            print(
                f"{path.stem} s at 720p: {run['frames'] / run['wall_s']:.1f} frames a second; {cpu:.1f} ms of "
                f"processor a frame, so at most {2000 / cpu:.0f} a second on two cores; peak {run['peak_mb']:.0f} MB"
            )
        for part, spent in parts(short, chosen.detector).items():
            print(f"    {part:28s} {spent:6.2f} ms")
        print(f"peak memory, long over short: {runs[long]['peak_mb'] / runs[short]['peak_mb']:.3f}")
        home = {"LIPWISE_HOME": str(folder / "home"), "LIPWISE_MIRROR": str(fetch_weights("face_mesh")[0].parent)}
        if os.environ.get("LIPWISE_MIRROR"):
            home.pop("LIPWISE_MIRROR")
        first, second = (examine_alone(short, chosen.detector, "cache", env=home) for _ in range(2))
        print(f"first call {first['wall_s']:.2f} s, second call {second['wall_s']:.3f} s")


if __name__ == "__main__":
    main()
