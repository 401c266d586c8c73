"""The command line: `python -m lipwise run ...` `clean`, `enhance`, `evaluate`, `demo`, `weights`, `doctor`."""

import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from lipwise.commands.warned import plain_warnings
from lipwise.errors import LipwiseError, in_words

# Command -> the module of lipwise.commands that it lives in.
HOMES = {
    "run": "run",
    "clean": "clean",
    "enhance": "enhance",
    "evaluate": "evaluate",
    "demo": "run",
    "weights": "weights",
    "doctor": "doctor",
}


def command(name: str) -> Callable[..., None]:
    """A command by name; its module is imported now."""
    return getattr(import_module(f"lipwise.commands.{HOMES[name]}"), name)


def dispatch(arguments: list[str]) -> None:
    """Run the command that comes first, and import no other: `doctor` works where what the others need is missing."""
    if arguments == ["doctor"]:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # what it imports would be blamed for the exit
        command("doctor")()
        return
    import tyro

    if arguments and arguments[0] in HOMES:
        tyro.cli(command(arguments[0]), prog=f"lipwise {arguments[0]}", args=arguments[1:])
    else:
        tyro.extras.subcommand_cli_from_dict({name: command(name) for name in HOMES}, prog="lipwise", args=arguments)


def _end(error: LipwiseError) -> NoReturn:
    """Show an error and end with status 2."""
    sys.stderr.write(f"error: {error}\n")
    raise SystemExit(2) from None


def main(arguments: list[str] | None = None) -> None:
    """Run a command; an error the user can mend is shown in three lines and ends with status 2."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that a killed run cleans up, too
    try:
        with plain_warnings():
            dispatch(sys.argv[1:] if arguments is None else arguments)
    except LipwiseError as error:
        _end(error)
    except ModuleNotFoundError as error:
        root = Path(__file__).resolve().parents[1]
        what = f"This Python ({sys.executable}) cannot run LipWise"
        step = f"use the environment's own ({root / '.venv/bin/python'}), or run bash {root / 'setup_colab.sh'}"
        _end(LipwiseError(what, cause=str(error), next_step=step))
    except OSError as error:  # what the system refuses and nothing above foresaw
        step = "see whether what it names is there and may be read and written, and whether space is left on the disk"
        _end(LipwiseError("The system refused what this command needs", cause=in_words(error), next_step=step))
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
