"""Clips of every kind: what they are, and that their frames come in any order asked for."""

import shutil
import warnings
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from lipwise.errors import LipwiseWarning, MediaError
from lipwise.media import decode, read
from lipwise.media.probe import probe
from lipwise.media.read import monotone_runs, read_frames

COUNT = 40
KINDS = {
    "b-frames.mp4": {"g": "12", "bf": "3"},
    "open-gop.mkv": {"g": "12", "bf": "3", "x264-params": "open-gop=1:scenecut=0"},
    "transport.ts": {"g": "12", "bf": "3"},
    "reordered.avi": {"g": "12", "bf": "3"},
    "raw.h264": {"g": "12", "bf": "3"},
    "ten-bit.mp4": {"pixel_format": "yuv420p10le", "g": "12"},
    "hevc.mp4": {"codec": "libx265", "x265-params": "keyint=12:log-level=none"},
    "hevc-ten-bit.mkv": {"codec": "libx265", "pixel_format": "yuv420p10le", "x265-params": "keyint=12:log-level=none"},
    "vp9.webm": {"codec": "libvpx-vp9", "g": "20", "auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "8"},
    "mjpeg.avi": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
    "mjpeg.mjpeg": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
    "animated.gif": {"codec": "gif", "pixel_format": "rgb8"},
    "animated.apng": {"codec": "apng", "pixel_format": "rgb24"},
    "lossless.mkv": {"codec": "ffv1", "pixel_format": "yuv444p"},
}
ORDERS = {
    "forward": list(range(COUNT)),
    "backward": list(range(COUNT))[::-1],
    "bounce": [*range(COUNT), *range(COUNT - 2, 0, -1), 0, 1, 2],
    "repeated": [number for number in range(0, COUNT, 3) for _ in range(2)],
    "random": np.random.default_rng(0).integers(0, COUNT, 20).tolist(),
    "every third backward": list(range(COUNT - 1, -1, -3)),
    "one from the middle": [23],
    "none": [],
}


def rotate(degrees_clockwise: int):
    def prepare(stream) -> None:
        if not hasattr(stream, "set_display_rotation"):
            pytest.skip("this PyAV cannot write a display matrix")
        stream.set_display_rotation(-degrees_clockwise)

    return prepare


@pytest.mark.parametrize("name", KINDS)
def test_every_order_of_every_kind(clips, name: str) -> None:
    video = probe(clips.make(name, COUNT, **KINDS[name]))
    assert (video.fps, video.frame_count, video.size_wh) == (25, COUNT, (96, 64))
    assert not video.variable_rate
    assert not video.has_audio
    assert not video.is_still
    assert video.notes == ()
    for order in ORDERS.values():
        assert clips.numbers(read_frames(video, order)) == order


def test_default_order_is_every_frame_once(clips) -> None:
    path = clips.make("clip.mp4", 9)
    assert clips.numbers(read_frames(path)) == list(range(9))
    assert clips.numbers(read_frames(str(path), np.array([3, 3, 3]))) == [3, 3, 3]


def test_frames_may_be_painted_on(clips) -> None:
    for frame in read_frames(clips.make("clip.mp4", 5), [2, 2, 2, 1, 1]):
        assert clips.number_in(frame) in (1, 2)
        frame[:] = 0


def test_a_number_outside_the_clip_is_refused(clips) -> None:
    path = clips.make("clip.mp4", 5)
    for outside in (-1, 5):
        with pytest.raises(MediaError, match="numbered from 0 to 4"):
            read_frames(path, [0, outside])
    with pytest.raises(ValueError, match="whole frame numbers"):
        read_frames(path, np.array([0.5]))


def test_runs() -> None:
    runs = list(monotone_runs(np.array([0, 1, 1, 2, 1, 0, 0, 5, 3])))
    assert runs == [(slice(0, 4), True), (slice(4, 7), False), (slice(7, 9), False)]
    assert list(monotone_runs(np.array([], int))) == []


@pytest.mark.parametrize("keyframe_distance", ["250", "4"])
def test_backward_holds_one_block_only(clips, monkeypatch, keyframe_distance: str) -> None:
    video = probe(clips.make("long.mp4", 100, g=keyframe_distance))
    monkeypatch.setattr(read, "BLOCK_BYTES", 10 * video.index.frame_bytes)
    blocks, sizes, block_of = [{}], [], read._block

    def watched(*given):
        assert not blocks[-1], "the block before is still held"
        blocks.append(block_of(*given))
        sizes.append(len(blocks[-1]))
        return blocks[-1]

    monkeypatch.setattr(read, "_block", watched)
    backward = np.repeat(np.arange(99, -1, -1), 2)
    assert clips.numbers(read_frames(video, backward)) == backward.tolist()
    assert len(sizes) > 8
    assert max(sizes) <= 10


def test_no_frame_is_decoded_twice(clips, monkeypatch) -> None:
    video = probe(clips.make("clip.mp4", 60, g="12", sc_threshold="0"))
    decoded, decoded_of = [], decode.FrameSource._decoded

    def counted(source):
        for frame in decoded_of(source):
            decoded.append(frame.pts)
            yield frame

    monkeypatch.setattr(decode.FrameSource, "_decoded", counted)
    monkeypatch.setattr(read, "BLOCK_BYTES", 13 * video.index.frame_bytes)
    list(read_frames(video, np.repeat(np.arange(60), 3)))
    assert len(decoded) == 60
    decoded.clear()
    list(read_frames(video, range(59, -1, -1)))
    assert len(decoded) <= 60 + 5
    decoded.clear()
    list(read_frames(video, [1, 50]))
    assert len(decoded) <= 2 + 12


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov"])
@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(25), Fraction(15, 2)])
def test_rates_are_exact(clips, name: str, fps: Fraction) -> None:
    video = probe(clips.make(name, 30, fps=fps))
    assert (video.fps, video.frame_count, video.variable_rate) == (fps, 30, False)
    assert video.duration_s == float(30 / fps)


