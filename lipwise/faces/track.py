"""One face through a clip: found once, gaps filled, smoothed inside each shot."""

import os
import zipfile
from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path

import numpy as np

from lipwise.errors import FaceError, SettingsError
from lipwise.faces.choose import Choice, check_choice, choose_people
from lipwise.faces.detect import FaceDetector, Faces
from lipwise.faces.people import Person, find_people, steady_people
from lipwise.faces.repeats import RepeatedFrames
from lipwise.faces.shots import ShotFinder
from lipwise.faces.smooth import fill_gaps, find_runs, frames_in, smooth_polynomial
from lipwise.files import written_whole
from lipwise.landmarks import MESH_POINTS

NONE, DETECTED, FILLED, EDITED = range(4)  # where a row of a track comes from
WORKERS = min(4, os.cpu_count() or 1)  # frames looked at together; the answers do not depend on it
MOST_FACES = 32  # of one frame, best scores first: bounds the memory that a crowd takes


@dataclass(frozen=True)
class TrackSettings:
    """How a track is made. All times in seconds."""

    fill_gap_s: float = 0.4  # longest gap inside a shot that is filled on the straight line; 0 fills none
    hold_s: float = 0.2  # longest gap at a shot's start or end that repeats the nearest face; 0 holds none
    smooth_s: float = 0.36  # window of the centred second-order fit to boxes and landmarks; 0 does not smooth
    steady_s: float = 0.2  # a face seen for less, and for less than half of its shot, is not followed

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if not 0 <= value < 3600:
                raise SettingsError(
                    f"{entry.name}={value!r} is no time",
                    cause="it counts seconds, from 0 on",
                    next_step=f"leave it out to use {entry.default} s",
                )


