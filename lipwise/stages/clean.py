"""Where the face is in every frame of a clip."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from tqdm.auto import tqdm

from lipwise.faces import libfacedetection
from lipwise.faces import track as tracks
from lipwise.faces.choose import Choice
from lipwise.faces.detect import FaceDetector, load_detector
from lipwise.faces.mesh import FaceMesh, mesh_points
from lipwise.faces.track import NONE, FaceTrack, TrackSettings
from lipwise.media.prefetch import prefetch
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames
from lipwise.weights import fetch_weights


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
    mesh = FaceMesh(fetch_weights("face_mesh")[0])
    frames = _shown(prefetch(read_frames(video)), "faces", video.frame_count, progress)
    track = tracks.track_faces(frames, finder, fps=video.fps, settings=settings, choose=choose)
    if not track.has_face.any():
        return replace(track, mesh_xy=np.full((len(track), 468, 2), np.nan, np.float32))
    frames = _shown(prefetch(read_frames(video)), "mesh", video.frame_count, progress)
    points = mesh_points(frames, track.landmarks_xy, mesh, shot=track.shot)
    seen = np.isfinite(points[:, 0, 0])
    return replace(track, mesh_xy=points, origin=np.where(seen, track.origin, NONE).astype(np.uint8))


def _detector(name: str) -> FaceDetector:
    """A detector by name, YuNet's file fetched where it is needed."""
    needs_yunet = name == "yunet" or (name == "auto" and not libfacedetection.is_installed())
    return load_detector(name, yunet_path=fetch_weights("yunet_2023mar")[0] if needs_yunet else None)


def _shown(frames: Iterable[np.ndarray], what: str, total: int, progress: bool) -> Iterable[np.ndarray]:
    return tqdm(frames, desc=what, total=total, unit="frame", disable=not progress)
