"""Hard cases for tracking, drawn from a real face, with the exact place of every head in every frame.

The face is that of `drawn_head`. Heads are pasted in order: a later one hides an earlier one. Tests and
`tracking.py` share these cases; `tracked_score` says how well they are tracked.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from drawn_head import HEAD_RADII, SIZE_WH, Pose, ground, portrait

FPS, COUNT = 25, 100
MOSTLY_HIDDEN = 0.5  # a head hidden by more than this part of its box is not asked for
Draw = Callable[[np.ndarray], np.ndarray]
Places = Callable[[int], list[Pose | None]]


def _unchanged(frame: np.ndarray) -> np.ndarray:
    return frame


@dataclass(frozen=True)
class Case:
    """A clip and its truth.

    Attributes:
        places: where each head is in a frame, None where it is not; later heads stand in front.
        alter: what is done to the finished frame.
        turn: quarter turns counter-clockwise of the stored picture.
        count: frames.
        cuts: first frames of new shots, each before another picture.
        pillar: left and right edge of something that stands before everybody.
    """

    places: Places
    alter: Draw = _unchanged
    turn: int = 0
    count: int = COUNT
    cuts: tuple[int, ...] = ()
    pillar: tuple[int, int] | None = None

    def frame(self, number: int) -> np.ndarray:
        """(H, W, 3) uint8 RGB, upright."""
        picture = ("coffee", "rocket")[sum(number >= cut for cut in self.cuts) % 2]
        frame = ground(number, picture)
        for pose in self.places(number):
            if pose is not None:
                paste_head(frame, pose)
        if self.pillar:
            left, right = self.pillar
            frame[:, left:right] = ground(0, "rocket")[:, left:right]
        return self.alter(frame)

    def frames(self, every: int = 1) -> Iterator[np.ndarray]:
        """Every frame, or every second ..., as it would be stored."""
        for number in range(0, self.count, every):
            yield self.stored(number)

    def stored(self, number: int) -> np.ndarray:
        """A frame as it would be stored: turned."""
        return np.ascontiguousarray(np.rot90(self.frame(number), self.turn))

    def truth(self, portrait_box: np.ndarray, *, with_hidden: bool = False) -> np.ndarray:
        """(people, T, 4) the upright boxes; NaN where a head is away or, unless asked for, mostly hidden."""
        people = len(self.places(0))
        boxes = np.full((people, self.count, 4), np.nan)
        for number in range(self.count):
            for person, pose in enumerate(self.places(number)):
                if pose is not None:
                    boxes[person, number] = place_box(pose, portrait_box)
        if not with_hidden:
            hidden = np.stack([self._hidden(boxes, person) for person in range(people)])
            boxes[hidden > MOSTLY_HIDDEN] = np.nan
        return boxes

    def _hidden(self, boxes: np.ndarray, person: int) -> np.ndarray:
        """(T,) part of a person's box that lies outside the frame or behind another head or the pillar, roughly."""
        box = boxes[person]
        area = np.prod(box[:, 2:] - box[:, :2], axis=1)
        hidden = 1 - shared_area(box, np.array([0, 0, *SIZE_WH])) / area
        blocks = list(boxes[person + 1 :])
        if self.pillar:
            blocks.append(np.tile([self.pillar[0], 0, self.pillar[1], SIZE_WH[1]], (self.count, 1)))
        for block in blocks:
            hidden = np.fmax(hidden, shared_area(box, block) / area)
        return np.nan_to_num(hidden)


def paste_head(frame: np.ndarray, pose: Pose) -> None:
    """Draw a head into a frame, in place; only where it lies, which makes many frames quick."""
    reach = pose.scale * (max(HEAD_RADII) + 20)  # the mask is soft
    low = np.clip(np.floor(np.array(pose.at_xy) - reach), 0, SIZE_WH).astype(int)
    high = np.clip(np.ceil(np.array(pose.at_xy) + reach), 0, SIZE_WH).astype(int)
    if (low >= high).any():
        return
    face, mask = portrait()
    camera = pose.matrix()
    camera[:, 2] -= low
    size_wh = tuple((high - low).tolist())
    shown = cv2.warpAffine(face, camera, size_wh, flags=cv2.INTER_AREA if pose.scale < 1 else cv2.INTER_CUBIC)
    alpha = cv2.warpAffine(mask, camera, size_wh)[..., None]
    part = frame[low[1] : high[1], low[0] : high[0]]
    part[:] = np.round(alpha * shown + (1 - alpha) * part)


