"""What a usability report is in a file: JSON, checked when it is read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

import numpy as np

from lipwise.errors import SettingsError
from lipwise.faces.track import EDITED
from lipwise.stages.judge import UsabilitySettings
from lipwise.stages.measures import FrameMeasures
from lipwise.stages.ranges import parse_ranges

FORMAT = 2  # of the JSON file
_INTEGERS = {"faces": np.int32, "origin": np.uint8, "shot": np.int32, "elsewhere": bool}
_DIGITS = 9  # significant ones of a number in the JSON file: a float32 comes back as it was


@dataclass(frozen=True)
class Edit:
    """What a person decided about some frames.

    Attributes:
        keep: True to use them whatever speaks against it, False to drop them.
        frames: as text, "12-18, 40".
    """

    keep: bool
    frames: str


@dataclass(frozen=True, eq=False)
class Stored:
    """The parts of a report; see `lipwise.stages.usability.UsabilityReport`."""

    measures: FrameMeasures
    settings: UsabilitySettings
    fps: Fraction
    edits: tuple[Edit, ...]
    clip: str


def parse_report(text: str) -> Stored:
    """Read what `UsabilityReport.to_json` gave.

    Raises:
        SettingsError: the text is none of it, or a value in it makes no sense.
    """
    try:
        return _parsed(json.loads(text))
    except SettingsError as error:  # thresholds out of range, edits of frames that are not there
        raise _no_report(error.what) from error
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise _no_report(f"{type(error).__name__}: {error}") from error


def _parsed(values: Any) -> Stored:
    """The parts, from what JSON holds; raises ValueError and the like where it is none of it."""
    if values["format"] != FORMAT:
        raise ValueError(f"its format is {values['format']!r}, where {FORMAT} is read")
    measures = FrameMeasures(
        **{
            entry.name: _column(values["measures"][entry.name], _INTEGERS.get(entry.name, np.float32))
            for entry in fields(FrameMeasures)
        }
    )
    if len(measures) == 0 or measures.origin.max() > EDITED or measures.shot.min() < 0:
        raise ValueError("its measures hold no frame, or an origin or a shot that there is not")
    fps, edits = Fraction(values["fps"]), tuple(_edit(edit, len(measures)) for edit in values["edits"])
    if not fps > 0:
        raise ValueError(f"fps is {values['fps']!r}, and no rate")
    return Stored(measures, UsabilitySettings(**values["settings"]), fps, edits, str(values.get("clip_sha256", "")))


def _column(values: list[Any], kind: type) -> np.ndarray:
    """(T,) of a kind; whole numbers and truth values have to be such."""
    wanted = {bool: bool, np.float32: int | float | None}.get(kind, int)
    wrong = [value for value in values if not isinstance(value, wanted) or isinstance(value, bool) != (kind is bool)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} where {'true or false' if kind is bool else 'a number'} belongs")
    return np.array(values, kind)


def _edit(values: Mapping[str, Any], count: int) -> Edit:
    if not isinstance(values["keep"], bool) or not isinstance(values["frames"], str):
        raise TypeError(f"{dict(values)!r} is no edit")
    parse_ranges(values["frames"], count)
    return Edit(values["keep"], values["frames"])


def _no_report(cause: str) -> SettingsError:
    return SettingsError(
        "This is no usability report", cause=cause, next_step="give what UsabilityReport.to_json or save wrote"
    )


def columns_of(measures: FrameMeasures) -> dict[str, np.ndarray]:
    """The measures by name."""
    return {entry.name: getattr(measures, entry.name) for entry in fields(measures)}


def plain_column(column: np.ndarray) -> list[Any]:
    """Numbers for JSON, which knows no NaN."""
    if column.dtype.kind != "f":
        return column.tolist()
    return [float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None for value in column]
