"""Decodes the sound of any file into a stream of small arrays, and changes their rate and channels on the way.

Time zero is the first picture or the first sample of the file, whichever is shown first: a sound track that begins
after the picture gets silence in front, so that both stay together. What an encoder put in front of the first sample
(priming of MP3, AAC, Opus) is left out wherever the file says how much it was; raw .aac streams do not say.
"""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import av
import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from lipwise.errors import LipwiseWarning, MediaError, SettingsError, SpeechError
from lipwise.media.container import open_input
from lipwise.media.defects import SoundDefects

BLOCK_S = 0.5  # decoded frames are gathered into blocks of about this length
JITTER_S = 0.05  # a hole in the time stamps shorter than this is imprecise writing, not missing sound
LARGEST_HOLE_S = 60.0  # a longer one is a broken clock: the sound then simply goes on


class SoundBlock(NamedTuple):
    """Some consecutive samples as decoded."""

    samples: np.ndarray  # (n, channels) float32, full scale at 1
    sample_rate: int
    layout: str  # FFmpeg's name of the channel layout: mono, stereo, 5.1, "2 channels" ...
    start_s: float  # on the file's time axis


def sound_chunks(
    path: str | Path, defects: SoundDefects, *, first: int, stop: int | None, sample_rate: int, channels: int
) -> Iterator[np.ndarray]:
    """Samples first..stop-1 of a file at another rate, as mono or stereo, in chunks (n, channels) float32.

    The part is cut after resampling, so that it equals the same part of the whole to the sample.

    Args:
        defects: collects what is broken; complete when the stream has ended.

    Raises:
        MediaError: the file cannot be read. SpeechError: it has no sound, or ends before the part begins.
    """
    position = 0
    for chunk in resample(decode_sound(path, defects), sample_rate=sample_rate, channels=channels):
        if stop is not None and position >= stop:
            return
        kept = chunk[max(first - position, 0) : None if stop is None else stop - position]
        position += len(chunk)
        if len(kept):
            yield kept
    if position <= first:
        length_s = position / sample_rate
        raise SpeechError(
            f"{path} has no sound from {first / sample_rate:g} s on" if position else f"{path} holds no sound at all",
            cause=f"its sound lasts {length_s:.2f} s"
            if position
            else "the file is well formed, but has no sample in it",
            next_step="choose an earlier start" if position else "record or export it again",
        )


def tell_of_other_tracks(path: str | Path) -> None:
    """Warn (LipwiseWarning) where a file has more sound tracks than the one that is heard, and say which that is.

    Raises:
        MediaError: the file cannot be read. SpeechError: it has no sound.
    """
    with _opened(path) as (container, heard):
        tracks = container.streams.audio
        if len(tracks) == 1:
            return
        language = heard.metadata.get("language", "und")
        named = f"{tracks.index(heard) + 1}{'' if language == 'und' else f' ({language})'}"
    warnings.warn(f"{path}: of its {len(tracks)} sound tracks only track {named} is used", LipwiseWarning, stacklevel=3)


def part_in_samples(start_s: float, end_s: float | None, sample_rate: int) -> tuple[int, int | None]:
    """First sample and end (exclusive; None is the end of the file) of a part given in seconds."""
    if not 0 <= start_s < (np.inf if end_s is None else end_s):
        raise SettingsError(
            f"The part of the sound from {start_s:g} s to {'its end' if end_s is None else f'{end_s:g} s'} is empty",
            cause="a part starts at 0 s or later and ends after its start",
            next_step="choose a start before the end, both in seconds",
        )
    return round(start_s * sample_rate), None if end_s is None else round(end_s * sample_rate)


def resample(blocks: Iterable[SoundBlock], *, sample_rate: int, channels: int) -> Iterator[np.ndarray]:
    """(n, channels) float32 chunks at another rate, mono or stereo, without delay.

    Two channels become one by their mean, one becomes two by doubling. From more than two, FFmpeg's matrix keeps
    the centre, where dialogue is, at full level and leaves out the low-frequency channel.
    """
    layout = "mono" if channels == 1 else "stereo"
    for _, run in groupby(blocks, lambda block: (block.sample_rate, block.layout)):
        resampler = AudioResampler(format="flt", layout=layout, rate=sample_rate)
        for block in run:
            yield from _samples(resampler.resample(_frame(block, channels)))
        yield from _samples(resampler.resample(None))


