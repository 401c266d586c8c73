"""The folder of a run: what it is a run of, and what of it is complete, so that another call can go on with it."""

import json
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir
from typing import Any
from zipfile import BadZipFile

from filelock import FileLock, Timeout

from lipwise.errors import LipwiseError, LipwiseWarning, SettingsError
from lipwise.files import hidden_folder, new_part, no_empty_folders, writing, written_whole
from lipwise.media.probe import probe
from lipwise.pipeline.plan import Plan, load_plan, with_whole_paths
from lipwise.pipeline.run_inputs import changes_of, inputs_of
from lipwise.pipeline.told import kept_warnings
from lipwise.recipe import Recipe

MARK = "run.json"  # written when the plan is complete: what it was made from and what was warned of
SEGMENTS = "segments"
PLAN = ("recipe.yaml", "track.npz", "timeline.npz", "speech.npz", "state.npz")


@dataclass(frozen=True)
class RunFolder:
    """Where plan and segments of a run lie.

    Attributes:
        path: the folder; it may not be there yet.
        inputs: what the run is made from; empty where nobody can go on with it.
        remarks: what making the plan that lies there warned of; None without a plan.
    """

    path: Path
    inputs: dict[str, Any]
    remarks: tuple[str, ...] | None = None

    def plan(self, recipe: Recipe, make: Callable[[], Plan]) -> Plan:
        """The plan that lies there, or a new one that is kept; warns of the same either way.

        Raises:
            SettingsError: the plan cannot be read.
            LipwiseError: as `make`.
        """
        if self.remarks is not None:
            _warn(self.remarks)
            return self._load(recipe)
        with kept_warnings() as remarks:
            plan = make()
        _warn(remarks)
        if self.inputs:
            with written_whole(self.path / MARK) as part:
                part.write_text(json.dumps({"inputs": self.inputs, "remarks": remarks}, indent=1), encoding="utf-8")
        return plan

    def _load(self, recipe: Recipe) -> Plan:
        try:
            with_whole_paths(recipe).to_yaml(self.path / "recipe.yaml")
            return load_plan(self.path)
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
            raise SettingsError(
                f"The run in {self.path} cannot go on",
                cause=f"what was found out about the clip cannot be read: {error}",
                next_step="delete it with lipwise.forget_run(folder), or name another folder",
            ) from error

    def keep_whole_segments(self, plan: Plan) -> int:
        """Delete what a killed run left half-written, and segments that were damaged since; how many are complete."""
        for left in [*self.path.glob(".*.part"), *(self.path / SEGMENTS).glob(".*.part")]:
            left.unlink()
        whole = 0
        for number, part in enumerate(plan.segments):
            path = plan.segment_path(number)
            if path.exists() and _frames_in(path) != part.stop - part.start:
                path.unlink()
                warnings.warn(f"{path} was damaged and is made again", LipwiseWarning, stacklevel=2)
            whole += path.exists()
        return whole


@contextmanager
def open_run_folder(recipe: Recipe, chosen: str | Path | None, *, resume: bool) -> Iterator[RunFolder]:
    """The folder for a run: the chosen one, or one beside the result that is deleted at the end.

    Args:
        recipe: of the run.
        chosen: the folder to keep, or None.
        resume: it may hold a run of the same recipe.

    Raises:
        SettingsError: the folder cannot be used for this run; the message says why.
        MediaError: nothing can be written there. DiskFullError: no space is left.
    """
    if chosen is None:
        if resume:
            step = "name the folder of the run that is to go on, or leave out resume=True"
            raise SettingsError("No run can go on", cause="no run_folder was given", next_step=step)
        out = recipe.out.absolute()
        with hidden_folder(out.parent, of=out.stem[:50]) as folder:
            yield RunFolder(folder, {})
        return
    folder = Path(chosen).absolute()
    with _only_one(folder), no_empty_folders(folder / MARK):
        with writing(folder):
            _check_place(folder, resume=resume)
            new_part(folder / MARK).unlink()
        inputs = inputs_of(recipe)
        mark = _read_mark(folder)
        if mark is None:
            yield RunFolder(folder, inputs)  # what a program that was killed left of a plan is written anew
            return
        changes = changes_of(mark["inputs"], inputs)
        if changes:
            raise SettingsError(
                f"The run in {folder} cannot go on",
                cause=f"it is of something else: {'; '.join(changes)}",
                next_step="give what it was begun with, name another folder, or delete it with "
                "lipwise.forget_run(folder)",
            )
        yield RunFolder(folder, inputs, tuple(mark["remarks"]))


