"""weights.yaml -> verified local paths.

A file is looked for in the cache (`weights_folder`), then in the folder that LIPWISE_MIRROR names, then at each mirror
in order. It gets its final name only after its size and SHA-256 have been compared.

A condition on a file's use has to be accepted before it is downloaded, with `accept_licence=True` or
LIPWISE_ACCEPT_LICENCE=yes; that is remembered beside the files. A file that is in the cache or comes from a folder is
not held back, for whoever put it there had to accept; its condition is shown all the same. It is shown once.
"""

import hashlib
import logging
import os
import shutil
import warnings
from difflib import get_close_matches
from pathlib import Path

from lipwise.download import NO_ROOM, BrokenOffError
from lipwise.errors import LicenceError, LipwiseWarning, WeightsError
from lipwise.mirrors import FolderMirror, Mirror
from lipwise.weights_cache import is_right, keep, only_one, part_of, path_of, what_is_wrong
from lipwise.weights_list import Entry, named_path, weights_entries, weights_folder

log = logging.getLogger(__name__)

TRIES = 4  # of one mirror, as long as each gets further than the one before


def find_weights(name: str, *, anew: bool = False) -> Path | None:
    """Path of a file that is in the cache and right, else None; asks no network and no other folder.

    Args:
        name: an entry of a list of weights.
        anew: compare its hash although nothing says that the file has changed.

    Raises:
        WeightsError: there is no such entry.
    """
    entry = _entry(name)
    return path_of(entry) if is_right(entry, anew=anew) else None


def fetch_weights(*names: str, accept_licence: bool = False) -> list[Path]:
    """Verified local paths of weights files, fetched where they are not there yet.

    Args:
        names: entries of weights.yaml or of your own list.
        accept_licence: say that you have read the condition of a restricted file and keep to it.

    Raises:
        WeightsError: an unknown name, or no mirror gave the right file; it tells what each of them gave.
        LicenceError: a restricted file would have to be downloaded and nobody has accepted its condition.
    """
    accepted = accept_licence or os.environ.get("LIPWISE_ACCEPT_LICENCE", "").strip().lower() == "yes"
    chosen = [(name, _entry(name)) for name in names]  # a wrong name is told before anything is fetched
    return [_fetch(name, entry, accepted=accepted) for name, entry in chosen]


def _entry(name: str) -> Entry:
    if not isinstance(name, str):
        raise WeightsError(
            f"{name!r} is not a name of weights",
            cause=f"a name is text, and this is of type {type(name).__name__}",
            next_step='give several names one by one, as in fetch_weights("wav2lip", "face_mesh")',
        )
    entries = weights_entries()
    if name in entries:
        return entries[name]
    near = get_close_matches(name, entries, n=3, cutoff=0.4)
    raise WeightsError(
        f"There are no weights named {name!r}",
        cause=f"the list has {', '.join(sorted(entries))}",
        next_step=f"perhaps {' or '.join(near)} is meant" if near else "choose one of these",
    )


def _fetch(name: str, entry: Entry, *, accepted: bool) -> Path:
    path = path_of(entry)
    if is_right(entry):
        return path
    try:
        with only_one(entry):
            if not is_right(entry):  # nobody has brought it meanwhile
                _bring(name, entry, accepted=accepted)
    except OSError as error:
        raise WeightsError(
            f"{name} cannot be kept in {weights_folder()}",
            cause=str(error),
            next_step="set LIPWISE_HOME to a folder that can be written, on a disk with room",
        ) from error
    return path


def _bring(name: str, entry: Entry, *, accepted: bool) -> None:
    """Try one mirror after the other until one has given the right file."""
    if path_of(entry).is_dir():
        raise WeightsError(
            f"{path_of(entry)} is a folder",
            cause=f"the file {entry.file} belongs there",
            next_step="move it away or give it another name, and ask again",
        )
    if path_of(entry).exists():
        warnings.warn(f"{path_of(entry)} is not the listed file; it is fetched anew", LipwiseWarning, stacklevel=5)
    failures: list[str] = []
    spoilt: list[str] = []  # those of a folder that somebody filled, and wants to know of
    for mirror in (*_folder_of_mirrors(), *entry.mirrors):
        _heed_condition(name, entry, is_download=not mirror.is_local, accepted=accepted, failures=failures)
        _check_room(name, entry, failures)
        problem = _try(entry, mirror)
        if problem is None:
            keep(entry)
            is_right(entry)  # writes the record
            for failure in spoilt:
                warnings.warn(f"{entry.file}: {mirror} gave it, for {failure}", LipwiseWarning, stacklevel=5)
            return
        failures.append(f"{mirror}: {problem}")
        spoilt += [failures[-1]] if mirror.holds(entry.file) else []
        log.info("%s: %s", name, failures[-1])
    raise WeightsError(
        f"{name} ({entry.file}) cannot be had",
        cause=_listed(failures) or "the list names no mirror",
        next_step=f"{_left(entry)}get {entry.file} ({entry.bytes:,} bytes) by hand, see {entry.source}, and put it "
        f"into {weights_folder()}, or into a folder that LIPWISE_MIRROR names",
    )


