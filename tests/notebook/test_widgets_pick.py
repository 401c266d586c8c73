"""Picking files, scrubbing frames, one frame before the run, what a run did."""

import html
import re
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import ModuleType

import av
import cv2
import ipywidgets
import numpy as np
import pytest

import lipwise as lw
from lipwise.errors import FaceError, LipwiseWarning, MediaError, SettingsError
from lipwise.faces.track import DETECTED, FILLED, NONE
from lipwise.media.write import write_video
from lipwise.notebook import file_picker, widgets
from lipwise.notebook.file_picker import HERE, ON_DRIVE, SAMPLE, UP, FilePicker, about, listing
from lipwise.notebook.one_frame import look_round, preview
from lipwise.notebook.scrubber import BOX, FrameScrubber, drawn
from lipwise.notebook.show_run import NO_CHANCE, frames_by_reason
from lipwise.notebook.widgets import BeforeAfter, reading_code
from lipwise.recipe import Recipe
from lipwise.sample import SPEECH, sample_frames
from lipwise.stages.generators import load_generator
from lipwise.timeline import Timeline


@pytest.fixture(scope="module")
def clip(tmp_path_factory, face_mesh) -> Path:
    """Thirty frames of the sample at half size."""
    small = (cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA) for frame in islice(sample_frames(), 30))
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mp4", small, fps=25)


# --- files ---


def test_a_listing_holds_what_can_be_taken(tmp_path):
    for name in ("b.MP4", "a.jpg", "voice.wav", "notes.txt", ".hidden.mp4"):
        (tmp_path / name).touch()
    (tmp_path / "more").mkdir()
    assert [one.words for one in listing(tmp_path, "face")] == [UP, "more/", "a.jpg", "b.MP4"]
    assert [one.words for one in listing(tmp_path, "speech")] == [UP, "more/", "b.MP4", "voice.wav"]


def test_a_clip_is_picked_in_a_folder_and_the_sample_again(clip, tmp_path):
    picker = FilePicker("face", clip, folder=clip.parent.parent)
    assert (picker.place.value, picker.path, picker.code()) == (SAMPLE, clip, 'face = ""')
    own = clip.parent / "own.mp4"
    own.write_bytes(clip.read_bytes())
    picker.place.value = HERE
    picker.files.index = picker.files.options.index(f"{clip.parent.name}/")
    assert picker.take.description == "Open"
    picker.take.click()
    picker.files.index = picker.files.options.index("own.mp4")
    assert picker.take.description == "Take"
    picker.take.click()
    assert (picker.path.name, picker.code()) == ("own.mp4", f'face = "{picker.path.as_posix()}"')
    assert "256 x 256, 1.2 s" in picker.caption.value
    picker.place.value = SAMPLE
    assert picker.path == clip


def test_a_file_that_is_no_clip_says_so(tmp_path, clip):
    broken = tmp_path / "a<b>.mp4"
    broken.write_text("no clip")
    picker = FilePicker("face", clip, chosen=broken)
    assert "cannot be taken" in picker.caption.value
    assert "a&lt;b&gt;.mp4" in picker.caption.value


def test_elsewhere_than_on_colab_there_is_no_drive(clip):
    picker = FilePicker("face", clip)
    picker.place.value = ON_DRIVE
    assert picker.place.value == SAMPLE
    assert "on Colab only" in picker.caption.value


