"""`lipwise weights`: files that networks need."""

import sys
from pathlib import Path
from typing import Annotated

import tyro

import lipwise
from lipwise.errors import LicenceError, WeightsError


def weights(
    names: Annotated[
        tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(help_behavior_hint="(default: list them)")
    ] = (),
    *,
    all: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    accept_licence: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
) -> None:
    """Fetch weights files, verified, and say where they lie; without a name, list them.

    In the list, files that are on the disk already are marked: here.

    Wav2Lip's weights are for research and other non-commercial use. A file with such a condition is downloaded only
    after you have accepted it, here at the prompt, with --accept-licence, or with LIPWISE_ACCEPT_LICENCE=yes.

    Args:
        names: entries of weights.yaml or of your own list, such as face_mesh or wav2lip_gan.
        all: fetch every entry; one that cannot be had does not keep the others back.
        accept_licence: say that you have read the conditions of these files and keep to them.
    """
    entries = lipwise.weights_entries()
    if not names and not all:
        sys.stdout.writelines(f"{line}\n" for line in _list())
    errors = []
    for name in entries if all else names:
        try:
            sys.stdout.write(f"{name}: {_fetched(name, accept_licence=accept_licence)}\n")
        except WeightsError as error:
            sys.stderr.write(f"error: {error}\n")
            errors.append(error)
    if errors:
        raise SystemExit(2)


def _list() -> list[str]:
    """A line for each entry: its size, whether the file is on the disk and right, what it is for, its licence."""
    entries = lipwise.weights_entries()
    width = max(map(len, entries))
    here = {name: "here" if lipwise.find_weights(name) else "" for name in entries}
    return [
        f"{name:{width}s} {entry.bytes / 1e6:6.1f} MB  {here[name]:4s}  {entry.purpose}; {entry.licence}"
        for name, entry in entries.items()
    ]


def _fetched(name: str, *, accept_licence: bool) -> Path:
    """A weights file; on a terminal its condition may be accepted there and then."""
    try:
        return lipwise.fetch_weights(name, accept_licence=accept_licence)[0]
    except LicenceError as error:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        sys.stderr.write(f"{error.what}:\n  {error.cause}\nDo you accept it? Type yes: ")
        if sys.stdin.readline().strip().lower() != "yes":
            raise LicenceError(error.what, cause="nobody typed yes", next_step=error.next_step) from None
    return lipwise.fetch_weights(name, accept_licence=True)[0]