def test_variable_rate_is_read_on_its_nominal_grid(clips) -> None:
    times = [1, 2, 3, 5, 6, 8, 9, 10, 12, 13]
    video = probe(clips.make("variable.mp4", 10, fps=Fraction(30), times=times, bf="0"))
    assert video.variable_rate
    assert video.fps == 30
    # A clip alone starts where its first frame does; the gap at the start shows where there is sound from zero on.
    assert clips.numbers(read_frames(video)) == [0, 1, 2, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9]
    assert any("varies" in note for note in video.notes)


def test_the_shared_variable_clip(shared_clip) -> None:
    video = probe(shared_clip("video-retalking__1.mp4"))
    assert (video.fps, video.frame_count, video.size_wh) == (30, 184, (700, 700))
    assert video.variable_rate
    assert video.has_audio
    assert any("33 ms" in note for note in video.notes)
    assert video.index.frame_of[:5].tolist() == [0, 0, 0, 1, 2]
    assert len(set(video.index.frame_of.tolist())) == 135


def test_the_shared_hevc_portrait(shared_clip) -> None:
    video = probe(shared_clip("LatentSync__demo1_video.mp4"))
    assert (video.codec, video.fps, video.frame_count, video.size_wh) == ("hevc", 25, 250, (1080, 1920))
    forward = list(read_frames(video, [100, 101, 102]))
    backward = list(read_frames(video, [102, 101, 100]))
    assert all(np.array_equal(one, other) for one, other in zip(forward, backward[::-1], strict=True))


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation(clips, degrees: int) -> None:
    stored = np.full((64, 96, 3), 60, np.uint8)
    stored[:32, :48] = 220  # top left
    video = probe(clips.encode("turned.mp4", [stored] * 3, prepare=rotate(degrees)))
    assert video.rotation == degrees
    assert video.size_wh == ((96, 64) if degrees % 180 == 0 else (64, 96))
    expected = np.rot90(stored, -degrees // 90)
    frame = next(read_frames(video))
    assert frame.shape == expected.shape
    assert np.abs(frame.astype(int) - expected).mean() < 3


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_mirrored_rotation(clips, degrees: int) -> None:
    def prepare(stream) -> None:
        rotate(0)(stream)
        stream.set_display_rotation(-degrees, hflip=True)

    stored = np.full((64, 96, 3), 60, np.uint8)
    stored[:16, :48] = 220
    path = clips.encode("mirrored.mp4", [stored] * 3, prepare=prepare)
    expected = np.rot90(stored, -degrees // 90)[:, ::-1]  # PyAV mirrors after turning
    frame = next(read_frames(path))
    assert frame.shape == expected.shape
    assert np.abs(frame.astype(int) - expected).mean() < 3


def test_frames_cut_away_by_an_edit_list_stay_away(clips) -> None:
    path = clips.make("edited.mp4", 40, times=list(range(-10, 30)), g="12", bf="2")
    video = probe(path)
    assert (video.fps, video.frame_count, video.notes) == (25, 30, ())
    assert clips.numbers(read_frames(video)) == list(range(10, 40))
    assert clips.numbers(read_frames(video, range(29, -1, -1))) == list(range(39, 9, -1))


@pytest.mark.parametrize(("aspect", "size_wh"), [(Fraction(4, 3), (128, 64)), (Fraction(8, 9), (85, 64))])
def test_pixels_are_squared(clips, aspect: Fraction, size_wh: tuple[int, int]) -> None:
    def prepare(stream) -> None:
        stream.codec_context.sample_aspect_ratio = aspect

    video = probe(clips.make("wide.mp4", 12, prepare=prepare))
    assert video.size_wh == size_wh
    assert any("not square" in note for note in video.notes)
    assert clips.numbers(read_frames(video, [11, 5])) == [11, 5]


def test_pixel_aspect_and_rotation_together(clips) -> None:
    def prepare(stream) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        rotate(90)(stream)

    video = probe(clips.make("both.mp4", 3, prepare=prepare))
    assert video.size_wh == (64, 128)
    assert next(read_frames(video)).shape == (128, 64, 3)


def test_one_frame_is_enough(clips) -> None:
    video = probe(clips.make("one.mp4", 1))
    assert (video.frame_count, video.fps, video.is_still) == (1, 25, False)
    assert clips.numbers(read_frames(video, [0, 0])) == [0, 0]


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv"])
def test_a_cut_off_file_gives_what_is_there(clips, name: str) -> None:
    how = {"movflags": "+faststart"} if name.endswith("mp4") else {}
    whole = clips.folder / f"whole{name[3:]}"
    with av.open(str(whole), "w", options=how) as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "10"})
        stream.width, stream.height = 96, 64
        for number in range(100):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(clips.barcode(number), "rgb24")))
        container.mux(stream.encode(None))
    cut = clips.folder / name
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    with pytest.warns(LipwiseWarning, match="cut off"):
        video = probe(cut)
    assert 30 < video.frame_count < 90
    assert any("cut off" in note for note in video.notes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LipwiseWarning)  # the very last frame may be half there
        numbers = clips.numbers(read_frames(video))
    sure = video.frame_count - 6  # the B-frames before the cut may lie behind it
    assert numbers[:sure] == list(range(sure))
    assert video.fps == 25


