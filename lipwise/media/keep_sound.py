"""A new picture beside the sound of another file, every packet of both copied as it is."""

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from lipwise.errors import MediaError, in_words
from lipwise.files import disk_is_full, unwritable
from lipwise.media.container import open_input, picture_stream
from lipwise.media.output import MUXERS, QUICK_START, PartFile

USUAL_LAYOUT = {1: "mono", 2: "stereo"}  # what a number of channels means where a file, as AVI does, says no more
KEPT_OF_A_TRACK = {"language": "language", "title": "title", "name": "title"}  # what MP4 calls a title, too
KEPT_OF_A_FILE = {
    name: name for name in ("title", "artist", "album", "date", "creation_time", "comment", "copyright", "description")
}


def join_kept_sound(picture: Path, source: Path, out: str | Path) -> Path:
    """Lay the sound tracks of a file under a silent picture, bit for bit.

    The picture starts where the source's own grid does, at the source's first time; sound keeps its times from there.

    Args:
        picture: an .mp4 or .mov file written by `VideoWriter`; Matroska keeps no decoding times to copy.
        source: the file whose sound is kept; without sound the result has none.
        out: the result, written under a temporary name and renamed when it is complete.

    Raises:
        MediaError: a file cannot be read or written, or the result's format cannot hold this sound.
    """
    file = PartFile(out)
    try:
        with open_input(picture) as shown, open_input(source) as heard, _opened(file) as container:
            _copy(container, shown, heard, picture)
    except (FFmpegError, OSError, ValueError) as error:
        file.discard()
        if disk_is_full(error) or (isinstance(error, OSError) and not isinstance(error, FFmpegError)):
            raise unwritable(file.path, error) from error
        raise _unfit(source, file.path.name, error) from error
    except BaseException:
        file.discard()
        raise
    return file.keep()


def check_sound_fits(source: Path, out: Path) -> None:
    """Raise MediaError now if a result of that name cannot hold the source's sound as it is; nothing is written.

    Every packet is tried, about as fast as the file is read: some sound breaks off a format in the middle.

    Args:
        out: a name with one of the endings of `MUXERS`.
    """
    error = _problem(source, MUXERS[out.suffix.lower()])
    if error is not None:
        raise _unfit(source, out.name, error) from error


def what_is_left_out(source: Path) -> list[str]:
    """What of a file is in no result of `join_kept_sound`, to be told."""
    with open_input(source) as container:
        counts = {"subtitles": len(container.streams.subtitles), "attachments": len(container.streams.attachments)}
    return [f"its {what} are left out" for what, count in counts.items() if count]


def _problem(source: Path, muxer: str) -> Exception | None:
    """Why a format cannot hold the sound tracks of a file; None where it can."""
    try:
        with open_input(source) as heard, av.open(os.devnull, "w", format=muxer) as container:
            streams = _add_tracks(container, heard)
            if not streams:
                return None
            container.start_encoding()
            for packet in _heard(heard):
                _mux(container, packet, streams)
    except (FFmpegError, ValueError) as error:
        return error
    return None


def _unfit(source: Path, name: str, error: Exception) -> MediaError:
    """What to say of sound that the format of a result cannot hold."""
    others = {".mkv", ".mov", ".mp4"} - {Path(name).suffix.lower()}
    fitting = sorted(ending for ending in others if _problem(source, MUXERS[ending]) is None)
    return MediaError(
        f"The sound of {source} cannot be kept in {name}",
        cause=f"FFmpeg says: {in_words(error)}",
        next_step=f"name the result {fitting[0]}, which holds it"
        if fitting
        else "convert its sound first, to AAC or FLAC",
    )


def _opened(file: PartFile) -> OutputContainer:
    """Sound may begin a packet before the picture, to fill its decoder; left to itself FFmpeg would shift the picture
    in Matroska for it. MP4 says the same in an edit list."""
    options = {"avoid_negative_ts": "disabled"} if file.muxer == "matroska" else QUICK_START
    return av.open(str(file.part), "w", format=file.muxer, options=options)


def _copy(container: OutputContainer, shown: InputContainer, heard: InputContainer, picture: Path) -> None:
    video = picture_stream(shown, picture)
    streams: dict[Stream, Stream] = {video: container.add_stream_from_template(video, opaque=True)}
    streams |= _add_tracks(container, heard)
    container.metadata.update(_kept(heard.metadata, KEPT_OF_A_FILE))
    sounds = _heard(heard) if streams.keys() - {video} else iter(())
    following = next(sounds, None)
    for packet in shown.demux(video):
        if not packet.size:  # the flush at the end
            continue
        if packet.dts is None:
            raise MediaError(
                f"The picture of {picture} cannot be copied",
                cause="its packets have no decoding times",
                next_step="write it as .mp4",
            )
        while following is not None and _seconds(following) <= _seconds(packet):
            _mux(container, following, streams)
            following = next(sounds, None)
        _mux(container, packet, streams)
    while following is not None:
        _mux(container, following, streams)
        following = next(sounds, None)


def _add_tracks(container: OutputContainer, heard: InputContainer) -> dict[Stream, Stream]:
    """Each sound track of a file -> the one that is made after it, with its language and title."""
    streams: dict[Stream, Stream] = {}
    for sound in heard.streams.audio:
        streams[sound] = made = container.add_stream_from_template(sound, opaque=True)
        made.metadata.update(_kept(sound.metadata, KEPT_OF_A_TRACK))
        if sound.layout.name not in USUAL_LAYOUT.values() and sound.channels in USUAL_LAYOUT:
            made.codec_context.layout = USUAL_LAYOUT[sound.channels]
    return streams


def _kept(metadata: dict[str, str], names: dict[str, str]) -> dict[str, str]:
    """Those of a file's own words that are kept; players write some names in capitals.

    Args:
        names: what they are called there -> what they are called in the result.
    """
    kept = {name.lower(): words for name, words in metadata.items() if name.lower() in names}
    return {names[name]: _as_written(words) if name == "name" else words for name, words in kept.items()}


def _as_written(name: str) -> str:
    """The name of a track in MP4, which everybody writes in UTF-8 and FFmpeg reads as old Macintosh text."""
    try:
        return name.encode("mac_roman").decode()
    except UnicodeError:
        return name


def _heard(heard: InputContainer) -> Iterator[Packet]:
    """The packets of a file's sound with their times from its first picture on; those that say none are left out."""
    start_s = Fraction(max(0, heard.start_time or 0), av.time_base)
    for packet in heard.demux(heard.streams.audio):
        if packet.dts is None or packet.time_base is None:
            continue
        late = round(start_s / packet.time_base)
        packet.dts -= late
        if packet.pts is not None:
            packet.pts -= late
        yield packet


def _seconds(packet: Packet) -> float:
    return float((packet.dts or 0) * packet.time_base)


def _mux(container: OutputContainer, packet: Packet, streams: dict[Stream, Stream]) -> None:
    packet.stream = streams[packet.stream]
    container.mux(packet)
