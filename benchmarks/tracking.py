"""How well faces are tracked: cases drawn from a real face with exact truth, and jitter on real clips.

    python benchmarks/tracking.py [--detector auto] [--yunet FILE] [--clips CLIP ...]

A row of the first table holds, for one case, the least median overlap of a box with the truth among its people (the
truth is the box that the detector gives the same face at rest), how often a track went over to another person, how
many people were told apart and how many there are, the least share of frames with a box, and the jitter of the box's
middle before and after smoothing in thousandths of a box size a frame squared.
"""

import argparse
import warnings
from pathlib import Path

from tracked_cases import CASES
from tracked_score import portrait_box, score_case

from lipwise.errors import LipwiseWarning
from lipwise.faces.detect import FaceDetector, load_detector
from lipwise.faces.track import track_faces
from lipwise.media.probe import probe
from lipwise.media.read import read_frames
from lipwise.stages.upright import set_upright


def print_cases(detector: FaceDetector) -> None:
    """The table of the drawn cases."""
    box = portrait_box(detector)
    print(f"{'case':20s} {'overlap':>7s} {'swaps':>5s} {'people':>7s} {'found':>6s} {'turn':>4s} {'jitter':>14s}")
    for name, case in CASES.items():
        score = score_case(case, detector, box)
        people = f"{score.tracks} of {len(score.iou)}"
        before, after = score.jitter
        print(
            f"{name:20s} {score.iou.min():7.3f} {score.swaps:5d} {people:>7s} {100 * score.found.min():4.0f} % "
            f"{score.rotation:4d} {before:5.1f} -> {after:4.1f}",
            flush=True,
        )


def print_clips(paths: list[Path], detector: FaceDetector) -> None:
    """The table of real clips."""
    print(f"\n{'clip':32s} {'frames':>6s} {'found':>6s} {'shots':>5s} {'turn':>4s} {'jitter':>14s}")
    for path in paths:
        video, rotation = set_upright(probe(path), detector)
        track = track_faces(read_frames(video), detector, fps=video.fps)
        print(
            f"{path.name[:32]:32s} {len(track):6d} {100 * track.has_face.mean():4.0f} % {len(track.people):5d} "
            f"{rotation.degrees:4d} {1000 * track.raw_jitter:5.1f} -> {1000 * track.jitter:4.1f}",
            flush=True,
        )


def main() -> None:
    """Draw, track, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--yunet", type=Path, help="face_detection_yunet_2023mar.onnx")
    parser.add_argument("--clips", type=Path, nargs="*", default=[])
    chosen = parser.parse_args()
    detector = load_detector(chosen.detector, yunet_path=chosen.yunet)
    warnings.simplefilter("always", LipwiseWarning)
    print(f"detector: {detector.name}")
    print_cases(detector)
    if chosen.clips:
        print_clips(chosen.clips, detector)


if __name__ == "__main__":
    main()
