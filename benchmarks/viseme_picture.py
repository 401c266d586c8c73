"""Does the warped mouth open as far as it was asked to, and close when it was asked to?

    python benchmarks/viseme_picture.py render --mesh face_landmark.tflite --speech speech.wav --out FOLDER [CLIP...]
    python benchmarks/viseme_picture.py measure --out FOLDER --landmarker face_landmarker.task
    python benchmarks/viseme_picture.py measure --out FOLDER --mesh face_landmark.tflite

`render` runs the built-in generator's picture half (the sample always comes first) and keeps faces, intended gaps and
widths in FOLDER. `measure` looks at these pictures with MediaPipe's FaceLandmarker in IMAGE mode, which needs the
package mediapipe (tried: 0.10.21; it may be another Python than the one that rendered), or with our own mesh, which
agrees with it only roughly. It prints the correlation of intended and achieved opening (wanted: at least 0.93), slope
and offset of the line through them, the correlation of the widths, and the share of frames meant closed (gap under
0.012) whose inner gap stays under 0.03 of the eye distance (wanted: at least 0.9).
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np

from lipwise.landmarks import MESH_POINTS, eye_distance, mouth_gap, mouth_width

CLOSED, SHUT = 0.012, 0.03  # a gap meant closed, and the largest that looks it
MARGIN = 0.9  # kept round the mesh, in eye distances
RENDERED = "*.viseme.npz"


def clip_frames(clip: Path | None, most: int) -> tuple[list[np.ndarray], Fraction]:
    """Up to `most` frames of a clip and its rate; of the sample for None."""
    from lipwise.media.probe import probe
    from lipwise.media.read import read_frames
    from lipwise.sample import FPS, sample_frames

    if clip is None:
        return list(islice(sample_frames(), most)), FPS
    video = probe(clip)
    return list(islice(read_frames(video), most)), video.fps


def find_mesh(frames: list[np.ndarray], fps: Fraction, mesh_path: Path) -> np.ndarray:
    """(T, 468, 2), NaN rows where no face was found."""
    from lipwise.faces.detect import load_detector
    from lipwise.faces.mesh import FaceMesh, mesh_points
    from lipwise.faces.track import track_faces

    track = track_faces(frames, load_detector(), fps=fps)
    return mesh_points(frames, track.landmarks_xy, FaceMesh(mesh_path), shot=track.shot)


def wanted_mouth(speech: Path, fps: Fraction, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(count,) gap and width that the built-in network wants for a recording."""
    from lipwise.media.audio import load_audio, mel_spectrogram, mel_windows
    from lipwise.models.mouth_shape import mouth_targets
    from lipwise.models.viseme_net import WINDOW_SHIFT_S, predict_mouth

    mel = mel_spectrogram(load_audio(speech))
    return mouth_targets(predict_mouth(mel_windows(mel, fps, count=count, audio_offset_s=WINDOW_SHIFT_S)))


def render(clip: Path | None, speech: Path, mesh_path: Path, out: Path, most: int) -> None:
    from lipwise.models.mouth_look import measure_look
    from lipwise.models.mouth_shape import amplitude
    from lipwise.models.mouth_warp import warp_mouth

    frames, fps = clip_frames(clip, most)
    mesh_xy = find_mesh(frames, fps, mesh_path)
    seen = np.flatnonzero(np.isfinite(mesh_xy).all((1, 2)))
    gap, width = (curve[seen] for curve in wanted_mouth(speech, fps, len(frames)))
    look = measure_look(mesh_xy, lambda i: frames[i])
    x0, y0, x1, y1 = face_box(mesh_xy[seen], frames[0].shape[1::-1])
    faces, took = [], 0.0
    for i, g, w in zip(seen, gap, width, strict=True):
        started = time.process_time()
        warped = warp_mouth(frames[i], mesh_xy[i], float(g), float(w), look)
        took += time.process_time() - started
        faces.append(warped[y0:y1, x0:x1])
    name = "sample" if clip is None else clip.stem
    points = mesh_xy[seen] - np.array([x0, y0], np.float32)
    size = amplitude(mesh_xy[seen])
    np.savez(out / RENDERED.replace("*", name), faces=faces, gap=gap, width=width, mesh_xy=points, amplitude=size)
    eyes = float(np.median(eye_distance(points)))
    print(f"{name:28} {len(seen):4} faces, {eyes:4.0f} px between the eyes, {took / len(seen) * 1e3:5.1f} ms a warp")


