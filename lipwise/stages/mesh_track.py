"""The mesh of a tracked face in every frame of a clip."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from tqdm.auto import tqdm

from lipwise.faces.detections import WORKERS
from lipwise.faces.mesh import SMOOTH_FRAMES, FaceMesh, mesh_points
from lipwise.faces.smooth import smooth_gaussian
from lipwise.faces.track import NONE, FaceTrack
from lipwise.landmarks import MESH_POINTS
from lipwise.media.probe import VideoInfo
from lipwise.media.read import read_frames
from lipwise.media.turn import turn_video
from lipwise.weights import fetch_weights

BLOCK_FRAMES = 125  # frames whose mesh one thread lays in one go


def with_mesh(video: VideoInfo, track: FaceTrack, *, progress: bool = False) -> FaceTrack:
    """The track of a clip with its mesh; where the mesh network sees no face, the track has none either."""
    if not track.has_face.any():
        return replace(track, mesh_xy=np.full((len(track), MESH_POINTS, 2), np.nan, np.float32))
    points = lay_mesh(video, track, progress=progress)
    seen = np.isfinite(points[:, 0, 0])
    return replace(track, mesh_xy=points, origin=np.where(seen, track.origin, NONE).astype(np.uint8))


def lay_mesh(video: VideoInfo, track: FaceTrack, *, progress: bool = False) -> np.ndarray:
    """The mesh of a tracked face in every frame, (T, 468, 2) float32 smoothed in each shot; NaN where there is none.

    The clip is cut into blocks that threads work on side by side; where it is cut does not depend on their number.
    """
    model = fetch_weights("face_mesh")[0]
    video = turn_video(video, track.rotation)
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
