"""Does our face mesh see the mouth open and close as MediaPipe's FaceLandmarker does?

    python benchmarks/mesh_against_mediapipe.py measure --landmarker face_landmarker.task CLIP...
    python benchmarks/mesh_against_mediapipe.py compare --mesh face_landmark.tflite CLIP...

`measure` needs the package mediapipe (tried: 0.10.21) and writes the mouth gap (inner lips over eye distance, see
`lipwise.landmarks.mouth_gap`) of every decoded frame, IMAGE mode, to tests/golden/mediapipe_gap.npz. `compare` needs no
MediaPipe: it runs detector, track and mesh and prints the correlation of the two curves, which is to be at least 0.9
on clips of 25 and 30 frames a second.
"""

import argparse
import importlib.util
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from lipwise.landmarks import MESH_POINTS, mouth_gap

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden" / "mediapipe_gap.npz"


def decoded_frames(clip: Path) -> Iterator[np.ndarray]:
    """Every frame of the stream in RGB, whatever its time: both curves count the same frames."""
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def frame_rate(clip: Path) -> Fraction:
    with av.open(str(clip)) as container:
        return Fraction(container.streams.video[0].average_rate or 25)


def mediapipe_gap(clip: Path, landmarker: Path) -> np.ndarray:
    """(T,) float32 mouth gap by MediaPipe's FaceLandmarker, each frame by itself; NaN where it finds no face."""
    import mediapipe as mp  # pyright: ignore[reportMissingImports]  # measuring only
    from mediapipe.tasks.python import BaseOptions, vision  # pyright: ignore[reportMissingImports]

    options = vision.FaceLandmarkerOptions(base_options=BaseOptions(model_asset_path=str(landmarker)))
    gaps = []
    with vision.FaceLandmarker.create_from_options(options) as model:
        for frame in decoded_frames(clip):
            found = model.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(frame)))
            if not found.face_landmarks:
                gaps.append(np.nan)
                continue
            points = np.array([[point.x, point.y] for point in found.face_landmarks[0][:MESH_POINTS]])
            gaps.append(mouth_gap(points * (frame.shape[1], frame.shape[0])))
    return np.array(gaps, np.float32)


def measure(clips: list[Path], landmarker: Path, out: Path) -> None:
    if importlib.util.find_spec("mediapipe") is None:
        sys.exit(
            "skipped: measuring needs the package mediapipe (pip install mediapipe==0.10.21 on Python 3.12 or older)"
        )
    curves = {}
    for clip in clips:
        curves[clip.stem] = mediapipe_gap(clip, landmarker)
        missing = int(np.isnan(curves[clip.stem]).sum())
        print(f"{clip.stem}: {len(curves[clip.stem])} frames, {missing} without a face", flush=True)
    np.savez_compressed(out, **curves)


def our_gap(clip: Path, mesh_path: Path, yunet_path: Path | None) -> tuple[np.ndarray, float, float]:
    """(T,) mouth gap by detector, track and mesh, and their milliseconds a frame (track, mesh)."""
    from lipwise.faces.detect import load_detector
    from lipwise.faces.mesh import FaceMesh, mesh_points
    from lipwise.faces.track import track_faces

    detector = load_detector("yunet" if yunet_path else "auto", yunet_path=yunet_path)
    started = time.perf_counter()
    track = track_faces(decoded_frames(clip), detector, fps=frame_rate(clip))
    tracked = time.perf_counter()
    mesh_xy = mesh_points(decoded_frames(clip), track.landmarks_xy, FaceMesh(mesh_path), shot=track.shot)
    done = time.perf_counter()
    return mouth_gap(mesh_xy), (tracked - started) / len(track) * 1e3, (done - tracked) / len(track) * 1e3


def compare(clips: list[Path], mesh_path: Path, yunet_path: Path | None, golden: Path) -> None:
    curves = np.load(golden, allow_pickle=False)
    print(
        f"{'clip':28} {'frames':>6} {'missing':>7} {'r':>6} {'slope':>6} {'offset':>7} {'track ms':>8} {'mesh ms':>7}"
    )
    for clip in clips:
        if clip.stem not in curves:
            print(f"{clip.stem:28} has no measured curve in {golden.name}")
            continue
        gap, track_ms, mesh_ms = our_gap(clip, mesh_path, yunet_path)
        both = ~np.isnan(gap) & ~np.isnan(curves[clip.stem])
        correlation = np.corrcoef(gap[both], curves[clip.stem][both])[0, 1]
        slope, offset = np.polyfit(curves[clip.stem][both], gap[both], 1)
        print(
            f"{clip.stem:28} {len(gap):6} {np.isnan(gap).sum():7} {correlation:6.3f} {slope:6.2f} {offset:7.3f} "
            f"{track_ms:8.1f} {mesh_ms:7.1f}",
            flush=True,
        )
    print("Milliseconds a frame include decoding.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["measure", "compare"])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--landmarker", type=Path, help="MediaPipe's face_landmarker.task, for measure")
    parser.add_argument("--mesh", type=Path, help="face_landmark.tflite, for compare")
    parser.add_argument("--yunet", type=Path, help="compare with YuNet instead of libfacedetection")
    parser.add_argument("--curves", type=Path, default=GOLDEN, help="the measured curves (default: %(default)s)")
    asked = parser.parse_args()
    if asked.mode == "measure":
        if asked.landmarker is None:
            parser.error("measure needs --landmarker")
        measure(asked.clips, asked.landmarker, asked.curves)
    else:
        if asked.mesh is None:
            parser.error("compare needs --mesh")
        compare(asked.clips, asked.mesh, asked.yunet, asked.curves)


if __name__ == "__main__":
    main()
