"""Segments joined without touching their pictures, and sound laid under them."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet

from lipwise.errors import MediaError
from lipwise.files import unwritable
from lipwise.media.container import exact, open_input, picture_stream
from lipwise.media.output import PartFile
from lipwise.media.probe import probe

SOUND_RATE = 48_000  # Hz of the sound that is handed over and written
AAC_FRAME = 1024  # samples that one AAC packet holds
AAC_BIT_RATE = 192_000  # bits a second, stereo: no audible loss in speech


class SoundTrack:
    """Sound pieces encoded as AAC as far as the picture has come; cut or filled with silence at its end."""

    def __init__(self, container: OutputContainer, pieces: Iterable[np.ndarray], length: int) -> None:
        self._container, self._pieces, self._length = container, iter(pieces), length
        self._stream: AudioStream = container.add_stream("aac", rate=SOUND_RATE)
        self._stream.bit_rate = AAC_BIT_RATE
        self._stream.codec_context.layout = "stereo"
        self._waiting = np.zeros((0, 2), np.float32)
        self._written = 0

    def advance(self, samples: int) -> None:
        """Encode until at least that many samples are written, or all."""
        while self._written < min(samples, self._length):
            count = min(AAC_FRAME, self._length - self._written)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(self._take(count).T), "fltp", "stereo")
            frame.sample_rate, frame.pts = SOUND_RATE, self._written
            frame.time_base = Fraction(1, SOUND_RATE)
            self._container.mux(self._stream.encode(frame))
            self._written += count

    def finish(self) -> None:
        self.advance(self._length)
        self._container.mux(self._stream.encode(None))

    def _take(self, count: int) -> np.ndarray:
        """The next (count, 2) samples; silence after the last piece."""
        parts, have = [self._waiting], len(self._waiting)
        while have < count:
            piece = next(self._pieces, None)
            piece = np.zeros((count - have, 2), np.float32) if piece is None else _checked_piece(piece)
            parts.append(piece)
            have += len(piece)
        samples = np.concatenate(parts)
        self._waiting = samples[count:]
        return samples[:count]


def _checked_piece(piece: np.ndarray) -> np.ndarray:
    if piece.ndim != 2 or piece.shape[1] != 2 or piece.dtype != np.float32:
        raise ValueError(f"expected sound pieces (n, 2) float32, got {piece.shape} {piece.dtype}")
    if not np.isfinite(piece).all():
        raise ValueError("expected sound pieces of finite numbers, got NaN or infinity")
    return piece


def join_segments(segments: Sequence[Path], out: str | Path, *, sound: Iterable[np.ndarray] | None = None) -> Path:
    """Put segments written by `VideoWriter` one after the other, packets copied, and lay sound under them.

    Memory stays that of a few packets and sound pieces. Written under a temporary name and renamed when complete.

    Args:
        segments: at least one file; all of one size, rate and encoder setting.
        sound: (n, 2) float32 pieces at 48,000 Hz; None writes no sound track. Cut, or filled with silence, to the
            picture's length to the sample.

    Raises:
        MediaError: no segment, segments that do not fit together, or a file that cannot be read or written.
        ValueError: a sound piece of another shape or type, or one that is not finite.
    """
    segments = [Path(segment) for segment in segments]
    if not segments:
        raise MediaError(
            f"{out} cannot be joined", cause="there is no segment", next_step="render at least one segment first"
        )
    fps, places = _fitting(segments)
    file = PartFile(out)
    try:
        with file.open() as container:
            _join(container, segments, fps, places, sound)
    except (FFmpegError, OSError) as error:
        file.discard()
        raise unwritable(file.path, error) from error
    except BaseException:
        file.discard()
        raise
    return file.keep()


def _join(
    container: OutputContainer,
    segments: list[Path],
    fps: Fraction,
    places: list[np.ndarray],
    sound: Iterable[np.ndarray] | None,
) -> None:
    samples = round(sum(map(len, places)) / fps * SOUND_RATE)
    # How many frames later than it is stored a frame may be shown: decoding times must run ahead by that much.
    delay = max(int((np.arange(len(shown)) - shown).max()) for shown in places)
    with open_input(segments[0]) as first:
        template = picture_stream(first, segments[0])
        stream = container.add_stream_from_template(template, opaque=True)  # copied, not opened as an encoder
        with contextlib.suppress(RuntimeError):  # PyAV 14 keeps the segments' own clock, which is as exact for MP4
            stream.time_base = 1 / fps
        track = None if sound is None else SoundTrack(container, sound, samples)
        for order, place, packet in _numbered(segments, places):
            if track is not None:
                track.advance(int(order / fps * SOUND_RATE))
            packet.pts, packet.dts = place, order - delay
            packet.duration, packet.time_base = 1, 1 / fps
            packet.stream = stream
            container.mux(packet)
        if track is not None:
            track.finish()


def _numbered(segments: list[Path], places: list[np.ndarray]) -> Iterator[tuple[int, int, Packet]]:
    """The packets of all segments, each behind its numbers in the result: as it is stored, and as it is shown."""
    offset = 0
    for segment, shown in zip(segments, places, strict=True):
        for order, (packet, place) in enumerate(zip(_packets(segment), shown.tolist(), strict=True)):
            yield offset + order, offset + place, packet
        offset += len(shown)


def _fitting(segments: list[Path]) -> tuple[Fraction, list[np.ndarray]]:
    """Rate of segments that can be joined, and for each the place (from 0) at which each of its packets is shown."""
    places, expected = [], None
    fps = probe(segments[0]).fps
    for segment in segments:
        with open_input(segment) as container:
            stream = picture_stream(container, segment)
            context = stream.codec_context
            kind = (
                context.name,
                context.width,
                context.height,
                exact(stream.average_rate),
                bytes(context.extradata or b""),
            )
            expected = expected or kind
            if kind != expected:
                raise MediaError(
                    f"{segment} cannot be joined to {segments[0]}",
                    cause=f"one is {_words(kind)}, the other {_words(expected)}",
                    next_step="render all segments anew with one setting",
                )
        times = [packet.pts for packet in _packets(segment)]
        if not times or None in times:
            raise MediaError(
                f"{segment} cannot be joined",
                cause="its packets have no times" if times else "it holds no frame",
                next_step="delete it and render it anew",
            )
        places.append(np.argsort(np.argsort(np.array(times), kind="stable"), kind="stable"))
    return fps, places


def _words(kind: tuple) -> str:
    name, width, height, rate, header = kind
    return f"{name} {width}x{height} at {rate} frames a second with a header of {len(header)} bytes"


def _packets(segment: Path) -> Iterator[Packet]:
    """A segment's packets in order of storage."""
    with open_input(segment) as container:
        yield from (packet for packet in container.demux(picture_stream(container, segment)) if packet.size)
