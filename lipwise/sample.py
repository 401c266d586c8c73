"""The shipped sample: a real face and speech that everybody may use.

The face is NASA's portrait of Eileen Collins (public domain, `skimage.data.astronaut`), given a gentle head motion;
the speech is synthetic. No clip of a private person is shipped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from lipwise.media.sound import read_sound
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

HARD_SECONDS = 8
WALL_RGB = (176, 170, 160)  # seen round the portrait when the camera draws back
FOCUS_PX, SHAKE_PX, LIGHT = 7.0, 25, 0.13
YAW_DEG = -48.0  # of the head's turn in the hard sample
AWAY_XY, FAR = np.array([205.0, 30.0]), 5.6  # how far the camera pans, in the portrait's pixels, and draws back

# The turned head: middle of the eyes and tip of the nose in the portrait, pixels a centimetre (its eyes are 42 px
# apart, those of a usual head 6.3 cm), and the half axes of an ellipsoid with a nose on it.
EYES_XY, NOSE_XY, PX_PER_CM = np.array([224.3, 101.5]), np.array([223.1, 124.9]), 6.65
HEAD_CM, NOSE_CM = (8.5, 13.0, 7.0), 3.2


class Sample(NamedTuple):
    """A clip and a recording, ready to run."""

    face: Path
    speech: Path


@dataclass(frozen=True)
class Trouble:
    """Frames of the hard sample in which something goes wrong.

    Attributes:
        kind: "turned", "shaken", "blurred", "dark", "away" or "far".
        first, stop: the frames, end excluded.
        ramp: frames until it is at its worst, and back.
    """

    kind: str
    first: int
    stop: int
    ramp: int

    def amount(self, number: int) -> float:
        """0 (nothing) to 1 (at its worst), smooth in between."""
        inside = min(number - self.first + 1, self.stop - number) / self.ramp
        level = min(1.0, max(0.0, inside))
        return level * level * (3 - 2 * level)


# With a ramp of 1 it is there from one frame to the next, as where a clip was cut or a light was switched off.
TROUBLES = (
    Trouble("turned", 14, 48, 14),
    Trouble("shaken", 54, 57, 1),
    Trouble("blurred", 64, 80, 5),
    Trouble("dark", 90, 106, 1),
    Trouble("away", 116, 152, 12),
    Trouble("far", 166, 184, 1),
)


@cache
def _portrait() -> np.ndarray:
    """(512, 512, 3) uint8 RGB, read once; nobody may change it."""
    from skimage.data import astronaut

    portrait = astronaut()
    portrait.flags.writeable = False
    return portrait


def sample_frames() -> Iterator[np.ndarray]:
    """The portrait seen by a slowly swaying camera: 100 frames (512, 512, 3) uint8 RGB."""
    portrait, count = _portrait(), int(FPS * SECONDS)
    for number in range(count):
        camera = _camera(2 * np.pi * number / count)
        yield cv2.warpAffine(portrait, camera, (SIZE, SIZE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def hard_frames() -> Iterator[np.ndarray]:
    """The same portrait with `TROUBLES`: the head turns, the focus slips, the light goes, the camera leaves.

    Returns:
        200 frames (512, 512, 3) uint8 RGB, one after the other.
    """
    return map(hard_frame, range(int(FPS * HARD_SECONDS)))


def hard_frame(number: int) -> np.ndarray:
    """One frame of the hard sample, (512, 512, 3) uint8 RGB."""
    amount = {trouble.kind: trouble.amount(number) for trouble in TROUBLES}
    portrait = turn_head(YAW_DEG * amount["turned"])
    zoom = FAR ** -amount["far"]
    camera = _camera(2 * np.pi * number / int(FPS * SECONDS), AWAY_XY * amount["away"], zoom)
    flags = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    frame = cv2.warpAffine(portrait, camera, (SIZE, SIZE), flags=flags, borderValue=WALL_RGB)
    return _spoilt(frame, amount["blurred"], amount["shaken"], amount["dark"])


def _spoilt(frame: np.ndarray, blurred: float, shaken: float, dark: float) -> np.ndarray:
    """A frame out of focus, shaken sideways and short of light, each by 0 to 1."""
    if blurred > 0:
        frame = cv2.GaussianBlur(frame, (0, 0), FOCUS_PX * blurred)
    if shaken > 0:
        frame = cv2.blur(frame, (max(1, round(SHAKE_PX * shaken)), 1))
    return np.round(frame * LIGHT**dark).astype(np.uint8)


def _camera(turn: float, away_xy: np.ndarray | float = 0.0, zoom: float = 1.0) -> np.ndarray:
    """(2, 3) map from the portrait to the frame; `turn` is where the sway is, 2 pi a lap."""
    scale = SIZE / SIDE * (1 + ZOOM * np.sin(turn)) * zoom
    x, y = CENTRE_XY + SWAY_XY * (np.sin(turn), np.sin(2 * turn + 0.7)) + away_xy
    camera = cv2.getRotationMatrix2D((float(x), float(y)), TURN_DEG * float(np.sin(turn + 0.5)), float(scale))
    camera[:, 2] += SIZE / 2 - np.array([x, y])
    return camera


def turn_head(yaw_deg: float) -> np.ndarray:
    """The portrait with its head turned about the upright axis, (512, 512, 3) uint8 RGB.

    The head is an ellipsoid with a nose; each row of pixels is moved as the ellipsoid's points move. It looks right up
    to about 50 degrees: what a further turn would bring to sight is not in the portrait.

    Args:
        yaw_deg: above 0 the nose goes to the right of the picture.
    """
    portrait = _portrait()
    if yaw_deg == 0:
        return portrait
    middle = EYES_XY + (0, 2 * PX_PER_CM)  # two centimetres below the eyes
    y, x = np.mgrid[: portrait.shape[0], : portrait.shape[1]].astype(np.float64)
    x_cm, y_cm = (x - middle[0]) / PX_PER_CM, (y - middle[1]) / PX_PER_CM
    turn = np.radians(yaw_deg)
    moved = x_cm * np.cos(turn) + _depth_cm(x_cm, y_cm, (NOSE_XY - middle) / PX_PER_CM) * np.sin(turn)
    # A point that another one hides is pushed along, so that every row runs from left to right.
    order = slice(None, None, 1 if turn > 0 else -1)
    pushed = np.maximum if turn > 0 else np.minimum
    moved = pushed.accumulate(moved[:, order], axis=1)[:, order]
    moved += 1e-6 * np.arange(portrait.shape[1])
    source = np.stack([np.interp(*row) for row in zip(x_cm, moved, x_cm, strict=True)])  # where each pixel comes from
    source_x = (source * PX_PER_CM + middle[0]).astype(np.float32)
    return cv2.remap(portrait, source_x, y.astype(np.float32), cv2.INTER_LINEAR)


def _depth_cm(x_cm: np.ndarray, y_cm: np.ndarray, nose_cm: np.ndarray) -> np.ndarray:
    """How far each point of the head stands out of the plane through its axis."""
    wide, high, deep = HEAD_CM
    head = deep * np.sqrt(np.maximum(1 - (x_cm / wide) ** 2 - (y_cm / high) ** 2, 0))
    return head + NOSE_CM * np.exp(-((x_cm - nose_cm[0]) ** 2 + (0.6 * (y_cm - nose_cm[1])) ** 2) / (2 * 1.1**2))


def make_sample(folder: str | Path) -> Sample:
    """Write the sample clip into a folder, unless it is there, and say where clip and speech lie."""
    face = Path(folder) / "sample_face.mp4"
    if not face.exists():
        write_video(face, sample_frames(), fps=FPS, quality=14)
    return Sample(face, SPEECH)


def make_hard_sample(folder: str | Path) -> Sample:
    """Write a clip with bad frames of several kinds and sound into a folder, unless it is there."""
    face = Path(folder) / "hard_face.mp4"
    if not face.exists():
        sound = chain(read_sound(SPEECH), read_sound(SPEECH))  # twice, as the clip is twice as long
        write_video(face, hard_frames(), fps=FPS, sound=sound, quality=18)
    return Sample(face, SPEECH)
