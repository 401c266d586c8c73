"""Where the face is in every frame of a clip."""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from tqdm.auto import tqdm

from lipwise.faces import libfacedetection
from lipwise.faces import track as tracks
from lipwise.faces.choose import Choice
from lipwise.faces.detect import FaceDetector, load_detector
from lipwise.faces.mesh import SMOOTH_FRAMES, FaceMesh, mesh_points
from lipwise.faces.smooth import smooth_gaussian
from lipwise.faces.track import NONE, WORKERS, FaceTrack, TrackSettings
from lipwise.landmarks import MESH_POINTS
from lipwise.media.prefetch import prefetch
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames
from lipwise.weights import fetch_weights

BLOCK_FRAMES = 125  # frames whose mesh one thread lays in one go


def track_faces(
    video: VideoInfo | str,
    *,
    detector: FaceDetector | str = "auto",
    choose: Choice | None = None,
    settings: TrackSettings | None = None,
    progress: bool = False,
) -> FaceTrack:
    """Follow one face through a clip and lay the mesh on it, in two passes that keep no frame.

    Args:
        video: the clip, or its path.
        detector: "auto", "libfacedetection", "yunet", or a detector of your own.
        choose: whom to follow; None is the largest steady face, a number counts from left to right from 0 on, (x, y)
            is a point in the picture.
        settings: how gaps are filled and the track is smoothed; None is the defaults.
        progress: show a bar.

    Returns:
        A track with its mesh. Where the mesh network sees no face in the detector's box, the track has none either.

    Raises:
        FaceError: nobody is the one chosen. WeightsError: a file cannot be had.
    """
    video = video if isinstance(video, VideoInfo) else probe(video)
    finder = _detector(detector) if isinstance(detector, str) else detector
    fetch_weights("face_mesh")  # first, so that a missing file is told before the work begins
    frames = _shown(prefetch(read_frames(video)), "faces", video.frame_count, progress)
    track = tracks.track_faces(frames, finder, fps=video.fps, settings=settings, choose=choose)
    if not track.has_face.any():
        return replace(track, mesh_xy=np.full((len(track), 468, 2), np.nan, np.float32))
    points = lay_mesh(video, track, progress=progress)
    seen = np.isfinite(points[:, 0, 0])
    return replace(track, mesh_xy=points, origin=np.where(seen, track.origin, NONE).astype(np.uint8))


def lay_mesh(video: VideoInfo, track: FaceTrack, *, progress: bool = False) -> np.ndarray:
    """The mesh of a tracked face in every frame, (T, 468, 2) float32 smoothed in each shot; NaN where there is none.

    The clip is cut into blocks that threads work on side by side; where it is cut does not depend on their number.
    """
    model = fetch_weights("face_mesh")[0]
    points = np.empty((len(track), MESH_POINTS, 2), np.float32)
    own = threading.local()
    with tqdm(desc="mesh", total=len(track), unit="frame", disable=not progress) as bar:

        def lay(first: int) -> None:
            if not hasattr(own, "mesh"):
                own.mesh = FaceMesh(model)
            part = slice(first, min(first + BLOCK_FRAMES, len(track)))
            frames = read_frames(video, np.arange(part.start, part.stop))
            points[part] = mesh_points(
                frames, track.landmarks_xy[part], own.mesh, shot=track.shot[part], smooth_frames=0
            )
            bar.update(part.stop - part.start)

        with ThreadPoolExecutor(WORKERS, thread_name_prefix="lipwise-mesh") as pool:
            list(pool.map(lay, range(0, len(track), BLOCK_FRAMES)))
    smooth_gaussian(points.reshape(len(track), -1), track.shot, sigma=SMOOTH_FRAMES)
    return points


def _detector(name: str) -> FaceDetector:
    """A detector by name, YuNet's file fetched where it is needed."""
    needs_yunet = name == "yunet" or (name == "auto" and not libfacedetection.is_installed())
    return load_detector(name, yunet_path=fetch_weights("yunet_2023mar")[0] if needs_yunet else None)


def _shown(frames: Iterable[np.ndarray], what: str, total: int, progress: bool) -> Iterable[np.ndarray]:
    return tqdm(frames, desc=what, total=total, unit="frame", disable=not progress)