def test_undecodable_frames_are_held_and_counted(clips) -> None:
    path = clips.make("damaged.mkv", 30, codec="mjpeg", pixel_format="yuvj420p")
    with av.open(str(path)) as container:
        sizes = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    content = path.read_bytes()
    for number in (10, 11):
        content = content.replace(sizes[number], b"\0" * len(sizes[number]))
    path.write_bytes(content)
    with pytest.warns(LipwiseWarning, match="2 frames cannot be decoded"):
        assert clips.numbers(read_frames(path)) == [*range(10), 9, 9, *range(12, 30)]


@pytest.mark.parametrize("name", ["p.png", "p.jpg", "p.webp", "p.bmp", "p.tiff"])
def test_pictures(tmp_path, name: str) -> None:
    picture = np.full((40, 60, 3), 90, np.uint8)
    picture[:20, :30] = (200, 60, 40)
    Image.fromarray(picture).save(tmp_path / name, quality=95)
    video = probe(tmp_path / name)
    assert (video.is_still, video.frame_count, video.size_wh, video.has_audio) == (True, 1, (60, 40), False)
    first, second = read_frames(video, [0, 0])
    assert first is not second
    assert np.abs(first[5:15, 5:25].astype(int) - (200, 60, 40)).max() <= 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_upright(tmp_path, orientation: int) -> None:
    picture = np.full((40, 64, 3), 50, np.uint8)
    picture[:16, :16] = 230
    exif = Image.Exif()
    exif[0x112] = orientation
    Image.fromarray(picture).save(tmp_path / "phone.jpg", exif=exif, quality=98)
    turned = {
        1: picture,
        2: picture[:, ::-1],
        3: picture[::-1, ::-1],
        4: picture[::-1],
        5: picture.transpose(1, 0, 2),
        6: np.rot90(picture, -1),
        7: picture[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(picture, 1),
    }[orientation]
    assert probe(tmp_path / "phone.jpg").size_wh == (turned.shape[1], turned.shape[0])
    assert np.abs(next(read_frames(tmp_path / "phone.jpg")).astype(int) - turned).mean() < 3


def test_deep_grey_and_transparent_pictures(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "deep.png"), np.full((8, 8, 3), (10 * 257, 120 * 257, 200 * 257), np.uint16))
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((8, 8), 77, np.uint8))
    cv2.imwrite(str(tmp_path / "clear.png"), np.full((8, 8, 4), (0, 0, 200, 128), np.uint8))
    assert np.abs(next(read_frames(tmp_path / "deep.png"))[0, 0].astype(int) - (200, 120, 10)).max() <= 1
    assert next(read_frames(tmp_path / "grey.png"))[0, 0].tolist() == [77, 77, 77]
    assert np.abs(next(read_frames(tmp_path / "clear.png"))[0, 0].astype(int) - (227, 127, 127)).max() <= 1
    assert any("white" in note for note in probe(tmp_path / "clear.png").notes)


