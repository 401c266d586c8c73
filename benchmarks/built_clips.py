"""Clips built from a real face, with exact ground truth: which frames can be used, and why not.

The face of `drawn_head` is pasted on a panning view of a picture without a face and altered between two frames. Tests
and `clean_truth.py` share these builders.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from drawn_head import FIVE, LIPS_HALF_WH, MOUTH_XY, SIZE_WH, Pose, ground, paste

from lipwise.media.write import write_video
from lipwise.sample import turn_head

FPS, COUNT = Fraction(25), 90
FROM, UNTIL = 30, 60  # the frames that are altered, unless a case says otherwise

Alter = Callable[[np.ndarray, Pose], np.ndarray]


@dataclass(frozen=True)
class Built:
    """A clip with its truth.

    Attributes:
        path: the file.
        usable: (T,) bool.
        reason: the reason that its unusable frames should be given.
        at: frames that a mark (a jump, a cut) should be on; empty for the other cases.
        also: reasons that are as right.
    """

    path: Path
    usable: np.ndarray
    reason: str
    at: tuple[int, ...] = ()
    also: tuple[str, ...] = ()

    def named(self, has: Callable[[str], np.ndarray]) -> float | None:
        """Share of the unusable frames that were given a right reason; None without any.

        Args:
            has: tells of a reason which frames were given it, (T,) bool.
        """
        if self.usable.all():
            return None
        return float(np.any([has(reason) for reason in (self.reason, *self.also)], axis=0)[~self.usable].mean())


def sway(number: int) -> Pose:
    """A speaker's gentle motion round the middle of the picture."""
    at = 320 + 30 * np.sin(number / 12), 180 + 10 * np.sin(number / 7)
    return Pose(at, turn_deg=3 * float(np.sin(number / 9)))


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


def build_soft(folder: Path) -> Built:
    """Out of focus from end to end, as blurred as the unusable frames of "blurred": all can be used, but it is told."""
    path = _write(folder, "soft", lambda number: _blurred(paste(ground(number), sway(number)), sway(number)))
    return Built(path, np.ones(COUNT, bool), "none")


def build_dark_beside_mild(folder: Path) -> Built:
    """A mild blur that is no fault; between FROM and UNTIL a dark, noisy picture, which seems sharper than the rest."""
    rng = np.random.default_rng(0)

    def draw(number: int) -> np.ndarray:
        frame = paste(ground(number), sway(number))
        if not _within(number):
            return cv2.GaussianBlur(frame, (0, 0), 1.2)
        return np.clip(np.round(frame * 0.15 + rng.normal(0, 4, frame.shape)), 0, 255).astype(np.uint8)

    return Built(_write(folder, "dark_beside_mild", draw), _usual(), "too_dark")


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


EDGES_XY = {"below": (0, 130), "left": (-320, 0), "right": (320, 0)}  # way that takes the mouth beyond the edge


def build_cut_by_edge(folder: Path, edge: str = "below") -> Built:
    """The head moves until the edge of the frame cuts the mouth, and comes back; `EDGES_XY` has the edges."""

    def pose_at(number: int) -> Pose:
        gone = np.clip(min(number - FROM + 5, UNTIL + 5 - number) / 10, 0, 1)  # ten frames away, ten back
        x, y = np.array(sway(number).at_xy) + gone * np.array(EDGES_XY[edge])
        return Pose((float(x), float(y)))

    def mouth_inside(number: int) -> bool:
        corners = pose_at(number).place(np.array([MOUTH_XY - LIPS_HALF_WH, MOUTH_XY + LIPS_HALF_WH]))
        return bool(corners.min() >= 0 and (corners.max(0) < SIZE_WH).all())

    name = f"cut_by_edge_{edge}"
    path = _write(folder, name, lambda number: paste(ground(number), pose_at(number)))
    return Built(path, np.array([mouth_inside(number) for number in range(COUNT)]), "cut_off", also=("no_face",))


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
    **{f"cut_by_edge_{edge}": (lambda folder, edge=edge: build_cut_by_edge(folder, edge)) for edge in EDGES_XY},
    "two": build_two,
    "cut": build_cut,
    "jump": build_jump,
    "soft": build_soft,
    "dark_beside_mild": build_dark_beside_mild,
    **{name: (lambda folder, name=name: build_altered(folder, name)) for name in ALTERED},
}
