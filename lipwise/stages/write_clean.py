"""Writing a cleaned clip, with its sound and its track."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from lipwise.errors import LipwiseWarning, MediaError, SettingsError, SpeechError
from lipwise.faces.track import NONE, FaceTrack
from lipwise.files import expanded, sha256_of
from lipwise.media.output import check_destination
from lipwise.media.prefetch import prefetch
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames
from lipwise.media.sound import full_scale_gain, read_sound
from lipwise.media.sound_stream import tell_of_other_tracks
from lipwise.media.turn import turn_video
from lipwise.media.write import DEFAULT_QUALITY, write_video
from lipwise.stages.belongs import check_timeline, check_track
from lipwise.stages.clean_sound import cut_sound, end_of_part, frames_of_sound
from lipwise.timeline import Timeline

Sound = Literal["cut", "whole", "none"]
SOUNDS = ("cut", "whole", "none")


class CleanedClip(NamedTuple):
    """A cleaned clip, ready for the next stage.

    Attributes:
        video: the file that was written.
        track: the face in each of its frames, or None where no track was given.
        timeline: which frame of the source each of its frames was.
    """

    video: VideoInfo
    track: FaceTrack | None
    timeline: Timeline


def write_clean(
    video: VideoInfo | str | Path,
    timeline: Timeline,
    out: str | Path,
    *,
    track: FaceTrack | None = None,
    sound: Sound = "cut",
    start_s: Fraction | float = 0,
    quality: int = DEFAULT_QUALITY,
) -> CleanedClip:
    """Write the frames of a timeline as a clip of their own.

    Args:
        video: the source, or its path.
        timeline: see `lipwise.stages.policies.apply_policy`.
        out: .mp4, .m4v, .mov or .mkv; never the source itself.
        track: the source's; its rows go along, so that the next stage need not look for faces again. A clip that was
            turned upright for it is written upright.
        sound: "cut" cuts the clip's own sound where the picture is cut, with cross-fades of 10 ms; "whole" keeps all
            of it from the first frame on, and shows the last frame until it ends; "none" leaves it out.
        start_s: where in the file the first frame of `video` is shown, if it is a part of the clip.
        quality: see `lipwise.media.write.VideoWriter`.

    Returns:
        The clip with its track. With "whole" its timeline may end in repeats of the last frame.

    Raises:
        MediaError: a photo, or a file that cannot be read or written. SettingsError: an unknown `sound`, `out` is the
            source, or track or timeline are another clip's.

    Warns:
        LipwiseWarning: with "whole", how long the last frame is shown; which of several sound tracks is kept; or the
            track does not say whose it is.
    """
    video = video if isinstance(video, VideoInfo) else probe(video)
    check_cleanable(video, out, sound)
    check_timeline(timeline, video)
    if track is not None:
        video = turn_video(video, track.rotation)
        check_track(track, video)
    if sound == "whole" and video.has_audio:
        timeline = _as_long_as(timeline, video, start_s)
    pieces = _sound(video, timeline, sound, start_s)
    frames = prefetch(read_frames(video, timeline.source_index))
    written = probe(write_video(out, frames, fps=timeline.fps, sound=pieces, quality=quality))
    if track is None:
        return CleanedClip(written, None, timeline)
    moved = track_along(track, timeline, size_wh=written.size_wh)
    return CleanedClip(written, replace(moved, clip=sha256_of(written.path)), timeline)


def check_cleanable(video: VideoInfo, out: str | Path, sound: str = "cut") -> None:
    """Refuse what cannot be cleaned or written before any work is done.

    Raises:
        MediaError, SettingsError: see `write_clean`.
    """
    if video.is_still:
        raise MediaError(
            f"{video.path} is a photo: there is nothing to clean",
            cause="cleaning leaves out frames of a clip",
            next_step="use the photo as it is, as the face of a run",
        )
    if sound not in SOUNDS:
        raise SettingsError(
            f"sound={sound!r} is no way to treat the sound",
            cause=f"the ways are {', '.join(SOUNDS)}",
            next_step="choose one of them",
        )
    if expanded(out).resolve() == video.path.resolve():
        raise SettingsError(
            f"The cleaned clip would overwrite {video.path}",
            cause="both are the same file",
            next_step="choose another name for the cleaned clip",
        )
    check_destination(out)


def track_along(track: FaceTrack, timeline: Timeline, *, size_wh: tuple[int, int] | None = None) -> FaceTrack:
    """The rows of a track in the order of a timeline, as the track of the clip that the timeline makes.

    Frames that pass untouched have no face in it. A new shot begins wherever frames were left out, because the
    picture jumps there. That clip is upright: the track is of no rotation. Which file it is in, nobody knows yet.

    Args:
        size_wh: size of the new clip's frames; None is the track's own.
    """
    frames = timeline.source_index
    jumps = np.r_[False, ~np.isin(np.diff(frames), (0, 1)) | (np.diff(track.shot[frames]) != 0)]
    rows = {name: getattr(track, name)[frames] for name in ("boxes_xyxy", "landmarks_xy", "score", "origin")}
    for name in ("boxes_xyxy", "landmarks_xy"):
        rows[name][~timeline.synth] = np.nan
    rows["score"][~timeline.synth], rows["origin"][~timeline.synth] = 0, NONE
    mesh_xy = track.mesh_xy[frames] if len(track.mesh_xy) else track.mesh_xy
    mesh_xy[~timeline.synth[: len(mesh_xy)]] = np.nan
    firsts = np.flatnonzero(np.r_[True, jumps[1:]])
    return replace(
        track,
        **rows,
        shot=np.cumsum(jumps, dtype=np.int32),
        people=track.people[track.shot[frames[firsts]]],
        confidence=track.confidence[track.shot[frames[firsts]]] if len(track.confidence) else track.confidence,
        size_wh=size_wh or track.size_wh,
        rotation=0,
        clip="",
        mesh_xy=mesh_xy,
    )


def _as_long_as(timeline: Timeline, video: VideoInfo, start_s: Fraction | float) -> Timeline:
    """The timeline with its last frame repeated until the clip's sound ends."""
    try:
        missing = frames_of_sound(video, start_s=start_s) - len(timeline)
    except SpeechError:  # told when the sound is laid under the picture
        return timeline
    if missing <= 0:
        return timeline
    held_s = float(missing / timeline.fps)
    warnings.warn(
        f"{video.path}: its sound is kept whole, so the last picture stands for {held_s:.2f} s",
        LipwiseWarning,
        stacklevel=3,
    )
    source_index = np.pad(timeline.source_index, (0, missing), mode="edge")
    return replace(timeline, source_index=source_index, synth=np.pad(timeline.synth, (0, missing), mode="edge"))


def _sound(
    video: VideoInfo, timeline: Timeline, sound: Sound, start_s: Fraction | float
) -> Iterator[np.ndarray] | None:
    """What is laid under the picture; None where the clip is silent or shall be."""
    if sound == "none" or not video.has_audio:
        return None
    part = {"start_s": float(start_s), "end_s": end_of_part(video, start_s)} if sound == "whole" else {}
    try:
        tell_of_other_tracks(video.path)
        gain = full_scale_gain(video.path, **part)
    except SpeechError as error:
        warnings.warn(f"{error.what}: the cleaned clip has none either", LipwiseWarning, stacklevel=3)
        return None
    if sound == "cut":
        return cut_sound(video.path, timeline, start_s=start_s, gain=gain)
    return read_sound(video.path, **part, gain=gain)