def forget_run(folder: str | Path) -> None:
    """Delete the plan and the segments of a run, faces and all; the folder, too, when it holds nothing else.

    Args:
        folder: the `run_folder` that was given to `lipwise.run`; where nothing is there, nothing is done.

    Raises:
        SettingsError: what is there is not a run's.
    """
    folder = Path(folder)
    if not folder.exists():
        return
    if not (folder / MARK).is_file():
        raise SettingsError(
            f"{folder} is not deleted",
            cause=f"it holds no {MARK}, and so is not known for a run",
            next_step="name the folder that was given to lipwise.run as run_folder",
        )
    rmtree(folder / SEGMENTS, ignore_errors=True)
    for path in [*(folder / name for name in PLAN), *folder.glob(".*.part")]:
        path.unlink(missing_ok=True)
    (folder / MARK).unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def files_in(folder: Path) -> list[Path]:
    """A run's folder, and what a run keeps in it, whether it is there yet or not."""
    return [folder, *(folder / name for name in (MARK, SEGMENTS, *PLAN)), *(folder / SEGMENTS).glob("*")]


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run that can go on."""
    return _read_mark(folder) is not None


def changes_since(folder: Path, recipe: Recipe) -> list[str]:
    """In words, in what a recipe and its files differ from the run in a folder; empty where it can go on."""
    mark = _read_mark(folder)
    return [] if mark is None else changes_of(mark["inputs"], inputs_of(recipe))


def _frames_in(segment: Path) -> int | None:
    """How many frames a segment holds; None where it cannot be read."""
    try:
        return probe(segment).frame_count
    except LipwiseError:
        return None


def _read_mark(folder: Path) -> dict[str, Any] | None:
    """What the folder's run is made from; None where there is none that is known."""
    try:
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return mark if isinstance(mark, dict) and {"inputs", "remarks"} <= mark.keys() else None


def _check_place(folder: Path, *, resume: bool) -> None:
    """Refuse a file, and a folder that holds what is not a run's, or a run that was not to go on."""
    held = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    known = is_run(folder)
    if not folder.is_file() and (not held or (resume and (known or _is_begun(folder)))):
        return
    cause, step = "the folder holds something already", "name a folder that is new or empty"
    if folder.is_file():
        cause = "it is a file"
    elif known:
        step += ", or go on with the run that is there: resume=True"
    elif resume:
        cause += " that is not known for a run"
    raise SettingsError(f"The run cannot be kept in {folder}", cause=cause, next_step=step)


def _is_begun(folder: Path) -> bool:
    """Whether there is nothing but part of a plan, whose program was killed while it wrote it."""
    names = {path.name for path in folder.iterdir() if not path.match(".*.part")}
    segments = folder / SEGMENTS
    return names <= {*PLAN, SEGMENTS} and not (segments.exists() and any(segments.iterdir()))


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Refuse a folder that another program on this machine, or another thread, is working in."""
    # The lock lies on this machine's own disk, because a mounted drive may know none.
    name = sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    user = getattr(os, "getuid", int)()  # Windows has none, and a folder for each user
    lock = FileLock(Path(gettempdir()) / f"lipwise-{user}-run-{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise SettingsError(
            f"The run in {folder} cannot go on",
            cause="it is under way already, in another program or another cell",
            next_step="wait for it or stop it, or name another folder",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _warn(texts: list[str] | tuple[str, ...]) -> None:
    for text in texts:
        warnings.warn(text, LipwiseWarning, stacklevel=3)
