"""The lists of weights: weights.yaml, which comes with LipWise, and the user's own beside it.

An own list is the file that LIPWISE_WEIGHTS names, else `weights.yaml` in the folder of the weights. It adds entries
and never replaces one: a name that suddenly meant another file would be the way to slip one in.
"""

import os
from collections.abc import Hashable
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from lipwise.errors import WeightsError
from lipwise.mirrors import KINDS, AnyMirror, Https, text_like

LIST = Path(__file__).with_name("weights.yaml")


def _is_no_other_file(name: str) -> str:
    if name == LIST.name or name.endswith((".part", ".lock")):
        raise ValueError(f"must not be {name!r}, which has another meaning in that folder")
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


def weights_folder() -> Path:
    """Where weights are kept: LIPWISE_HOME, or `lipwise` in the user's cache folder."""
    chosen = os.environ.get("LIPWISE_HOME")
    if chosen:
        return Path(chosen).expanduser()
    from pooch import os_cache

    return Path(os_cache("lipwise"))


def own_list() -> Path | None:
    """The user's own list; None where there is none. One that LIPWISE_WEIGHTS names has to be there."""
    named = os.environ.get("LIPWISE_WEIGHTS")
    if named:
        return Path(named).expanduser()
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
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=_StrictLoader)
        listed = yaml.load(text, Loader=_StrictLoader)
    except yaml.YAMLError as error:
        raise _bad_list(path, _where(error)) from error
    except (OSError, ValueError) as error:  # no such file, no text
        raise _bad_list(path, str(error)) from error
    if not isinstance(listed, dict):
        raise _bad_list(path, "it holds no entries by name")
    lines = {key.value: key.start_mark.line + 1 for key, _ in node.value}
    entries: dict[str, Entry] = {}
    for name, values in listed.items():
        entry = _entry(path, name, values, line=lines.get(str(name), 1))
        _refuse_same_file(entries, name, entry, path)
        entries[name] = entry
    return entries


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that is there twice, which YAML readers otherwise let the last one win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                said = f"{key.value} is there twice"
                raise yaml.constructor.ConstructorError(problem=said, problem_mark=key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else str(problem)


def _bad_list(path: Path, cause: str) -> WeightsError:
    step = "mend it there" if path != LIST else "install LipWise again"
    return WeightsError(f"The list of weights {path} cannot be used", cause=cause, next_step=step)


def _entry(path: Path, name: object, values: object, *, line: int) -> Entry:
    if not isinstance(name, str) or not isinstance(values, dict):
        raise _bad_list(path, f"line {line}: {name!r} is not a name with fields below it")
    try:
        return Entry(**{str(key): value for key, value in values.items()})
    except ValidationError as error:
        faults = "; ".join(_fault(dict(one)) for one in error.errors())
        raise _bad_list(path, f"line {line}, entry {name}: {faults}") from error


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
    return f"{field} {words.get(error['type']) or f'{message}, not ' + repr(error['input'])}"


def _refuse_same_file(entries: dict[str, Entry], name: str, entry: Entry, path: Path) -> None:
    """Two entries must not share a file on disk; some file systems take capitals for small letters."""
    for other, one in entries.items():
        if one.file.casefold() == entry.file.casefold():
            raise _bad_list(path, f"the entries {other} and {name} are both kept as {entry.file}")
