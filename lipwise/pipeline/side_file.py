"""A file that is written beside a result, such as a report: refused where it would overwrite something."""

from collections.abc import Iterable
from pathlib import Path

from lipwise.errors import SettingsError
from lipwise.files import expanded, new_part, no_empty_folders, writing


def check_side_file(path: str | Path | None, taken: Iterable[Path], *, role: str = "report") -> None:
    """Refuse, before any work is done, a file that cannot be written or would overwrite another of the same call.

    Args:
        path: the file; None is none, and is never refused.
        taken: files that the call reads or writes. It makes the folders of those, so `path` may lie there, too.
        role: what to call the file.

    Raises:
        SettingsError: it is another file of this call, or a folder, or there is no folder for it.
        MediaError: the place cannot be written to. DiskFullError: no space is left.
    """
    if path is None:
        return
    own, others = Path(path).absolute(), {expanded(other).resolve() for other in taken}
    with writing(own):
        cause = _what_is_wrong(own, others)
    if cause:
        raise SettingsError(
            f"The {role} cannot be written to {path}",
            cause=cause,
            next_step="name another file, in a folder that is there",
        )
    with no_empty_folders(own, keep=False), writing(own):
        new_part(own).unlink()


def _what_is_wrong(own: Path, others: set[Path]) -> str:
    """In words, why a file cannot go where it shall; empty where nothing speaks against it."""
    if own.resolve() in others:
        return "another file of this call is there"
    if own.is_dir():
        return "it is a folder"
    there = own.parent.is_dir() or own.parent.resolve() in {other.parent for other in others}
    return "" if there else "its folder is missing"
