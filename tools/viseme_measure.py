"""Measure the real mouth of real clips, to judge the network by (never to train it).

    python tools/viseme_measure.py FOLDER_OF_CLIPS --model face_landmarker.task --out tests/golden/mediapipe_mouth.npz

Runs apart from LipWise's own environment: it needs mediapipe (0.10.21 was used), av and numpy, with the project's
folder on PYTHONPATH. Only numbers are written: for each clip `<stem>.time_s`, `<stem>.gap` and `<stem>.width`, all
(T,) float32, the lengths in eye distances, NaN where no face was found.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lipwise.landmarks import mouth_gap, mouth_width


def timed_frames(path: Path) -> Iterator[tuple[float, np.ndarray]]:
    """Every frame (H, W, 3) RGB with its presentation time in seconds; right for variable rates too."""
    import av

    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.time, np.ascontiguousarray(frame.to_ndarray(format="rgb24"))


def measure_clip(path: Path, model: Path) -> dict[str, np.ndarray]:
    """Times, gaps and widths of one clip.

    MediaPipe runs in IMAGE mode, because its VIDEO mode smooths and so delays; distances are taken in three
    dimensions, which makes them depend less on the turn of the head.
    """
    import mediapipe as mp  # pyright: ignore[reportMissingImports] -- measuring only, never a dependency

    tasks, vision = mp.tasks, mp.tasks.vision
    options = vision.FaceLandmarkerOptions(base_options=tasks.BaseOptions(model_asset_path=str(model)), num_faces=1)
    times, gaps, widths = [], [], []
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        for time_s, frame in timed_frames(path):
            faces = landmarker.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=frame)).face_landmarks
            # x and z are in units of the picture's width, y of its height
            scale = np.array([frame.shape[1], frame.shape[0], frame.shape[1]])
            points = np.array([[p.x, p.y, p.z] for p in faces[0]]) * scale if faces else np.full((478, 3), np.nan)
            times.append(time_s)
            gaps.append(mouth_gap(points))
            widths.append(mouth_width(points))
    return {name: np.array(x, np.float32) for name, x in (("time_s", times), ("gap", gaps), ("width", widths))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, help="folder of .mp4 files")
    parser.add_argument("--model", type=Path, required=True, help="face_landmarker.task of MediaPipe")
    parser.add_argument("--out", type=Path, required=True, help="the .npz to write")
    options = parser.parse_args()
    curves = {}
    for path in sorted(options.clips.glob("*.mp4")):
        measured = measure_clip(path, options.model)
        missed = int(np.isnan(measured["gap"]).sum())
        sys.stdout.write(f"{path.stem}: {len(measured['gap'])} frames, {missed} without a face\n")
        curves |= {f"{path.stem}.{name}": values for name, values in measured.items()}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(options.out, **curves)


if __name__ == "__main__":
    main()
