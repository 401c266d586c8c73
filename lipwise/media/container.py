"""Opening a file with FFmpeg inside, and saying plainly why it cannot be opened."""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
from av.container import InputContainer
from av.error import FFmpegError, OptionNotFoundError
from av.video.stream import VideoStream

from lipwise.errors import MediaError, in_words
from lipwise.files import expanded

ATTACHED_PICTURE = 0x0400  # AV_DISPOSITION_ATTACHED_PIC in libavformat/avformat.h
TEXT_AS_ART = {"tty", "bin", "xbin", "adf", "idf"}  # demuxers that draw any text file as a picture
PHOTO_TILES = {"heic", "heix", "heim", "heis", "mif1", "msf1"}  # ISO 23008-12 brands: one photo cut into tiles
# PyAV before 19 refuses a file whose title is not UTF-8 unless told otherwise; later ones no longer know the argument.
ANY_TITLE: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
PLAYABLE = (
    "a video such as MP4, MOV, MKV, WebM or GIF, a picture such as JPEG or PNG, or, where speech is wanted, a "
    "recording such as WAV, MP3, M4A or FLAC"
)


class SupportsRatio(Protocol):
    """Anything with a numerator and a denominator."""

    @property
    def numerator(self) -> int: ...
    @property
    def denominator(self) -> int: ...


def not_there(path: Path, what: str) -> MediaError:
    """What to say of a file that is missing, or of an address, a device or a pipe in its place."""
    scheme = re.match(r"(\w+):/", str(path))
    if scheme is not None and len(scheme[1]) > 1:  # one letter is a disk of Windows
        return MediaError(
            what, cause=f"it is an address ({scheme[1]}), and files are read", next_step="download it and name the file"
        )
    if path.exists():
        return MediaError(what, cause="it is a device or a pipe", next_step="save what it gives, and name that file")
    return MediaError(
        what,
        cause=f"nothing has that name in {path.absolute().parent}",
        next_step="check the spelling and the folder",
    )


def check_readable(path: Path) -> Path:
    """The absolute path of a file that exists and holds something; MediaError otherwise."""
    given, path = Path(path), expanded(path).absolute()
    try:
        if path.is_dir():
            raise MediaError(
                f"{path} cannot be read", cause="it is a folder, not a file", next_step="name a file inside it"
            )
        if not path.is_file():
            raise not_there(expanded(given), f"{path} cannot be read")
        with path.open("rb") as stream:
            if not stream.read(1):
                raise MediaError(
                    f"{path} cannot be read",
                    cause="the file is empty (0 bytes)",
                    next_step="copy or download it again",
                )
    except OSError as error:
        raise MediaError(
            f"{path} cannot be read", cause=str(error), next_step="check the file's permissions"
        ) from error
    return path


def open_input(path: Path) -> InputContainer:
    """A file opened for reading.

    The path is made absolute and only local files may be opened, so that neither a colon nor a percent sign in a name
    is taken for a protocol or a numbered series, and a playlist cannot reach the network.

    Raises:
        MediaError: missing, empty, a folder, or nothing that FFmpeg knows; its own words are in the cause.
    """
    path = check_readable(path)
    options = {"protocol_whitelist": "file"}
    try:
        try:
            container = av.open(str(path), "r", options={**options, "pattern_type": "none"}, **ANY_TITLE)
        except OptionNotFoundError:
            container = av.open(str(path), "r", options=options, **ANY_TITLE)
    except (FFmpegError, OSError, ValueError) as error:
        raise MediaError(
            f"{path} cannot be read as a video, a picture or a recording",
            cause=f"FFmpeg says: {in_words(error)}",
            next_step=f"use {PLAYABLE}; if it should be one, it was not copied or downloaded completely",
        ) from error
    if container.format.name in TEXT_AS_ART:
        container.close()
        raise MediaError(f"{path} cannot be read as a video", cause="it is a text file", next_step=f"use {PLAYABLE}")
    return container


def exact(rational: SupportsRatio | None) -> Fraction | None:
    """A rate, aspect or time base as Fraction (PyAV 19 has a type of its own for them); None for 0 and None."""
    return Fraction(rational.numerator, rational.denominator) if rational else None


def _is_cover(stream: VideoStream) -> bool:
    disposition = stream.disposition.value  # a Flag in PyAV 14, an IntFlag later
    if disposition & ATTACHED_PICTURE:
        return True
    # A cover without the flag: no frame rate of its own, beside a sound track.
    has_sound = bool(stream.container.streams.audio)
    return has_sound and not stream.average_rate and stream.codec_context.name in ("mjpeg", "png", "bmp", "webp")


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """The stream that holds the moving picture; the cover of a recording is not one.

    Raises:
        MediaError: there is none, it is a tiled photo, or no decoder knows its format.
    """
    if container.metadata.get("major_brand", "").strip() in PHOTO_TILES:
        raise MediaError(
            f"{path} cannot be read as one picture",
            cause="it is a HEIC photo, stored as separate tiles",
            next_step="save it as JPEG or PNG and use that",
        )
    decodable = [stream for stream in container.streams.video if stream.codec_context is not None]
    if container.streams.video and not decodable:
        raise MediaError(
            f"{path} holds a picture that cannot be decoded",
            cause="this FFmpeg has no decoder for its codec",
            next_step="convert it to H.264, for example with HandBrake",
        )
    moving = [stream for stream in decodable if not _is_cover(stream)]
    if not moving:
        kind = "it holds sound only" if container.streams.audio else "it holds no stream of pictures"
        raise MediaError(f"{path} has no picture", cause=kind, next_step="use a video or a picture that shows a face")
    best = container.streams.best("video")
    return next((stream for stream in moving if best is not None and stream.index == best.index), moving[0])
