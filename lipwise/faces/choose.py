"""Whom to follow: the largest steady face, or the person's choice, taken up again in every shot."""

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeGuard

import numpy as np

from lipwise.errors import FaceError, LipwiseWarning, SettingsError
from lipwise.faces.people import Person
from lipwise.faces.relink import Thread, follow_through


class Click(NamedTuple):
    """A point in one frame of the clip: whoever's face is there is followed in that shot and taken up in the others."""

    x: float
    y: float
    frame: int


# A person's number in the shot, a point in the frame in pixels, or a point in one frame.
Choice = int | tuple[float, float] | tuple[float, float, int] | Click
# A click beside a face by less than this part of its box still means that face.
CLICK_MARGIN = 0.25


def check_choice(choose: Choice | Mapping[int, Choice] | None) -> None:
    """Raise SettingsError for what is no number from 0 on, no point (x, y) and no click (x, y, frame)."""
    for choice in choose.values() if isinstance(choose, Mapping) else [choose]:
        if choice is not None and not _is_choice(choice):
            raise SettingsError(
                f"{choice!r} chooses nobody",
                cause="a person is chosen by a number (0, 1, ... from left to right), a point (x, y) in pixels, or a "
                "point in one frame (x, y, frame)",
                next_step="give one of these, or None for the largest face",
            )


def _is_choice(choice: object) -> bool:
    if isinstance(choice, int):
        return not isinstance(choice, bool) and choice >= 0
    if not isinstance(choice, tuple | list) or len(choice) not in (2, 3):
        return False
    numbers = all(isinstance(part, int | float | np.number) and np.isfinite(part) for part in choice)
    return numbers and (len(choice) == 2 or (choice[2] >= 0 and float(choice[2]).is_integer()))


def choose_people(
    people: Sequence[Sequence[Person]], choose: Choice | Mapping[int, Choice] | None, *, shot: np.ndarray
) -> Thread:
    """One person through all shots.

    Args:
        people: the steady people of each of S shots.
        choose: None takes the largest steady one of the clip, a number or a point counts in every shot, a mapping from
            shot numbers in those shots, a click in the shot of its frame. The other shots take up the same person.
        shot: (T,) int, number of the shot of each frame.

    Returns:
        Somebody for each shot, None where nobody is seen; and (S,) float32, how sure it is that this is the person:
        1 where they were chosen.

    Raises:
        FaceError: the choice fits no shot at all. Where it fits some, the others take up the same person as well as
            can be, with a warning.
        SettingsError: a choice for a shot or a frame that is not there.
    """
    choices = _by_shot(choose, shot, len(people))
    asked = [number for number, present in enumerate(people) if present and choices.get(number) is not None]
    picked = {number: _pick(people[number], choices[number]) for number in asked}
    anchors = {number: person for number, person in picked.items() if person is not None}
    if (asked or _is_click(choose)) and not anchors:
        raise FaceError(
            f"Nobody in the clip is the person chosen ({choose})",
            cause="people seen in each shot: " + ", ".join(str(len(present)) for present in people),
            next_step="choose a point on a face, in a frame that shows it, or a number, from the left from 0 on",
        )
    missed = [number for number in asked if number not in anchors]
    if missed:
        warnings.warn(
            f"the person chosen is not in {name_shots(missed, shot)}: the face most like theirs in size and place is "
            "followed there",
            LipwiseWarning,
            stacklevel=3,
        )
    return follow_through(people, anchors or _largest(people))


def name_shots(numbers: Sequence[int], shot: np.ndarray, *, more: Sequence[str] = ()) -> str:
    """Shots with their frames, such as "shot 3 (frames 75-99)".

    Args:
        shot: (T,) int, number of the shot of each frame.
        more: what else is to be said of each.
    """
    told = []
    for place, number in enumerate(numbers):
        frames = np.flatnonzero(shot == number)
        parts = [*more[place : place + 1], f"frames {frames[0]}-{frames[-1]}"]
        told.append(f"shot {number} ({', '.join(parts)})")
    return ", ".join(told)


def _is_click(choose: object) -> TypeGuard[tuple[float, float, int]]:
    return isinstance(choose, tuple | list) and len(choose) == 3


def _by_shot(choose: Choice | Mapping[int, Choice] | None, shot: np.ndarray, count: int) -> Mapping[int, Choice | None]:
    """The choice for each of `count` shots."""
    if _is_click(choose):
        choose = {_shot_of(int(choose[2]), shot): choose}
    choices = choose if isinstance(choose, Mapping) else dict.fromkeys(range(count), choose)
    unknown = [number for number in choices if not 0 <= number < count]
    if unknown:
        raise SettingsError(
            f"There is no shot {', '.join(map(str, unknown))}",
            cause=f"the clip has {count}, counted from 0 on",
            next_step="choose for shots that are there",
        )
    for number, choice in choices.items():
        if not isinstance(choice, int) and choice is not None and len(choice) == 3:
            there = _shot_of(int(choice[2]), shot)
            if there != number:
                raise SettingsError(
                    f"Frame {choice[2]} is not in shot {number}",
                    cause=f"it is in shot {there}",
                    next_step="choose a frame of that shot, or leave the shot's number out",
                )
    return choices


def _shot_of(frame: int, shot: np.ndarray) -> int:
    if frame >= len(shot):
        raise SettingsError(
            f"There is no frame {frame} to choose a face in",
            cause=f"the clip's frames are numbered from 0 to {len(shot) - 1}",
            next_step="choose in a frame that is there",
        )
    return int(shot[frame])


def _largest(people: Sequence[Sequence[Person]]) -> dict[int, Person]:
    """Whoever is largest and seen for longest in the whole clip, with their shot; empty where nobody is seen."""
    everybody = [(person.weight, -shot, person) for shot, present in enumerate(people) for person in present]
    if not everybody:
        return {}
    _, earlier, person = max(everybody, key=lambda entry: entry[:2])
    return {-earlier: person}


def _pick(present: Sequence[Person], choice: Choice | None) -> Person | None:
    if choice is None:
        return None
    if isinstance(choice, int):
        return present[choice] if choice < len(present) else None
    best = max(present, key=lambda person: _share_at(person, choice))
    return best if _share_at(best, choice) > 0 else None


def _share_at(person: Person, choice: Sequence[float]) -> float:
    """How much a person's box, a little widened, lies over a point: part of the time, or nearness in one frame."""
    boxes = np.array(person.boxes)  # (n, 4)
    if len(choice) == 3:
        nearest = int(np.argmin(np.abs(np.array(person.frames) - choice[2])))
        boxes = boxes[nearest : nearest + 1]
    point_xy = np.array(choice[:2])
    edge = CLICK_MARGIN * (boxes[:, 2:] - boxes[:, :2])
    inside = np.all((boxes[:, :2] - edge <= point_xy) & (point_xy < boxes[:, 2:] + edge), axis=1)  # (n,)
    if len(choice) == 2:
        return float(inside.mean())
    middle = (boxes[0, :2] + boxes[0, 2:]) / 2
    apart = float(np.linalg.norm((point_xy - middle) / (boxes[0, 2:] - boxes[0, :2])))
    return float(inside[0]) / (1 + apart)
