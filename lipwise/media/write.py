"""Frames to H.264 that browsers play."""

import contextlib
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from lipwise.errors import MediaError, SettingsError
from lipwise.files import hidden_folder, unwritable
from lipwise.media.colour import BT709, LIMITED, to_bt709
from lipwise.media.join import join_segments
from lipwise.media.output import PartFile, check_frame_size

BEST_QUALITY, WORST_QUALITY = 0, 51  # x264's scale
DEFAULT_QUALITY = 18  # hardly to be told from the original
KEYFRAME_EVERY_S = 2  # so that a player can jump about
PRESET = "veryfast"  # x264's; several times faster than its default at a tenth more bytes

# Nothing that looks ahead or spreads bits over time, so that a frame's bits depend on its own segment only: separately
# encoded segments, joined, then equal one whole encode (where their length is a multiple of the keyframe distance).
INDEPENDENT = "rc-lookahead=0:mbtree=0:sync-lookahead=0:scenecut=0:open-gop=0:bframes=0:b-adapt=0:weightp=0"


class VideoWriter:
    """Write RGB frames as H.264, yuv420p, BT.709 limited range and tagged so, at an exact rate.

    A context manager. The file is written under a temporary name and renamed when the block ends well; otherwise
    nothing is left behind and a file of that name stays as it was. Missing folders are made.

    H.264 with 4:2:0 chroma has even sides only: an odd picture gets its last column or row repeated once, so that a
    591 x 360 frame is read back as 592 x 360. Nothing is scaled.

    Args:
        path: .mp4, .m4v, .mov or .mkv.
        fps: frames a second, exact; 30000/1001 stays so.
        quality: 0 (lossless) to 51, less is better: x264's constant rate factor, or its constant quantiser in a
            segment.
        segment: encode so that files written separately can be joined by `join_segments` and equal a whole encode.

    Raises:
        MediaError: the file cannot be written, or no frame came.
        SettingsError: a quality or rate that makes no sense.
        ValueError: a frame of another shape or type than (H, W, 3) uint8, or of another size than the first.
    """

    def __init__(
        self, path: str | Path, *, fps: Fraction | int, quality: int = DEFAULT_QUALITY, segment: bool = False
    ) -> None:
        self._fps, self._quality, self._segment = _checked_rate(fps), _checked_quality(quality), segment
        self._file = PartFile(path)
        self._container: OutputContainer | None = None
        self._stream: VideoStream
        self._shape: tuple[int, ...] = ()
        self.frame_count = 0

    @property
    def path(self) -> Path:
        return self._file.path

    def __enter__(self) -> Self:
        return self

    def write(self, frame: np.ndarray) -> None:
        """Append one frame, (H, W, 3) uint8 RGB."""
        self._check(frame)
        if self._container is None:
            self._begin(frame)
        height, width = frame.shape[:2]
        if height % 2 or width % 2:
            frame = cv2.copyMakeBorder(frame, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        converted = to_bt709(frame)
        converted.pts, converted.time_base = self.frame_count, 1 / self._fps
        try:
            self._container.mux(self._stream.encode(converted))  # pyright: ignore[reportOptionalMemberAccess]  # _begin made it
        except (FFmpegError, OSError) as error:
            raise unwritable(self.path, error) from error
        self.frame_count += 1

    def _check(self, frame: np.ndarray) -> None:
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or not frame.size:
            raise ValueError(f"expected a frame (H, W, 3) uint8, got {frame.shape} {frame.dtype}")
        if self._shape and frame.shape != self._shape:
            raise ValueError(f"expected a frame {self._shape} like the first, got {frame.shape}")

    def _begin(self, frame: np.ndarray) -> None:
        self._shape = height, width, _ = frame.shape
        check_frame_size((width, height))
        self._container = self._file.open()
        stream = self._container.add_stream("libx264", rate=self._fps, options=self._options())
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = 1 / self._fps
        context.gop_size = keyframe_interval(self._fps)
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED
        context.thread_type = "FRAME"
        context.thread_count = 0
        self._stream = stream

    def _options(self) -> dict[str, str]:
        if not self._segment:
            return {"preset": PRESET, "crf": str(self._quality)}
        keyframes = keyframe_interval(self._fps)
        fixed = f"{INDEPENDENT}:keyint={keyframes}:min-keyint={keyframes}"
        return {"preset": PRESET, "qp": str(self._quality), "x264-params": fixed}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._abandon()
            return
        if self._container is None:
            self._abandon()
            raise MediaError(
                f"{self.path} was not written",
                cause="not one frame came",
                next_step="see why there was nothing to write; a video needs at least one frame",
            )
        try:
            self._container.mux(self._stream.encode(None))
            self._container.close()
        except (FFmpegError, OSError) as problem:
            self._abandon()
            raise unwritable(self.path, problem) from problem
        self._file.keep()

    def _abandon(self) -> None:
        if self._container is not None:
            with contextlib.suppress(FFmpegError, OSError):
                self._container.close()
        self._file.discard()


def keyframe_interval(fps: Fraction) -> int:
    """Frames from one keyframe to the next."""
    return max(1, round(KEYFRAME_EVERY_S * fps))


def _checked_rate(fps: Fraction | int) -> Fraction:
    cause = "it must be more than none"
    try:
        rate = Fraction(fps)
    except (ValueError, TypeError, ArithmeticError) as error:  # nan, None, infinity, 1/0
        rate, cause = Fraction(0), str(error)
    if rate <= 0:
        raise SettingsError(f"A video cannot have {fps} frames a second", cause=cause, next_step="use 25, say")
    return rate


def _checked_quality(quality: int) -> int:
    if not BEST_QUALITY <= quality <= WORST_QUALITY:
        raise SettingsError(
            f"A quality of {quality} does not exist",
            cause=f"it runs from {BEST_QUALITY} (best) to {WORST_QUALITY}",
            next_step=f"use {DEFAULT_QUALITY}, or less for more detail and a larger file",
        )
    return int(quality)


def write_video(
    path: str | Path,
    frames: Iterable[np.ndarray],
    *,
    fps: Fraction | int,
    sound: Iterable[np.ndarray] | None = None,
    quality: int = DEFAULT_QUALITY,
) -> Path:
    """Write frames, with sound where there is any, and return the path.

    Args:
        frames: (H, W, 3) uint8 RGB, all of one size.
        sound: (n, 2) float32 pieces at 48,000 Hz; cut or filled with silence to the picture's length.

    Raises:
        MediaError, SettingsError, ValueError: as `VideoWriter` and `join_segments`.
    """
    if sound is None:
        with VideoWriter(path, fps=fps, quality=quality) as writer:
            for frame in frames:
                writer.write(frame)
        return writer.path
    final = PartFile(path)  # says at once what is wrong with the name
    final.discard()
    with hidden_folder(final.path.parent) as folder:
        silent = write_video(folder / f"picture{final.path.suffix}", frames, fps=fps, quality=quality)
        return join_segments([silent], final.path, sound=sound)
