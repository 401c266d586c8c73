"""The lists of weights: weights.yaml, which comes with LipWise, and the user's own beside it.

An own list is the file that LIPWISE_WEIGHTS names, else `weights.yaml` in the folder of the weights. It adds entries
and never replaces one: a name that suddenly meant another file would be the way to slip one in.
"""

import errno
import os
import reprlib
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from lipwise.errors import WeightsError
from lipwise.mirrors import KINDS, AnyMirror, Https, text_like
from lipwise.weights_yaml import ListError, Named, read_list

LIST = Path(__file__).with_name("weights.yaml")
LONGEST_NAME = 200  # bytes; with what is put behind it, it has to stay under the 255 of most file systems
MOST_SHOWN = 100  # characters of a path in a message
NO_PATH = (errno.ENAMETOOLONG, errno.ELOOP)
_IN_SHORT = reprlib.Repr()  # aliases in a list can unfold to gigabytes
_IN_SHORT.maxstring = _IN_SHORT.maxother = MOST_SHOWN


def _is_no_other_file(name: str) -> str:
    # Some file systems take capitals for small letters.
    if name.casefold() == LIST.name or name.casefold().endswith((".part", ".lock")):
        raise ValueError(f"must not be {name!r}, which has another meaning in that folder")
    if len(name.encode()) > LONGEST_NAME:
        raise ValueError(f"must not be longer than {LONGEST_NAME} bytes")
    return name


FileName = Annotated[
    str,
    text_like(r"\w[\w.-]*", "the bare name of a file (letters, digits and . _ -)"),
    AfterValidator(_is_no_other_file),
]
Words = Annotated[str, text_like(r"(?s).*\S.*", "some words")]


class Entry(BaseModel):
    """One file of a list of weights.

    Attributes:
        file: its name on disk.
        bytes: its size.
        sha256: of its content, 64 hexadecimal digits.
        licence: what it is published under.
        condition: what restricts its use, in plain words; None where nothing does.
        source: page of the people who made it.
        purpose: what it is for.
        engine: what loads it, such as lipwise, opencv, gfpgan, basicsr or spandrel.
        mirrors: where it may come from, tried in order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    file: FileName
    bytes: Annotated[int, Field(gt=0)]
    sha256: Annotated[str, text_like(r"[0-9a-f]{64}", "64 hexadecimal digits in lower case")]
    licence: Words
    condition: Words | None = None
    source: Https
    purpose: Words
    engine: Annotated[str, text_like(r"[a-z][a-z0-9_]*", "one word such as lipwise or spandrel")]
    mirrors: tuple[AnyMirror, ...] = ()

    @property
    def restricted(self) -> bool:
        """Whether a condition has to be accepted before the file is downloaded."""
        return self.condition is not None


def named_path(variable: str) -> Path | None:
    """The path that an environment variable names; None where it names none. Nothing needs to be there.

    Raises:
        WeightsError: there can be no such path.
    """
    value = os.environ.get(variable)
    if not value:
        return None
    try:
        path = Path(value).expanduser()
    except RuntimeError as error:  # ~somebody, who is not known here
        raise _no_path(variable, value, str(error)) from error
    try:
        path.stat()
    except OSError as error:
        if error.errno in NO_PATH:
            raise _no_path(variable, value, str(error.strerror)) from error
    return path


def _no_path(variable: str, value: str, cause: str) -> WeightsError:
    step = f"set {variable} to a path that can be, or unset it"
    short = value if len(value) <= MOST_SHOWN else f"{value[:MOST_SHOWN]}..."
    return WeightsError(f"{variable} names {short}, which is no path", cause=cause, next_step=step)


def weights_folder() -> Path:
    """Where weights are kept: LIPWISE_HOME, or `lipwise` in the user's cache folder.

    Raises:
        WeightsError: LIPWISE_HOME names what can be no path.
    """
    chosen = named_path("LIPWISE_HOME")
    if chosen is not None:
        return chosen
    from pooch import os_cache

    return Path(os_cache("lipwise"))


def own_list() -> Path | None:
    """The user's own list; None where there is none. One that LIPWISE_WEIGHTS names has to be there."""
    named = named_path("LIPWISE_WEIGHTS")
    if named is not None:
        return named
    path = weights_folder() / LIST.name
    return path if path.is_file() else None


def weights_entries(path: Path = LIST) -> dict[str, Entry]:
    """Every known entry by name: a list's, and behind them those of the user's own list.

    Raises:
        WeightsError: a list cannot be read, an entry is not as it should be, or two of them clash.
    """
    entries = dict(_read(path, _stamp(path)))
    own = own_list()
    if own is None:
        return entries
    for name, entry in _read(own, _stamp(own)).items():
        if name in entries:
            raise WeightsError(
                f"Two entries are named {name!r}",
                cause=f"one is in {path}, the other in your own list {own}",
                next_step=f"give the one in {own.name} another name, such as my_{name}",
            )
        _refuse_same_file(entries, name, entry, own)
        entries[name] = entry
    return entries


def _stamp(path: Path) -> tuple[int, int] | None:
    """Changes when the file does."""
    try:
        return path.stat().st_mtime_ns, path.stat().st_size
    except OSError:
        return None


@cache
def _read(path: Path, stamp: tuple[int, int] | None) -> dict[str, Entry]:
    """A list's entries; read again only when the file has changed."""
    try:
        listed = read_list(path)
    except (ListError, OSError) as error:
        raise _bad_list(path, str(error)) from error
    entries: dict[str, Entry] = {}
    for one in listed:
        entry = _entry(path, one)
        _refuse_same_file(entries, str(one.name), entry, path)
        entries[str(one.name)] = entry
    return entries


def _bad_list(path: Path, cause: str) -> WeightsError:
    step = "mend it there" if path != LIST else "install LipWise again"
    return WeightsError(f"The list of weights {path} cannot be used", cause=cause, next_step=step)


def _entry(path: Path, one: Named) -> Entry:
    if not isinstance(one.name, str):
        raise _bad_list(path, f"line {one.line}: {one.written} is not a name unless it stands in quotes")
    if not isinstance(one.values, dict):
        raise _bad_list(path, f"line {one.line}: {one.name!r} is not a name with fields below it")
    try:
        return Entry(**{str(key): value for key, value in one.values.items()})
    except ValidationError as error:
        faults = "; ".join(_fault(dict(each)) for each in error.errors())
        raise _bad_list(path, f"line {one.line}, entry {one.name}: {faults}") from error


def _fault(error: dict[str, Any]) -> str:
    """One of pydantic's errors in plain words."""
    steps = [f"mirror {step + 1}" if isinstance(step, int) else str(step) for step in error["loc"]]
    field = " ".join(steps[1:2] + steps[3:]) if len(steps) > 1 else steps[0]  # without "mirrors" and the kind
    words = {
        "missing": "is missing",
        "extra_forbidden": "is not a field that is known here",
        "union_tag_not_found": f"must have one of the keys {', '.join(KINDS)}",
        "value_error": str(error.get("ctx", {}).get("error", "")),
    }
    message = error["msg"].removeprefix("Input ")
    return f"{field} {words.get(error['type']) or f'{message}, not ' + _IN_SHORT.repr(error['input'])}"


def _refuse_same_file(entries: dict[str, Entry], name: str, entry: Entry, path: Path) -> None:
    """Two entries must not share a file on disk; some file systems take capitals for small letters."""
    for other, one in entries.items():
        if one.file.casefold() == entry.file.casefold():
            raise _bad_list(path, f"the entries {other} and {name} are both kept as {entry.file}")
