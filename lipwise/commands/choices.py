"""What commands share: the person to follow, as it is typed, and errors in the words of the command line."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lipwise.commands.warned import plain_warnings
from lipwise.errors import LicenceError, LipwiseError, SettingsError, WeightsError
from lipwise.stages.enhancers import RESTORERS, UPSCALERS
from lipwise.weights import weights_entries

ChooseAt = tuple[float, float] | tuple[float, float, int]
# What several commands call otherwise than the library.
SHARED = {"choose=(x, y, frame)": "--choose-at X Y FRAME", "least_confidence": "--least-confidence"}
SHARED |= {f"restore={name}": f"--restore {name}" for name in RESTORERS}
SHARED |= {f"upscale={name}": f"--upscale {name}" for name in UPSCALERS}


def one_choice(choose: int | None, choose_at: ChooseAt | None, *, track: Path | None = None) -> int | ChooseAt | None:
    """The person to follow, by number or by a point.

    Raises:
        SettingsError: both were given, or one beside a track, which says already whom to follow.
    """
    given = {"--choose": choose, "--choose-at": choose_at, "--track": track}
    named = [option for option, value in given.items() if value is not None]
    if len(named) > 1:
        raise SettingsError(
            f"{' and '.join(named)} were both given" if len(named) == 2 else f"{', '.join(named)} were all given",
            cause="each names the person to follow",
            next_step="leave one of them out" if len(named) == 2 else "use one of them",
        )
    return choose if choose_at is None else choose_at


class Wording:
    """Names of the library's settings turned into the options of a command."""

    def __init__(self, command: str, options: Mapping[str, str]) -> None:
        self._options = {**SHARED, **options}
        self._names = re.compile("|".join(rf"(?<![\w-]){re.escape(name)}(?!\w)" for name in self._options))
        self._help = f"python -m lipwise {command} --help"

    def of(self, text: str) -> str:
        """A text that names options."""
        text = re.sub(r"help\(lipwise\.\w+\)", self._help, text)
        return self._names.sub(lambda match: self._options[match[0]], re.sub(r"^\w+Settings: |^Recipe: ", "", text))


@contextmanager
def as_typed(wording: Wording) -> Iterator[None]:
    """Errors and warnings of the library come out in the words of the command line, warnings without their code."""
    try:
        with plain_warnings(wording.of):
            yield
    except LipwiseError as error:
        words = (wording.of(text) for text in (error.what, error.cause, error.next_step))
        what, cause, next_step = words
        next_step = _by_command(error, next_step)
        raise type(error)(what, cause=cause, next_step=next_step) from error


def _by_command(error: LipwiseError, next_step: str) -> str:
    """What to do, the command that fetches weights first where they are what is missing."""
    name = error.what.partition(" ")[0]
    if not isinstance(error, WeightsError) or name not in weights_entries():
        return next_step
    command = f"python -m lipwise weights {name}"
    if isinstance(error, LicenceError):
        return f"run {command}, which shows the condition and asks whether you accept it; then this command again"
    return f"run {command} where there is a network, then this command again; or {next_step}"