@pytest.fixture
def drive(tmp_path, monkeypatch) -> Path:
    """A Drive that Colab mounts, as far as anybody can tell; nothing is in it."""
    for name in ("google.colab", "google.colab.drive"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["google.colab.drive"].mount = lambda place: None
    monkeypatch.setattr(file_picker, "DRIVE", tmp_path / "drive")
    return tmp_path / "drive"


def test_a_drive_that_cannot_be_opened_is_told_and_the_folder_stays(clip, drive):
    picker = FilePicker("face", clip, folder=clip.parent)
    before = picker.files.options
    picker.place.value = ON_DRIVE
    assert "MyDrive cannot be opened" in picker.caption.value
    assert (picker.folder, picker.files.options) == (clip.parent, before)
    (drive / "MyDrive" / "courses").mkdir(parents=True)
    picker.place.value = HERE
    picker.place.value = ON_DRIVE
    assert picker.files.options == (UP, "courses/")


def test_the_length_of_a_recording_is_told_without_decoding_it(clip, tmp_path, monkeypatch):
    with av.open(str(tmp_path / "half.mkv"), "w") as made:  # Matroska has no length for each stream
        stream = made.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 16_000
        made.mux([*stream.encode(frame), *stream.encode(None)])
    monkeypatch.setattr("lipwise.media.sound_stream.decode_sound", None)
    assert about(SPEECH, "speech") == "4.0 s of sound"
    assert about(tmp_path / "half.mkv", "speech") == "0.5 s of sound"
    assert about(clip, "speech") == "cannot be taken: it has no sound"
    assert "cannot be taken: " in about(tmp_path / "none.wav", "speech")


ODD_NAME = """a'b"c\\d é.mp4"""  # quotes, a backslash, a letter beyond ASCII


def test_lines_of_code_can_be_run_whatever_a_file_is_called(clip, tmp_path):
    odd = tmp_path / ODD_NAME
    odd.write_bytes(clip.read_bytes())
    video, timeline = lw.probe(odd), Timeline(np.arange(30), np.ones(30, bool), Fraction(25))
    printed = BeforeAfter(clip, odd, timeline, number=7).caption.value
    lines = [
        FrameScrubber(odd, number=7).code(),
        html.unescape(re.search("<code>(.+)</code>", printed)[1]),
        reading_code(video, 7),
    ]
    wanted = next(lw.read_frames(clip, [7]))
    assert all((eval(line, {"lw": lw}) == wanted).all() for line in lines)
    form: dict[str, str] = {}
    exec(FilePicker("face", clip, chosen=odd).code(), form)
    assert Path(form["face"]) == odd


def test_every_widget_is_found_in_one_place():
    assert widgets.FilePicker is FilePicker
    assert widgets.FrameScrubber is FrameScrubber
    every = "BeforeAfter BeforeAfterSlider FilePicker FrameReviewer FrameScrubber ParameterPanel PersonPicker Readout"
    for name in (*every.split(), "RunPanel", "WeightsPicker"):
        assert issubclass(getattr(widgets, name), ipywidgets.DOMWidget), name
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        widgets.Nothing  # noqa: B018


# --- frames ---


def test_the_scrubber_shows_the_frame_that_its_line_of_code_reads(clip):
    scrubber = FrameScrubber(clip, number=99)
    assert scrubber.slider.value == 29
    scrubber.slider.value = 7
    shown = cv2.imdecode(np.frombuffer(bytes(scrubber.picture.value), np.uint8), cv2.IMREAD_COLOR_RGB)
    read = eval(scrubber.code(), {"lw": lw, "next": next})
    assert np.abs(shown.astype(int) - drawn(read, None, 7)).mean() < 3
    assert "0.28 s" in scrubber.caption.value


def test_the_scrubber_draws_the_face(clip):
    track = lw.track_faces(clip)
    frame = next(lw.read_frames(clip, [3]))
    assert ((drawn(frame, track, 3, height=256) == BOX).all(-1)).any()
    assert not ((drawn(frame, None, 3, height=256) == BOX).all(-1)).any()


# --- one frame ---


@pytest.fixture
def recipe(clip, tmp_path) -> Recipe:
    return Recipe(face=clip, speech=SPEECH, out=tmp_path / "made.mp4", consent=True)


def test_one_frame_equals_the_runs_where_the_stretch_is_the_clip(recipe):
    """Frame 40 is on the way back through a clip of thirty: it shows frame 18 and hears its own moment."""
    stretch = look_round(recipe, 40)
    assert (stretch.number, stretch.frames) == (40, 99)
    source = next(lw.read_frames(recipe.face, [18]))
    assert (stretch.frame == source).all()
    whole = lw.load_speech(SPEECH).windows(Fraction(25), first=40, count=1)
    assert (stretch.speech.windows(Fraction(25), first=stretch.place, count=1) == whole).all()
    made = preview(stretch, generator=load_generator("viseme"))
    assert made.lipsync is not None
    assert (made.before == source).all()
    assert (made.result != source).any()
    assert set(made.seconds) == {"find the face", "make mouths", "encode"}
    assert made.total_s == pytest.approx(stretch.hear_s + 99 * sum(made.seconds.values()))
    assert "judged by frame 40 alone" in str(made)


def test_an_enlarged_frame_has_the_runs_size(recipe):
    made = preview(
        look_round(recipe, 0),
        generator=load_generator("viseme"),
        enhancers=lw.Enhancers(None, lw.load_upscaler("lanczos", scale=2)),
    )
    assert made.result.shape == (512, 512, 3)
    assert "enhance" in made.seconds


def test_a_frame_beyond_the_end_is_the_last_and_one_before_the_start_is_refused(recipe):
    with pytest.warns(LipwiseWarning, match="no frame 500: the result has 99"):
        assert look_round(recipe, 500).number == 98
    with pytest.raises(SettingsError, match="no frame -1"):
        look_round(recipe, -1)


@pytest.fixture
def empty_half(tmp_path) -> Path:
    """Sixty frames of a grey wall, then five of the sample."""
    wall = [np.full((256, 256, 3), 90, np.uint8)] * 60
    seen = [cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA) for frame in islice(sample_frames(), 5)]
    return write_video(tmp_path / "half.mp4", wall + seen, fps=25)


def test_where_nobody_is_seen_another_frame_is_asked_for(recipe, empty_half):
    with pytest.raises(FaceError, match=r"No face was found in \S+half.mp4 round frame 20[\s\S]*choose the number"):
        look_round(recipe.model_copy(update={"face": empty_half}), 20)


def test_a_clip_without_a_face_is_refused_as_by_a_run(recipe, tmp_path):
    wall = write_video(tmp_path / "wall.mp4", [np.full((128, 128, 3), 90, np.uint8)] * 10, fps=25)
    with pytest.raises(FaceError, match=r"No face was found in \S+wall.mp4\n[\s\S]*upright face"):
        look_round(recipe.model_copy(update={"face": wall}), 5)


@pytest.mark.parametrize(("out", "kind"), [("made.xyz", MediaError), ("clip.mp4", SettingsError)])
def test_a_bad_name_for_the_result_is_refused_at_once(recipe, out, kind, monkeypatch):
    monkeypatch.setattr("lipwise.notebook.one_frame.load_speech", None)  # nothing is heard before
    with pytest.raises(kind, match=out):
        look_round(recipe.model_copy(update={"out": recipe.face.with_name(out)}), 5)


# --- what was done ---


def test_frames_are_counted_by_reason(clip):
    track = lw.track_faces(clip).part(0, 4)
    track = replace(track, origin=np.array([DETECTED, FILLED, NONE, DETECTED], track.origin.dtype))
    timeline = Timeline(np.array([0, 1, 2, 3, 0]), np.array([True, True, False, False, True]), Fraction(25))
    counts = {reason: int(count) for reason, count in frames_by_reason(track, timeline).items()}
    assert sum(counts.values()) == 5
    assert counts["new lips, face found"] == 2
    assert counts["new lips, face between its neighbours'"] == 1
    assert "no chance" in NO_CHANCE
