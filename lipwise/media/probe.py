"""What a clip is: size, exact rate, length, colour, sound, and the grid its frames are read on."""

import warnings
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from lipwise.errors import LipwiseWarning, MediaError, in_words
from lipwise.media.colour import Colour, ToRgb, colour_of
from lipwise.media.container import check_readable, exact, open_input, picture_stream
from lipwise.media.orientation import Orientation, orientation_of
from lipwise.media.packets import Packets, read_packets
from lipwise.media.still import OPAQUE, TRANSPARENT, is_still_file, read_still
from lipwise.media.timing import DEFAULT_RATE, Grid, make_grid, plain_grid

LARGEST_SHORTFALL_S = 0.25  # a file may promise that much more than it holds before it counts as cut off
STILL_BRANDS = {"avif"}  # one picture in a video container
STILL_COLOUR = Colour(matrix="rgb", range="full", primaries="bt709", transfer="srgb", guessed=False)


@dataclass(frozen=True, eq=False)
class FrameIndex:
    """Where the frames of a clip lie.

    Attributes:
        stream: number of the stream in its file.
        frame_of: (T,) int64, the frame shown at each step of the constant grid; frames count in order of presentation.
        count: frames in the file.
        ticks: (count,) int64 increasing timestamps; None where the file has none, then decoded frames are counted.
        keys: (k,) int64, numbers of the frames at which decoding can begin; the first is always 0.
        squared_wh: size of the stored picture with the pixel aspect squared, before it is turned.
        orientation: how it is turned for display.
        has_alpha: parts of it may be transparent.
        frame_bytes: memory that one decoded frame takes.
    """

    stream: int
    frame_of: np.ndarray
    count: int
    ticks: np.ndarray | None
    keys: np.ndarray
    squared_wh: tuple[int, int]
    orientation: Orientation
    has_alpha: bool
    frame_bytes: int


@dataclass(frozen=True)
class VideoInfo:
    """A clip or picture as it will be read.

    Attributes:
        fps: frames a second of the constant grid, exact; 25 for a picture.
        frame_count: steps of that grid.
        size_wh: as shown: upright, pixels square.
        duration_s: frame_count / fps.
        variable_rate: the file's own frames come at uneven times.
        rotation: degrees clockwise that a stored video frame is turned by; already applied in size_wh and on reading.
        notes: what a user should be told about how the clip is read.
        turned: degrees clockwise beyond what the file says, part of `rotation`; see `lipwise.media.turn`.
        index: where the frames lie; None for a picture, which OpenCV reads.
    """

    path: Path
    fps: Fraction
    frame_count: int
    size_wh: tuple[int, int]
    duration_s: float
    variable_rate: bool
    rotation: int
    has_audio: bool
    is_still: bool
    codec: str
    pixel_format: str
    colour: Colour
    is_hdr: bool
    notes: tuple[str, ...]
    turned: int = 0
    index: FrameIndex | None = field(repr=False, compare=False, default=None)

    def part(self, start: int, stop: int) -> "VideoInfo":
        """The clip between two frames of its grid, `stop` exclusive, as a clip of its own."""
        if not 0 <= start < stop <= self.frame_count:
            raise ValueError(f"expected 0 <= start < stop <= {self.frame_count}, got {start} and {stop}")
        index = self.index and replace(self.index, frame_of=self.index.frame_of[start:stop])
        return replace(self, frame_count=stop - start, duration_s=float((stop - start) / self.fps), index=index)

    def at_rate(self, fps: Fraction | int) -> "VideoInfo":
        """A picture, shown at another frame rate."""
        return replace(self, fps=Fraction(fps), duration_s=float(self.frame_count / Fraction(fps)))


def probe(path: str | Path) -> VideoInfo:
    """Look at a clip or picture: its packets are read, one frame is decoded.

    A variable-rate clip gets a constant grid at its nominal rate; a gap repeats the frame before it, a gap at the
    start holds the first frame, and `notes` says so.

    Raises:
        MediaError: the file is missing, empty, a folder, not a video or picture, or nothing in it can be decoded.

    Warns:
        LipwiseWarning: the file ends before it should; what is there is used.
    """
    path = check_readable(Path(path))
    if is_still_file(path):
        return _still_info(path)
    with open_input(path) as container:
        stream = picture_stream(container, path)
        packets = read_packets(container, stream)
        if not packets.count:
            raise _nothing_decoded(path, packets.problem or "the file holds no frame")
        grid = _grid(container, stream, packets)
    # Opened anew: not every format can go back to its start.
    with open_input(path) as container:
        stream = picture_stream(container, path)
        frame = _first_frame(container, stream, path)
        return _describe(path, container, stream, frame, packets, grid)


def _grid(container: InputContainer, stream: VideoStream, packets: Packets) -> Grid:
    stated = (exact(stream.average_rate), exact(stream.base_rate), exact(stream.guessed_rate))
    time_base = exact(stream.time_base)
    if packets.ticks is None or time_base is None:
        # The guess first: the average of a file without times is an invention of the demuxer.
        return plain_grid(packets.count, next(filter(None, stated[::-1]), DEFAULT_RATE))
    origin_s = Fraction(max(0, container.start_time or 0), av.time_base)
    return make_grid(packets.ticks, time_base, origin_s=origin_s, last_duration=packets.last_duration, stated=stated)


