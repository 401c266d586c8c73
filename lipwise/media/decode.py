"""Decoded frames by number, from any place in a file on."""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from lipwise.errors import LipwiseWarning, MediaError
from lipwise.media.container import open_input
from lipwise.media.probe import FrameIndex, VideoInfo

DECODER_THREADS = 2
SEEK_ATTEMPTS = 3  # keyframes tried, each before the last, until decoding begins early enough


class FrameSource:
    """An open clip whose frames are asked for by number (in order of presentation).

    A context manager. Frames that cannot be decoded are replaced by the one before and counted; closing warns of them.
    """

    def __init__(self, video: VideoInfo, index: FrameIndex) -> None:
        self._video, self._index = video, index
        self._open = ExitStack()
        self._container: InputContainer
        self._stream: VideoStream
        self._at_start = False
        self._missing: set[int] = set()

    def __enter__(self) -> Self:
        self._reopen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open.close()
        if self._missing and error is None:
            warnings.warn(
                f"{self._video.path}: {len(self._missing)} frames cannot be decoded; "
                "the nearest frame that can is shown in their place",
                LipwiseWarning,
                stacklevel=4,
            )

    def _reopen(self) -> None:
        """Go to the start; a new container, since raw streams and GIFs cannot be sought in."""
        self._open.close()
        self._container = self._open.enter_context(open_input(self._video.path))
        self._stream = next(s for s in self._container.streams.video if s.index == self._index.stream)
        self._at_start = True
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = DECODER_THREADS

    def key_before(self, number: int) -> int:
        """The last frame at or before `number` at which decoding can begin."""
        keys = self._index.keys
        return int(keys[np.searchsorted(keys, number, side="right") - 1])

    def key_from(self, number: int) -> int:
        """The first frame at or after `number` at which decoding can begin; the clip's length if there is none."""
        keys = self._index.keys
        place = int(np.searchsorted(keys, number))
        return int(keys[place]) if place < len(keys) else self._index.count

    def frames_from(self, first: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Every frame from number `first` to the last, each exactly once.

        Only one such iteration may be alive at a time: the next one moves the file's reading position.
        """
        for tick in self._places_before(first):
            self._at_start = False
            try:
                self._container.seek(tick, stream=self._stream)
            except FFmpegError:
                break
            frames = self._numbered()
            opening = next(frames, None)
            if opening is not None and opening[0] <= first:
                yield from self._complete(first, opening, frames)
                return
        if not self._at_start:
            self._reopen()
        self._at_start = False
        frames = self._numbered()
        yield from self._complete(first, next(frames, None), frames)

    def _places_before(self, first: int) -> list[int]:
        """Timestamps to seek to, the likeliest first: a container that seeks by order of storage may go too far."""
        keys, ticks = self._index.keys, self._index.ticks
        before = keys[: np.searchsorted(keys, first, side="right")]
        if ticks is None or before[-1] == 0:
            return []
        return [int(ticks[key]) for key in before[-SEEK_ATTEMPTS:][::-1] if key > 0]

    def _complete(
        self, first: int, opening: tuple[int, av.VideoFrame] | None, frames: Iterator[tuple[int, av.VideoFrame]]
    ) -> Iterator[tuple[int, av.VideoFrame]]:
        """Frames from `first` on, with those that are missing replaced by the one before."""
        if opening is None:
            raise MediaError(
                f"No frame of {self._video.path} can be decoded",
                cause="the decoder gives no picture",
                next_step="see whether another program shows it; if none does, copy or download it again",
            )
        due, (number, shown) = first, opening
        latest = shown
        while due < self._index.count:
            while number < due:  # on the way from the keyframe, or a frame that came twice
                latest = shown
                number, shown = next(frames, (self._index.count, latest))
            if number > due:
                self._missing.add(due)
                yield due, latest
            else:
                yield due, shown
            due += 1

    def _numbered(self) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decoded frames with their numbers; without timestamps they are counted from the start of the file."""
        ticks, number = self._index.ticks, -1
        for frame in self._decoded():
            if ticks is None or frame.pts is None:
                number += 1
            else:
                number = max(0, int(np.searchsorted(ticks, frame.pts, side="right")) - 1)
            yield number, frame

    def _decoded(self) -> Iterator[av.VideoFrame]:
        """Whatever the decoder gives; packets that it refuses are passed over."""
        try:
            for packet in self._container.demux(self._stream):
                try:
                    frames = packet.decode()
                except FFmpegError:
                    continue  # the frames it held are counted as missing
                yield from frames  # pyright: ignore[reportReturnType]  # a video stream gives VideoFrame only
        except (FFmpegError, OSError):
            return  # the file ends here; the frames after it are counted as missing
