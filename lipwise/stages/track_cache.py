"""Tracks and reports kept by what they were made from: the clip's content and every setting that changes them.

What is kept shows nobody's picture, but it is the geometry of a face: `forget_tracks` deletes it.
"""

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from lipwise.errors import FaceError, LipwiseWarning, MediaError, SettingsError
from lipwise.faces.choose import Choice
from lipwise.faces.detect import FaceDetector, LibFaceDetection, YuNet
from lipwise.faces.track import FaceTrack, TrackSettings
from lipwise.files import sha256_of
from lipwise.media.probe import VideoInfo
from lipwise.stages.usability import UsabilityReport
from lipwise.weights import find_weights, weights_folder

FORMAT = 4  # raised whenever tracks or measures of the same clip come out differently
KEPT_BYTES = 1_000_000_000  # the oldest entries go when there is more


def tracks_folder() -> Path:
    """Where tracks are kept: `tracks` in the folder of the weights."""
    return weights_folder() / "tracks"


def forget_tracks() -> int:
    """Delete every kept track and report; how many files went."""
    files = [path for path in tracks_folder().glob("*") if path.is_file()]
    for path in files:
        path.unlink(missing_ok=True)
    return len(files)


def cache_key(
    video: VideoInfo,
    detector: FaceDetector,
    *,
    content: str,
    choose: Choice | Mapping[int, Choice] | None,
    settings: TrackSettings,
) -> str | None:
    """The name under which a track and its report are kept; None for a detector whose settings are not known.

    It holds the content of the file, the part and grid that are read, how the clip was turned before it was looked at
    (what trying adds is the track's own `rotation`), the content of the networks' files, and whatever else changes the
    outcome. The thresholds of usability are not in it: a report is judged anew from its measures.

    Args:
        content: SHA-256 of the clip's file.
    """
    if not (type(detector) is LibFaceDetection or type(detector) is YuNet):
        return None
    made_from = _made_from(video, detector, content=content, choose=choose, settings=settings)
    return hashlib.sha256(json.dumps(made_from, sort_keys=True, default=repr).encode()).hexdigest()[:32]


def _made_from(
    video: VideoInfo,
    detector: LibFaceDetection | YuNet,
    *,
    content: str,
    choose: Choice | Mapping[int, Choice] | None,
    settings: TrackSettings,
) -> dict[str, object]:
    """Everything that a track and its report depend on, by name; the arguments are those of `cache_key`."""
    return {
        "format": FORMAT,
        "content": content,
        "fps": str(video.fps),
        "size_wh": video.size_wh,
        "turned": video.turned,
        "frames": video.frame_count,
        "grid": "" if video.index is None else hashlib.sha256(video.index.frame_of.tobytes()).hexdigest(),
        "detector": [detector.name, detector.min_score, detector.working_px, detector.retry_px],
        "networks": [sha256_of(path) for path in (detector.path, find_weights("face_mesh")) if path],
        "choose": sorted(choose.items()) if isinstance(choose, Mapping) else choose,
        "track": asdict(settings),
    }


def load_kept(key: str, *, mesh: bool) -> tuple[FaceTrack, UsabilityReport] | None:
    """What was kept under a key; None where there is nothing, or, with a LipwiseWarning, where it is damaged."""
    track_path, report_path = _paths(key, mesh)
    if not (track_path.is_file() and report_path.is_file()):
        return None
    try:
        track, report = FaceTrack.load(track_path), UsabilityReport.load(report_path)
        if len(track) != len(report):
            raise FaceError(
                "track and report differ in length",
                cause="one of them is another clip's",
                next_step="delete what is kept: lipwise.forget_tracks()",
            )
    except (FaceError, SettingsError) as error:
        warnings.warn(
            f"a kept track cannot be used and is made anew ({error.what}: {error.cause})", LipwiseWarning, stacklevel=2
        )
        return None
    for path in (track_path, report_path):
        path.touch()  # used now: among the last to go
    return track, report


def keep(key: str, track: FaceTrack, report: UsabilityReport, *, mesh: bool) -> None:
    """Keep a track and its report; a folder that cannot be written to gives a LipwiseWarning, not an error."""
    track_path, report_path = _paths(key, mesh)
    try:
        track_path.parent.mkdir(parents=True, exist_ok=True)
        track.save(track_path)
        report.save(report_path)
        _drop_oldest()
    except (OSError, MediaError) as error:
        warnings.warn(f"the track cannot be kept for a second call: {error}", LipwiseWarning, stacklevel=2)


def _paths(key: str, mesh: bool) -> tuple[Path, Path]:
    stem = f"{key}.mesh" if mesh else key  # the mesh network may find fewer faces, so both are kept
    return tracks_folder() / f"{stem}.track.npz", tracks_folder() / f"{stem}.report.json"


def _drop_oldest() -> None:
    files = sorted(
        (path for path in tracks_folder().glob("*") if path.is_file()), key=lambda path: path.stat().st_mtime
    )
    sizes = np.array([path.stat().st_size for path in files])
    later = np.cumsum(sizes[::-1])[::-1]  # bytes of a file and of all that are newer
    for path, total in zip(files[:-2], later, strict=False):  # the two just written always stay
        if total > KEPT_BYTES:
            path.unlink(missing_ok=True)
