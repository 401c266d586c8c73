"""Clips built from a real face, with exact ground truth: which frames can be used, and why not.

The face is NASA's portrait of Eileen Collins (public domain, `skimage.data.astronaut`), pasted on a panning view of a
picture without a face and altered between two frames. Tests and `clean_truth.py` share these builders.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import skimage.data

from lipwise.media.write import write_video
from lipwise.sample import turn_head

FPS, COUNT = Fraction(25), 90
SIZE_WH = (640, 360)
FROM, UNTIL = 30, 60  # the frames that are altered, unless a case says otherwise

# The head in the portrait, in its pixels: middle and radii of the ellipse that is cut out, and the five landmarks.
HEAD_XY, HEAD_RADII = np.array([223.0, 118.0]), (72, 100)
FIVE = np.array([(203.4, 101.4), (245.3, 101.7), (223.1, 124.9), (203.4, 144.2), (240.1, 142.3)])
MOUTH_XY = FIVE[3:].mean(axis=0)
LIPS_HALF_WH = np.array([22.0, 11.0])  # the painted lips round the middle of the mouth

Alter = Callable[[np.ndarray, "Pose"], np.ndarray]


@dataclass(frozen=True)
class Pose:
    """Where the head is pasted.

    Attributes:
        at_xy: the head's middle in the frame.
        scale: of the portrait; 1 has 42 px between the eyes.
        turn_deg: in the picture's plane.
        mirrored: left and right swapped.
    """

    at_xy: tuple[float, float]
    scale: float = 1.4
    turn_deg: float = 0.0
    mirrored: bool = False

    def matrix(self) -> np.ndarray:
        """(2, 3) map from the portrait to the frame."""
        camera = cv2.getRotationMatrix2D((float(HEAD_XY[0]), float(HEAD_XY[1])), self.turn_deg, self.scale)
        camera[:, 2] += np.array(self.at_xy) - HEAD_XY
        if not self.mirrored:
            return camera
        swap = np.array([[-1.0, 0.0, 2 * HEAD_XY[0]], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        return camera @ swap

    def place(self, points_xy: np.ndarray) -> np.ndarray:
        """Points (N, 2) of the portrait in the frame."""
        camera = self.matrix()
        return points_xy @ camera[:, :2].T + camera[:, 2]


@dataclass(frozen=True)
class Built:
    """A clip with its truth.

    Attributes:
        path: the file.
        usable: (T,) bool.
        reason: the reason that its unusable frames should be given.
        at: frames that a mark (a jump, a cut) should be on; empty for the other cases.
    """

    path: Path
    usable: np.ndarray
    reason: str
    at: tuple[int, ...] = ()


@cache
def portrait() -> tuple[np.ndarray, np.ndarray]:
    """The portrait and the soft mask (512, 512) float32 of its head."""
    mask = np.zeros((512, 512), np.uint8)
    cv2.ellipse(mask, (int(HEAD_XY[0]), int(HEAD_XY[1])), HEAD_RADII, 0, 0, 360, 255, -1)
    return skimage.data.astronaut(), cv2.GaussianBlur(mask, (0, 0), 5).astype(np.float32) / 255


def ground(number: int, picture: str = "coffee") -> np.ndarray:
    """A panning view of a picture without a face, (360, 640, 3) uint8."""
    whole = cv2.resize(getattr(skimage.data, picture)(), (900, 600), interpolation=cv2.INTER_AREA)
    x, y = round(60 + 50 * np.sin(number / 15)), round(60 + 40 * np.cos(number / 19))
    return whole[y : y + SIZE_WH[1], x : x + SIZE_WH[0]].copy()


def sway(number: int) -> Pose:
    """A speaker's gentle motion round the middle of the picture."""
    at = 320 + 30 * np.sin(number / 12), 180 + 10 * np.sin(number / 7)
    return Pose(at, turn_deg=3 * float(np.sin(number / 9)))


