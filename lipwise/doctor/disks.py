"""The doctor's rows about disks and about the folder of weights."""

import os
import shutil
from pathlib import Path

from lipwise.doctor.table import Row

ROOMY_BYTES = 2 * 10**9  # two large checkpoints, or the segments of a long clip
FACE_MESH = "face_mesh"
ELSEWHERE = "set LIPWISE_HOME to a folder that can be written"


def disk(what: str, folder: Path, otherwise: str) -> Row:
    """Free space where a folder is or will be."""
    there = _existing(folder)
    free = shutil.disk_usage(there).free
    found = f"{free / 1e9:.1f} GB free at {folder}"
    if not os.access(there, os.W_OK):
        return Row(what, f"{found}, which cannot be written to", "warn", otherwise)
    return Row(what, found) if free >= ROOMY_BYTES else Row(what, found, "warn", f"make room, or: {otherwise}")


def _existing(folder: Path) -> Path:
    return next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())


def disk_of_weights() -> Row:
    """Free space where weights are kept, and whether any can be."""
    from lipwise.weights_cache import folder_problem
    from lipwise.weights_list import weights_folder

    problem = folder_problem()
    if problem is not None:
        return Row("disk of weights", problem, "warn", ELSEWHERE)
    return disk("disk of weights", weights_folder(), ELSEWHERE)


def weights() -> Row:
    """Which files are here and are the listed ones."""
    from lipwise.weights import find_weights, weights_entries, weights_folder

    entries, folder = weights_entries(), weights_folder()
    there = [name for name in entries if find_weights(name) is not None]
    others = [name for name, entry in entries.items() if name not in there and (folder / entry.file).exists()]
    size = sum(entries[name].bytes for name in there)
    found = f"{len(there)} of {len(entries)} ({size / 1e6:.1f} MB): {', '.join(there) or 'none'}"
    if others:
        found += f"; not the listed file: {', '.join(others)}"
    wanted = FACE_MESH if FACE_MESH not in there else next(iter(others), None)
    if wanted is None:
        return Row("weights", found)
    return Row("weights", found, "missing" if wanted == FACE_MESH else "warn", _step_to(wanted, folder))


def _step_to(name: str, folder: Path) -> str:
    from lipwise.weights_cache import folder_problem

    command = f"python -m lipwise weights {name}"
    writable = folder_problem() is None and os.access(_existing(folder), os.W_OK)
    return command if writable else f"{ELSEWHERE}, then: {command}"