def decode_sound(path: str | Path, defects: SoundDefects) -> Iterator[SoundBlock]:
    """Every sample of a file at its own rate, repaired, in blocks of about half a second.

    Raises:
        MediaError: the file cannot be read, or nothing in it can be decoded. SpeechError: it has no sound.
    """
    with _opened(path) as (container, stream):
        origin_s = max(0.0, (container.start_time or 0) / av.time_base)  # the frames are counted from here, too
        stamped = _floats(_decoded(container, stream, defects))
        end_s = 0.0
        for block in _gathered(_placed(stamped, defects, origin_s)):
            end_s = block.start_s + len(block.samples) / block.sample_rate
            repaired = defects.examine(block.samples, sample_rate=block.sample_rate, start_s=block.start_s)
            yield block._replace(samples=repaired)
        defects.note_end(end_s, stated_s=float((stream.duration or 0) * (stream.time_base or 0)))
    if end_s == 0 and defects.undecoded:
        raise _unreadable(path, defects.first_error)


@contextmanager
def _opened(path: str | Path) -> Iterator[tuple[InputContainer, AudioStream]]:
    with open_input(Path(path)) as container:
        stream = container.streams.best("audio")
        if not isinstance(stream, AudioStream):
            raise SpeechError(
                f"{path} has no sound",
                cause=f"it holds only {', '.join(s.type for s in container.streams) or 'an empty container'}",
                next_step="choose a recording, or a video with a sound track",
            )
        if stream.codec_context is None:
            raise _unreadable(path, "there is no decoder for its sound")
        yield container, stream


def _unreadable(path: str | Path, said: object) -> MediaError:
    return MediaError(
        f"Cannot read the sound of {path}",
        cause=f"FFmpeg says: {said}",
        next_step="check that it plays, then save it as WAV, MP3 or MP4, or download it again",
    )


def _decoded(container: InputContainer, stream: AudioStream, defects: SoundDefects) -> Iterator[AudioFrame]:
    """Frames as decoded; a piece that cannot be is noted and left out."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            frames = packet.decode()
        except av.error.FFmpegError as error:
            defects.note_undecoded(error)
            continue
        yield from frames  # pyright: ignore[reportReturnType]  (packets of an audio stream hold AudioFrame only)


def _floats(frames: Iterable[AudioFrame]) -> Iterator[tuple[SoundBlock, float | None]]:
    """Each frame as packed float32 with its time stamp in seconds (None where the file has none)."""
    converters: dict[tuple[str, str, int], AudioResampler] = {}
    for frame in frames:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        converter = converters[kind] = converters.get(kind) or AudioResampler(format="flt")
        stamp_s = frame.time
        for samples in _samples(converter.resample(frame)):
            yield SoundBlock(samples, frame.sample_rate, frame.layout.name, 0.0), stamp_s


def _placed(
    stamped: Iterable[tuple[SoundBlock, float | None]], defects: SoundDefects, origin_s: float
) -> Iterator[SoundBlock]:
    """Blocks on the file's time axis, with silence where the time stamps leave a hole.

    Each stamp is compared with the end of the block before it, so that a slow drift of clocks adds nothing.
    """
    position_s, clock_s = 0.0, origin_s
    for block, stamp_s in stamped:
        rate = block.sample_rate
        hole_s = 0.0 if stamp_s is None else stamp_s - clock_s
        lost = round(hole_s * rate) if hole_s <= LARGEST_HOLE_S else 0
        if lost > (JITTER_S * rate if position_s > 0 else 0):
            silence = np.zeros((lost, block.samples.shape[1]), np.float32)
            yield block._replace(samples=silence, start_s=position_s)
            if position_s > 0:
                defects.missing.append((position_s, position_s + hole_s))
            position_s += lost / rate
        yield block._replace(start_s=position_s)
        position_s += len(block.samples) / rate
        clock_s = (clock_s if stamp_s is None else stamp_s) + len(block.samples) / rate


def _gathered(blocks: Iterable[SoundBlock]) -> Iterator[SoundBlock]:
    """Neighbours of the same rate and layout joined to blocks of about half a second."""
    for _, run in groupby(blocks, lambda block: (block.sample_rate, block.layout, int(block.start_s / BLOCK_S))):
        together = list(run)
        yield together[0]._replace(samples=np.concatenate([block.samples for block in together]))


def _frame(block: SoundBlock, channels: int) -> AudioFrame:
    """One PyAV frame; up to two channels are brought to `channels` here, because FFmpeg would change their level."""
    samples, layout = block.samples, block.layout
    if samples.shape[1] <= 2:
        samples = samples.mean(axis=1, keepdims=True) if channels == 1 else np.broadcast_to(samples, (len(samples), 2))
        layout = "mono" if channels == 1 else "stereo"
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="flt", layout=layout)
    frame.sample_rate = block.sample_rate
    return frame


def _samples(frames: Iterable[AudioFrame]) -> Iterator[np.ndarray]:
    """(n, channels) float32 of packed float frames."""
    for frame in frames:
        yield frame.to_ndarray().reshape(-1, frame.layout.nb_channels)
