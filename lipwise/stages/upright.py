"""Clips that lie on their side or stand on their head, set upright before anything else looks at them."""

import warnings
from pathlib import Path

from lipwise.errors import LipwiseWarning
from lipwise.faces.detect import FaceDetector
from lipwise.faces.rotation import LOOKED_AT, Rotation, find_rotation
from lipwise.faces.track import FaceTrack
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames
from lipwise.media.turn import NOT_UPRIGHT, spread_frames, turn_note, turn_video


def set_upright(video: VideoInfo | str | Path, detector: FaceDetector) -> tuple[VideoInfo, Rotation]:
    """Find by trying which way up the faces of a clip or picture are, and turn it.

    Returns:
        The clip to go on with, whose frames are read upright from here on, and what trying gave. A track of it keeps
        the turn as `FaceTrack.rotation`; `lipwise.media.turn.turn_video(video, track.rotation)` brings a clip that was
        probed anew to the same state.

    Warns:
        LipwiseWarning: the clip was turned.
    """
    video = video if isinstance(video, VideoInfo) else probe(video)
    rotation = find_rotation(read_frames(video, spread_frames(video, LOOKED_AT)), detector)
    if rotation.degrees:
        warnings.warn(f"{video.path}: {NOT_UPRIGHT}: {rotation}", LipwiseWarning, stacklevel=2)
        video = turn_video(video, (video.turned + rotation.degrees) % 360)
    return video, rotation


def turn_as_tracked(video: VideoInfo, track: FaceTrack) -> VideoInfo:
    """A clip turned as it was when its track was made; the same clip where it stands so already.

    Warns:
        LipwiseWarning: the clip was turned.
    """
    if track.rotation == video.turned:
        return video
    warnings.warn(f"{video.path}: {turn_note(track.rotation)}, as when it was tracked", LipwiseWarning, stacklevel=3)
    return turn_video(video, track.rotation)