def _folder_of_mirrors() -> list[Mirror]:
    named = named_path("LIPWISE_MIRROR")
    return [FolderMirror(folder=str(named.resolve()))] if named is not None else []


def _try(entry: Entry, mirror: Mirror) -> str | None:
    """Have the part brought and compared, going on from where it broke off; or say what is wrong."""
    part = part_of(entry)
    problem = None
    for _ in range(TRIES):
        had = _size(part)
        if had > entry.bytes:  # of another list's file, say; nothing goes on from there
            part.unlink()
            had = 0
        try:
            if had != entry.bytes:  # else it was complete, and stopped before it got its name
                mirror.fetch(part, file=entry.file, size=entry.bytes)
            problem = what_is_wrong(part, entry)
            if problem is None:
                return None
            part.unlink(missing_ok=True)
            goes_on = had > 0  # an old beginning may have spoilt it: once more from nothing
        except BrokenOffError as error:
            problem, goes_on = str(error), _size(part) > had
        except OSError as error:
            if error.errno in NO_ROOM:
                part.unlink(missing_ok=True)  # so that the disk is not left full
            problem, goes_on = error.strerror or str(error), False
        if not goes_on:
            break
    if not _size(part):
        part.unlink(missing_ok=True)
    return problem


def _size(path: Path) -> int:
    """Bytes of a file, 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0


def _heed_condition(name: str, entry: Entry, *, is_download: bool, accepted: bool, failures: list[str]) -> None:
    """Show a condition once; refuse a download as long as nobody has accepted it."""
    if entry.condition is None:
        return
    if is_download and not accepted and not _noted("accepted", entry.condition).is_file():
        _note("shown", entry.condition)  # the error shows it
        raise LicenceError(
            f"{name} ({entry.file}) is not downloaded before you accept its condition",
            cause=_listed([f"{entry.condition} See {entry.source}", *failures]),
            next_step=f"if you keep to it, call fetch_weights({name!r}, accept_licence=True), set "
            f"LIPWISE_ACCEPT_LICENCE=yes, or run: python -m lipwise weights {name} --accept-licence",
        )
    if not _noted("shown", entry.condition).is_file():
        log.warning("%s: %s (%s)", entry.file, entry.condition, entry.source)
    for what in ("shown", "accepted") if is_download else ("shown",):
        _note(what, entry.condition)


def _note(what: str, condition: str) -> None:
    _noted(what, condition).write_text(f"{condition}\n", encoding="utf-8")


def _noted(what: str, condition: str) -> Path:
    """The note that a condition has been shown or accepted; another wording is another condition."""
    digest = hashlib.sha256(condition.encode()).hexdigest()[:16]
    return weights_folder() / ".state" / f"{what}-{digest}.txt"


def _check_room(name: str, entry: Entry, failures: list[str]) -> None:
    """Refuse before the download what could not be kept after it."""
    needed = entry.bytes - _size(part_of(entry))
    try:
        free = shutil.disk_usage(weights_folder()).free
    except OSError:  # a folder that does not tell; writing will
        return
    if needed > free:
        raise WeightsError(
            f"There is no room for {name} in {weights_folder()}",
            cause=_listed([f"{needed / 1e6:,.1f} MB are needed and {free / 1e6:,.1f} MB are free", *failures]),
            next_step="make room, or set LIPWISE_HOME to a folder on a larger disk",
        )


def _left(entry: Entry) -> str:
    have = _size(part_of(entry))
    return (
        f"try again later ({have / 1e6:.1f} of {entry.bytes / 1e6:.1f} MB are kept to go on from), or " if have else ""
    )


def _listed(lines: list[str]) -> str:
    return "\n        ".join(lines)
