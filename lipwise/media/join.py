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
from lipwise.media.container import open_input, picture_stream
from lipwise.media.output import PartFile, unwritable
from lipwise.media.packets import read_packets
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

    Memory stays that of a few packets and sound pieces. Written as `<name>.part` and renamed when complete.

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
    fps, lengths = _fitting(segments)
    file = PartFile(out)
    try:
        with file.open() as container:
            _join(container, segments, fps, lengths, sound)
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
    lengths: list[int],
    sound: Iterable[np.ndarray] | None,
) -> None:
    with contextlib.ExitStack() as kept:
        template = picture_stream(kept.enter_context(open_input(segments[0])), segments[0])
        stream = container.add_stream_from_template(template, opaque=True)
        stream.time_base = 1 / fps
        samples = round(sum(lengths) / fps * SOUND_RATE)
        track = None if sound is None else SoundTrack(container, sound, samples)
        offset = 0
        for segment, length in zip(segments, lengths, strict=True):
            for packet in _packets(segment, fps, offset):
                if track is not None and packet.pts is not None:
                    track.advance(int(packet.pts / fps * SOUND_RATE))
                packet.stream = stream
                container.mux(packet)
            offset += length
        if track is not None:
            track.finish()


def _fitting(segments: list[Path]) -> tuple[Fraction, list[int]]:
    """Rate and lengths in frames of segments that can be joined."""
    lengths, expected = [], None
    fps = probe(segments[0]).fps
    for segment in segments:
        with open_input(segment) as container:
            stream = picture_stream(container, segment)
            context = stream.codec_context
            kind = (context.name, context.width, context.height, stream.average_rate, bytes(context.extradata or b""))
            expected = expected or kind
            if kind != expected:
                raise MediaError(
                    f"{segment} cannot be joined to {segments[0]}",
                    cause=f"one is {_words(kind)}, the other {_words(expected)}",
                    next_step="render all segments anew with one setting",
                )
            lengths.append(read_packets(container, stream).count)
    return fps, lengths


def _words(kind: tuple) -> str:
    name, width, height, rate, header = kind
    return f"{name} {width}x{height} at {rate} frames a second with a header of {len(header)} bytes"


def _packets(segment: Path, fps: Fraction, offset: int) -> Iterator[Packet]:
    """A segment's packets with times counted in frames of the whole."""
    with open_input(segment) as container:
        stream = picture_stream(container, segment)
        for packet in container.demux(stream):
            if packet.size == 0 or packet.pts is None or packet.dts is None:
                continue
            in_frames = packet.time_base * fps
            packet.pts = offset + round(packet.pts * in_frames)
            packet.dts = offset + round(packet.dts * in_frames)
            packet.duration = 1
            packet.time_base = 1 / fps
            yield packet
