"""Which sound another file can hold is known before any work is done, and tracks keep what they say of themselves."""

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import lipwise as lw
from lipwise.errors import MediaError
from lipwise.media.keep_sound import check_sound_fits
from lipwise.pipeline import enhance_video

RATE, SECONDS = 48_000, 0.8
TITLES = ("Öne", "Two")


def clip(
    path: Path,
    *codecs: str,
    languages: Sequence[str] = (),
    titles: Sequence[str] = (),
    picture: str = "libx264",
    late: int = 0,
) -> Path:
    """Twenty frames with a track of noise for each codec."""
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "Tït"
        shown = container.add_stream(picture, rate=25, width=64, height=64, pix_fmt="yuv420p")
        sounds = [container.add_stream(codec, rate=RATE, layout="stereo") for codec in codecs]
        for sound in sounds:
            sound.bit_rate = 128_000
        for sound, language in zip(sounds, languages, strict=False):
            sound.metadata["language"] = language
        for sound, title in zip(sounds, titles, strict=False):
            sound.metadata["title"] = title
        random = np.random.default_rng(0)
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(random.integers(0, 256, (64, 64, 3), np.uint8), "rgb24")
            frame.pts, frame.time_base = number + late, Fraction(1, 25)
            container.mux(shown.encode(frame))
        container.mux(shown.encode(None))
        noise = random.integers(-3000, 3000, (1, round(2 * RATE * SECONDS)), np.int16)
        for sound in sounds:
            heard = av.AudioFrame.from_ndarray(noise, "s16", "stereo")
            heard.sample_rate = RATE
            size = sound.codec_context.frame_size or 1024  # of what the codec takes at once
            shaped = av.AudioResampler(sound.format.name, "stereo", RATE, frame_size=size)
            for piece in (*shaped.resample(heard), *shaped.resample(None), None):
                container.mux(sound.encode(piece))
    return path


def sound_of(path: Path) -> list[list[bytes]]:
    """The packets of each track."""
    with av.open(str(path)) as container:
        tracks = {stream.index: [] for stream in container.streams.audio}
        for packet in container.demux(container.streams.audio):
            if packet.size:
                tracks[packet.stream.index].append(bytes(packet))
    return list(tracks.values())


@pytest.mark.parametrize(("name", "codec", "ending"), [("old.avi", "pcm_u8", ".mkv"), ("old.asf", "wmav2", "AAC")])
def test_sound_that_does_not_fit_is_refused_before_the_first_frame(tmp_path, monkeypatch, name, codec, ending):
    monkeypatch.setattr(enhance_video, "read_frames", None)  # no frame is read
    with pytest.raises(MediaError, match=rf"(?s)cannot be kept in out\.mp4.*{codec}.*next: .*{ending}"):
        lw.enhance(clip(tmp_path / name, codec), tmp_path / "out.mp4", upscale="lanczos", progress=False)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_ending_that_is_named_holds_the_sound(tmp_path):
    source = clip(tmp_path / "old.avi", "pcm_u8")
    with pytest.raises(MediaError, match=r"name the result \.mkv"):
        check_sound_fits(source, tmp_path / "out.mp4")
    check_sound_fits(source, tmp_path / "out.mkv")
    lw.enhance(source, tmp_path / "out.mkv", upscale="lanczos", progress=False)
    assert b"".join(*sound_of(tmp_path / "out.mkv")) == b"".join(*sound_of(source))


def test_sound_of_a_file_that_cannot_be_wound_back_is_kept(tmp_path):
    source = clip(tmp_path / "old.flv", "aac", picture="flv1", late=2)
    with av.open(str(source)) as container, pytest.raises(av.error.FFmpegError):
        container.seek(0)  # FFmpeg finds no picture at that time
    for ending in (".mp4", ".mov", ".mkv"):
        lw.enhance(source, tmp_path / f"out{ending}", upscale="lanczos", progress=False)
        assert sound_of(tmp_path / f"out{ending}") == sound_of(source)


