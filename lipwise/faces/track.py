"""One face through a clip: found once, gaps filled, smoothed inside each shot."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from numbers import Real
from typing import Any

import numpy as np

from lipwise.errors import LipwiseWarning, SettingsError
from lipwise.faces.choose import Choice, check_choice, choose_people, name_shots
from lipwise.faces.detect import FaceDetector
from lipwise.faces.detections import Detections, detect_clip, only_detect
from lipwise.faces.face_track import DETECTED, EDITED, FILLED, NONE, FaceTrack, load_tracks, save_tracks
from lipwise.faces.jitter import jitter
from lipwise.faces.people import Person, find_people, steady_people
from lipwise.faces.relink import Thread, link_everybody
from lipwise.faces.smooth import fill_gaps, find_runs, frames_in, keep_near, smooth_polynomial
from lipwise.settings import as_settings

__all__ = [
    "DETECTED",
    "EDITED",
    "FILLED",
    "NONE",
    "FaceTrack",
    "TrackSettings",
    "follow_face",
    "follow_people",
    "load_tracks",
    "save_tracks",
    "track_faces",
    "track_people",
]

MOST_SMEAR = 0.06  # box sizes that smoothing may move a point from where it was seen
UNSURE = 0.5  # a shot with less confidence is told
MOST_TOLD = 8  # shots that one warning names


@dataclass(frozen=True)
class TrackSettings:
    """How a track is made. Times in seconds."""

    fill_gap_s: float = 0.4  # longest gap inside a shot that is filled on the straight line; 0 fills none
    hold_s: float = 0.2  # longest gap at a shot's start or end that repeats the nearest face; 0 holds none
    smooth_s: float = 0.36  # window of the centred second-order fit to boxes and landmarks; 0 does not smooth
    steady_s: float = 0.2  # a face seen for less, and for less than half of its shot, is not followed
    least_confidence: float = 0.0  # 0-1; a shot whose face is less surely the same person is left alone; 0 leaves none

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, bool) or not isinstance(value, Real):
                raise SettingsError(
                    f"{entry.name}={value!r} is no number",
                    cause=f"it is of the type {type(value).__name__}",
                    next_step=f"leave it out to use {entry.default}",
                )
            object.__setattr__(self, entry.name, float(value))  # NumPy's own kinds do not go into files
        if not 0 <= self.least_confidence <= 1:
            raise SettingsError(
                f"least_confidence={self.least_confidence!r} is no confidence",
                cause="it counts from 0 (follow in any case) to 1 (only where the person was chosen)",
                next_step="leave it out to follow in any case",
            )
        for entry in fields(self):
            value = getattr(self, entry.name)
            if not 0 <= value < 3600:
                raise SettingsError(
                    f"{entry.name}={value!r} is no time",
                    cause="it counts seconds, from 0 on",
                    next_step=f"leave it out to use {entry.default} s",
                )


def track_faces(
    frames: Iterable[np.ndarray],
    detector: FaceDetector,
    *,
    fps: Fraction | float,
    settings: TrackSettings | Mapping[str, Any] | None = None,
    choose: Choice | Mapping[int, Choice] | None = None,
) -> FaceTrack:
    """Follow one face through a clip, in one pass that keeps no frame.

    Args:
        frames: RGB frames (H, W, 3) uint8 of one size, each with its own memory.
        detector: see `lipwise.faces.detect.load_detector`.
        fps: frames a second, which turns the settings' seconds into frames.
        settings: None takes the defaults.
        choose: whom to follow where several people are seen; see `lipwise.faces.choose`. None follows the largest
            steady face of the clip; a number that person in each shot, counted from 0 on, left to right at the first
            appearance; a point (x, y) in pixels whoever's face lies there most; a `Click` whoever is there in that
            frame; a mapping chooses for single shots. Shots without a choice take the same person up again.

    Returns:
        A FaceTrack; all of its rows are NaN when there is no face at all.

    Raises:
        FaceError: no frame, or nobody in the clip is the one chosen.
        SettingsError: a choice that is none, or for a shot or a frame that is not there.
        ValueError: frames of different sizes.

    Warns:
        LipwiseWarning: shots in which the face followed may well be somebody else's.
    """
    check_choice(choose)
    settings = as_settings(TrackSettings, settings)
    detections = detect_clip(frames, only_detect(detector), fps=fps)
    return follow_face(detections, fps=fps, settings=settings, choose=choose)[0]


def track_people(
    frames: Iterable[np.ndarray],
    detector: FaceDetector,
    *,
    fps: Fraction | float,
    settings: TrackSettings | Mapping[str, Any] | None = None,
) -> list[FaceTrack]:
    """Follow everybody in a clip, in one pass; the arguments are those of `track_faces`.

    Returns:
        A track for each person, in the order of their first appearance, from left to right; see `save_tracks`.
    """
    detections = detect_clip(frames, only_detect(detector), fps=fps)
    return [track for track, _ in follow_people(detections, fps=fps, settings=settings)]


def follow_face(
    detections: Detections,
    *,
    fps: Fraction | float,
    settings: TrackSettings | Mapping[str, Any] | None = None,
    choose: Choice | Mapping[int, Choice] | None = None,
) -> tuple[FaceTrack, np.ndarray]:
    """The track of one person among the faces of a clip; the arguments are those of `track_faces`.

    Returns:
        The track, and (T,) int64: which of a frame's faces is the one followed; -1 where it was not detected.
    """
    settings = as_settings(TrackSettings, settings)
    check_choice(choose)
    people = _people(detections, fps, settings)
    followed, confidence = choose_people(people, choose, shot=detections.shot)
    followed = [
        person if sure >= settings.least_confidence else None for person, sure in zip(followed, confidence, strict=True)
    ]
    laid = _lay(detections, people, (followed, confidence), fps, settings)
    warn_if_unsure(laid[0], stacklevel=4)
    return laid


def follow_people(
    detections: Detections, *, fps: Fraction | float, settings: TrackSettings | Mapping[str, Any] | None = None
) -> list[tuple[FaceTrack, np.ndarray]]:
    """What `follow_face` gives, for everybody in a clip, in the order of their first appearance."""
    settings = as_settings(TrackSettings, settings)
    people = _people(detections, fps, settings)
    return [_lay(detections, people, thread, fps, settings) for thread in link_everybody(people)]


def _people(detections: Detections, fps: Fraction | float, settings: TrackSettings) -> list[list[Person]]:
    """The steady people of each shot."""
    least_frames = frames_in(settings.steady_s, fps)
    return [
        steady_people(find_people(detections.faces, part.start, part.stop, fps), least_frames, part.stop - part.start)
        for part in find_runs(np.ones(len(detections), bool), detections.shot)
    ]


def warn_if_unsure(track: FaceTrack, *, stacklevel: int = 3) -> None:
    """Say in which shots the face followed may be somebody else's."""
    unsure = np.flatnonzero((track.people > 0) & (track.confidence < UNSURE)).tolist() if len(track.confidence) else []
    if not unsure:
        return
    told = name_shots(unsure[:MOST_TOLD], track.shot, more=[f"{sure:.2f}" for sure in track.confidence[unsure]])
    more = f" and {len(unsure) - MOST_TOLD} more" if len(unsure) > MOST_TOLD else ""
    warnings.warn(
        f"the face followed may be somebody else's in {told}{more} (confidence from 0 to 1, by size and place alone): "
        "point at the person there with choose=(x, y, frame), or leave such shots alone with least_confidence",
        LipwiseWarning,
        stacklevel=stacklevel,
    )


