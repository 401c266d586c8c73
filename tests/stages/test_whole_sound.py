"""A clip's own sound kept whole: all of it, and no longer than it is."""

import warnings
from fractions import Fraction

import numpy as np
import pytest

import lipwise as lw
from lipwise.media.sound import MUX_SAMPLE_RATE, read_sound
from lipwise.stages.clean_sound import frames_of_sound
from lipwise.stages.write_clean import write_clean
from lipwise.timeline import Timeline

FPS, COUNT = Fraction(25), 60  # 2.4 s of picture


@pytest.fixture(scope="module")
def clip_with(tmp_path_factory):
    """Makes a clip of 2.4 s whose sound, a tone, lasts for as long as is wanted."""
    import av

    folder = tmp_path_factory.mktemp("clips")

    def make(seconds: float):
        path = folder / f"{seconds}.mp4"
        with av.open(str(path), "w") as file:
            picture, sound = file.add_stream("libx264", rate=25), file.add_stream("aac", rate=MUX_SAMPLE_RATE)
            picture.width, picture.height, picture.pix_fmt, sound.layout = 96, 64, "yuv420p", "stereo"
            for number in range(COUNT):
                grey = np.full((64, 96, 3), 4 * number, np.uint8)
                file.mux(picture.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
            file.mux(picture.encode(None))
            wave = 0.4 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * MUX_SAMPLE_RATE)) / MUX_SAMPLE_RATE)
            frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]).astype(np.float32), "fltp", "stereo")
            frame.sample_rate = MUX_SAMPLE_RATE
            file.mux(sound.encode(frame))
            file.mux(sound.encode(None))
        return path

    return make


def cleaned(path, count, out, **more):
    """The clip of its first frames, with what was warned of."""
    timeline = Timeline(np.arange(count), np.ones(count, bool), FPS)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", lw.LipwiseWarning)
        made = write_clean(path, timeline, out, sound="whole", **more)
    heard = np.concatenate(list(read_sound(made.video.path)))
    loud_s = (np.flatnonzero(np.abs(heard[:, 0]) > 0.1)[-1] + 1) / MUX_SAMPLE_RATE
    return made, loud_s, [str(entry.message) for entry in caught]


@pytest.mark.parametrize("shown", [COUNT, 40])
def test_sound_that_outlasts_the_picture_is_kept_to_its_end(clip_with, tmp_path, shown):
    made, loud_s, told = cleaned(clip_with(4.0), shown, tmp_path / "out.mp4")
    assert abs(loud_s - 4.0) < 0.05
    assert 100 <= made.video.frame_count <= 101
    assert any(f"stands for {(made.video.frame_count - shown) / 25:.2f} s" in text for text in told)


def test_sound_that_is_over_sooner_holds_no_picture(clip_with, tmp_path):
    made, loud_s, told = cleaned(clip_with(1.0), 40, tmp_path / "out.mp4")
    assert made.video.frame_count == 40
    assert abs(loud_s - 1.0) < 0.05
    assert told == []


def test_sound_as_long_as_the_picture_ends_with_it(clip_with, tmp_path):
    made, _, told = cleaned(clip_with(2.4), COUNT, tmp_path / "out.mp4")
    assert (made.video.frame_count, told) == (COUNT, [])


def test_the_sound_of_a_part_ends_with_the_part(clip_with, tmp_path):
    video = lw.probe(clip_with(4.0))
    assert frames_of_sound(video.part(10, 30), start_s=Fraction(10, 25)) == 20
    made, loud_s, _ = cleaned(video.part(10, 30), 15, tmp_path / "out.mp4", start_s=Fraction(10, 25))
    assert made.video.frame_count == 20
    assert loud_s < 0.85
    assert 90 <= frames_of_sound(video.part(10, COUNT), start_s=Fraction(10, 25)) <= 91


def test_a_part_after_the_sounds_end_is_silent_and_says_so(clip_with, tmp_path):
    video = lw.probe(clip_with(1.0)).part(40, 50)
    timeline = Timeline(np.arange(5), np.ones(5, bool), FPS)
    with pytest.warns(lw.LipwiseWarning, match="has none either"):
        made = write_clean(video, timeline, tmp_path / "out.mp4", sound="whole", start_s=Fraction(40, 25))
    assert (made.video.frame_count, made.video.has_audio) == (5, False)
