"""Whether a track, a report or a timeline is that of a clip, before one is used for the other."""

import warnings

from lipwise.errors import LipwiseWarning, SettingsError
from lipwise.faces.track import FaceTrack
from lipwise.files import sha256_of
from lipwise.media.probe import VideoInfo
from lipwise.stages.usability import UsabilityReport
from lipwise.timeline import Timeline


def check_track(track: FaceTrack, video: VideoInfo, *, name: str = "track") -> None:
    """Refuse a track that was made for other frames.

    Args:
        video: turned as the track says.
        name: what to call the track in the error, such as its file.

    Raises:
        SettingsError: another length or size, or the content of another file.

    Warns:
        LipwiseWarning: the track does not say which file it was made for.
    """
    if (len(track), track.size_wh) != (video.frame_count, video.size_wh):
        raise _foreign(
            name,
            video,
            f"it has {len(track)} frames of {_sides(track.size_wh)} pixels, the clip {video.frame_count} of "
            f"{_sides(video.size_wh)}",
        )
    if not track.clip:
        warnings.warn(
            f"the {name} does not say which file it was made for; it is taken for that of {video.path}, which has as "
            "many frames of that size",
            LipwiseWarning,
            stacklevel=3,
        )
    _check_content(track.clip, video, name)


def check_timeline(timeline: Timeline, video: VideoInfo) -> None:
    """Refuse a timeline of other frames.

    Raises:
        SettingsError: it shows frames that the clip has not, another rate, or frames of another file.
    """
    first, last = int(timeline.source_index.min()), int(timeline.source_index.max())
    if first < 0 or last >= video.frame_count:
        raise _foreign("timeline", video, f"it shows frames {first} to {last}, the clip has {video.frame_count}")
    if timeline.fps != video.fps:
        raise _foreign("timeline", video, f"it counts {timeline.fps} frames a second, the clip {video.fps}")
    _check_content(timeline.clip, video, "timeline")


def check_report(report: UsabilityReport, video: VideoInfo) -> None:
    """Refuse a report of other frames.

    Raises:
        SettingsError: another length, or the content of another file.
    """
    if len(report) != video.frame_count:
        raise _foreign("report", video, f"it is about {len(report)} frames, the clip has {video.frame_count}")
    _check_content(report.clip, video, "report")


def _check_content(clip: str, video: VideoInfo, name: str) -> None:
    if clip and clip != sha256_of(video.path):
        raise _foreign(name, video, "it was made for a file of other content, or this one was changed since")


def _foreign(name: str, video: VideoInfo, cause: str) -> SettingsError:
    return SettingsError(
        f"The {name} is not that of {video.path}",
        cause=cause,
        next_step="use what was made from this very file, or make it anew",
    )


def _sides(size_wh: tuple[int, int]) -> str:
    return f"{size_wh[0]} x {size_wh[1]}"
