"""A new picture beside the sound of another file, every packet of both copied as it is."""

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
from lipwise.media.output import QUICK_START, PartFile


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
        raise MediaError(
            f"The sound of {source} cannot be kept in {file.path.name}",
            cause=f"FFmpeg says: {in_words(error)}",
            next_step="name the result .mkv, which holds any sound",
        ) from error
    except BaseException:
        file.discard()
        raise
    return file.keep()


def _opened(file: PartFile) -> OutputContainer:
    """Sound may begin a packet before the picture, to fill its decoder; left to itself FFmpeg would shift the picture
    in Matroska for it. MP4 says the same in an edit list."""
    options = {"avoid_negative_ts": "disabled"} if file.muxer == "matroska" else QUICK_START
    return av.open(str(file.part), "w", format=file.muxer, options=options)


def _copy(container: OutputContainer, shown: InputContainer, heard: InputContainer, picture: Path) -> None:
    video = picture_stream(shown, picture)
    streams: dict[Stream, Stream] = {video: container.add_stream_from_template(video, opaque=True)}
    for sound in heard.streams.audio:
        streams[sound] = container.add_stream_from_template(sound, opaque=True)
    start_s = Fraction(max(0, heard.start_time or 0), av.time_base)
    sounds = _shifted(heard, start_s) if heard.streams.audio else iter(())
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


def _shifted(heard: InputContainer, start_s: Fraction) -> Iterator[Packet]:
    """Sound packets with their times from the source's first picture on."""
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
