"""The folder of weights: files known to be right, unfinished ones, and who is at work on which.

Beside the files lies `.state` with a folder for each: the lock, the unfinished download, and a record of size, time of
change and hash from when the hash was compared. While size and time are still those of the record, the file is taken
for good without reading it again. So what changes bytes and leaves both alone, a dying disk or somebody who sets the
time back, goes unnoticed until `find_weights(name, anew=True)`; everything else is noticed at the next look.
"""

import errno
import hashlib
import json
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from lipwise.download import wrong_at_a_glance
from lipwise.errors import MediaError
from lipwise.files import sha256_of, written_whole
from lipwise.weights_list import Entry, weights_folder

log = logging.getLogger(__name__)

# What a file system says that knows no locks, a mounted cloud folder for one.
NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL)


def path_of(entry: Entry) -> Path:
    """Where a file of a list lies once it is here."""
    return weights_folder() / entry.file


def state_of(entry: Entry) -> Path:
    """The folder that holds what is known about a file."""
    return weights_folder() / ".state" / entry.file


def part_of(entry: Entry) -> Path:
    """The unfinished download: always the same name, so that the next try goes on from it."""
    return state_of(entry) / f"{entry.file}.part"


def is_right(entry: Entry, *, anew: bool = False) -> bool:
    """Whether the file is here and its hash was found to be the listed one.

    Args:
        entry: which file.
        anew: read it again, whatever the record says.
    """
    try:
        found = path_of(entry).stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size != entry.bytes:
            return False
        record = {"size": found.st_size, "mtime_ns": found.st_mtime_ns, "sha256": entry.sha256}
        if not anew and _recorded(entry) == record:
            return True
        if sha256_of(path_of(entry)) != entry.sha256:
            return False
    except OSError:
        return False
    with suppress(OSError, MediaError):  # a folder that cannot be written: the hash is compared every time
        state_of(entry).mkdir(parents=True, exist_ok=True)
        with written_whole(_record_path(entry)) as part:
            part.write_text(json.dumps(record), encoding="utf-8")
    return True


def _record_path(entry: Entry) -> Path:
    return state_of(entry) / "compared.json"


def _recorded(entry: Entry) -> object:
    try:
        return json.loads(_record_path(entry).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def what_is_wrong(path: Path, entry: Entry) -> str | None:
    """Why a file is not the one that is listed; None when it is."""
    size = path.stat().st_size
    digest = sha256_of(path)
    if digest == entry.sha256 and size == entry.bytes:
        return None
    another = f"it gave another file: SHA-256 {digest[:12]}... where {entry.sha256[:12]}... was expected"
    return wrong_at_a_glance(path, entry.bytes) or another


def keep(entry: Entry) -> None:
    """Give the finished and compared part its name, and forget what else is left of the download.

    Raises:
        OSError: as the system says.
    """
    part = part_of(entry)
    with part.open("r+b") as file, suppress(OSError):  # a mounted cloud folder may not know how
        os.fsync(file.fileno())  # the record must not outlive a power cut that the content does not
    part.replace(path_of(entry))
    for kind in (".drive", ".wheel"):
        shutil.rmtree(part.with_suffix(kind), ignore_errors=True)


def folder_problem() -> str | None:
    """Why nothing can be kept where LIPWISE_HOME says; None when it looks as if it could.

    Raises:
        WeightsError: LIPWISE_HOME names what can be no path.
    """
    folder = weights_folder().absolute()
    if folder.is_file():
        return f"{folder} is a file, not a folder"
    if os.environ.get("LIPWISE_HOME") and not folder.parent.is_dir():
        # A folder made where a drive is to be mounted would hold the weights instead of it, and keep it from mounting.
        return f"there is no {folder.parent}; is a drive not mounted?"
    return None


@contextmanager
def only_one(entry: Entry) -> Iterator[None]:
    """Wait until nobody else, in this process or another, is fetching the file.

    Raises:
        OSError: the folder cannot be written.
    """
    problem = folder_problem()
    if problem is not None:
        raise OSError(problem)
    state_of(entry).mkdir(parents=True, exist_ok=True)
    lock = _taken(state_of(entry) / "lock", entry)
    try:
        yield
    finally:
        lock.release()


def _taken(path: Path, entry: Entry) -> BaseFileLock:
    try:
        return _wait_for(FileLock(path), entry)
    except NotImplementedError:  # older versions of filelock say so
        pass
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    # This machine's own disk keeps its own processes apart, which is what can be had.
    user = getattr(os, "getuid", int)()  # Windows has none, and a folder for each user
    name = hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:16]
    return _wait_for(FileLock(Path(tempfile.gettempdir()) / f"lipwise-{user}-{name}.lock"), entry)


def _wait_for(lock: BaseFileLock, entry: Entry) -> BaseFileLock:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.warning("%s is being fetched by another process; waiting for it", entry.file)
        lock.acquire()
    return lock