def paste(frame: np.ndarray, pose: Pose, picture: np.ndarray | None = None) -> np.ndarray:
    """The frame with the head in it, (360, 640, 3) uint8; `picture` stands in for the portrait."""
    face, mask = portrait()
    face = face if picture is None else picture
    camera = pose.matrix()
    shown = cv2.warpAffine(face, camera, SIZE_WH, flags=cv2.INTER_AREA if pose.scale < 1 else cv2.INTER_CUBIC)
    alpha = cv2.warpAffine(mask, camera, SIZE_WH)[..., None]
    return np.round(alpha * shown + (1 - alpha) * frame).astype(np.uint8)


def _blurred(frame: np.ndarray, _: Pose) -> np.ndarray:
    return cv2.GaussianBlur(frame, (0, 0), 4)


def _shaken(frame: np.ndarray, _: Pose) -> np.ndarray:
    return cv2.blur(frame, (21, 1))


def _dark(frame: np.ndarray, _: Pose) -> np.ndarray:
    return np.round(frame * 0.15).astype(np.uint8)


def _bright(frame: np.ndarray, _: Pose) -> np.ndarray:
    return np.clip(frame * 1.7 + 50, 0, 255).astype(np.uint8)


def _covered(frame: np.ndarray, pose: Pose) -> np.ndarray:
    """Four fingers of skin colour, with creases between them, over mouth and chin."""
    mouth = pose.place(MOUTH_XY[None])[0]
    layer = frame.copy()
    for finger in range(4):
        x, y = mouth + np.array([0.0, -26 + 20 * finger])
        angle = 8 * finger - 12
        cv2.ellipse(layer, ((x, y), (118.0, 23.0), angle), (214 - 6 * finger, 160 - 5 * finger, 132), -1)
        cv2.ellipse(layer, ((x, y), (118.0, 23.0), angle), (160, 108, 84), 2)
    return cv2.GaussianBlur(layer, (0, 0), 0.8)


def _plain(frame: np.ndarray, _: Pose) -> np.ndarray:
    return frame


ALTERED: dict[str, tuple[Alter, str]] = {
    "blurred": (_blurred, "blurred"),
    "shaken": (_shaken, "blurred"),
    "dark": (_dark, "too_dark"),
    "bright": (_bright, "too_bright"),
    "covered": (_covered, "doubtful"),
}


def _write(folder: Path, name: str, draw: Callable[[int], np.ndarray]) -> Path:
    return write_video(folder / f"{name}.mp4", map(draw, range(COUNT)), fps=FPS, quality=16)


def _within(number: int) -> bool:
    return FROM <= number < UNTIL


def _usual() -> np.ndarray:
    return np.array([not _within(number) for number in range(COUNT)])


def build_altered(folder: Path, name: str) -> Built:
    """Frames FROM to UNTIL altered as `ALTERED` says."""
    alter, reason = ALTERED[name]

    def draw(number: int) -> np.ndarray:
        pose = sway(number)
        frame = paste(ground(number), pose)
        return alter(frame, pose) if _within(number) else frame

    return Built(_write(folder, name, draw), _usual(), reason)


def build_good(folder: Path) -> Built:
    """Nothing is wrong with any frame."""
    return Built(
        _write(folder, "good", lambda number: paste(ground(number), sway(number))), np.ones(COUNT, bool), "none"
    )


def build_mirrored(folder: Path) -> Built:
    """A mirrored face is as good as any other."""

    def draw(number: int) -> np.ndarray:
        pose = sway(number)
        return paste(ground(number), Pose(pose.at_xy, pose.scale, pose.turn_deg, mirrored=True))

    return Built(_write(folder, "mirrored", draw), np.ones(COUNT, bool), "none")


def build_absent(folder: Path) -> Built:
    """Nobody is there."""
    return Built(
        _write(folder, "absent", lambda n: ground(n) if _within(n) else paste(ground(n), sway(n))), _usual(), "no_face"
    )


