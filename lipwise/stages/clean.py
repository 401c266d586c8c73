"""Where the face is in every frame of a clip, and which frames can be used."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from lipwise.errors import LipwiseWarning
from lipwise.faces import libfacedetection
from lipwise.faces import track as tracks
from lipwise.faces.choose import Choice, check_choice
from lipwise.faces.detect import FaceDetector, load_detector
from lipwise.faces.detections import Detections, detect_clip
from lipwise.faces.measure import MeasuringDetector
from lipwise.faces.track import FaceTrack, TrackSettings
from lipwise.files import sha256_of
from lipwise.media.prefetch import prefetch
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames
from lipwise.media.turn import turn_video
from lipwise.settings import as_settings
from lipwise.stages import track_cache
from lipwise.stages.judge import UsabilitySettings
from lipwise.stages.measures import gather_measures
from lipwise.stages.mesh_track import with_mesh
from lipwise.stages.upright import set_upright, turn_as_tracked
from lipwise.stages.usability import UsabilityReport
from lipwise.weights import fetch_weights


@dataclass(frozen=True, eq=False)
class Examined:
    """What is known of a clip's frames; `track, report = examine(...)` takes the two out.

    Attributes:
        track: the face that is followed.
        report: which frames can be used, and why not.
        video: the clip to go on with: turned upright where its faces did not stand so, as its notes say then.
    """

    track: FaceTrack
    report: UsabilityReport
    video: VideoInfo

    def __iter__(self) -> Iterator[FaceTrack | UsabilityReport]:
        yield from (self.track, self.report)


def examine(
    video: VideoInfo | str | Path,
    *,
    detector: FaceDetector | str = "auto",
    choose: Choice | Mapping[int, Choice] | None = None,
    settings: TrackSettings | Mapping[str, Any] | None = None,
    thresholds: UsabilitySettings | Mapping[str, Any] | None = None,
    mesh: bool = False,
    cache: bool = True,
    progress: bool = False,
) -> Examined:
    """Find the face in every frame of a clip and judge the frames, in one pass that keeps no frame.

    Before it, at most nine frames show which way up the clip is; one whose faces lie on their side is turned.

    Args:
        video: the clip, or its path.
        detector: "auto", "libfacedetection", "yunet", or a detector of your own.
        choose: whom to follow; see `track_faces`.
        settings: how gaps are filled and the track is smoothed; None is the defaults.
        thresholds: from where on something is wrong with a frame; None is the defaults.
        mesh: lay the face mesh, too, in a second pass; frames in which its network sees no face have none.
        cache: keep track and report in the user's cache, by the clip's content and the settings, for the next call.
            What is there already is used in any case; `lipwise.forget_tracks` deletes all of it.
        progress: show a bar.

    Returns:
        Track, report and the upright clip. All exist for a clip in which nobody is seen, too; the policies then say so.

    Raises:
        FaceError: nobody is the one chosen. WeightsError: a file cannot be had. MediaError: the clip cannot be read.

    Warns:
        LipwiseWarning: the clip was turned upright; it is soft from end to end; or a detector of your own, whose
            settings nobody knows, was to be cached.
    """
    video = video if isinstance(video, VideoInfo) else probe(video)
    check_choice(choose)
    finder = _detector(detector) if isinstance(detector, str) else detector
    settings, thresholds = as_settings(TrackSettings, settings), as_settings(UsabilitySettings, thresholds)
    content = sha256_of(video.path)
    key = track_cache.cache_key(video, finder, content=content, choose=choose, settings=settings)
    if key is None and cache:
        warnings.warn("tracks of a detector of your own are not kept for a second call", LipwiseWarning, stacklevel=2)
    kept = track_cache.load_kept(key, mesh=mesh) if key else None
    if kept is not None:
        video = turn_as_tracked(video, kept[0])
        tracks.warn_if_unsure(kept[0])  # as the look that is saved had said
    else:
        kept = track_cache.load_kept(key, mesh=False) if key and mesh else None
        track, report = kept or _look(video, finder, choose, settings, progress)
        if mesh:
            track = with_mesh(video, track, progress=progress)
            measures = replace(report.measures, origin=track.origin)
            report = UsabilityReport.of(measures, fps=report.fps)
        kept = track, report
        if key and cache:
            track_cache.keep(key, *kept, mesh=mesh)
    track = replace(kept[0], clip=content)
    report = replace(kept[1].with_settings(thresholds), clip=content)
    for note in report.notes:
        warnings.warn(f"{video.path}: {note}", LipwiseWarning, stacklevel=2)
    return Examined(track, report, turn_video(video, track.rotation))


def _look(
    video: VideoInfo,
    detector: FaceDetector,
    choose: Choice | Mapping[int, Choice] | None,
    settings: TrackSettings | None,
    progress: bool,
) -> tuple[FaceTrack, UsabilityReport]:
    """One decode of the upright clip: detections, measures, cuts; then the track and the report."""
    video, detections = _look_at_all(video, detector, progress)
    track, followed = tracks.follow_face(detections, fps=video.fps, settings=settings, choose=choose)
    measures = gather_measures(detections, track, followed)
    return replace(track, rotation=video.turned), UsabilityReport.of(measures, fps=video.fps)


def _look_at_all(video: VideoInfo, detector: FaceDetector, progress: bool) -> tuple[VideoInfo, Detections]:
    """The clip turned upright, and everything that one look at each of its frames gives."""
    look = MeasuringDetector(detector, fetch_weights("face_mesh")[0])
    video, _ = set_upright(video, detector)
    frames = _shown(prefetch(read_frames(video)), "faces", video.frame_count, progress)
    return video, detect_clip(frames, look, fps=video.fps)


def track_people(
    video: VideoInfo | str | Path,
    *,
    detector: FaceDetector | str = "auto",
    settings: TrackSettings | Mapping[str, Any] | None = None,
    progress: bool = False,
) -> list[FaceTrack]:
    """Follow everybody in a clip, in one pass that keeps no frame; the arguments are those of `track_faces`.

    Returns:
        A track without mesh for each person, in the order of their first appearance, from left to right; empty where
        nobody is seen. `lipwise.save_tracks` keeps them; each can be a recipe's `track_file` by itself.
    """
    video = video if isinstance(video, VideoInfo) else probe(video)
    settings = as_settings(TrackSettings, settings)
    finder = _detector(detector) if isinstance(detector, str) else detector
    video, detections = _look_at_all(video, finder, progress)
    everybody = tracks.follow_people(detections, fps=video.fps, settings=settings)
    content = sha256_of(video.path)
    return [replace(track, rotation=video.turned, clip=content) for track, _ in everybody]


def track_faces(
    video: VideoInfo | str | Path,
    *,
    detector: FaceDetector | str = "auto",
    choose: Choice | Mapping[int, Choice] | None = None,
    settings: TrackSettings | Mapping[str, Any] | None = None,
    progress: bool = False,
) -> FaceTrack:
    """Follow one face through a clip and lay the mesh on it, in two passes that keep no frame.

    Args:
        video: the clip, or its path.
        detector: "auto", "libfacedetection", "yunet", or a detector of your own.
        choose: whom to follow; None is the largest steady face, a number counts from left to right from 0 on, (x, y)
            is a point in the upright picture, (x, y, frame) or a `Click` a point in one frame; a mapping chooses for
            single shots.
        settings: how gaps are filled and the track is smoothed; None is the defaults.
        progress: show a bar.

    Returns:
        A track with its mesh. Where the mesh network sees no face in the detector's box, the track has none either.
        A clip whose faces lie on their side is turned first: the track's `rotation` says so, and whatever takes clip
        and track together turns the clip likewise; `lipwise.turn_video(video, track.rotation)` does it by hand.

    Raises:
        FaceError: nobody is the one chosen. WeightsError: a file cannot be had.

    Warns:
        LipwiseWarning: the clip was turned upright.
    """
    video = video if isinstance(video, VideoInfo) else probe(video)
    settings = as_settings(TrackSettings, settings)
    finder = _detector(detector) if isinstance(detector, str) else detector
    fetch_weights("face_mesh")  # first, so that a missing file is told before the work begins
    check_choice(choose)
    video, _ = set_upright(video, finder)
    frames = _shown(prefetch(read_frames(video)), "faces", video.frame_count, progress)
    track = tracks.track_faces(frames, finder, fps=video.fps, settings=settings, choose=choose)
    track = replace(track, rotation=video.turned, clip=sha256_of(video.path))
    return with_mesh(video, track, progress=progress)


def _detector(name: str) -> FaceDetector:
    """A detector by name, YuNet's file fetched where it is needed."""
    needs_yunet = name == "yunet" or (name == "auto" and not libfacedetection.is_installed())
    return load_detector(name, yunet_path=fetch_weights("yunet_2023mar")[0] if needs_yunet else None)


def _shown(frames: Iterable[np.ndarray], what: str, total: int, progress: bool) -> Iterable[np.ndarray]:
    return tqdm(frames, desc=what, total=total, unit="frame", disable=not progress)