def face_box(mesh_xy: np.ndarray, size_wh: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part of the frame that holds the face throughout."""
    points, margin = mesh_xy.reshape(-1, 2), MARGIN * float(np.median(eye_distance(mesh_xy)))
    low = np.maximum(points.min(0) - margin, 0).astype(int)
    high = np.minimum(points.max(0) + margin, size_wh).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


Look = Callable[[np.ndarray, np.ndarray], np.ndarray | None]


def mediapipe_look(landmarker: Path) -> Look:
    """Points (468, 2) of a picture by MediaPipe's FaceLandmarker, each picture by itself."""
    import mediapipe as mp  # pyright: ignore[reportMissingImports]  # measuring only
    from mediapipe.tasks.python import BaseOptions, vision  # pyright: ignore[reportMissingImports]

    options = vision.FaceLandmarkerOptions(base_options=BaseOptions(model_asset_path=str(landmarker)))
    model = vision.FaceLandmarker.create_from_options(options)

    def look(face: np.ndarray, _: np.ndarray) -> np.ndarray | None:
        found = model.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(face)))
        if not found.face_landmarks:
            return None
        points = np.array([[point.x, point.y] for point in found.face_landmarks[0][:MESH_POINTS]])
        return points * (face.shape[1], face.shape[0])

    return look


def mesh_look(mesh_path: Path) -> Look:
    """Points (468, 2) of a picture by our own mesh."""
    from lipwise.faces.mesh import FaceMesh

    network = FaceMesh(mesh_path)

    def look(face: np.ndarray, mesh_xy: np.ndarray) -> np.ndarray:
        five = [mesh_xy[[33, 133]].mean(0), mesh_xy[[263, 362]].mean(0), mesh_xy[1], mesh_xy[61], mesh_xy[291]]
        return network.points(face, np.stack(five))

    return look


def measure(out: Path, look: Look) -> Iterator[str]:
    for path in sorted(out.glob(RENDERED)):
        with np.load(path) as kept:
            gap, width = kept["gap"], kept["width"]
            points = [look(face, mesh_xy) for face, mesh_xy in zip(kept["faces"], kept["mesh_xy"], strict=True)]
        found = np.array([p is not None for p in points])
        seen = np.stack([p for p in points if p is not None])
        got, wide = mouth_gap(seen), mouth_width(seen)
        gap, width = gap[found], width[found]
        slope, offset = np.polyfit(gap, got, 1)
        closed = gap < CLOSED
        shut = f"{np.mean(got[closed] < SHUT):5.2f} of {closed.sum():3}" if closed.any() else "  none"
        yield (
            f"{path.name.removesuffix(RENDERED[1:]):28} {len(got):5} {np.corrcoef(gap, got)[0, 1]:6.3f} {slope:6.2f} "
            f"{offset:7.3f} {np.corrcoef(width, wide)[0, 1]:7.2f} {shut}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["render", "measure"])
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder for the rendered faces")
    parser.add_argument("--mesh", type=Path, help="face_landmark.tflite")
    parser.add_argument("--speech", type=Path, help="the recording to say, for render")
    parser.add_argument("--landmarker", type=Path, help="MediaPipe's face_landmarker.task, for measure")
    parser.add_argument("--frames", type=int, default=150, help="most frames of each clip (default: %(default)s)")
    asked = parser.parse_intermixed_args()
    if asked.mode == "render":
        if asked.mesh is None or asked.speech is None:
            parser.error("render needs --mesh and --speech")
        asked.out.mkdir(parents=True, exist_ok=True)
        for clip in [None, *asked.clips]:
            render(clip, asked.speech, asked.mesh, asked.out, asked.frames)
        return
    if (asked.mesh is None) == (asked.landmarker is None):
        parser.error("measure needs either --landmarker or --mesh")
    look = mediapipe_look(asked.landmarker) if asked.landmarker else mesh_look(asked.mesh)
    print(f"{'clip':28} {'faces':>5} {'r':>6} {'slope':>6} {'offset':>7} {'width r':>7} closed")
    for line in measure(asked.out, look):
        print(line)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
