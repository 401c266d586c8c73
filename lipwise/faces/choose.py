"""Whom to follow: the largest steady face, or the person's choice."""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from lipwise.errors import FaceError, LipwiseWarning, SettingsError
from lipwise.faces.people import Person

# A person's number in the shot, or a point in the frame in pixels.
Choice = int | tuple[float, float]
# A click beside a face by less than this part of its box still means that face.
CLICK_MARGIN = 0.25


def check_choice(choose: Choice | Mapping[int, Choice] | None) -> None:
    """Raise SettingsError for what is neither a number from 0 on nor a point (x, y)."""
    for choice in choose.values() if isinstance(choose, Mapping) else [choose]:
        is_number = isinstance(choice, int) and not isinstance(choice, bool) and choice >= 0
        is_point = isinstance(choice, tuple | list) and len(choice) == 2 and bool(np.isfinite(choice).all())
        if choice is not None and not is_number and not is_point:
            raise SettingsError(
                f"{choice!r} chooses nobody",
                cause="a person is chosen by a number (0, 1, ... from left to right) or a point (x, y) in pixels",
                next_step="give one of these, or None for the largest face",
            )


def choose_people(
    people: Sequence[Sequence[Person]], choose: Choice | Mapping[int, Choice] | None
) -> list[Person | None]:
    """One person of each shot; None where a shot shows nobody.

    Args:
        people: the steady people of each shot.
        choose: None takes the largest steady one everywhere, a number or a point counts in every shot, a mapping from
            shot numbers in those shots only.

    Raises:
        FaceError: the choice fits no shot at all. Where it fits some, the others get their largest face and a warning.
        SettingsError: a choice for a shot that is not there.
    """
    choices = choose if isinstance(choose, Mapping) else dict.fromkeys(range(len(people)), choose)
    _check_shots(choices, len(people))
    asked = [shot for shot, present in enumerate(people) if present and choices.get(shot) is not None]
    chosen = [_pick(present, choices.get(shot)) for shot, present in enumerate(people)]
    missed = [shot for shot in asked if chosen[shot] is None]
    if asked and missed == asked:
        raise FaceError(
            f"Nobody in the clip is the person chosen ({choose})",
            cause="people seen in each shot: " + ", ".join(str(len(present)) for present in people),
            next_step="choose a smaller number or a point on the face",
        )
    if missed:
        warnings.warn(
            f"the person chosen is not in shot {', '.join(map(str, missed))}: the largest face is followed there",
            LipwiseWarning,
            stacklevel=3,
        )
    return [person or _largest(present) for person, present in zip(chosen, people, strict=True)]


def _check_shots(choices: Mapping[int, Choice | None], count: int) -> None:
    unknown = [shot for shot in choices if not 0 <= shot < count]
    if unknown:
        raise SettingsError(
            f"There is no shot {', '.join(map(str, unknown))}",
            cause=f"the clip has {count}, counted from 0 on",
            next_step="choose for shots that are there",
        )


def _largest(present: Sequence[Person]) -> Person | None:
    return max(present, key=lambda person: person.weight, default=None)


def _pick(present: Sequence[Person], choice: Choice | None) -> Person | None:
    if choice is None or not present:
        return None
    if isinstance(choice, int):
        return present[choice] if choice < len(present) else None
    best = max(present, key=lambda person: _share_at(person, choice))
    return best if _share_at(best, choice) > 0 else None


def _share_at(person: Person, point_xy: tuple[float, float]) -> float:
    """Part of the time that a person's box, a little widened, lies over the point."""
    boxes = np.array(person.boxes)  # (n, 4)
    edge = CLICK_MARGIN * (boxes[:, 2:] - boxes[:, :2])
    inside = (boxes[:, :2] - edge <= point_xy) & (point_xy < boxes[:, 2:] + edge)
    return float(inside.all(axis=1).mean())
