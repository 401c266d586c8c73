"""The shipped sample: a real face and speech that everybody may use.

The face is NASA's portrait of Eileen Collins (public domain, `skimage.data.astronaut`), given a gentle head motion;
the speech is synthetic. No clip of a private person is shipped.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from lipwise.media.write import write_video

FPS = Fraction(25)
SECONDS = 4
SIZE = 512
SPEECH = Path(__file__).parent / "assets" / "sample_speech.flac"

# The part of the portrait that is shown, in its pixels, and how far it sways: gentle enough for a seated speaker.
CENTRE_XY = np.array([226.0, 142.0])
SIDE = 250.0
SWAY_XY = np.array([9.0, 5.0])
TURN_DEG = 2.5
ZOOM = 0.03


class Sample(NamedTuple):
    """A clip and a recording, ready to run."""

    face: Path
    speech: Path


def sample_frames() -> Iterator[np.ndarray]:
    """The portrait seen by a slowly swaying camera: 100 frames (512, 512, 3) uint8 RGB."""
    from skimage.data import astronaut

    portrait = astronaut()
    for number in range(int(FPS * SECONDS)):
        turn = 2 * np.pi * number / int(FPS * SECONDS)
        scale = SIZE / SIDE * (1 + ZOOM * np.sin(turn))
        x, y = CENTRE_XY + SWAY_XY * (np.sin(turn), np.sin(2 * turn + 0.7))
        camera = cv2.getRotationMatrix2D((float(x), float(y)), TURN_DEG * float(np.sin(turn + 0.5)), float(scale))
        camera[:, 2] += SIZE / 2 - np.array([x, y])
        yield cv2.warpAffine(portrait, camera, (SIZE, SIZE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def make_sample(folder: str | Path) -> Sample:
    """Write the sample clip into a folder, unless it is there, and say where clip and speech lie."""
    face = Path(folder) / "sample_face.mp4"
    if not face.exists():
        write_video(face, sample_frames(), fps=FPS, quality=14)
    return Sample(face, SPEECH)
