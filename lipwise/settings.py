"""What every group of settings has in common: frozen, nothing unknown, and a clear word when a value makes no sense."""

from math import isnan
from numbers import Integral, Real
from typing import Any, TypeGuard

from pydantic import BaseModel, ConfigDict, ValidationError

from lipwise.errors import SettingsError

NOT_A_NUMBER = "it is not a number"


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
