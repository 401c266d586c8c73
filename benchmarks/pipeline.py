"""What the whole chain costs: memory against length, frames a second, and where the time goes.

    python benchmarks/pipeline.py [--long-s 600] [--short-s 10]

Each run is a process of its own, so that its peak memory is its own. The clip is the sample at 640 x 360, the speech
is the sample's, repeated. Times are this machine's and move with its load; the ratios are what to quote.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from lipwise.media.audio import SAMPLE_RATE, load_audio
from lipwise.media.sound import save_wav
from lipwise.media.write import write_video
from lipwise.sample import SPEECH, sample_frames

SIZE_WH = (640, 360)

CHILD = """
import json, resource, sys, time
start = time.perf_counter()
import lipwise as lw
report = lw.run(lw.Recipe(face=sys.argv[1], speech=sys.argv[2], out=sys.argv[3], consent=True), progress=False)
wall_s = time.perf_counter() - start
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"frames": report.frames, "wall_s": wall_s, "peak_mb": peak_mb, "seconds": report.seconds}))
"""


def write_clip(path: Path, seconds: float) -> Path:
    """The sample, scaled and cropped to 640 x 360, played back and forth."""
    width, height = SIZE_WH
    frames = [cv2.resize(frame, (width, width))[60 : 60 + height] for frame in sample_frames()]
    lap = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    count = round(seconds * 25)
    return write_video(path, (frames[lap[number % len(lap)]] for number in range(count)), fps=Fraction(25))


def write_speech(path: Path, seconds: float) -> Path:
    """The sample's speech, repeated."""
    once = load_audio(SPEECH)
    length = round(seconds * SAMPLE_RATE)
    return save_wav(path, np.tile(once, -(-length // len(once)))[:length], sample_rate=SAMPLE_RATE)


def measure(folder: Path, seconds: float) -> dict:
    """Run the chain once in a process of its own."""
    face, speech = write_clip(folder / f"{seconds}.mp4", seconds), write_speech(folder / f"{seconds}.wav", seconds)
    command = [sys.executable, "-c", CHILD, str(face), str(speech), str(folder / f"out{seconds}.mp4")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def import_seconds() -> float:
    """The fastest of five `import lipwise` in fresh processes."""
    timed = "import time; t = time.perf_counter(); import lipwise; print(time.perf_counter() - t)"
    runs = [subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True) for _ in range(5)]
    return min(float(run.stdout) for run in runs)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short-s", type=float, default=10)
    parser.add_argument("--long-s", type=float, default=600)
    chosen = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, OpenCV {cv2.__version__}")
    print(f"import lipwise: {import_seconds():.3f} s")
    with tempfile.TemporaryDirectory() as name:
        short, long = (measure(Path(name), seconds) for seconds in (chosen.short_s, chosen.long_s))
    for label, run in ((f"{chosen.short_s:g} s", short), (f"{chosen.long_s:g} s", long)):
        print(f"{label}: {run['frames'] / run['wall_s']:.1f} frames a second, peak {run['peak_mb']:.0f} MB")
        total = sum(run["seconds"].values())
        for stage, spent in sorted(run["seconds"].items(), key=lambda item: -item[1]):
            print(f"    {stage:20s} {spent:8.1f} s {100 * spent / total:5.1f} %")
    print(f"peak memory, long over short: {long['peak_mb'] / short['peak_mb']:.3f}")


if __name__ == "__main__":
    main()
