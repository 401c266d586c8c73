"""One row of numbers for each frame: everything that usability is judged by, so that no frame is read twice."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from lipwise.faces.detect import Faces
from lipwise.faces.detections import Detections
from lipwise.faces.measure import FaceMeasures
from lipwise.faces.pose import head_pose
from lipwise.faces.smooth import find_runs
from lipwise.faces.track import DETECTED, NONE, FaceTrack

# What counts as one of several faces: this part of the largest one's height, and this score; what is less is a false
# alarm or somebody far behind.
COUNTED_SIZE, COUNTED_SCORE = 0.35, 0.6
# The lips round the mouth corners, in eye distances: sideways, above and below. Sideways they end at about 0.12; the
# rest is for a mouth that the side of the frame cuts: its corner is then found inside the frame.
LIPS_BESIDE, LIPS_ABOVE, LIPS_BELOW = 0.2, 0.2, 0.28
LEAST_COMPARED = 5  # frames of a shot with which a look can be compared
STEADY_FRAMES = 5  # a head turns and a mouth is covered for longer: a single odd look is neither
# Small pictures: rows of the eyes, rows of the mouth, and what differences are counted in.
_EYE_ROWS, _MOUTH_ROWS = slice(0, 8), slice(9, 16)
_CHROMA_UNIT, _SPREAD_FLOOR, _MOST_SPREADS = 20.0, 0.25, 4.0


@dataclass(frozen=True, eq=False)
class FrameMeasures:
    """T rows; NaN where there is nothing to measure.

    Attributes:
        faces: (T,) int32, faces of the frame with a score of at least 0.6 that are at least 0.35 times as high
            as its largest.
        origin: (T,) uint8, where the track's row comes from, see `lipwise.faces.track`.
        shot: (T,) int32, number of the shot.
        elsewhere: (T,) bool, the followed face is not there, but another one is.
        score: (T,) float32, the detector's, 0-1.
        eyes_px: (T,) float32, distance between the eyes in pixels, as if the head looked at the camera.
        yaw_deg: (T,) float32, turn of the head by its mesh; above 0 the nose points to the right.
        mouth_margin: (T,) float32, from the lips to the nearest edge of the frame in eye distances; below 0 they
            are cut.
        sharpness, blur: (T,) float32, see `lipwise.faces.measure.FaceMeasures`.
        bright, dark: (T,) float32, luma (0-255) that 90 % and 10 % of the face stay under.
        clipped: (T,) float32, share of the face's pixels at or above a luma of 250.
        mouth_change: (T,) float32, how unlike its usual look in this shot the lower face is; about 0.3 is usual.
        step: (T,) float32, how far the face moved since it was last detected in this shot, in face heights.
    """

    faces: np.ndarray
    origin: np.ndarray
    shot: np.ndarray
    elsewhere: np.ndarray
    score: np.ndarray
    eyes_px: np.ndarray
    yaw_deg: np.ndarray
    mouth_margin: np.ndarray
    sharpness: np.ndarray
    blur: np.ndarray
    bright: np.ndarray
    dark: np.ndarray
    clipped: np.ndarray
    mouth_change: np.ndarray
    step: np.ndarray

    def __post_init__(self) -> None:
        for entry in fields(self):
            column = getattr(self, entry.name)
            if column.shape != self.origin.shape or column.ndim != 1:
                raise ValueError(f"expected {entry.name} of shape {self.origin.shape}, got {column.shape}")

    def __len__(self) -> int:
        return len(self.origin)

    @property
    def tracked(self) -> np.ndarray:
        """(T,) bool, the track has a box, detected or filled."""
        return self.origin != NONE


def gather_measures(detections: Detections, track: FaceTrack, followed: np.ndarray) -> FrameMeasures:
    """Bring what was measured on every face, and the track of one of them, into one row a frame.

    Args:
        detections: of T frames, with measures.
        track: of the person followed.
        followed: (T,) int64, which of a frame's faces is theirs; -1 where it was not detected.
    """
    eyes_px = head_pose(track.landmarks_xy)[1]
    seen = np.flatnonzero(followed >= 0)

    def column(part: Callable[[FaceMeasures], np.ndarray]) -> np.ndarray:
        values = np.full(len(detections), np.nan, np.float32)
        values[seen] = [part(detections.measures[frame])[followed[frame]] for frame in seen]
        return values

    counts = np.array([_counted(faces) for faces in detections.faces], np.int32)
    return FrameMeasures(
        faces=counts,
        origin=track.origin,
        shot=track.shot,
        elsewhere=(track.origin == NONE) & (counts > 0),
        score=track.score,
        eyes_px=eyes_px.astype(np.float32),
        yaw_deg=_steadied(column(lambda measures: measures.yaw_deg)),
        mouth_margin=_mouth_margin(track.landmarks_xy, eyes_px, track.size_wh),
        sharpness=column(lambda measures: measures.sharpness),
        blur=column(lambda measures: measures.blur),
        bright=column(lambda measures: measures.bright),
        dark=column(lambda measures: measures.dark),
        clipped=column(lambda measures: measures.clipped),
        mouth_change=_mouth_change(detections, followed),
        step=_steps(track),
    )


def _counted(faces: Faces) -> int:
    boxes_xyxy = faces.boxes_xyxy[faces.score >= COUNTED_SCORE]
    heights = boxes_xyxy[:, 3] - boxes_xyxy[:, 1]
    return int(np.count_nonzero(heights >= COUNTED_SIZE * heights.max())) if len(heights) else 0


def _mouth_margin(landmarks_xy: np.ndarray, eyes_px: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """(T,) float32, from the lips to the nearest edge, in eye distances."""
    corners, unit = landmarks_xy[:, 3:5], eyes_px[:, None]  # (T, 2, 2), (T, 1)
    low = corners.min(axis=1) - unit * (LIPS_BESIDE, LIPS_ABOVE)
    high = corners.max(axis=1) + unit * (LIPS_BESIDE, LIPS_BELOW)
    room = np.minimum(low, np.array(size_wh) - high).min(axis=1)
    return (room / np.maximum(eyes_px, 1.0)).astype(np.float32)


def _steps(track: FaceTrack) -> np.ndarray:
    """(T,) float32, movement of the box since the last detected one of the same shot, in face heights."""
    step = np.full(len(track), np.nan, np.float32)
    known = np.flatnonzero(track.origin == DETECTED)
    centres = (track.boxes_xyxy[known, :2] + track.boxes_xyxy[known, 2:]) / 2
    heights = np.maximum(track.boxes_xyxy[known, 3] - track.boxes_xyxy[known, 1], 1.0)
    moved = np.linalg.norm(np.diff(centres, axis=0), axis=1) / heights[:-1]
    same = np.diff(track.shot[known]) == 0
    step[known[1:][same]] = moved[same]
    return step


def _mouth_change(detections: Detections, followed: np.ndarray) -> np.ndarray:
    """(T,) float32, how far the lower face is from its median look in the shot.

    Each value of the small picture counts in median absolute deviations, so that moving lips weigh little and cheeks
    much. Light is taken off by the upper half, which a hand before the mouth leaves free.
    """
    change = np.full(len(detections), np.nan, np.float32)
    for run in find_runs(np.ones(len(followed), bool), detections.shot):
        seen = run.start + np.flatnonzero(followed[run] >= 0)
        if len(seen) < LEAST_COMPARED:
            continue
        looks = np.stack([detections.measures[frame].look[followed[frame]] for frame in seen]).astype(np.float32)
        change[seen] = _unlike_the_median(looks)
    return _steadied(change)


def _unlike_the_median(looks: np.ndarray) -> np.ndarray:
    """(n,) from (n, 16, 16, 3) looks of one shot."""
    eyes = looks[:, _EYE_ROWS, :, :1]
    mean, spread = eyes.mean(axis=(1, 2), keepdims=True), eyes.std(axis=(1, 2), keepdims=True)
    luma = (looks[..., :1] - mean) / np.maximum(spread, 4.0)
    lower = np.concatenate([luma, (looks[..., 1:] - 128) / _CHROMA_UNIT], axis=-1)[:, _MOUTH_ROWS]  # (n, 7, 16, 3)
    away = np.abs(lower - np.median(lower, axis=0))
    usual = np.median(away, axis=0) + _SPREAD_FLOOR
    return np.minimum(away / usual, _MOST_SPREADS).mean(axis=(1, 2, 3))


def _steadied(change: np.ndarray) -> np.ndarray:
    """Median of each value and its neighbours; NaN stays."""
    reach = STEADY_FRAMES // 2
    padded = np.pad(change, reach, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, STEADY_FRAMES)
    steadied = np.full(len(change), np.nan, np.float32)
    known = ~np.isnan(change)
    steadied[known] = np.nanmedian(windows[known], axis=1)
    return steadied
