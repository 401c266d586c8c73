"""Which detections are the same person inside one shot: by motion and overlap, with no face recognition."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from lipwise.faces.detect import Faces

# Lengths in face heights (square root of the box's area).
REACH = 0.6  # how far a face may be from where it was expected in the next frame
REACH_PER_S, MOST_REACH = 1.5, 4.0  # how that grows while it is not seen
SIZE_RATIO = 1.8  # how much larger or smaller a face may come back
MOTION_FRAMES = 3  # a face that is lost is expected to move on for so long
STARTED_TOGETHER_S = 0.5  # faces that appear within this time are numbered from left to right


@dataclass
class Person:
    """One person in one shot: frame numbers of the clip, and which of the faces found there is theirs."""

    frames: list[int] = field(default_factory=list)
    faces: list[int] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)  # (4,) each
    step: np.ndarray = field(default_factory=lambda: np.zeros(2))  # motion of the centre, pixels a frame
    weight: float = 0.0  # sum of height x score: large and steady faces have much of it

    def add(self, frame: int, face: int, box: np.ndarray, score: float) -> None:
        if self.frames:
            step = (_centre(box) - _centre(self.boxes[-1])) / (frame - self.frames[-1])
            self.step = 0.5 * self.step + 0.5 * step
        self.frames.append(frame)
        self.faces.append(face)
        self.boxes.append(box)
        self.weight += _height(box) * score

    def cost(self, frame: int, box: np.ndarray, fps: float) -> float:
        """How unlike this person a box in a later frame is: 0 is just as expected, inf is someone else."""
        waited = frame - self.frames[-1]
        last = self.boxes[-1]
        expected = last + np.tile(self.step * min(waited, MOTION_FRAMES), 2)
        apart = float(np.linalg.norm(_centre(box) - _centre(expected))) / _height(last)
        reach = min(REACH + REACH_PER_S * (waited - 1) / fps, MOST_REACH)
        ratio = _height(box) / _height(last)
        if apart > reach or not 1 / SIZE_RATIO < ratio < SIZE_RATIO:
            return np.inf
        return apart / reach + (1 - _overlap(expected, box)) + abs(np.log(ratio))


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

    cost = np.array([[person.cost(frame, box, fps) for box in faces.boxes_xyxy] for person in people])
    rows, columns = linear_sum_assignment(np.minimum(cost, 1e6))
    return {
        int(column): people[row] for row, column in zip(rows, columns, strict=True) if np.isfinite(cost[row, column])
    }


def _left_to_right(people: list[Person], together: float) -> list[Person]:
    ordered: list[Person] = []
    group: list[Person] = []
    for person in sorted(people, key=lambda person: person.frames[0]):
        if group and person.frames[0] - group[0].frames[0] > together:
            ordered += sorted(group, key=lambda person: _centre(person.boxes[0])[0])
            group = []
        group.append(person)
    return ordered + sorted(group, key=lambda person: _centre(person.boxes[0])[0])


def _centre(box: np.ndarray) -> np.ndarray:
    return (box[:2] + box[2:]) / 2


def _height(box: np.ndarray) -> float:
    return max(float(np.sqrt(max(0.0, (box[2] - box[0]) * (box[3] - box[1])))), 1.0)


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    size = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    shared = float(np.prod(np.maximum(size, 0)))
    return shared / (_height(one) ** 2 + _height(other) ** 2 - shared)
