"""The command line: `python -m lipwise run ...` `clean`, `demo`, `weights`, `doctor`."""

import signal
import sys
from collections.abc import Callable
from importlib import import_module

import tyro

from lipwise.errors import LipwiseError

# Command -> the module of lipwise.commands that it lives in.
HOMES = {"run": "run", "clean": "clean", "demo": "run", "weights": "weights", "doctor": "doctor"}


def command(name: str) -> Callable[..., None]:
    """A command by name; its module is imported now."""
    return getattr(import_module(f"lipwise.commands.{HOMES[name]}"), name)


def dispatch(arguments: list[str]) -> None:
    """Run the command that comes first, and import no other: `doctor` works where what `clean` needs is broken."""
    if arguments and arguments[0] in HOMES:
        tyro.cli(command(arguments[0]), prog=f"lipwise {arguments[0]}", args=arguments[1:])
    else:
        tyro.extras.subcommand_cli_from_dict({name: command(name) for name in HOMES}, prog="lipwise", args=arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run a command; an error the user can mend is shown in three lines and ends with status 2."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that a killed run cleans up, too
    try:
        dispatch(sys.argv[1:] if arguments is None else arguments)
    except LipwiseError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(2) from None
    except OSError as error:  # what the system refuses and nothing above foresaw
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
