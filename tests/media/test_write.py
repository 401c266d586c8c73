"""Writing: colours, tags, rates, sizes, sound, segments, and nothing half-written."""

from fractions import Fraction

import av
import numpy as np
import pytest

from lipwise.errors import MediaError, SettingsError
from lipwise.media.join import SOUND_RATE, join_segments
from lipwise.media.probe import probe
from lipwise.media.read import read_frames
from lipwise.media.write import VideoWriter, write_video

NTSC = Fraction(30000, 1001)
CHART = np.array(
    [(0, 0, 0), (255, 255, 255), (200, 59, 39), (236, 188, 160), (20, 120, 60), (30, 60, 200), (230, 220, 40)]
)


def moving(count: int, size_wh: tuple[int, int] = (160, 96)) -> list[np.ndarray]:
    """Frames with texture that moves, (H, W, 3) uint8."""
    width, height = size_wh
    noise = np.random.default_rng(0).integers(60, 190, (height // 8 + 1, width // 4, 3), dtype=np.uint8)
    wall = np.kron(noise, np.ones((8, 8, 1), np.uint8))
    return [np.ascontiguousarray(wall[:height, number : number + width]) for number in range(count)]


def tone(seconds: float, piece: int = 4801):
    """A stereo tone in pieces, (n, 2) float32."""
    time = np.arange(round(seconds * SOUND_RATE)) / SOUND_RATE
    wave = (0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    for first in range(0, len(wave), piece):
        yield np.stack([wave[first : first + piece]] * 2, axis=1)


def lengths_s(path) -> tuple[float, float]:
    """Length of picture and of sound as players see them, seconds."""
    with av.open(str(path)) as container:
        return tuple(float(s.duration * s.time_base) for s in (container.streams.video[0], container.streams.audio[0]))


@pytest.mark.parametrize("name", ["chart.mp4", "chart.mov", "chart.mkv"])
@pytest.mark.parametrize("segment", [False, True])
def test_a_colour_chart_survives_and_is_tagged(tmp_path, name: str, segment: bool) -> None:
    chart = np.repeat(np.repeat(CHART[None], 48, axis=0), 48, axis=1).astype(np.uint8)
    with VideoWriter(tmp_path / name, fps=25, segment=segment) as writer:
        for _ in range(5):
            writer.write(chart)
    for frame in read_frames(tmp_path / name):
        for part, colour in zip(np.split(frame, len(CHART), axis=1), CHART, strict=True):
            assert np.abs(part[8:40, 8:40].astype(int) - colour).max() <= 3
    with av.open(str(tmp_path / name)) as container:
        frame = next(container.decode(video=0))
        context = container.streams.video[0].codec_context
        assert (frame.format.name, context.name) == ("yuv420p", "h264")
        assert (frame.colorspace, frame.color_range, context.color_primaries, context.color_trc) == (1, 1, 1, 1)
    colour = probe(tmp_path / name).colour
    assert (colour.matrix, colour.range, colour.primaries, colour.transfer) == ("bt709", "limited", "bt709", "bt709")


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), NTSC, Fraction(25), Fraction(1350, 61)])
def test_rates_are_exact(tmp_path, clips, fps: Fraction) -> None:
    path = write_video(tmp_path / "rate.mp4", map(clips.barcode, range(30)), fps=fps, sound=tone(3))
    video = probe(path)
    assert (video.fps, video.frame_count, video.has_audio) == (fps, 30, True)
    assert clips.numbers(read_frames(path)) == list(range(30))


@pytest.mark.parametrize(("size_wh", "written_wh"), [((97, 63), (98, 64)), ((96, 63), (96, 64)), ((1, 1), (2, 2))])
def test_odd_sizes_repeat_their_last_column_and_row(tmp_path, size_wh, written_wh) -> None:
    frame = np.full((size_wh[1], size_wh[0], 3), (180, 90, 60), np.uint8)
    write_video(tmp_path / "odd.mp4", [frame] * 3, fps=25)
    assert probe(tmp_path / "odd.mp4").size_wh == written_wh
    assert np.abs(next(read_frames(tmp_path / "odd.mp4")).astype(int) - (180, 90, 60)).max() <= 3


def test_browsers_can_begin_at_once(tmp_path) -> None:
    path = write_video(tmp_path / "quick.mp4", moving(20), fps=25, sound=tone(1))
    content = path.read_bytes()
    assert 0 < content.find(b"moov") < content.find(b"mdat")


