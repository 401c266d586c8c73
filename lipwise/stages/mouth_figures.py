"""The mouth of a clip against its sound: what is seen by the mesh, what is heard by the viseme network."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from lipwise.errors import FaceError
from lipwise.faces.track import FaceTrack
from lipwise.landmarks import MESH_POINTS, mouth_gap, mouth_width
from lipwise.media.audio import MEL_FRAMES_PER_SECOND
from lipwise.media.probe import VideoInfo
from lipwise.stages.clean import examine
from lipwise.stages.mesh_track import with_mesh
from lipwise.stages.offset import OffsetEstimate, heard_mouth, offset_of_curves
from lipwise.stages.write_clean import track_along
from lipwise.timeline import Timeline


@dataclass(frozen=True, eq=False)
class MouthFigures:
    """How a mouth moves beside what is heard.

    Attributes:
        opening, width: correlation of the seen and the heard mouth, frame beside frame, -1 to 1.
        offset: by how much the sound is early or late.
        curves: name -> (T,) float32, seen and heard gap and width in eye distances, the heard width as a change; NaN
            where no face is seen.
    """

    opening: float
    width: float
    offset: OffsetEstimate
    curves: dict[str, np.ndarray]


def mouth_figures(mesh_xy: np.ndarray, mel: np.ndarray, *, fps: Fraction, start_s: float = 0.0) -> MouthFigures:
    """Measure a mouth against the sound beside it; the arguments are those of `estimate_offset`.

    Raises:
        FaceError: too little of a mouth is seen, or it does not move. SpeechError: nothing to say is heard.
    """
    from lipwise.models.mouth_shape import mouth_targets

    gap, width = mouth_gap(mesh_xy), mouth_width(mesh_xy)
    heard = heard_mouth(mel)
    offset = offset_of_curves(gap, width, heard, fps=fps, start_s=start_s)
    at = (start_s + np.arange(len(gap)) / float(fps)) * MEL_FRAMES_PER_SECOND
    asked = mouth_targets(np.stack([np.interp(at, np.arange(len(heard)), row) for row in heard.T], axis=1))
    seen = np.isfinite(gap)
    return MouthFigures(
        opening=_correlation(gap[seen], asked[0][seen]),
        width=_correlation(width[seen], asked[1][seen]),
        offset=offset,
        curves={
            "gap": gap.astype(np.float32),
            "width": width.astype(np.float32),
            "heard_gap": asked[0],
            "heard_width_change": asked[1],
        },
    )


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """-1 to 1; 0 where one of them never changes."""
    first, second = first - first.mean(), second - second.mean()
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / size if size > 1e-9 else 0.0


def look_again(
    result: VideoInfo,
    track: FaceTrack | None,
    timeline: Timeline | None,
    *,
    detector: str = "auto",
    cache: bool = True,
    progress: bool = False,
) -> FaceTrack:
    """The face in a result, with a mesh laid on the result's own pictures.

    With the source's track and a timeline no face is looked for: the mesh network starts where the source's face was.
    Frames that passed untouched are left out then.

    Raises:
        FaceError: no face is seen in the result.
    """
    if track is None or timeline is None or not track.has_face.any():
        found = examine(result, detector=detector, mesh=True, cache=cache, progress=progress).track
    else:
        moved = _scaled(track_along(track, timeline, size_wh=result.size_wh), track.size_wh)
        found = with_mesh(result, moved, progress=progress)
    if not found.has_face.any():
        raise FaceError(
            f"No face is seen in {result.path.name}",
            cause="neither detector nor mesh network finds one",
            next_step="look at the result: a face should be there",
        )
    return found


def _scaled(track: FaceTrack, old_wh: tuple[int, int]) -> FaceTrack:
    """A track moved to its new size, its mesh taken off."""
    scale = np.array(track.size_wh, np.float32) / np.array(old_wh, np.float32)
    return replace(
        track,
        boxes_xyxy=track.boxes_xyxy * np.tile(scale, 2),
        landmarks_xy=track.landmarks_xy * scale,
        mesh_xy=np.zeros((0, MESH_POINTS, 2), np.float32),
    )
