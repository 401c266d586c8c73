"""A result and the clip it was made from: which frame of the one was which frame of the other."""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

from lipwise.errors import LipwiseWarning, MediaError, SettingsError
from lipwise.faces.track import FaceTrack
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.turn import turn_video
from lipwise.stages.clean import examine
from lipwise.stages.mesh_track import with_mesh
from lipwise.timeline import Timeline

RATE_SLACK = 1e-3  # relative; files round their rates


@dataclass(frozen=True, eq=False)
class Pair:
    """A result beside its source.

    Attributes:
        result: the result.
        source: the used part of the clip or picture it was made from, upright; None where nobody said.
        track: the face in each frame of `source`, with its mesh; None without a source.
        timeline: which frame of `source` each frame of the result was; None where that is not known.
        source_start_s: where in its file the used part begins.
        unmatched: why there is no timeline although there is a source.
        remarks: what was assumed.
    """

    result: VideoInfo
    source: VideoInfo | None = None
    track: FaceTrack | None = None
    timeline: Timeline | None = None
    source_start_s: float = 0.0
    unmatched: str = ""
    remarks: tuple[str, ...] = ()


def probe_result(result: VideoInfo | str | Path) -> VideoInfo:
    """Look at a result.

    Raises:
        MediaError: it is missing or cannot be read, or it is a picture.
    """
    video = result if isinstance(result, VideoInfo) else probe(result)
    if video.is_still:
        raise MediaError(
            f"{video.path} is a picture: there is nothing to evaluate",
            cause="motion, sound and flicker are measured, and a picture has none",
            next_step="name a video; for a picture compare two arrays with lipwise.stages.fidelity.FidelityMeter",
        )
    return video


def match(
    result: VideoInfo,
    source: VideoInfo | str | Path | None,
    *,
    track: FaceTrack | None = None,
    timeline: Timeline | None = None,
    source_start_s: float = 0.0,
    detector: str = "auto",
    cache: bool = True,
    progress: bool = False,
) -> Pair:
    """Bring a result and its source together.

    Args:
        track: the source's; None looks for its face now.
        timeline: None takes a result of as many frames as the source frame for frame, and lays out another as
            `Timeline.for_speech` does: a shorter one is the beginning, a longer one goes backward and forward.
        source_start_s: where in its file `source` begins, where it is a part of a clip.

    Raises:
        SettingsError: track or timeline are not those of these clips.
        MediaError: the source cannot be read.

    Warns:
        LipwiseWarning: without a timeline, what was assumed.
    """
    if source is None:
        _check_nothing_given(track, timeline, source_start_s)
        return Pair(result)
    video = source if isinstance(source, VideoInfo) else probe(source)
    if track is None:
        found = examine(video, detector=detector, mesh=True, cache=cache, progress=progress)
        video, track = found.video, found.track
    video = turn_video(video, track.rotation)
    if len(track) != video.frame_count:
        raise SettingsError(
            f"The track is not that of {video.path.name}",
            cause=f"it has {len(track)} frames, the clip {video.frame_count}",
            next_step="give the track that was made of this clip, or leave it out",
        )
    if not len(track.mesh_xy):
        track = with_mesh(video, track, progress=progress)
    if video.is_still:
        video = video.at_rate(result.fps)
    pair = Pair(result, video, track, source_start_s=source_start_s)
    if timeline is not None:
        check_timeline(timeline, result, video)
        return replace(pair, timeline=timeline)
    return _laid_out(pair, video, track)


def _check_nothing_given(track: FaceTrack | None, timeline: Timeline | None, source_start_s: float) -> None:
    if track is not None or timeline is not None or source_start_s:
        raise SettingsError(
            "A track, a timeline or a start was given without its source",
            cause="they tell where the result's frames come from",
            next_step="give the source clip, too",
        )


def check_timeline(timeline: Timeline, result: VideoInfo, source: VideoInfo) -> None:
    """Raise SettingsError where a timeline is not that of a result and its source."""
    cause = ""
    if len(timeline) != result.frame_count:
        cause = f"it has {len(timeline)} frames, the result {result.frame_count}"
    elif not _same_rate(timeline, result):
        cause = f"it has {float(timeline.fps):g} frames a second, the result {float(result.fps):g}"
    elif timeline.source_index.min() < 0 or timeline.source_index.max() >= source.frame_count:
        low, high = int(timeline.source_index.min()), int(timeline.source_index.max())
        cause = f"it names frame {low if low < 0 else high}, and the source has {source.frame_count}"
    if cause:
        raise SettingsError(
            f"The timeline is not that of {result.path.name}",
            cause=cause,
            next_step="give the timeline this result was made with, or the folder of its run",
        )


def _same_rate(first: Timeline | VideoInfo, second: VideoInfo) -> bool:
    return abs(float(first.fps / second.fps) - 1) < RATE_SLACK


def _laid_out(pair: Pair, source: VideoInfo, track: FaceTrack) -> Pair:
    """With the timeline that is most likely."""
    result = pair.result
    if not _same_rate(source, result):
        rates = f"{float(result.fps):g} and {float(source.fps):g}"
        return replace(pair, unmatched=f"result and source have {rates} frames a second, and no timeline was given")
    timeline = Timeline.for_speech(track.has_face, source.fps, result.frame_count)
    if result.frame_count == source.frame_count or source.is_still:
        return replace(pair, timeline=timeline)
    beginning = result.frame_count < source.frame_count
    how = "the beginning of the source" if beginning else "the source forward, backward and forward again"
    said = f"no timeline was given: {result.path.name} is taken for {how}"
    warnings.warn(said, LipwiseWarning, stacklevel=4)
    return replace(pair, timeline=timeline, remarks=(said,))