@pytest.mark.parametrize("sound_s", [0.0, 0.3, 2.0, 5.0])
@pytest.mark.parametrize("fps", [Fraction(25), NTSC])
def test_sound_is_as_long_as_the_picture(tmp_path, sound_s: float, fps: Fraction) -> None:
    path = write_video(tmp_path / "both.mp4", moving(50), fps=fps, sound=tone(sound_s))
    picture_s, heard_s = lengths_s(path)
    assert picture_s == pytest.approx(float(50 / fps))
    assert abs(picture_s - heard_s) <= 1 / fps
    with av.open(str(path)) as container:
        wave = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    last = int(min(sound_s, picture_s) * SOUND_RATE)
    if sound_s:
        assert np.sqrt(np.mean(wave[1000 : last - 1000] ** 2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)
    assert np.abs(wave[last + 2048 :]).max(initial=0) < 0.01


def test_sound_begins_with_the_picture(tmp_path) -> None:
    click = np.zeros((SOUND_RATE, 2), np.float32)
    click[SOUND_RATE // 2 : SOUND_RATE // 2 + 48] = 0.9
    path = write_video(tmp_path / "click.mp4", moving(25), fps=25, sound=[click])
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    wave = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    assert float(frames[0].time) * SOUND_RATE + int(np.argmax(np.abs(wave) > 0.4)) == pytest.approx(24_000, abs=96)


def test_joined_segments_equal_the_whole(tmp_path) -> None:
    frames, fps = moving(100), Fraction(25, 2)  # a keyframe every 25 frames
    with VideoWriter(tmp_path / "whole.mp4", fps=fps, segment=True) as writer:
        for frame in frames:
            writer.write(frame)
    parts = []
    for first in range(0, 100, 25):
        with VideoWriter(tmp_path / f"part {first}.mp4", fps=fps, segment=True) as writer:
            for frame in frames[first : first + 25]:
                writer.write(frame)
        parts.append(writer.path)
    joined = join_segments(parts, tmp_path / "joined.mp4")
    assert (probe(joined).fps, probe(joined).frame_count, probe(joined).notes) == (fps, 100, ())
    pairs = zip(read_frames(tmp_path / "whole.mp4"), read_frames(joined), strict=True)
    assert sum(np.array_equal(whole, part) for whole, part in pairs) == 100


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_uneven_segments_keep_every_frame_in_its_place(tmp_path, clips, suffix: str) -> None:
    parts, lengths = [], [7, 1, 30, 12]
    for number, length in enumerate(lengths):
        with VideoWriter(tmp_path / f"{number}{suffix}", fps=NTSC, segment=True) as writer:
            for shown in range(sum(lengths[:number]), sum(lengths[:number]) + length):
                writer.write(clips.barcode(shown))
        parts.append(writer.path)
    joined = join_segments(parts, tmp_path / f"joined{suffix}", sound=tone(1))
    video = probe(joined)
    assert (video.fps, video.frame_count, video.variable_rate) == (NTSC, 50, False)
    assert clips.numbers(read_frames(video)) == list(range(50))
    assert clips.numbers(read_frames(video, range(49, -1, -1))) == list(range(49, -1, -1))


def test_segments_that_do_not_fit_are_refused(tmp_path) -> None:
    for name, size_wh, fps in (("a", (160, 96), 25), ("b", (96, 64), 25), ("c", (160, 96), 30)):
        with VideoWriter(tmp_path / f"{name}.mp4", fps=fps, segment=True) as writer:
            writer.write(moving(1, size_wh)[0])
    for other in ("b", "c"):
        with pytest.raises(MediaError, match="cannot be joined"):
            join_segments([tmp_path / "a.mp4", tmp_path / f"{other}.mp4"], tmp_path / "joined.mp4")
    with pytest.raises(MediaError, match="no segment"):
        join_segments([], tmp_path / "joined.mp4")
    assert not list(tmp_path.glob("joined*"))


def test_nothing_is_left_when_writing_fails(tmp_path) -> None:
    path = tmp_path / "new" / "result.mp4"

    def broken(then: Exception):
        yield from moving(2)
        raise then

    with pytest.raises(KeyError):
        write_video(path, broken(KeyError()), fps=25)
    assert list(path.parent.iterdir()) == []
    path.write_bytes(b"an earlier result")
    with pytest.raises(ValueError, match="like the first"):
        write_video(path, [*moving(1), *moving(1, (96, 64))], fps=25)

    def broken_sound():
        yield from tone(0.1)
        raise KeyError

    with pytest.raises(KeyError):
        write_video(path, moving(30), fps=25, sound=broken_sound())
    with pytest.raises(MediaError, match="not one frame"):
        write_video(path, [], fps=25)
    with pytest.raises(MediaError, match="not one frame"):
        write_video(path, [], fps=25, sound=tone(1))
    assert path.read_bytes() == b"an earlier result"
    assert list(path.parent.iterdir()) == [path]


def test_the_name_appears_only_at_the_end(tmp_path) -> None:
    path = tmp_path / "result.mp4"
    with VideoWriter(path, fps=25) as writer:
        writer.write(moving(1)[0])
        assert not path.exists()
        assert list(tmp_path.glob(".result.mp4.*.part"))
    assert path.exists()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("frame", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3))])
def test_wrong_frames_are_refused(tmp_path, frame: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected a frame"):
        write_video(tmp_path / "wrong.mp4", [frame], fps=25)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("piece", "said"),
    [
        (np.zeros(9, np.float32), "n, 2"),
        (np.zeros((9, 2)), "float32"),
        (np.full((9, 2), np.nan, np.float32), "finite"),
    ],
)
def test_wrong_sound_is_refused(tmp_path, piece: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        write_video(tmp_path / "wrong.mp4", moving(3), fps=25, sound=[piece])
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written_to(tmp_path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").touch()
    cases = {
        "folder.mp4": "folder",
        "file/result.mp4": "cannot be written",
        "result.avi": "use one of",
        "result": "ending",
    }
    for name, said in cases.items():
        with pytest.raises(MediaError, match=said):
            VideoWriter(tmp_path / name, fps=25)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.mp4"]


def test_settings_that_make_no_sense(tmp_path) -> None:
    with pytest.raises(SettingsError, match="quality"):
        VideoWriter(tmp_path / "result.mp4", fps=25, quality=70)
    for fps in (0, -25, float("nan"), float("inf"), None, "fast", "1/0"):
        with pytest.raises(SettingsError, match=f"cannot have {fps} frames a second"):
            VideoWriter(tmp_path / "result.mp4", fps=fps)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a b.mp4", "a.b.mp4", 'it\'s "so".mp4', "50%03d.mp4", "日本語.mp4", "a:b.mp4"])
def test_names(tmp_path, clips, name: str) -> None:
    path = write_video(tmp_path / name, map(clips.barcode, range(4)), fps=25, sound=tone(0.2))
    assert path == tmp_path / name
    assert clips.numbers(read_frames(path)) == list(range(4))
