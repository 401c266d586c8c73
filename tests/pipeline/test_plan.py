"""Which frames a start and an end in seconds mean."""

from fractions import Fraction

import pytest

import lipwise as lw
from lipwise.pipeline.plan import used_part


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> lw.VideoInfo:
    import numpy as np

    frames = (np.full((32, 32, 3), number, np.uint8) for number in range(100))
    return lw.probe(lw.write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", frames, fps=Fraction(25)))


@pytest.mark.parametrize("number", [7, 14, 28, 57, 58, 99])
def test_a_frames_own_time_means_that_frame(clip, number):
    recipe = lw.Recipe(face=clip.path, speech="a.wav", start_s=number / 25)
    part = used_part(clip, recipe)
    assert part.frame_count == 100 - number
    ending = used_part(clip, lw.Recipe(face=clip.path, speech="a.wav", end_s=number / 25))
    assert ending.frame_count == number


def test_a_photo_has_no_start(tmp_path):
    import cv2
    import numpy as np

    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.zeros((32, 32, 3), np.uint8))
    with pytest.warns(lw.LipwiseWarning, match="photo"):
        part = used_part(lw.probe(path), lw.Recipe(face=path, speech="a.wav", start_s=3, still_fps=30))
    assert part.fps == 30
