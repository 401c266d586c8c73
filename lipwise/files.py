"""Files that appear under their name only when they are complete."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from shutil import rmtree

NAME_KEPT = 100  # characters of the final name inside the temporary one, which has to stay under the system's limit


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, 64 hexadecimal digits.

    Raises:
        OSError: as the system says.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def new_part(path: Path) -> Path:
    """An empty file beside `path`, of a name that nothing else uses, to be renamed to it.

    Raises:
        OSError: the folder is not there or cannot be written to.
    """
    part = path.with_name(f".{path.name[:NAME_KEPT]}.{token_hex(4)}.part")
    part.open("xb").close()
    return part


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary path to write to, renamed to `path` when the body ends well and removed when it does not.

    Raises:
        OSError: as the system says.
    """
    part = new_part(path)
    try:
        yield part
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def hidden_folder(beside: Path, *, prefix: str = ".lipwise-", suffix: str = "") -> Iterator[Path]:
    """A folder of this call's own in the folder `beside`, deleted with all that is in it, also when the program is told
    to end while the folder is made or deleted.

    Raises:
        OSError: as the system says.
    """
    folder = beside / f"{prefix}{token_hex(8)}{suffix}"
    try:  # before the folder is made: whatever comes in between, the folder goes
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        try:
            rmtree(folder, ignore_errors=True)
        except BaseException:
            rmtree(folder, ignore_errors=True)
            raise


@contextmanager
def no_empty_folders(path: Path, *, keep: bool = True) -> Iterator[None]:
    """Make the folders above `path`; remove those that were made, and are empty, when the body fails, or always."""
    made = [folder for folder in path.absolute().parents if not folder.exists()]
    done = False
    try:
        with suppress(OSError):  # whoever writes there says why it cannot be done
            path.absolute().parent.mkdir(parents=True, exist_ok=True)
        yield
        done = True
    finally:
        for folder in [] if done and keep else made:  # the innermost first
            with suppress(OSError):
                folder.rmdir()
