"""The lip-sync stage with a generator that shows exactly what it was given."""

from fractions import Fraction

import numpy as np
import pytest

import lipwise as lw
from lipwise.faces.track import DETECTED, NONE, FaceTrack
from lipwise.media.audio import mel_windows
from lipwise.models.generator import GeneratorState

T = 12


class Painter:
    """Paints the crop in one colour and remembers what it saw."""

    name, note = "painter", "a test"
    crop_size = None
    window_shift_s = moves_beyond = 0.0

    def __init__(self, crop="mouth", crop_size=None, keeps_colours=True):
        self.crop, self.crop_size, self.keeps_colours = crop, crop_size, keeps_colours
        self.seen, self.windows, self.rows = [], [], []

    def prepare(self, mesh_xy, source_index, read_frame, read_windows):
        return GeneratorState(per_frame={"number": np.arange(len(source_index))})

    def render(self, crops, mel_windows, mesh_xy, state):
        self.seen += crops
        self.windows += list(mel_windows)
        self.rows += state.per_frame["number"].tolist()
        return [np.full_like(crop, 200) for crop in crops]

    def remarks(self, state):
        return []


@pytest.fixture
def mesh(golden) -> np.ndarray:
    return np.load(golden / "astronaut_mesh.npz")["mesh_xy"]


@pytest.fixture
def parts(mesh, tmp_path):
    """A clip of twelve frames, two of them without a face, and a second of noise for speech."""
    from skimage.data import astronaut

    frames = [np.roll(astronaut(), number, axis=1) for number in range(T)]
    clip = lw.write_video(tmp_path / "clip.mp4", frames, fps=Fraction(25), quality=5)
    meshes = np.stack([mesh + (number, 0) for number in range(T)]).astype(np.float32)
    origin = np.full(T, DETECTED, np.uint8)
    origin[4:6] = NONE
    meshes[4:6] = np.nan
    low, high = meshes.min(1), meshes.max(1)
    track = FaceTrack(
        boxes_xyxy=np.concatenate([low, high], 1),
        landmarks_xy=meshes[:, [33, 263, 1, 61, 291]],
        score=np.ones(T, np.float32),
        origin=origin,
        shot=np.zeros(T, np.int32),
        people=np.ones(1, np.int32),
        size_wh=(512, 512),
        mesh_xy=meshes,
    )
    rng = np.random.default_rng(0)
    voice = lw.save_wav(tmp_path / "a.wav", (rng.standard_normal(16000) * 0.1).astype(np.float32), sample_rate=16000)
    speech = lw.load_speech(voice)
    video = lw.probe(clip)
    timeline = lw.Timeline.for_speech(track.has_face, video.fps, 20)
    return video, track, timeline, speech


@pytest.mark.parametrize("batch", [1, 3, 16])
def test_every_frame_gets_its_own_window_and_state(parts, batch):
    video, track, timeline, speech = parts
    painter = Painter()
    settings = lw.LipsyncSettings(batch_frames=batch)
    frames = list(lw.lipsync_frames(video, track, timeline, speech, generator=painter, settings=settings))
    wanted = np.flatnonzero(timeline.synth)
    assert len(frames) == 20
    assert painter.rows == wanted.tolist()
    assert (np.stack(painter.windows) == mel_windows(speech.mel, video.fps, count=20)[wanted]).all()


def test_frames_without_a_face_are_the_sources_own(parts):
    video, track, timeline, speech = parts
    source = list(lw.read_frames(video, timeline.source_index))
    frames = list(lw.lipsync_frames(video, track, timeline, speech, generator=Painter()))
    for number, (made, shown) in enumerate(zip(frames, source, strict=True)):
        assert (made == shown).all() == (not timeline.synth[number])


def test_a_part_equals_that_part_of_the_whole(parts):
    video, track, timeline, speech = parts
    state = lw.prepare_lipsync(video, track, timeline, speech, generator=Painter())
    arguments = {"generator": Painter(), "state": state}
    whole = list(lw.lipsync_frames(video, track, timeline, speech, **arguments))
    part = list(lw.lipsync_frames(video, track, timeline, speech, part=slice(7, 15), **arguments))
    assert all((one == other).all() for one, other in zip(part, whole[7:15], strict=True))


def test_an_offset_moves_the_windows(parts):
    video, track, timeline, speech = parts
    painter = Painter()
    settings = lw.LipsyncSettings(audio_offset_s=0.08)
    list(lw.lipsync_frames(video, track, timeline, speech, generator=painter, settings=settings))
    later = mel_windows(speech.mel, video.fps, count=22)[2:][timeline.synth]
    assert (np.stack(painter.windows) == later).all()


@pytest.mark.parametrize("crop", ["face", "mouth"])
def test_a_sized_crop_is_what_a_network_gets(parts, crop):
    video, track, timeline, speech = parts
    painter = Painter(crop, crop_size=96, keeps_colours=False)
    list(lw.lipsync_frames(video, track, timeline, speech, generator=painter))
    assert {picture.shape for picture in painter.seen} == {(96, 96, 3)}


def test_steps_hold_every_picture_of_the_result(parts):
    video, track, timeline, speech = parts
    generator = Painter()
    state = lw.prepare_lipsync(video, track, timeline, speech, generator=generator)
    numbers = np.arange(3, 6)
    frames = list(lw.read_frames(video, timeline.source_index[numbers]))
    steps = lw.lipsync_steps(frames, numbers, track, timeline, speech, generator=generator, state=state)
    assert [step is None for step in steps] == [False, True, True]
    step = steps[0]
    assert (step.frame == frames[0]).all()
    assert step.mask.shape == step.box.size_wh[::-1]
    assert (step.box.of(step.result)[step.mask == 1] == 200).all()