def build_tiny(folder: Path) -> Built:
    """The face goes away until 10 px are between its eyes, and comes back; 20 px are asked for."""

    def scale_at(number: int) -> float:
        far = np.clip(min(number - FROM + 3, UNTIL + 3 - number) / 6, 0, 1)
        return float(1.4 * (0.25 / 1.4) ** far)

    def draw(number: int) -> np.ndarray:
        pose = sway(number)
        return paste(ground(number, "rocket"), Pose(pose.at_xy, scale_at(number), pose.turn_deg))

    apart = float(np.linalg.norm(FIVE[1] - FIVE[0]))
    usable = np.array([apart * scale_at(number) >= 20 for number in range(COUNT)])
    return Built(_write(folder, "tiny", draw), usable, "too_small")


def build_turned(folder: Path) -> Built:
    """The head turns away by 48 degrees in four frames, and back; 28 are allowed."""

    def yaw_at(number: int) -> float:
        return float(-48 * np.clip(min(number - FROM + 2, UNTIL + 2 - number) / 4, 0, 1))

    def draw(number: int) -> np.ndarray:
        return paste(ground(number), sway(number), turn_head(yaw_at(number)))

    usable = np.array([yaw_at(number) >= -28 for number in range(COUNT)])
    return Built(_write(folder, "turned", draw), usable, "turned")


def build_cut_by_edge(folder: Path) -> Built:
    """The head sinks until the lower edge of the frame cuts the mouth, and rises again."""

    def pose_at(number: int) -> Pose:
        sunk = np.clip(min(number - FROM + 5, UNTIL + 5 - number) / 10, 0, 1)  # ten frames down, ten up
        x, y = sway(number).at_xy
        return Pose((x, float(y + 130 * sunk)))

    def mouth_inside(number: int) -> bool:
        corners = np.array([MOUTH_XY - LIPS_HALF_WH, MOUTH_XY + LIPS_HALF_WH])
        return bool(pose_at(number).place(corners)[:, 1].max() < SIZE_WH[1])

    path = _write(folder, "cut_by_edge", lambda number: paste(ground(number), pose_at(number)))
    return Built(path, np.array([mouth_inside(number) for number in range(COUNT)]), "cut_off")


def build_two(folder: Path) -> Built:
    """A second copy beside the first; only strict cleaning minds."""

    def draw(number: int) -> np.ndarray:
        x, y = sway(number).at_xy
        frame = paste(ground(number), Pose((x - 140, y)))
        return paste(frame, Pose((x + 150, y), 1.25)) if _within(number) else frame

    return Built(_write(folder, "two", draw), _usual(), "several")


def build_cut(folder: Path) -> Built:
    """A scene cut: another picture behind, the face elsewhere."""

    def draw(number: int) -> np.ndarray:
        if number < 45:
            return paste(ground(number), sway(number))
        x, y = sway(number).at_xy
        return paste(ground(number, "rocket"), Pose((x - 150, y), 1.1))

    return Built(_write(folder, "cut", draw), np.ones(COUNT, bool), "scene_cut", (45,))


def build_jump(folder: Path) -> Built:
    """The face is lost and, in the same shot, found more than its own height away."""
    back = 50

    def draw(number: int) -> np.ndarray:
        if FROM <= number < back:
            return ground(number)
        x, y = sway(number).at_xy
        return paste(ground(number), Pose((x + (130 if number >= back else -130), y)))

    usable = np.array([not FROM <= number < back for number in range(COUNT)])
    return Built(_write(folder, "jump", draw), usable, "jump", (back,))


BUILDERS: dict[str, Callable[[Path], Built]] = {
    "good": build_good,
    "mirrored": build_mirrored,
    "absent": build_absent,
    "tiny": build_tiny,
    "turned": build_turned,
    "cut_by_edge": build_cut_by_edge,
    "two": build_two,
    "cut": build_cut,
    "jump": build_jump,
    **{name: (lambda folder, name=name: build_altered(folder, name)) for name in ALTERED},
}
