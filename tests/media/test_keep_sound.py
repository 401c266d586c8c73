"""A new picture under an old sound."""

import errno
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.error import FFmpegError

import lipwise as lw
from lipwise.errors import DiskFullError, MediaError
from lipwise.media import keep_sound
from lipwise.media.keep_sound import join_kept_sound

RATE = 48_000


def frames(count: int = 20, size: int = 64) -> list[np.ndarray]:
    return [np.full((size, size, 3), 5 * number, np.uint8) for number in range(count)]


def tone(seconds: float) -> np.ndarray:
    wave = 0.4 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE)) / RATE)
    return np.stack([wave, wave], 1).astype(np.float32)


def sound_packets(path: Path) -> list[tuple[float, bytes]]:
    """Time from the first picture's, and content, of each packet of sound."""
    with av.open(str(path)) as container:
        first = container.streams.video[0]
        start = float((first.start_time or 0) * first.time_base)
        packets = [packet for packet in container.demux(container.streams.audio) if packet.size]
        return [(float(packet.pts * packet.time_base) - start, bytes(packet)) for packet in packets]


@pytest.fixture
def picture(tmp_path) -> Path:
    return lw.write_video(tmp_path / "new.mp4", [255 - frame for frame in frames(size=96)], fps=Fraction(25))


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
def test_every_packet_is_kept_bit_for_bit_and_in_time(picture, tmp_path, ending):
    source = lw.write_video(tmp_path / "old.mp4", frames(), fps=Fraction(25), sound=[tone(0.8)])
    made = join_kept_sound(picture, source, tmp_path / f"out{ending}")
    wanted, kept = sound_packets(source), sound_packets(made)
    assert [content for _, content in kept] == [content for _, content in wanted]
    assert np.abs(np.array([time for time, _ in kept]) - [time for time, _ in wanted]).max() < 0.002
    info = lw.probe(made)
    assert (info.frame_count, info.size_wh, info.fps) == (20, (96, 96), 25)
    assert next(lw.read_frames(info)).mean() > 240


def test_a_picture_without_decoding_times_is_refused(picture, tmp_path):
    """Else its first frames, on which all others build, would be left out."""
    shown = lw.write_video(tmp_path / "new.mkv", frames(40, size=96), fps=Fraction(25))
    with pytest.raises(MediaError, match=r"(?s)new\.mkv cannot be copied.*decoding times"):
        join_kept_sound(shown, picture, tmp_path / "out.mkv")
    assert not (tmp_path / "out.mkv").exists()


@pytest.mark.parametrize("kind", [OSError, FFmpegError])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_or_quota_is_not_the_sound_s_fault(kind, number, picture, tmp_path, monkeypatch):
    def full(*_):
        raise kind(number, "No room for it")

    monkeypatch.setattr(keep_sound, "_copy", full)
    with pytest.raises(DiskFullError, match=r"(?s)cannot be written.*No room for it.*free some space"):
        join_kept_sound(picture, picture, tmp_path / "out.mp4")


def test_a_source_without_sound_gives_none(picture, tmp_path):
    source = lw.write_video(tmp_path / "old.mp4", frames(), fps=Fraction(25))
    assert not lw.probe(join_kept_sound(picture, source, tmp_path / "out.mp4")).has_audio


def test_sound_stays_with_the_picture_of_a_clip_that_starts_late(picture, tmp_path):
    """A transport stream begins where it likes; the new file begins at 0."""
    source = tmp_path / "old.ts"
    plain = lw.write_video(tmp_path / "plain.mp4", frames(), fps=Fraction(25), sound=[tone(0.8)])
    with av.open(str(plain)) as given, av.open(str(source), "w", format="mpegts") as container:
        streams = {stream: container.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.dts is not None:
                late = round(2 / packet.time_base)
                packet.pts, packet.dts = packet.pts + late, packet.dts + late
                packet.stream = streams[packet.stream]
                container.mux(packet)
    with av.open(str(source)) as container:
        assert container.start_time > 10**6
    kept = sound_packets(join_kept_sound(picture, source, tmp_path / "out.mkv"))
    wanted = sound_packets(source)
    assert next(iter(kept))[0] < 0.1
    assert len(kept) == len(wanted)
    assert abs(kept[5][0] - wanted[5][0]) < 0.03


def test_sound_that_the_format_cannot_hold_is_refused(picture, tmp_path):
    source = tmp_path / "old.mkv"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("pcm_u8", rate=RATE, layout="stereo")
        picture_stream = container.add_stream("libx264", rate=25, width=64, height=64, pix_fmt="yuv420p")
        for frame in frames():
            container.mux(picture_stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(picture_stream.encode(None))
        piece = av.AudioFrame.from_ndarray(np.zeros((1, 2000), np.uint8), "u8", "stereo")
        piece.sample_rate = RATE
        container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    with pytest.raises(MediaError, match=r"(?s)cannot be kept in out\.m4v.*\.mkv"):
        join_kept_sound(picture, source, tmp_path / "out.m4v")
    assert not (tmp_path / "out.m4v").exists()
    assert not list(tmp_path.glob(".*part"))


def test_a_missing_source_is_refused(picture, tmp_path):
    with pytest.raises(MediaError, match="none"):
        join_kept_sound(picture, tmp_path / "none.mp4", tmp_path / "out.mp4")
