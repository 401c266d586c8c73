"""The timestamps of a stream's frames, read from its packets without decoding."""

from dataclasses import dataclass

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from lipwise.errors import in_words

RAW_DEMUXERS = {"h264", "hevc", "vvc", "m4v", "mjpeg", "mpegvideo", "obu", "h261", "h263"}  # pictures without times
WHOLE_ONLY = RAW_DEMUXERS | {"gif", "apng"}  # no way in but from the first frame on
HEADER_SAYS_LENGTH = ("matroska", "flv", "avi")
NO_TIME = np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False)
class Packets:
    """The frames of a stream in order of presentation.

    Attributes:
        count: how many frames there are.
        ticks: (count,) int64 increasing timestamps in the stream's time base; None where there are none to be had.
        keys: (k,) int64 numbers of the frames at which decoding can begin; the first is always 0.
        last_duration: ticks that the last frame is shown; 0 when unknown.
        shortfall_s: seconds that the file promises and does not hold.
        problem: what stopped the reading, in FFmpeg's words, or empty.
    """

    count: int
    ticks: np.ndarray | None
    keys: np.ndarray
    last_duration: int
    shortfall_s: float
    problem: str


def read_packets(container: InputContainer, stream: VideoStream) -> Packets:
    """Go once through a file's packets. Frames that an edit list cuts away are left out."""
    pts: list[int] = []
    is_key: list[bool] = []
    ends: list[int] = []
    problem, seen, latest_s = "", 0, 0.0
    try:
        for packet in container.demux(stream, *container.streams.audio):
            if packet.size == 0:  # the flush at the end
                continue
            if packet.pts is not None:
                latest_s = max(latest_s, (packet.pts + (packet.duration or 0)) * float(packet.time_base))
            if packet.stream_index != stream.index:
                continue
            seen += 1
            if packet.is_discard:
                continue
            pts.append(NO_TIME if packet.pts is None else packet.pts)
            is_key.append(packet.is_keyframe)
            ends.append(packet.duration or 0)
    except (FFmpegError, OSError) as error:
        problem = in_words(error)
    times, keys, durations = np.array(pts, np.int64), np.array(is_key, bool), np.array(ends, np.int64)
    order = np.argsort(times, kind="stable")
    times, keys, durations = times[order], keys[order], durations[order]
    name = container.format.name
    # AVI has times of storage only, which are not those of presentation once frames are reordered.
    counted = name in RAW_DEMUXERS or (name == "avi" and stream.codec_context.has_b_frames)
    if not len(times) or counted or times[0] == NO_TIME or np.any(np.diff(times) <= 0):
        return Packets(len(times), None, np.zeros(1, np.int64), 0, 0.0, problem)
    last = int(durations[-1])
    first_keys = np.zeros(1, np.int64) if name in WHOLE_ONLY else np.union1d(0, np.flatnonzero(keys))
    if stream.frames and stream.duration and stream.time_base:
        promised = (stream.start_time or 0) + stream.duration - int(times[-1]) - last
        shortfall_s = float(promised * stream.time_base) if seen < stream.frames else 0.0
    else:
        shortfall_s = _file_shortfall_s(container, latest_s)
    return Packets(len(times), times, first_keys, last, max(0.0, shortfall_s), problem)


def _file_shortfall_s(container: InputContainer, latest_s: float) -> float:
    """Seconds that a file promises in its header beyond all it holds; 0 for formats that only estimate."""
    if not container.duration or not container.format.name.startswith(HEADER_SAYS_LENGTH):
        return 0.0
    return ((container.start_time or 0) + container.duration) / av.time_base - latest_s
