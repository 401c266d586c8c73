"""Files that appear under their name only when they are complete."""

import contextlib
from pathlib import Path

import av
from av.container import OutputContainer
from av.error import FFmpegError

from lipwise.errors import MediaError
from lipwise.files import expanded, new_part, unwritable, writing

MUXERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
QUICK_START = {"movflags": "+faststart"}  # the index before the frames, so that a browser can begin at once
LONGEST_SIDE = 16_384  # px, of a picture that x264 takes
# FFmpeg takes a picture whose sides, each with a margin, have a product under this (av_image_check_size2 in
# libavutil/imgutils.c, which counts 8 bytes a pixel and has them in an int).
MARGIN, LARGEST_AREA = 128, 2**28  # px


def frame_fits(size_wh: tuple[int, int]) -> bool:
    """True where a video can have frames of that size, once their sides are even."""
    width, height = (side + side % 2 for side in size_wh)
    return max(width, height) <= LONGEST_SIDE and (width + MARGIN) * (height + MARGIN) < LARGEST_AREA


def check_frame_size(size_wh: tuple[int, int]) -> None:
    """Refuse frames that no video can have.

    Raises:
        MediaError: a side is too long, or both together; it names the largest size of that shape.
    """
    if frame_fits(size_wh):
        return
    width, height = size_wh
    shapes = ((round(width * tall / height), tall) for tall in range(min(height, LONGEST_SIDE), 0, -1))
    most_wh = next(filter(frame_fits, shapes), (LONGEST_SIDE, 1))
    raise MediaError(
        f"A video of {width} x {height} px cannot be written",
        cause=f"x264 takes at most {LONGEST_SIDE:,} px on a side, and FFmpeg fewer than {LARGEST_AREA:,} px in all, "
        f"with {MARGIN} px more counted on each side",
        next_step=f"use a smaller scale or height; {most_wh[0]} x {most_wh[1]} px is the most for this shape",
    )


class PartFile:
    """A file written under a name of its own beside the final one, and renamed when it is complete.

    Folders on the way are made. Whatever stands under the final name stays untouched until then.

    Raises:
        MediaError: the suffix is none of `MUXERS`, the name is a folder's, or the place cannot be written to.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = expanded(path).absolute()
        suffix = self.path.suffix.lower()
        if suffix not in MUXERS:
            raise MediaError(
                f"{self.path} cannot be written as a video",
                cause=f"nothing is known of the ending '{suffix}'" if suffix else "its name has no ending",
                next_step=f"use one of {', '.join(MUXERS)}",
            )
        self.muxer = MUXERS[suffix]
        with writing(self.path):
            if self.path.is_dir():
                raise MediaError(
                    f"{self.path} cannot be written", cause="it is a folder", next_step="name a file inside it"
                )
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.part = new_part(self.path)

    def open(self) -> OutputContainer:
        """A container that writes to the part file, with its index at the front where the format has one."""
        options = {} if self.muxer == "matroska" else QUICK_START
        try:
            return av.open(str(self.part), "w", format=self.muxer, options=options)
        except (FFmpegError, OSError) as error:
            self.discard()
            raise unwritable(self.path, error) from error

    def keep(self) -> Path:
        """The file is complete: give it its name."""
        try:
            self.part.replace(self.path)
        except OSError as error:
            self.discard()
            raise unwritable(self.path, error) from error
        return self.path

    def discard(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(OSError):
            self.part.unlink(missing_ok=True)


def check_destination(path: str | Path) -> None:
    """Raise MediaError now if a video cannot be written there later; no file is made, and folders only on the way."""
    PartFile(path).discard()
