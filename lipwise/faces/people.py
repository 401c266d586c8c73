"""Which detections are the same person inside one shot: by motion and overlap, with no face recognition."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from statistics import median
from typing import NamedTuple

import numpy as np

from lipwise.faces.detect import Faces

# Lengths in face heights (square root of the box's area).
REACH = 0.6  # how far a face may be from where it was expected in the next frame
REACH_PER_S, MOST_REACH = 1.5, 4.0  # how that grows while it is not seen
SIZE_RATIO = 1.8  # how much larger or smaller a face may come back
PACE_FRAMES = 12  # that a face's motion is measured over
MOVES_ON_S = 1.2  # a face that is lost may move on for so long; it may also have stopped where it was last seen
STOPPED_COST = 0.3  # that is less likely
STARTED_TOGETHER_S = 0.5  # faces that appear within this time are numbered from left to right


@dataclass
class Person:
    """One person in one shot: frame numbers of the clip, and which of the faces found there is theirs."""

    frames: list[int] = field(default_factory=list)
    faces: list[int] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)  # (4,) each
    weight: float = 0.0  # sum of height x score: large and steady faces have much of it
    _spots: list["_Spot"] = field(default_factory=list)
    _pace: tuple[float, float] | None = None

    def add(self, frame: int, face: int, box: np.ndarray, score: float) -> None:
        """The person is this face of a frame."""
        self.frames.append(frame)
        self.faces.append(face)
        self.boxes.append(box)
        self._spots.append(_spot(box))
        self.weight += self._spots[-1].height * score
        self._pace = None

    @property
    def pace(self) -> tuple[float, float]:
        """Motion of the centre along x and y, pixels a frame.

        The median over pairs of frames half the time apart (after Theil and Sen): half-hidden faces, whose boxes slip
        aside, do not turn it.
        """
        if self._pace is None:
            frames, spots = self.frames[-PACE_FRAMES:], self._spots[-PACE_FRAMES:]
            half = (len(frames) + 1) // 2
            pairs = [(first, first + half) for first in range(len(frames) - half)]
            across = [(spots[b].x - spots[a].x) / (frames[b] - frames[a]) for a, b in pairs]
            down = [(spots[b].y - spots[a].y) / (frames[b] - frames[a]) for a, b in pairs]
            self._pace = (median(across), median(down)) if pairs else (0.0, 0.0)
        return self._pace

    def cost(self, frame: int, spot: "_Spot", fps: float) -> float:
        """How unlike this person a face in a later frame is: 0 is just as expected, inf is someone else."""
        waited = frame - self.frames[-1]
        last = self._spots[-1]
        steps = min(waited, max(1.0, MOVES_ON_S * fps))
        moved = last._replace(x=last.x + steps * self.pace[0], y=last.y + steps * self.pace[1])
        reach = min(REACH + REACH_PER_S * (waited - 1) / fps, MOST_REACH)
        return min(_unlike(moved, spot, reach), _unlike(last, spot, reach) + STOPPED_COST)


class _Spot(NamedTuple):
    """A box as plain numbers, which are compared many times: its middle, its sides, the root of its area."""

    x: float
    y: float
    wide: float
    tall: float
    height: float


def _spot(box: np.ndarray) -> _Spot:
    left, top, right, bottom = (float(edge) for edge in box)
    return _Spot((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, box_height(box))


def _unlike(expected: _Spot, seen: _Spot, reach: float) -> float:
    """Cost of a face where another was expected; inf beyond the reach."""
    apart = math.hypot(seen.x - expected.x, seen.y - expected.y) / expected.height
    ratio = seen.height / expected.height
    if apart > reach or not 1 / SIZE_RATIO < ratio < SIZE_RATIO:
        return math.inf
    return apart / reach + (1 - _overlap(expected, seen)) + abs(math.log(ratio))


def find_people(detections: Sequence[Faces], first: int, stop: int, fps: Fraction | float) -> list[Person]:
    """People in the shot of frames [first, stop), numbered from left to right at their first appearance."""
    people: list[Person] = []
    for frame in range(first, stop):
        faces = detections[frame]
        taken = _match(people, frame, faces, float(fps))
        for index, (box, score) in enumerate(zip(faces.boxes_xyxy, faces.score, strict=True)):
            person = taken.get(index)
            if person is None:
                person = Person()
                people.append(person)
            person.add(frame, index, np.asarray(box, np.float64), float(score))
    return _left_to_right(people, STARTED_TOGETHER_S * float(fps))


def steady_people(people: Sequence[Person], least_frames: int, shot_frames: int) -> list[Person]:
    """Those seen for at least `least_frames` frames, or for half of a shorter shot."""
    least = min(least_frames, (shot_frames + 1) // 2)
    return [person for person in people if len(person.frames) >= least]


def _match(people: Sequence[Person], frame: int, faces: Faces, fps: float) -> dict[int, Person]:
    """Pairs of people and faces that cost least together."""
    if not people or len(faces.score) == 0:
        return {}
    from scipy.optimize import linear_sum_assignment

    spots = [_spot(box) for box in faces.boxes_xyxy]
    cost = np.array([[person.cost(frame, spot, fps) for spot in spots] for person in people])
    rows, columns = linear_sum_assignment(np.minimum(cost, 1e6))
    return {
        int(column): people[row] for row, column in zip(rows, columns, strict=True) if np.isfinite(cost[row, column])
    }


def _left_to_right(people: list[Person], together: float) -> list[Person]:
    ordered: list[Person] = []
    group: list[Person] = []
    for person in sorted(people, key=lambda person: person.frames[0]):
        if group and person.frames[0] - group[0].frames[0] > together:
            ordered += sorted(group, key=lambda person: box_centre(person.boxes[0])[0])
            group = []
        group.append(person)
    return ordered + sorted(group, key=lambda person: box_centre(person.boxes[0])[0])


def box_centre(box: np.ndarray) -> np.ndarray:
    """(2,) the middle of a box (4,)."""
    return (box[:2] + box[2:]) / 2


def box_height(box: np.ndarray) -> float:
    """Square root of a box's area, at least 1 pixel."""
    return math.sqrt(max(1.0, float(box[2] - box[0]) * max(0.0, float(box[3] - box[1]))))


def _overlap(one: _Spot, other: _Spot) -> float:
    """Intersection over union of two boxes."""
    wide = min(one.x + one.wide / 2, other.x + other.wide / 2) - max(one.x - one.wide / 2, other.x - other.wide / 2)
    tall = min(one.y + one.tall / 2, other.y + other.tall / 2) - max(one.y - one.tall / 2, other.y - other.tall / 2)
    shared = max(wide, 0.0) * max(tall, 0.0)
    return shared / (one.height**2 + other.height**2 - shared)
