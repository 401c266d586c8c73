"""Frames of a clip in any order, in bounded memory."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np

from lipwise.errors import MediaError
from lipwise.media.colour import ToRgb
from lipwise.media.decode import FrameSource
from lipwise.media.orientation import Orientation
from lipwise.media.probe import FrameIndex, VideoInfo, probe
from lipwise.media.still import on_white, read_still
from lipwise.media.tone import CHROMATICITY, to_sdr

BLOCK_BYTES = 128 * 1024 * 1024  # decoded frames kept while a part of a clip is played backward
SEEK_GAIN = 16  # frames; a keyframe nearer than that is reached sooner by decoding on


def read_frames(
    video: VideoInfo | str | Path, source_index: Sequence[int] | np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Stream the frames of a clip or picture.

    Forward parts are decoded as they come. Backward parts are decoded in blocks of at most `BLOCK_BYTES`, each block
    from a keyframe on, and played in reverse; no more than one block is ever held. A frame number that is repeated in
    a row is decoded and converted once.

    Args:
        source_index: (T,) frame numbers on the clip's constant grid, in any order and as often as wanted; None is
            every frame once. A picture has the one number 0.

    Yields:
        (H, W, 3) uint8 RGB frames of `VideoInfo.size_wh`, upright, with square pixels. Each is an array of its own.

    Raises:
        MediaError: the file cannot be read, or a frame number lies outside the clip.

    Warns:
        LipwiseWarning: frames that cannot be decoded; the nearest one is shown in their place.
    """
    video = video if isinstance(video, VideoInfo) else probe(video)
    wanted = _checked(video, source_index)
    if video.index is None:
        return _read_picture(video, len(wanted))
    return _read_clip(video, video.index, video.index.frame_of[wanted])


def _checked(video: VideoInfo, source_index: Sequence[int] | np.ndarray | None) -> np.ndarray:
    if source_index is None:
        return np.arange(video.frame_count, dtype=np.int64)
    wanted = np.asarray(source_index)
    if wanted.ndim != 1 or (len(wanted) and not np.issubdtype(wanted.dtype, np.integer)):
        raise ValueError(f"expected (T,) whole frame numbers, got {wanted.dtype} of shape {wanted.shape}")
    outside = wanted[(wanted < 0) | (wanted >= video.frame_count)]
    if len(outside):
        raise MediaError(
            f"Frame {int(outside[0])} of {video.path} cannot be read",
            cause=f"the clip's frames are numbered from 0 to {video.frame_count - 1}",
            next_step="ask for frames inside the clip",
        )
    return wanted.astype(np.int64)


def _read_picture(video: VideoInfo, count: int) -> Iterator[np.ndarray]:
    picture = Orientation(video.turned).upright(read_still(video.path)[0])
    for _ in range(count):
        yield picture.copy()


def _read_clip(video: VideoInfo, index: FrameIndex, numbers: np.ndarray) -> Iterator[np.ndarray]:
    to_rgb = Picture(video, index)
    most = max(1, BLOCK_BYTES // index.frame_bytes)
    with FrameSource(video, index) as source:
        last, held = -1, np.empty(0)
        repeats = np.append(numbers[1:] == numbers[:-1], False)[: len(numbers)]
        for number, frame, repeated in zip(numbers, _in_order(source, numbers, most), repeats, strict=True):
            if number != last:
                last, held = number, to_rgb(frame)
            yield held.copy() if repeated else held


class Picture:
    """Decoded frames of one clip as upright RGB pictures on its display size."""

    def __init__(self, video: VideoInfo, index: FrameIndex) -> None:
        colour = video.colour
        self._orientation, self._has_alpha = index.orientation, index.has_alpha
        self._primaries = "bt2020" if colour.is_hdr and colour.primaries == "unknown" else colour.primaries
        self._transfer = colour.transfer
        wide = self._primaries in CHROMATICITY and self._primaries != "bt709"
        self._deep = colour.is_hdr or wide
        self._to_rgb = ToRgb(colour, index.squared_wh, deep=self._deep, alpha=self._has_alpha and not self._deep)

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """(H, W, 3) uint8 RGB."""
        picture = self._to_rgb(frame)
        if self._deep:
            picture = to_sdr(picture, self._transfer, self._primaries)
        elif self._has_alpha:
            picture = on_white(picture)
        return self._orientation.upright(picture)


def monotone_runs(numbers: np.ndarray) -> Iterator[tuple[slice, bool]]:
    """Parts of an array that only rise (True) or only fall (False); repeats belong to the part they stand in."""
    first = 0
    while first < len(numbers):
        stop, direction = first + 1, 0
        while stop < len(numbers):
            turn = int(np.sign(numbers[stop] - numbers[stop - 1]))
            if turn * direction < 0:
                break
            direction = direction or turn
            stop += 1
        yield slice(first, stop), direction >= 0
        first = stop


def _in_order(source: FrameSource, numbers: np.ndarray, most: int) -> Iterator[av.VideoFrame]:
    """The decoded frame for each number; at most `most` of them are held."""
    cursor = _Cursor(source)
    for part, rising in monotone_runs(numbers):
        if rising:
            yield from map(cursor.frame, numbers[part].tolist())
        else:
            cursor.forget()
            yield from _backward(source, numbers[part], most)


class _Cursor:
    """Forward reading that decodes on where it can and seeks only back or far ahead."""

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self.forget()

    def forget(self) -> None:
        """The reading position is no longer this cursor's."""
        self._frames: Iterator[tuple[int, av.VideoFrame]] = iter(())
        self._at: tuple[int, av.VideoFrame] | None = None

    def frame(self, number: int) -> av.VideoFrame:
        if self._at is None or number < self._at[0] or self._source.key_before(number) > self._at[0] + SEEK_GAIN:
            self._frames = self._source.frames_from(number)
            self._at = next(self._frames)
        while self._at[0] < number:
            self._at = next(self._frames)
        return self._at[1]


def _backward(source: FrameSource, numbers: np.ndarray, most: int) -> Iterator[av.VideoFrame]:
    """Frames of falling numbers, decoded in blocks of at most `most` frames from behind."""
    done = 0
    while done < len(numbers):
        high, lowest = int(numbers[done]), int(numbers[-1])
        low = _block_start(source, high, lowest, most)
        part = numbers[done:][numbers[done:] >= low].tolist()
        block = _block(source, low, high, frozenset(part))
        for number, following in zip(part, [*part[1:], None], strict=True):
            yield block[number] if number == following else block.pop(number)  # freed before the next block comes
        done += len(part)


def _block_start(source: FrameSource, high: int, lowest: int, most: int) -> int:
    """First frame of the block that ends at `high`: a keyframe where one lies in reach, so that nothing is decoded
    twice; otherwise as far back as may be held."""
    reach = high - most + 1
    if reach <= lowest:
        return lowest
    key = source.key_from(reach)
    return key if key <= high else reach


def _block(source: FrameSource, low: int, high: int, wanted: frozenset[int]) -> dict[int, av.VideoFrame]:
    block: dict[int, av.VideoFrame] = {}
    for number, frame in source.frames_from(low):
        if number in wanted:
            block[number] = frame
        if number >= high:
            break
    return block