def shared_area(boxes: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(T,) common area of two boxes a frame."""
    size = np.minimum(boxes[:, 2:], other[..., 2:]) - np.maximum(boxes[:, :2], other[..., :2])
    return np.prod(np.maximum(size, 0), axis=1)


def place_box(pose: Pose, portrait_box: np.ndarray) -> np.ndarray:
    """A box (4,) of the portrait in the frame: its middle moves along, its sides grow."""
    middle = pose.place(portrait_box.reshape(2, 2).mean(axis=0)[None])[0]
    half = pose.scale * (portrait_box[2:] - portrait_box[:2]) / 2
    return np.r_[middle - half, middle + half]


# --- where the heads are


def _sway(number: int) -> list[Pose | None]:
    at = 320 + 60 * np.sin(number / 12), 180 + 15 * np.sin(number / 7)
    return [Pose(at, turn_deg=4 * float(np.sin(number / 9)))]


def _mirrored(number: int) -> list[Pose | None]:
    at = 320 + 60 * np.sin(number / 12), 180 + 15 * np.sin(number / 7)
    return [Pose(at, mirrored=True)]


def _crossing(number: int, *, mirrored: bool, reach: float = 190, drop: float = 12) -> list[Pose | None]:
    """Two heads of one size change sides, fastest where they meet."""
    x = reach * float(np.cos(np.pi * number / (COUNT - 1)))
    return [Pose((320 - x, 180 - drop), 1.0), Pose((320 + x, 180 + drop), 1.0, mirrored=mirrored)]


def _crossing_evenly(number: int) -> list[Pose | None]:
    x = 190 - 380 * number / (COUNT - 1)
    return [Pose((320 - x, 172), 1.0), Pose((320 + x, 188), 1.0)]


def _crossing_slowly(number: int) -> list[Pose | None]:
    """They are one face for the detector for about a second."""
    x = 85 - 170 * number / (COUNT - 1)
    return [Pose((320 - x, 172), 1.0), Pose((320 + x, 188), 1.0)]


def _behind_pillar(number: int) -> list[Pose | None]:
    return [Pose((130 + 3.8 * number, 180), 1.0)]


def _leaving(number: int) -> list[Pose | None]:
    """Out at the left, away for a second, and back."""
    away = np.interp(number, [0, 20, 37, 63, 80, 100], [0, 0, 1, 1, 0, 0])
    x = 250 - 340 * float(away)
    return [None if away >= 0.999 else Pose((x, 180), 1.0), Pose((480, 185 + 8 * float(np.sin(number / 8))), 0.9)]


def _several(number: int) -> list[Pose | None]:
    sway = [14 * float(np.sin(number / period)) for period in (9, 13, 7)]
    return [
        Pose((110 + sway[0], 130), 0.7),
        Pose((310 + sway[1], 200), 1.1),
        Pose((520 + sway[2], 170), 0.8, mirrored=True),
    ]


def _cut(number: int) -> list[Pose | None]:
    """After the cut both are nearer to the camera; the left one is smaller."""
    x, y = 10 * float(np.sin(number / 9)), 6 * float(np.sin(number / 6))
    if number < 50:
        return [Pose((180 + x, 180 + y), 0.8), Pose((450 - x, 180 - y), 1.05)]
    return [Pose((160 + x, 190 + y), 0.95), Pose((480 - x, 190 - y), 1.25)]


def _blurred(frame: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(frame, (0, 0), 4)


def _dark(frame: np.ndarray) -> np.ndarray:
    return np.round(frame * 0.15).astype(np.uint8)


CASES: dict[str, Case] = {
    "plain": Case(_sway, count=60),
    "mirrored": Case(_mirrored, count=60),
    "blurred": Case(_sway, alter=_blurred, count=60),
    "dark": Case(_sway, alter=_dark, count=60),
    "crossing": Case(lambda number: _crossing(number, mirrored=False)),
    "crossing, mirrored": Case(lambda number: _crossing(number, mirrored=True)),
    "crossing, level": Case(lambda number: _crossing(number, mirrored=False, drop=0)),
    "crossing evenly": Case(_crossing_evenly),
    "crossing slowly": Case(_crossing_slowly),
    "behind a pillar": Case(_behind_pillar, pillar=(300, 360)),
    "leaving": Case(_leaving),
    "several": Case(_several, count=60),
    "cut": Case(_cut, cuts=(50,)),
    "turned 90": Case(_sway, turn=1, count=30),
    "turned 180": Case(_sway, turn=2, count=30),
    "turned 270": Case(_sway, turn=3, count=30),
}