def with_sound(path, *, picture: bool) -> None:
    """A recording of half a second, with a cover where `picture` says so."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=48000)
        if picture:
            cover = container.add_stream("mjpeg", rate=1)
            cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 99, np.uint8), "rgb24")
            container.mux([*cover.encode(frame), *cover.encode(None)])
        samples = av.AudioFrame.from_ndarray(np.zeros((2, 24000), np.float32), "fltp", "stereo")
        samples.sample_rate = 48000
        container.mux([*sound.encode(samples), *sound.encode(None)])


def test_a_recording_is_not_a_video(tmp_path) -> None:
    with_sound(tmp_path / "sound.m4a", picture=False)
    with pytest.raises(MediaError, match="sound only"):
        probe(tmp_path / "sound.m4a")


def test_a_cover_is_not_a_video(tmp_path) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("PyAV cannot mark a stream as a cover and there is no ffmpeg program to do it")
    import subprocess

    with_sound(tmp_path / "sound.m4a", picture=False)
    cv2.imwrite(str(tmp_path / "cover.jpg"), np.full((64, 64, 3), 99, np.uint8))
    command = ["ffmpeg", "-v", "error", "-i", "sound.m4a", "-i", "cover.jpg", "-map", "0", "-map", "1"]
    for name in ("song.mp3", "song.m4a"):
        given = [*command, "-c:v", "copy", "-disposition:v", "attached_pic", name]
        subprocess.run(given, cwd=tmp_path, check=True)
        with pytest.raises(MediaError, match="sound only"):
            probe(tmp_path / name)


def test_ffmpegs_own_words_come_without_its_number(tmp_path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(range(256)) * 8)
    with pytest.raises(MediaError, match="FFmpeg says: Invalid data") as caught:
        probe(tmp_path / "no.mp4")
    assert "Errno" not in str(caught.value)


def test_bad_files_say_what_is_wrong(tmp_path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("This is no video at all.\n" * 100)
    (tmp_path / "notes.txt").write_text("Neither is this.\n" * 100)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"nothing behind the signature")
    (tmp_path / "folder.mp4").mkdir()
    cases = {
        "missing.mp4": "nothing has that name",
        "empty.mp4": "0 bytes",
        "text.mp4": "Invalid data",
        "notes.txt": "text file|Invalid data",
        "picture.png": "no picture that it can decode",
        "folder.mp4": "a folder",
    }
    for name, cause in cases.items():
        with pytest.raises(MediaError, match=cause) as caught:
            probe(tmp_path / name)
        assert name in caught.value.what
        assert caught.value.next_step


@pytest.mark.parametrize("name", ["a b.mp4", "a.b.c.mp4", 'it\'s "so".mp4', "50%d %03d.mp4", "日本語 ü.mp4", "a:b.mp4"])
def test_names(clips, name: str) -> None:
    assert clips.numbers(read_frames(clips.make("plain.mp4", 5).rename(clips.folder / name))) == list(range(5))


@pytest.mark.parametrize("name", ["50%03d.png", "é ü.jpg"])
def test_names_of_pictures(tmp_path, name: str) -> None:
    Image.fromarray(np.full((20, 30, 3), 120, np.uint8)).save(tmp_path / name)
    assert probe(tmp_path / name).size_wh == (30, 20)


def test_titles_need_not_be_utf8(clips) -> None:
    path = clips.folder / "titled.mkv"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "abcdefgh"
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 96, 64
        container.mux([*stream.encode(av.VideoFrame.from_ndarray(clips.barcode(3), "rgb24")), *stream.encode(None)])
    path.write_bytes(path.read_bytes().replace(b"abcdefgh", b"\xff\xfe\xe9\x80h\xe9\xff\xfc"))
    assert clips.numbers(read_frames(path)) == [3]
