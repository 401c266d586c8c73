"""The lip-sync stage leaves no visible edge: on the sample and on a real clip, in every region."""

import cv2
import numpy as np
import pytest

import lipwise as lw
from lipwise.models.generator import GeneratorState

FRAMES = 8
EVERY = 6  # so that the frames show different mouths
MOST_SEAM = 1.1
REGIONS = ("mouth", "lower_face", "face")


class BlurredReference:
    """Stands in for a 96-pixel network: gives the crop it was shown back, blurred, recoloured and brightened."""

    name, note = "blurred reference", "a test"
    crop, crop_size, keeps_colours = "face", 96, False
    window_shift_s = moves_beyond = 0.0

    def prepare(self, mesh_xy, source_index, read_frame, read_windows):
        return GeneratorState()

    def render(self, crops, mel_windows, mesh_xy, state):
        soft = [cv2.GaussianBlur(crop, (0, 0), 1.0) for crop in crops]
        return [np.clip(crop * (1.06, 1.03, 0.98) + (9, 5, -5), 0, 255).astype(np.uint8) for crop in soft]

    def remarks(self, state):
        return []


@pytest.fixture(scope="module")
def sample(tmp_path_factory, face_mesh) -> lw.Sample:
    return lw.make_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module", params=["sample", "video-retalking__3.mp4"])
def parts(request, sample):
    """Video, track, timeline and speech of the first frames of a clip."""
    name = request.param
    video = lw.probe(sample.face if name == "sample" else request.getfixturevalue("shared_clip")(name))
    video = video.part(0, FRAMES * EVERY)
    track = lw.track_faces(video)
    speech = lw.load_speech(sample.speech)
    return video, track, lw.Timeline.for_speech(track.has_face, video.fps, len(track)), speech


def steps_of(parts, generator, region) -> list[lw.LipsyncStep]:
    video, _, timeline, _ = parts
    settings = lw.LipsyncSettings(region=region)
    state = lw.prepare_lipsync(*parts, generator=generator, settings=settings)
    numbers = np.arange(EVERY // 2, len(timeline), EVERY)
    frames = lw.read_frames(video, timeline.source_index[numbers])
    found = [
        lw.lipsync_steps([frame], numbers[i : i + 1], *parts[1:], generator=generator, state=state, settings=settings)
        for i, frame in enumerate(frames)
    ]
    steps = [step for (step,) in found if step is not None]
    assert len(steps) == FRAMES
    return steps


def seams(steps: list[lw.LipsyncStep]) -> np.ndarray:
    """Seam energy of each step, on the whole frame, so that the crop's own border counts too."""
    energies = []
    for step in steps:
        mask = np.zeros(step.frame.shape[:2], np.float32)
        step.box.of(mask)[:] = step.mask
        energies.append(lw.seam_energy(step.result, step.frame, mask))
    return np.array(energies)


@pytest.mark.parametrize("region", REGIONS)
def test_the_built_in_generator_leaves_no_seam(parts, region):
    steps = steps_of(parts, lw.load_generator(), region)
    assert all((step.result != step.frame).any() for step in steps), "nothing was pasted"
    assert seams(steps).max() <= MOST_SEAM


@pytest.mark.parametrize("region", REGIONS)
def test_a_small_networks_crop_leaves_no_seam(parts, region):
    steps = steps_of(parts, BlurredReference(), region)
    assert all((step.result != step.frame).any() for step in steps), "nothing was pasted"
    assert seams(steps).max() <= MOST_SEAM


def test_the_raw_rectangle_shows(parts):
    assert seams(steps_of(parts, BlurredReference(), "rectangle")).min() > MOST_SEAM