def test_sound_that_breaks_off_in_the_middle_is_refused_before_the_first_frame(tmp_path, monkeypatch):
    """Two recordings one behind the other, whose times begin again: Matroska takes the first and not the second."""
    once = clip(tmp_path / "once.ts", "aac").read_bytes()
    source = tmp_path / "twice.ts"
    source.write_bytes(once + once)
    monkeypatch.setattr(enhance_video, "read_frames", None)
    for name, others in (("out.mkv", "mp4|mov"), ("out.mp4", "mkv|mov")):
        with pytest.raises(MediaError, match=r"(?s)The sound of .*twice\.ts cannot be kept") as caught:
            lw.enhance(source, tmp_path / name, upscale="lanczos", progress=False)
        assert re.search(rf"name the result \.({others})|convert its sound first", caught.value.next_step)


def test_two_channels_of_an_old_camera_are_left_and_right(tmp_path):
    """AVI says how many channels there are and not which, and MP4 wants to know."""
    source = clip(tmp_path / "old.avi", "pcm_s16le")
    with av.open(str(source)) as container:
        assert container.streams.audio[0].layout.name == "2 channels"
    lw.enhance(source, tmp_path / "out.mp4", upscale="lanczos", progress=False)
    assert b"".join(*sound_of(tmp_path / "out.mp4")) == b"".join(*sound_of(source))


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
@pytest.mark.parametrize("of", [".mp4", ".mkv"])
def test_tracks_keep_their_language_and_title_and_the_file_its_own(tmp_path, of, ending):
    source = clip(tmp_path / f"old{of}", "aac", "aac", "aac", languages=("eng", "deu"), titles=TITLES)
    report = lw.enhance(source, tmp_path / f"out{ending}", upscale="lanczos", progress=False)
    assert sound_of(report.out) == sound_of(source)
    with av.open(str(report.out)) as container:
        assert container.metadata["title"] == "Tït"
        said = [{name.lower(): words for name, words in one.metadata.items()} for one in container.streams.audio]
        assert [one.get("language", "und") for one in said] == ["eng", "deu", "und"]
        names = [one.get("title", one.get("name")) for one in said]
        # In MP4 it is the name, which FFmpeg reads as old Macintosh text.
        assert names == [title if ending == ".mkv" else title.encode().decode("mac_roman") for title in TITLES] + [None]
    assert not any("left out" in remark for remark in report.remarks)


def test_the_track_that_is_heard_of_several_is_told(tmp_path):
    source = clip(tmp_path / "old.mkv", "aac", "aac", languages=("eng", "deu"))
    said = r"old\.mkv: of its 2 sound tracks only track 1 \(eng\) is used"
    everything = lw.Timeline(np.arange(20), np.ones(20, bool), Fraction(25))
    for sound in ("cut", "whole"):
        with pytest.warns(lw.LipwiseWarning, match=said):
            cleaned = lw.write_clean(source, everything, tmp_path / "clean.mp4", sound=sound)
        assert len(sound_of(cleaned.video.path)) == 1
    with pytest.warns(lw.LipwiseWarning, match=said):
        lw.load_audio(source)


def test_one_track_is_nothing_to_tell(tmp_path, recwarn):
    lw.load_audio(clip(tmp_path / "one.mkv", "aac", languages=("eng",)))
    assert not recwarn.list


def test_subtitles_that_are_left_out_are_told(tmp_path):
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:00,500\nGuten Tag\n", encoding="utf-8")
    source = tmp_path / "with words.mkv"
    with (
        av.open(str(clip(tmp_path / "old.mp4", "aac"))) as shown,
        av.open(str(words)) as said,
        av.open(str(source), "w") as container,
    ):
        streams = (*shown.streams, *said.streams)
        made = {stream: container.add_stream_from_template(stream, opaque=True) for stream in streams}
        for packet in (*said.demux(), *shown.demux()):
            if packet.dts is not None:
                packet.stream = made[packet.stream]
                container.mux(packet)
    report = lw.enhance(source, tmp_path / "out.mp4", upscale="lanczos", progress=False)
    assert "its subtitles are left out" in report.remarks
