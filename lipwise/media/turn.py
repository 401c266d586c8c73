"""A clip turned by quarter turns that its file says nothing of."""

from dataclasses import replace

import numpy as np

from lipwise.errors import SettingsError
from lipwise.media.probe import VideoInfo

NOT_UPRIGHT = "its picture does not stand upright"


def turn_video(video: VideoInfo, degrees: int) -> VideoInfo:
    """The clip or picture turned clockwise beyond what its file says, in place of an earlier such turn.

    Everything that reads it by the VideoInfo returned sees turned frames, and turning it again by the same number
    changes nothing.

    Args:
        degrees: 0, 90, 180 or 270.

    Raises:
        SettingsError: another number.
    """
    if degrees not in (0, 90, 180, 270):
        raise SettingsError(
            f"A clip cannot be turned by {degrees!r} degrees",
            cause="pictures are turned by quarter turns, clockwise",
            next_step="use 0, 90, 180 or 270",
        )
    more = (degrees - video.turned) % 360
    rotation = (video.rotation + more) % 360
    index = video.index and replace(video.index, orientation=replace(video.index.orientation, rotation=rotation))
    notes = [note for note in video.notes if note != turn_note(video.turned)]
    return replace(
        video,
        size_wh=video.size_wh if more % 180 == 0 else video.size_wh[::-1],
        rotation=rotation,
        notes=(*notes, *([turn_note(degrees)] if degrees else [])),
        turned=degrees,
        index=index,
    )


def turn_note(degrees: int) -> str:
    """What `VideoInfo.notes` says of a clip that was turned."""
    return f"{NOT_UPRIGHT}: turned by {degrees} degrees clockwise"


def spread_frames(video: VideoInfo, count: int) -> np.ndarray:
    """(n,) int64 numbers of at most `count` frames all over a clip, at keyframes where there are any near.

    A keyframe is decoded alone; another frame costs all those since the last one.
    """
    even = np.linspace(0, video.frame_count - 1, 2 * min(count, video.frame_count) + 1)[1::2]
    if video.index is None:
        return np.zeros(1, np.int64)
    keys = np.flatnonzero(np.isin(video.index.frame_of, video.index.keys))
    chosen = np.round(even).astype(np.int64)
    if len(keys):
        nearest = keys[np.argmin(np.abs(keys[None] - even[:, None]), axis=1)]
        near = np.abs(nearest - even) <= video.frame_count / count / 2
        chosen = np.where(near, nearest, chosen)
    return np.unique(chosen)
