"""Where one face is in every frame of a clip, and how that is saved."""

import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from lipwise.errors import FaceError
from lipwise.faces.jitter import jitter
from lipwise.files import written_whole
from lipwise.landmarks import MESH_POINTS

NONE, DETECTED, FILLED, EDITED = range(4)  # where a row of a track comes from
WROTE_TRACKS = "give a file that `lipwise clean --track` or FaceTrack.save wrote, or track again"
Built = TypeVar("Built")


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
        size_wh: size of the frames in pixels, turned as `rotation` says.
        confidence: (S,) float32, 0-1, how sure it is that the face followed in each shot is the same person: 1 where
            they were chosen or are the largest, 0 where nobody is seen; see `lipwise.faces.relink`. (0,) where
            nobody asked.
        rotation: degrees clockwise that the clip was turned by, beyond what its file says, before faces were looked
            for; see `lipwise.faces.rotation`.
        raw_jitter: what `jitter` was before smoothing; NaN where it is not known.
        clip: SHA-256 of the file that these frames are in, 64 hexadecimal digits; "" where nobody knows. Whatever takes
            clip and track together refuses another file.
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
    confidence: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    rotation: int = 0
    raw_jitter: float = float("nan")
    mesh_xy: np.ndarray = field(default_factory=lambda: np.zeros((0, MESH_POINTS, 2), np.float32))
    clip: str = ""

    def __post_init__(self) -> None:
        count = len(self.boxes_xyxy)
        shapes = {"boxes_xyxy": (count, 4), "landmarks_xy": (count, 5, 2)}
        shapes |= dict.fromkeys(("score", "origin", "shot"), (count,))
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"expected {name} of shape {shape}, got {getattr(self, name).shape}")
        if self.confidence.shape not in ((0,), self.people.shape):
            raise ValueError(f"expected confidence of shape {self.people.shape}, got {self.confidence.shape}")
        if self.mesh_xy.shape not in ((0, MESH_POINTS, 2), (count, MESH_POINTS, 2)):
            raise ValueError(f"expected mesh_xy of shape {(count, MESH_POINTS, 2)}, got {self.mesh_xy.shape}")

    def __len__(self) -> int:
        return len(self.boxes_xyxy)

    @property
    def has_face(self) -> np.ndarray:
        """(T,) bool."""
        return self.origin != NONE

    @property
    def jitter(self) -> float:
        """Mean acceleration of the box's middle in box sizes a frame squared; see `lipwise.faces.jitter`."""
        return jitter(self.boxes_xyxy, self.shot)

    def part(self, start: int, stop: int) -> "FaceTrack":
        """The rows of the frames [start, stop); shots keep their numbers."""
        if not 0 <= start < stop <= len(self):
            raise ValueError(f"expected 0 <= start < stop <= {len(self)}, got {start} and {stop}")
        rows = {name: getattr(self, name)[start:stop] for name in ("boxes_xyxy", "landmarks_xy", "score", "origin")}
        return replace(self, **rows, shot=self.shot[start:stop], mesh_xy=self.mesh_xy[start:stop])

    def save(self, path: Path) -> None:
        """Write to an .npz file, whole or not at all.

        Raises:
            DiskFullError: no space is left. MediaError: it cannot be written for another reason.
        """
        _write(path, _arrays(self))

    @classmethod
    def load(cls, path: Path) -> "FaceTrack":
        """Read what `save` wrote; nothing pickled is accepted.

        Raises:
            FaceError: there is no such file, or it holds no track, or everybody's.
        """
        return _read(path, _only_track)


def save_tracks(path: Path, tracks: Sequence[FaceTrack]) -> None:
    """Write several people's tracks to one .npz file, whole or not at all.

    Raises:
        DiskFullError: no space is left. MediaError: it cannot be written for another reason.
    """
    arrays = {"count": np.array(len(tracks))}
    for number, track in enumerate(tracks):
        arrays |= {f"{number}.{name}": array for name, array in _arrays(track).items()}
    _write(path, arrays)


def load_tracks(path: Path) -> list[FaceTrack]:
    """Read what `save_tracks` wrote; nothing pickled is accepted.

    Raises:
        FaceError: there is no such file, or it holds no tracks, or only one person's.
    """
    return _read(path, _all_tracks)


def _only_track(stored: Mapping[str, np.ndarray]) -> FaceTrack:
    if "count" in stored and "boxes_xyxy" not in stored:
        raise _OtherKindError(
            f"it holds the tracks of everybody in a clip ({int(stored['count'])}), where one person's is wanted",
            "write one person's with `lipwise clean --choose N --track`, or lipwise.load_tracks(path)[N].save(...)",
        )
    return _track(stored, "")


def _all_tracks(stored: Mapping[str, np.ndarray]) -> list[FaceTrack]:
    if "boxes_xyxy" in stored:
        raise _OtherKindError("it holds the track of one person", "read it with lipwise.FaceTrack.load")
    return [_track(stored, f"{number}.") for number in range(int(stored["count"]))]


def _arrays(track: FaceTrack) -> dict[str, np.ndarray]:
    return {entry.name: np.asarray(getattr(track, entry.name)) for entry in fields(track)}


def _track(stored: Mapping[str, np.ndarray], prefix: str) -> FaceTrack:
    names = [entry.name for entry in fields(FaceTrack) if entry.name != "clip"]  # older files do not say it
    arrays: dict[str, Any] = {name: stored[prefix + name] for name in names}
    width, height = (int(side) for side in arrays["size_wh"])
    arrays["size_wh"] = width, height
    arrays["rotation"], arrays["raw_jitter"] = int(arrays["rotation"]), float(arrays["raw_jitter"])
    return FaceTrack(**arrays, clip=str(stored[prefix + "clip"]) if prefix + "clip" in stored else "")


def _write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    with written_whole(Path(path)) as part, part.open("wb") as file:
        np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]  # its stub takes allow_pickle for an array


class _OtherKindError(Exception):
    """A file of tracks, but of another kind than was asked for: cause and next step."""


def _read(path: Path, build: Callable[[Mapping[str, np.ndarray]], Built]) -> Built:
    """What `build` makes of the arrays of a file."""
    what, next_step = f"Cannot read the face track {path}", WROTE_TRACKS
    if not Path(path).exists():
        raise FaceError(what, cause="nothing has that name", next_step=f"check the name; {next_step}")
    try:
        if not zipfile.is_zipfile(path):
            raise FaceError(what, cause="it is no .npz file, or a damaged one", next_step=next_step)
        with np.load(path, allow_pickle=False) as stored:
            return build(stored)
    except _OtherKindError as error:
        raise FaceError(what, cause=error.args[0], next_step=error.args[1]) from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise FaceError(what, cause=f"it holds no track: {error}", next_step=next_step) from error