def _lay(
    detections: Detections, people: list[list[Person]], thread: Thread, fps: Fraction | float, settings: TrackSettings
) -> tuple[FaceTrack, np.ndarray]:
    """The track of one person in some of the shots, and which of each frame's faces is theirs."""
    followed = np.full(len(detections), -1, np.int64)
    for person in thread[0]:
        if person is not None:
            followed[person.frames] = person.faces
    arrays = _assemble(detections, followed, fps, settings)
    steady = np.array([len(present) for present in people], np.int32)
    track = FaceTrack(**arrays, shot=detections.shot, people=steady, size_wh=detections.size_wh, confidence=thread[1])
    return track, followed


def _assemble(
    detections: Detections, followed: np.ndarray, fps: Fraction | float, settings: TrackSettings
) -> dict[str, Any]:
    """The arrays of the track: rows of the faces followed, filled and smoothed."""
    values = np.full((len(detections), 14), np.nan)  # box (4), landmarks (5 x 2)
    score = np.zeros(len(detections), np.float32)
    origin = np.full(len(detections), NONE, np.uint8)
    for frame in np.flatnonzero(followed >= 0):
        faces, face = detections.faces[frame], followed[frame]
        values[frame] = np.r_[faces.boxes_xyxy[face], faces.landmarks_xy[face].ravel()]
        score[frame], origin[frame] = faces.score[face], DETECTED
    shot = detections.shot
    filled = fill_gaps(values, shot, longest=frames_in(settings.fill_gap_s, fps), hold=frames_in(settings.hold_s, fps))
    origin[filled] = FILLED
    seen = values.copy()
    smooth_polynomial(values, shot, window=frames_in(settings.smooth_s, fps))
    sizes = np.sqrt(np.prod(np.maximum(seen[:, 2:4] - seen[:, :2], 1.0), axis=1))
    keep_near(values, seen, shot, slack=MOST_SMEAR * sizes)
    return {
        "boxes_xyxy": values[:, :4].astype(np.float32),
        "landmarks_xy": values[:, 4:].reshape(-1, 5, 2).astype(np.float32),
        "score": score,
        "origin": origin,
        "raw_jitter": jitter(seen[:, :4], shot),
    }
