"""Where the faces of a clip are cut out, which of them are restored, and through what mask they are pasted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import cv2
import numpy as np
from pydantic import Field

from lipwise.errors import FaceError
from lipwise.faces.align import (
    ALIGNED_PX,
    FFHQ_TEMPLATE,
    STEADY_FRAMES,
    align_face,
    align_matrix,
    for_larger_frame,
    steady_points,
)
from lipwise.faces.blend import region_mask
from lipwise.faces.flicker import FlickerMeter
from lipwise.faces.track import FaceTrack
from lipwise.settings import Settings, as_settings
from lipwise.timeline import Timeline

EYES_APART = float(np.linalg.norm(FFHQ_TEMPLATE[1] - FFHQ_TEMPLATE[0]))  # px in the aligned face
BORDER = 8  # px inside the aligned face in which its mask fades out at the latest


class EnhanceSettings(Settings):
    """What is restored, how much, and how it is pasted.

    Attributes:
        region: what is taken from the restored face.
        fidelity: how much of the face stays as it was: 0 is the restorer's alone, 1 the frame's own.
        feather: width of the soft edge in eye distances.
        dilate: how far the mask reaches beyond the region of the source's face, in eye distances; room for a jaw that
            opens further than it did.
        least_face_px: faces lower than this, in the median of a shot, are left alone; 0 restores all.
        only_synthesised: leave frames alone whose lips were not made anew.
        steady_frames: sigma of the Gaussian that steadies the aligned face, in frames; 0 does not.
        steady: share of the picture before, moved along, in each picture that a network drew; takes off its flicker. 0
            does not.
        batch_frames: frames whose faces are restored at once.
    """

    region: Literal["face", "lower_face", "mouth"] = "face"
    fidelity: Annotated[float, Field(ge=0, le=1)] = 0.0
    feather: Annotated[float, Field(gt=0, le=1)] = 0.3
    dilate: Annotated[float, Field(ge=0, le=1)] = 0.1
    least_face_px: Annotated[int, Field(ge=0)] = 32
    only_synthesised: bool = False
    steady_frames: Annotated[float, Field(ge=0, le=100)] = STEADY_FRAMES
    steady: Annotated[float, Field(ge=0, le=0.95)] = 0.8
    batch_frames: Annotated[int, Field(ge=1, le=64)] = 4


WHOLE_FACE = EnhanceSettings(dilate=0)  # where flicker is measured, whatever was restored


@dataclass(frozen=True, eq=False)
class AlignedTrack:
    """Where the faces of a clip are cut out, and which are restored; one row for each source frame.

    Attributes:
        to_aligned: (T, 2, 3) float64, from frame pixels to the aligned face; NaN where there is no face.
        large_enough: (T,) bool.
    """

    to_aligned: np.ndarray
    large_enough: np.ndarray

    @property
    def has_face(self) -> np.ndarray:
        """(T,) bool."""
        return np.isfinite(self.to_aligned[:, 0, 0])


@dataclass(frozen=True)
class FaceCount:
    """What happens to the faces of a result, in frames.

    Attributes:
        restored: with a restored face.
        small: left alone because the face is too small.
        not_synthesised: left alone because its lips are the clip's own.
        without_face: no face was found.
    """

    restored: int
    small: int
    not_synthesised: int
    without_face: int


def align_track(track: FaceTrack, settings: EnhanceSettings | Mapping[str, Any] | None = None) -> AlignedTrack:
    """Where the faces of a whole clip are cut out: smoothed in each shot, so the whole track has to be known.

    Raises:
        FaceError: no mesh has been laid on the track.
    """
    settings = as_settings(EnhanceSettings, settings)
    if len(track.mesh_xy) != len(track):
        raise FaceError(
            "The track has no mesh",
            cause="faces are aligned and masked by the mesh's points",
            next_step="track with lipwise.track_faces, which lays the mesh on as well",
        )
    points = steady_points(track.mesh_xy, track.shot, sigma=settings.steady_frames)
    heights = np.ptp(track.mesh_xy[..., 1], axis=1)  # (T,), NaN where there is no face
    large = np.zeros(len(track), bool)
    for shot in np.unique(track.shot):  # for a whole shot: a face that grows does not flicker about a limit
        there = (track.shot == shot) & np.isfinite(heights)
        if there.any():
            large[there] = np.median(heights[there]) >= settings.least_face_px
    return AlignedTrack(align_matrix(points), large)


def count_faces(
    aligned: AlignedTrack, timeline: Timeline | None = None, settings: EnhanceSettings | Mapping[str, Any] | None = None
) -> FaceCount:
    """What happens to the faces of all frames of a result, known before any is made."""
    settings = as_settings(EnhanceSettings, settings)
    rows, synth = result_rows(len(aligned.has_face), timeline)
    face, large = aligned.has_face[rows], aligned.large_enough[rows]
    passed = face & large & ~synth & settings.only_synthesised
    return FaceCount(
        restored=int(np.count_nonzero(face & large & ~passed)),
        small=int(np.count_nonzero(face & ~large)),
        not_synthesised=int(np.count_nonzero(passed)),
        without_face=int(np.count_nonzero(~face)),
    )


def result_rows(length: int, timeline: Timeline | None) -> tuple[np.ndarray, np.ndarray]:
    """The track's row, and whether lips were made, for each frame of a result; each row once without a timeline."""
    if timeline is None:
        return np.arange(length), np.ones(length, bool)
    return timeline.source_index, timeline.synth


def aligned_mask(mesh_xy: np.ndarray, to_aligned: np.ndarray, settings: EnhanceSettings) -> np.ndarray:
    """The soft mask over an aligned face, (512, 512) float32, from the mesh (468, 2) of the source's frame."""
    points = mesh_xy @ to_aligned[:, :2].T + to_aligned[:, 2]
    mask = region_mask(
        points,
        (ALIGNED_PX, ALIGNED_PX),
        settings.region,
        feather=settings.feather,
        moves_beyond=settings.dilate,
    )
    # The whole face's edge is narrower than was asked for, lest it eat into the face; so it is softened outward, too.
    mask = cv2.GaussianBlur(mask, (0, 0), settings.feather * EYES_APART / 4)
    inside = np.minimum(np.arange(ALIGNED_PX), np.arange(ALIGNED_PX)[::-1])
    ramp = np.clip(inside / BORDER, 0, 1).astype(np.float32)
    return mask * np.minimum(ramp[:, None], ramp)


def measure_flicker(
    meter: FlickerMeter,
    frame: np.ndarray,
    result: np.ndarray,
    row: int | None,
    *,
    track: FaceTrack | None,
    aligned: AlignedTrack | None,
) -> None:
    """Show a meter a frame's whole face before and after enhancement; a frame without one parts the clip in two."""
    if track is None or aligned is None or row is None or not aligned.has_face[row]:
        meter.restart()
        return
    to_aligned = aligned.to_aligned[row]
    there = for_larger_frame(to_aligned, frame.shape[1::-1], result.shape[1::-1])
    inside = aligned_mask(track.mesh_xy[row], to_aligned, WHOLE_FACE)
    meter.add(align_face(frame, to_aligned), align_face(result, there), inside, scene=int(track.shot[row]))
