"""Files that appear under their name only when they are complete."""

import errno
import hashlib
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from shutil import rmtree

from lipwise.errors import DiskFullError, LipwiseWarning, MediaError, in_words

HIDDEN = ".lipwise-"  # what the name of a folder that is deleted in the end begins with
LEFT_AFTER_S = 3600  # a hidden folder in which nothing has changed for so long is nobody's
NAME_KEPT = 100  # characters of the final name inside the temporary one, which has to stay under the system's limit
FULL = (errno.ENOSPC, errno.EDQUOT)
CANNOT = " cannot be written"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, 64 hexadecimal digits.

    Raises:
        OSError: as the system says.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def expanded(path: str | Path) -> Path:
    """A path with "~" for the home folder; a name that merely begins with it, such as ~draft.mp4, stays a name."""
    path = Path(path)
    try:
        return path.expanduser()
    except RuntimeError:  # there is no user of that name
        return path


def disk_is_full(error: BaseException) -> bool:
    """True where FFmpeg or the system could not write for want of space."""
    return getattr(error, "errno", None) in FULL


def unwritable(path: Path, error: Exception) -> MediaError:
    """What to say when FFmpeg or the system refuses to write."""
    if disk_is_full(error):
        return DiskFullError(
            f"{path}{CANNOT}",
            cause=f"the disk is full: {getattr(error, 'strerror', None) or error}",
            next_step="free some space, or choose a folder on another disk",
        )
    return MediaError(
        f"{path}{CANNOT}",
        cause=in_words(error),
        next_step="choose a folder that you may write to, with enough space left, and a name that is not too long",
    )


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say it of `path` when the system refuses what the body does to write it.

    Raises:
        DiskFullError: no space is left. MediaError: anything else that the system says.
    """
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from error


@contextmanager
def written_for(out: Path) -> Iterator[None]:
    """Tell of a full disk under a result's name, where what is being written is a part of it under another.

    Raises:
        DiskFullError: no space is left; it names the result, and the part as well.
    """
    try:
        yield
    except DiskFullError as error:
        cause = f"{error.cause}; it happened to a part of it, {error.what.removesuffix(CANNOT)}"
        raise DiskFullError(f"{out}{CANNOT}", cause=cause, next_step=error.next_step) from error


def new_part(path: Path) -> Path:
    """An empty file beside `path`, of a name that nothing else uses, to be renamed to it.

    Raises:
        OSError: the folder is not there or cannot be written to, or the name is too long.
    """
    with suppress(FileNotFoundError):
        path.lstat()  # a name that is too long is told now, and not when the part is to get it
    part = path.with_name(f".{path.name[:NAME_KEPT]}.{token_hex(4)}.part")
    try:
        part.open("xb").close()
    except OSError as error:
        error.filename = str(path)  # nobody has heard of the other
        raise
    return part


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary path to write to, renamed to `path` when the body ends well and removed when it does not.

    Raises:
        DiskFullError: no space is left. MediaError: it cannot be written for another reason.
    """
    with writing(path):
        part = new_part(path)
        try:
            yield part
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


@contextmanager
def hidden_folder(beside: Path, *, of: str = "") -> Iterator[Path]:
    """A folder of this call's own in the folder `beside`, deleted with all that is in it, also when the program is told
    to end while the folder is made or deleted.

    Args:
        of: what it is for, a part of its name.

    Raises:
        DiskFullError: no space is left. MediaError: it cannot be made for another reason.
    """
    _tell_of_left(beside)
    folder = beside / f"{HIDDEN}{of and of + '-'}{token_hex(8)}"
    try:  # before the folder is made: whatever comes in between, the folder goes
        with writing(beside):
            folder.mkdir(mode=0o700)
        yield folder
    finally:
        try:
            rmtree(folder, ignore_errors=True)
        except BaseException:
            rmtree(folder, ignore_errors=True)
            raise


def _tell_of_left(beside: Path) -> None:
    """Warn of such folders that a killed program left; it had no chance to delete the faces in them."""
    found = beside.glob(f"{HIDDEN}*{'[0-9a-f]' * 16}")
    for folder in sorted(folder for folder in found if _is_left(folder)):
        said = f"{folder} was left by a program that was killed, with faces and voices in it; delete it"
        warnings.warn(f"{said}, unless one still works there", LipwiseWarning, stacklevel=5)


def _is_left(folder: Path) -> bool:
    """Whether nothing in a folder has changed for a time in which any work would have."""
    try:
        last = max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
    except OSError:  # it is being deleted
        return False
    return time.time() - last > LEFT_AFTER_S


@contextmanager
def no_empty_folders(path: Path, *, keep: bool = True) -> Iterator[None]:
    """Make the folders above `path`; remove those that were made, and are empty, when the body fails, or always."""
    made: list[Path] = []
    done = False
    try:
        with suppress(OSError):  # whoever writes there says why it cannot be done
            made += [folder for folder in path.absolute().parents if not folder.exists()]
            path.absolute().parent.mkdir(parents=True, exist_ok=True)
        yield
        done = True
    finally:
        for folder in [] if done and keep else made:  # the innermost first
            with suppress(OSError):
                folder.rmdir()
