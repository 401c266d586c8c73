"""Who is who after a cut: by size and place, with a stated confidence, since no face is recognised.

A confidence is a share of evidence: the likeness of the one taken, against that of the others in the shot and of
somebody who was not seen before. It says how well size and place fit; two people who change seats fit well, too.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from lipwise.faces.people import Person, box_centre, box_height

PLACE_SPREAD = 1.0  # face heights that a face is moved by across a cut, one standard deviation
SIZE_SPREAD = 0.35  # the same for its size, as a natural logarithm: a third larger or smaller
SOMEBODY_ELSE = 0.15  # likeness of a stranger; who is less like a known person is a new one
PROMINENCE = 0.02  # weight of being large and seen for long, which decides only where nobody is alike

Thread = tuple[list[Person | None], np.ndarray]  # one person in each of S shots, and (S,) float32 confidence


def likeness(one: Person, other: Person) -> float:
    """How alike people of two shots are in size and place, 0-1: where the shots meet, or all in all."""
    first, second = (one, other) if one.frames[0] <= other.frames[0] else (other, one)
    meeting = _alike(first.boxes[-1], second.boxes[0])
    return max(meeting, _alike(np.median(first.boxes, axis=0), np.median(second.boxes, axis=0)))


def _alike(one: np.ndarray, other: np.ndarray) -> float:
    heights = box_height(one), box_height(other)
    apart = float(np.linalg.norm(box_centre(one) - box_centre(other))) / max(heights)
    grown = math.log(heights[0] / heights[1])
    return math.exp(-((apart / PLACE_SPREAD) ** 2 + (grown / SIZE_SPREAD) ** 2) / 2)


def follow_through(people: Sequence[Sequence[Person]], anchors: Mapping[int, Person]) -> Thread:
    """One person through all shots, from those where it is known who it is.

    Args:
        people: those of each shot.
        anchors: the person in some shots, which counts as certain; at least one where anybody is seen.

    Returns:
        Somebody for each shot that shows anybody, however unlike, with the confidence: 1 for an anchor, 0 where nobody
        is seen. A shot is compared with everything found before; the nearest to an anchor come first.
    """
    found: list[Person | None] = [anchors.get(shot) for shot in range(len(people))]
    confidence = np.array([float(shot in anchors) for shot in range(len(people))], np.float32)
    others = [person for shot, anchor in anchors.items() for person in people[shot] if person is not anchor]
    for shot in sorted(range(len(people)), key=lambda shot: min((abs(shot - at) for at in anchors), default=0)):
        if shot in anchors or not people[shot]:
            continue
        known = [(person, float(sure)) for person, sure in zip(found, confidence, strict=True) if person is not None]
        strangers = [(person, 1.0) for person in others]
        alike = np.array([_best(candidate, known) for candidate in people[shot]])
        evidence = _evidence(alike, np.array([_best(candidate, strangers) for candidate in people[shot]]))
        seen = np.array([candidate.weight for candidate in people[shot]])
        best = int(np.argmax(evidence + PROMINENCE * seen / seen.sum()))
        found[shot] = people[shot][best]
        confidence[shot] = evidence[best] / (evidence.sum() + SOMEBODY_ELSE)
    return found, confidence


def link_everybody(people: Sequence[Sequence[Person]]) -> list[Thread]:
    """Everybody of a clip through all shots, in the order of their first appearance.

    Nobody is taken twice in a shot. Who is like nobody before is new; the confidence of a first appearance is 1.
    """
    threads: list[Thread] = []
    for shot, present in enumerate(people):
        alike = np.array([[_best(candidate, _seen(thread)) for candidate in present] for thread in threads])
        taken = _pair(alike.reshape(len(threads), len(present)))
        for index, person in enumerate(present):
            if index not in taken:
                threads.append(([None] * len(people), np.zeros(len(people), np.float32)))
            row, sure = taken.get(index, (len(threads) - 1, 1.0))
            threads[row][0][shot], threads[row][1][shot] = person, sure
    return threads


def _pair(alike: np.ndarray) -> dict[int, tuple[int, float]]:
    """For columns (candidates) their row (known person) and the confidence, where they are alike enough."""
    if not alike.size:
        return {}
    from scipy.optimize import linear_sum_assignment

    evidence = _evidence(alike, alike.sum(axis=0) - alike)
    sure = evidence / (evidence.sum(axis=1, keepdims=True) + SOMEBODY_ELSE)
    rows, columns = linear_sum_assignment(alike, maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {column: (row, float(sure[row, column])) for row, column in pairs if alike[row, column] >= SOMEBODY_ELSE}


def _evidence(alike: np.ndarray, alike_others: np.ndarray) -> np.ndarray:
    """Likeness to a person, less what speaks for others being that candidate."""
    return alike**2 / np.maximum(alike + alike_others, 1e-9)


def _seen(thread: Thread) -> list[tuple[Person, float]]:
    return [(person, float(sure)) for person, sure in zip(*thread, strict=True) if person is not None]


def _best(candidate: Person, known: Iterable[tuple[Person, float]]) -> float:
    """Likeness to the most alike of several appearances, each as far as it is certain."""
    return max((sure * likeness(person, candidate) for person, sure in known), default=0.0)