def _nothing_decoded(path: Path, cause: str) -> MediaError:
    return MediaError(
        f"No frame of {path} can be decoded",
        cause=cause,
        next_step="see whether another program shows it; if none does, copy or download it again",
    )


def _first_frame(container: InputContainer, stream: VideoStream, path: Path) -> av.VideoFrame:
    said = "the decoder gives no picture"
    for packet in container.demux(stream):
        try:
            for frame in packet.decode():
                return frame
        except FFmpegError as error:
            said = f"FFmpeg says: {in_words(error)}"
    raise _nothing_decoded(path, said)


def squared_size(frame: av.VideoFrame, aspect: Fraction | None) -> tuple[int, int]:
    """Width and height of a stored frame once its pixels are square; the height stays, as players do it."""
    width = frame.width * aspect if aspect else Fraction(frame.width)
    return max(1, round(width)), frame.height


def _describe(
    path: Path, container: InputContainer, stream: VideoStream, frame: av.VideoFrame, packets: Packets, grid: Grid
) -> VideoInfo:
    orientation = orientation_of(frame)
    squared_wh = squared_size(frame, exact(stream.sample_aspect_ratio))
    colour = colour_of(frame, stream.codec_context)
    has_alpha = frame.format.has_palette or any(component.is_alpha for component in frame.format.components)
    brand = container.metadata.get("major_brand", "").strip()
    is_picture = container.format.name.endswith(("_pipe", "image2", "gif", "apng")) or brand in STILL_BRANDS
    frame_bytes = sum(plane.buffer_size for plane in frame.planes)
    where = (stream.index, grid.frame_of, packets.count, packets.ticks, packets.keys)
    index = FrameIndex(*where, squared_wh, orientation, has_alpha, frame_bytes)
    return VideoInfo(
        path=path,
        fps=grid.fps,
        frame_count=len(grid.frame_of),
        size_wh=orientation.size_wh(squared_wh),
        duration_s=float(len(grid.frame_of) / grid.fps),
        variable_rate=grid.variable,
        rotation=orientation.rotation,
        has_audio=bool(container.streams.audio),
        is_still=is_picture and packets.count == 1,
        codec=stream.codec_context.name,
        pixel_format=frame.format.name,
        colour=colour,
        is_hdr=colour.is_hdr,
        notes=(*_grid_notes(grid), *_picture_notes(frame, squared_wh, colour, has_alpha), *_cut_off(path, packets)),
        index=index,
    )


def _grid_notes(grid: Grid) -> list[str]:
    notes = []
    if grid.variable:
        notes.append(
            f"the frame rate varies: read at a constant {float(grid.fps):g} frames a second, "
            f"{grid.repeated} gaps repeat the frame before, {grid.dropped} frames that come too fast are left out"
        )
    if grid.held_at_start:
        late_ms = round(1000 * grid.held_at_start / grid.fps)
        notes.append(f"the picture begins {late_ms} ms after the file does: the first frame is held for that long")
    return notes


def _picture_notes(frame: av.VideoFrame, squared_wh: tuple[int, int], colour: Colour, has_alpha: bool) -> list[str]:
    notes = []
    if squared_wh != (frame.width, frame.height):
        notes.append(f"its pixels are not square: shown at {squared_wh[0]}x{squared_wh[1]}")
    if colour.is_hdr:
        notes.append(f"it is HDR ({colour.transfer.upper()}): highlights are compressed to standard range")
    if frame.interlaced_frame:
        notes.append("it is interlaced: fast movement may show combed edges")
    if has_alpha and ToRgb(colour, squared_wh, alpha=True)(frame)[..., 3].min() < OPAQUE:
        notes.append(TRANSPARENT)
    return notes


def _cut_off(path: Path, packets: Packets) -> list[str]:
    if packets.shortfall_s <= LARGEST_SHORTFALL_S and not packets.problem:
        return []
    said = f" ({packets.problem})" if packets.problem else ""
    note = f"the file is cut off: its last {packets.shortfall_s:.1f} s are missing{said}"
    warnings.warn(f"{path}: {note}; what is there is used", LipwiseWarning, stacklevel=4)
    return [note]


def _still_info(path: Path) -> VideoInfo:
    picture, pixel_format, notes = read_still(path)
    height, width = picture.shape[:2]
    return VideoInfo(
        path=path,
        fps=DEFAULT_RATE,
        frame_count=1,
        size_wh=(width, height),
        duration_s=float(1 / DEFAULT_RATE),
        variable_rate=False,
        rotation=0,
        has_audio=False,
        is_still=True,
        codec=path.suffix.lstrip(".").lower(),
        pixel_format=pixel_format,
        colour=STILL_COLOUR,
        is_hdr=False,
        notes=notes,
        index=None,
    )