@dataclass(frozen=True, eq=False)
class FaceTrack:
    """One face through T frames.

    Attributes:
        boxes_xyxy: (T, 4) float32, pixels, exclusive end; NaN rows where there is no face.
        landmarks_xy: (T, 5, 2) float32, in the order of `lipwise.faces.detect.Faces`.
        score: (T,) float32, the detector's, 0-1; 0 where nothing was detected.
        origin: (T,) uint8, NONE, DETECTED, FILLED or EDITED.
        shot: (T,) int32, number of the shot between two cuts, from 0 on.
        people: (S,) int32, how many steady faces each shot holds; more than one means that there is a choice.
        size_wh: size of the frames in pixels.
        mesh_xy: (T, 468, 2) float32 in frame pixels, NaN rows where there is no face; (0, 468, 2) before the mesh is
            laid on.
    """

    boxes_xyxy: np.ndarray
    landmarks_xy: np.ndarray
    score: np.ndarray
    origin: np.ndarray
    shot: np.ndarray
    people: np.ndarray
    size_wh: tuple[int, int]
    mesh_xy: np.ndarray = field(default_factory=lambda: np.zeros((0, MESH_POINTS, 2), np.float32))

    def __post_init__(self) -> None:
        count = len(self.boxes_xyxy)
        shapes = {"boxes_xyxy": (count, 4), "landmarks_xy": (count, 5, 2)}
        shapes |= dict.fromkeys(("score", "origin", "shot"), (count,))
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"expected {name} of shape {shape}, got {getattr(self, name).shape}")
        if self.mesh_xy.shape not in ((0, MESH_POINTS, 2), (count, MESH_POINTS, 2)):
            raise ValueError(f"expected mesh_xy of shape {(count, MESH_POINTS, 2)}, got {self.mesh_xy.shape}")

    def __len__(self) -> int:
        return len(self.boxes_xyxy)

    @property
    def has_face(self) -> np.ndarray:
        """(T,) bool."""
        return self.origin != NONE

    def save(self, path: Path) -> None:
        """Write to an .npz file, whole or not at all."""
        path = Path(path)
        arrays = {entry.name: np.asarray(getattr(self, entry.name)) for entry in fields(self)}
        try:
            with written_whole(path) as part, part.open("wb") as file:
                np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]  # its stub takes allow_pickle for an array
        except OSError as error:
            raise FaceError(
                f"Cannot write the face track {path}", cause=str(error), next_step="choose a folder that can be written"
            ) from error

    @classmethod
    def load(cls, path: Path) -> "FaceTrack":
        """Read what `save` wrote; nothing pickled is accepted."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = {entry.name: stored[entry.name] for entry in fields(cls)}
            width, height = (int(side) for side in arrays.pop("size_wh"))
            return cls(**arrays, size_wh=(width, height))
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise FaceError(
                f"Cannot read the face track {path}", cause=str(error), next_step="delete the file and track again"
            ) from error


def track_faces(
    frames: Iterable[np.ndarray],
    detector: FaceDetector,
    *,
    fps: Fraction | float,
    settings: TrackSettings | None = None,
    choose: Choice | Mapping[int, Choice] | None = None,
) -> FaceTrack:
    """Follow one face through a clip, in one pass that keeps no frame.

    Args:
        frames: RGB frames (H, W, 3) uint8 of one size, each with its own memory.
        detector: see `lipwise.faces.detect.load_detector`.
        fps: frames a second, which turns the settings' seconds into frames.
        settings: None takes the defaults.
        choose: whom to follow where a shot shows several people; see `lipwise.faces.choose`. None follows the largest
            steady face of each shot; a number that person, counted from 0 on, left to right at the first appearance in
            the shot; a point (x, y) in pixels whoever's face lies there most; a mapping chooses for single shots.

    Returns:
        A FaceTrack; all of its rows are NaN when there is no face at all.

    Raises:
        FaceError: no frame, or nobody in the clip is the one chosen.
        SettingsError: a choice that is neither a number from 0 on nor a point, or for a shot that is not there.
        ValueError: frames of different sizes.
    """
    settings = settings or TrackSettings()
    check_choice(choose)
    detections, finder, size_wh = _detect_all(frames, detector)
    shot = finder.shots(fps)
    least_frames = frames_in(settings.steady_s, fps)
    people = [
        steady_people(find_people(detections, part.start, part.stop, fps), least_frames, part.stop - part.start)
        for part in find_runs(np.ones(len(shot), bool), shot)
    ]
    arrays = _assemble(detections, choose_people(people, choose), shot, fps, settings)
    return FaceTrack(**arrays, shot=shot, people=np.array([len(of) for of in people], np.int32), size_wh=size_wh)


def _detect_all(
    frames: Iterable[np.ndarray], detector: FaceDetector
) -> tuple[list[Faces], ShotFinder, tuple[int, int]]:
    """Detections of every frame, several frames at once, what tells shots apart, and the frames' size."""
    detections: list[Faces] = []
    pending: deque[Future[Faces]] = deque()
    finder, repeats = ShotFinder(), RepeatedFrames()
    shape: tuple[int, ...] | None = None

    def look(frame: np.ndarray) -> Faces:
        return Faces(*(part[:MOST_FACES] for part in detector.detect(frame)))

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="lipwise-detect") as pool:
        for frame in frames:
            if shape is not None and frame.shape != shape:
                raise ValueError(f"expected frames of one size, got {shape} and {frame.shape}")
            shape = frame.shape
            finder.add(frame)
            repeated = repeats.is_repeat(frame)
            pending.append(pending[-1] if repeated else pool.submit(look, frame))
            if len(pending) > 2 * WORKERS:  # no more frames are held than that
                detections.append(pending.popleft().result())
    detections += [answer.result() for answer in pending]
    if shape is None:
        raise FaceError(
            "Cannot look for a face",
            cause="there is not a single frame",
            next_step="choose a clip or photo with a picture",
        )
    return detections, finder, (shape[1], shape[0])


def _assemble(
    detections: list[Faces],
    chosen: list[Person | None],
    shot: np.ndarray,
    fps: Fraction | float,
    settings: TrackSettings,
) -> dict[str, np.ndarray]:
    """The arrays of the track: rows of the people chosen, filled and smoothed."""
    values = np.full((len(detections), 14), np.nan)  # box (4), landmarks (5 x 2)
    score = np.zeros(len(detections), np.float32)
    origin = np.full(len(detections), NONE, np.uint8)
    for person in chosen:
        for frame, face in zip(person.frames, person.faces, strict=True) if person else ():
            faces = detections[frame]
            values[frame] = np.r_[faces.boxes_xyxy[face], faces.landmarks_xy[face].ravel()]
            score[frame], origin[frame] = faces.score[face], DETECTED
    filled = fill_gaps(values, shot, longest=frames_in(settings.fill_gap_s, fps), hold=frames_in(settings.hold_s, fps))
    origin[filled] = FILLED
    smooth_polynomial(values, shot, window=frames_in(settings.smooth_s, fps))
    return {
        "boxes_xyxy": values[:, :4].astype(np.float32),
        "landmarks_xy": values[:, 4:].reshape(-1, 5, 2).astype(np.float32),
        "score": score,
        "origin": origin,
    }
