"""What every group of settings has in common: frozen, nothing unknown, and a clear word when a value makes no sense."""

from collections.abc import Mapping
from math import isnan
from numbers import Integral, Real
from typing import Any, TypeGuard, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from lipwise.errors import SettingsError

NOT_A_NUMBER = "it is not a number"
Group = TypeVar("Group")


def is_number(value: object) -> TypeGuard[float]:
    """True for a real number, numpy's included; not for nan, and not for True and False."""
    return isinstance(value, Real) and not isinstance(value, bool) and not isnan(value)


def is_whole(value: object) -> TypeGuard[int]:
    """True for an integer, numpy's included; not for True and False."""
    return isinstance(value, Integral) and not isinstance(value, bool)


class Settings(BaseModel):
    """A frozen, validated group of settings.

    Raises:
        SettingsError: a name is not known, or a value makes no sense; the first such one is named.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            first, group = error.errors()[0], type(self).__name__
            faults = {"missing": "is missing", "extra_forbidden": "is not known"}
            fault = faults.get(first["type"], f"is not usable: {first['input']!r}")
            raise SettingsError(
                f"{group}: the setting {'.'.join(map(str, first['loc']))!r} {fault}",
                cause=NOT_A_NUMBER if isinstance(first["input"], float) and isnan(first["input"]) else first["msg"],
                next_step=f"see the settings and their units with help(lipwise.{group})",
            ) from error


def as_settings(kind: type[Group], given: Group | Mapping[str, Any] | None) -> Group:
    """A group of settings: as it was given, made of names with values, or the defaults for None.

    Raises:
        SettingsError: it is of another type, a name is not known, or a value makes no sense.
    """
    if isinstance(given, kind):
        return given
    cause = f"expected one, or names with values, got {type(given).__name__}"
    if given is None or isinstance(given, Mapping):
        try:
            return kind(**(given or {}))
        except TypeError as error:  # what a dataclass says of a name that it does not know
            cause = str(error)
    raise SettingsError(
        f"{given!r:.60} is no {kind.__name__}",
        cause=cause,
        next_step=f"see the settings and their units with help(lipwise.{kind.__name__})",
    )
