"""Hard cases for tracking, drawn from a real face, with the exact place of every head in every frame.

The face is the portrait of `built_clips`. Heads are pasted in order: a later one hides an earlier one. Tests and
`tracking.py` share these cases.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import skimage.data
from built_clips import HEAD_RADII, HEAD_XY, SIZE_WH, Pose, portrait

from lipwise.faces.detect import FaceDetector
from lipwise.faces.rotation import find_rotation, turn_frame
from lipwise.faces.track import track_people

FPS, COUNT = 25, 100
MOSTLY_HIDDEN = 0.5  # a head hidden by more than this part of its box is not asked for
Draw = Callable[[np.ndarray], np.ndarray]
Places = Callable[[int], list[Pose | None]]


@cache
def _picture(name: str) -> np.ndarray:
    return cv2.resize(getattr(skimage.data, name)(), (900, 600), interpolation=cv2.INTER_AREA)


def ground(number: int, name: str) -> np.ndarray:
    """A panning view of a picture without a face, (360, 640, 3) uint8."""
    x, y = round(60 + 50 * np.sin(number / 15)), round(60 + 40 * np.cos(number / 19))
    return _picture(name)[y : y + SIZE_WH[1], x : x + SIZE_WH[0]].copy()


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
        hidden = 1 - _shared(box, np.array([0, 0, *SIZE_WH])) / area
        blocks = list(boxes[person + 1 :])
        if self.pillar:
            blocks.append(np.tile([self.pillar[0], 0, self.pillar[1], SIZE_WH[1]], (self.count, 1)))
        for block in blocks:
            hidden = np.fmax(hidden, _shared(box, block) / area)
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


def _shared(boxes: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(T,) common area of two boxes a frame."""
    size = np.minimum(boxes[:, 2:], other[..., 2:]) - np.maximum(boxes[:, :2], other[..., :2])
    return np.prod(np.maximum(size, 0), axis=1)


def overlap(boxes: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(T,) intersection over union; NaN where either is missing."""
    shared = _shared(boxes, other)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(other[:, 2:] - other[:, :2], axis=1)
    return shared / (areas - shared)


def place_box(pose: Pose, portrait_box: np.ndarray) -> np.ndarray:
    """A box (4,) of the portrait in the frame: its middle moves along, its sides grow."""
    middle = pose.place(portrait_box.reshape(2, 2).mean(axis=0)[None])[0]
    half = pose.scale * (portrait_box[2:] - portrait_box[:2]) / 2
    return np.r_[middle - half, middle + half]


def portrait_box(detector: FaceDetector) -> np.ndarray:
    """What the detector calls this face, in pixels of the portrait: the median over pastes at rest.

    Boxes are a matter of definition, and this one is the detector's own.
    """
    found = []
    for scale in (0.8, 1.0, 1.4):
        for shift in (-40, 0, 40):
            pose = Pose((320 + shift, 180), scale)
            frame = np.full((SIZE_WH[1], SIZE_WH[0], 3), 120, np.uint8)
            paste_head(frame, pose)
            box = detector.detect(frame).boxes_xyxy[0]
            found.append(((box.reshape(2, 2) - pose.at_xy) / scale + HEAD_XY).ravel())
    return np.median(found, axis=0)


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


# --- how well it goes


@dataclass(frozen=True)
class Score:
    """What tracking everybody in a case gave.

    Attributes:
        iou: (people,) median overlap of each person's box with the truth, where both are there.
        found: (people,) share of the frames in which the person can be seen that have a box of theirs.
        swaps: how often a track goes over from one person to another.
        tracks: how many people were told apart.
        jitter: before and after smoothing, mean of the tracks, thousandths of a box size a frame squared.
        rotation: clockwise turn that was found.
    """

    iou: np.ndarray
    found: np.ndarray
    swaps: int
    tracks: int
    jitter: tuple[float, float]
    rotation: int


def score_case(case: Case, detector: FaceDetector, box: np.ndarray, *, every: int = 1) -> Score:
    """Find out which way up a case is, track everybody in it, and compare with the truth.

    Args:
        box: the detector's own `portrait_box`.
        every: look at every second frame ... only, so that everybody moves as much faster.
    """
    shown = case.frames(every)
    rotation = find_rotation([case.stored(number) for number in range(0, case.count, case.count // 3)], detector)
    upright = (turn_frame(frame, rotation.degrees) for frame in shown)
    tracks = track_people(upright, detector, fps=FPS)
    truth = case.truth(box)[:, ::every]
    overlaps = np.array([[overlap(track.boxes_xyxy, of) for of in truth] for track in tracks])  # (tracks, people, T)
    best = np.nansum(overlaps, axis=2).argmax(axis=0)  # (people,) the track of each
    visible = np.isfinite(truth[..., 0])
    own = np.stack([overlaps[track, person] for person, track in enumerate(best)])
    figures = np.array([(track.raw_jitter, track.jitter) for track in tracks])
    return Score(
        iou=np.nanmedian(own, axis=1),
        found=np.array([np.isfinite(own[person])[visible[person]].mean() for person in range(len(truth))]),
        swaps=sum(_changes(track.boxes_xyxy, case.truth(box, with_hidden=True)[:, ::every]) for track in tracks),
        tracks=len(tracks),
        jitter=(1000 * float(figures[:, 0].mean()), 1000 * float(figures[:, 1].mean())),
        rotation=rotation.degrees,
    )


def _changes(boxes: np.ndarray, truth: np.ndarray) -> int:
    """How often a track's boxes (T, 4) change over from one person to another; `truth` (people, T, 4).

    Where two are at the same place, nobody can say on whom it lies; those frames are left out.
    """
    known = np.nan_to_num([overlap(boxes, of) for of in truth])
    clear = (known.max(axis=0) >= 0.5) & ((known >= 0.4).sum(axis=0) == 1)
    return int(np.count_nonzero(np.diff(known.argmax(axis=0)[clear])))
