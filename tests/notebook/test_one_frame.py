"""The frame that is tried before a run is the one that was asked for: its picture, its place and what it hears."""

from itertools import islice

import cv2
import numpy as np
import pytest

import lipwise as lw
from lipwise.media.read import read_frames
from lipwise.media.write import write_video
from lipwise.models.viseme import VisemeGenerator
from lipwise.notebook.one_frame import REACH, look_round, preview
from lipwise.recipe import Recipe
from lipwise.sample import SPEECH, sample_frames
from lipwise.timeline import Timeline

FRAMES = 2 * REACH + 6  # of the clip: the speech is longer, so the clip is shown backward, too


@pytest.fixture(scope="module")
def recipe(tmp_path_factory, face_mesh) -> Recipe:
    """For a clip without two frames alike."""
    folder = tmp_path_factory.mktemp("clip")
    small = [cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA) for frame in islice(sample_frames(), FRAMES)]
    clip = write_video(folder / "clip.mp4", small, fps=25)
    return Recipe(face=clip, speech=SPEECH, out=folder / "made.mp4", consent=True)


@pytest.mark.parametrize("number", [0, 3, REACH, REACH + 1, FRAMES - 1, FRAMES + 5, 98])
def test_the_frame_that_is_tried_is_the_one_that_was_asked_for(recipe, number):
    stretch = look_round(recipe, number)
    whole, speech = lw.probe(recipe.face), lw.load_speech(recipe.speech)
    row = Timeline.for_speech(np.ones(FRAMES, bool), whole.fps, stretch.frames).source_index[[number]]
    wanted = next(read_frames(whole, row))
    assert stretch.number == number
    assert (stretch.frame == wanted).all()
    assert stretch.track.has_face[stretch.row]
    asked = {"count": 1, "offset_s": -0.06}
    heard = stretch.speech.windows(whole.fps, first=stretch.place, **asked)
    assert (heard == speech.windows(whole.fps, first=number, **asked)).all()


def test_a_preview_shows_the_frame_before_and_after(recipe):
    stretch = look_round(recipe, 5)
    made = preview(stretch, generator=VisemeGenerator())
    assert (made.before == next(read_frames(recipe.face, [5]))).all()
    assert made.lipsync is not None
    outside = np.ones(made.before.shape[:2], bool)
    made.lipsync.box.of(outside)[made.lipsync.mask > 0] = False
    assert (made.result[outside] == made.before[outside]).all()
    assert (made.result != made.before).any()
