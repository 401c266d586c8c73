"""`lipwise.run` that can be stopped from another thread, in a folder of its own until the result is there."""

import warnings
from pathlib import Path
from threading import Event

from lipwise.errors import LipwiseError, LipwiseWarning
from lipwise.pipeline.chain import run
from lipwise.pipeline.check import check_recipe
from lipwise.pipeline.plan import Plan, load_plan
from lipwise.pipeline.report import RunReport
from lipwise.pipeline.run_folder import changes_since, forget_run, is_run
from lipwise.pipeline.told import Tell, tell_nobody
from lipwise.recipe import Recipe


class StoppedError(LipwiseError):
    """A run that was stopped because somebody asked for it."""


class ResumableRun:
    """A run to stop and to go on with. What is kept goes when the result is there, or when `forget` is asked.

    Args:
        recipe: what to make.
        folder: for plan and pieces, as `lipwise.run` takes it. None takes a hidden one beside the result; in that one,
            what a run of something else has left is deleted, with a LipwiseWarning.

    Attributes:
        plan: what was found out about clip and speech; None before `run` has come to its end.
    """

    def __init__(self, recipe: Recipe, *, folder: str | Path | None = None) -> None:
        self.recipe = recipe
        self.plan: Plan | None = None
        self._own = folder is None
        hidden = recipe.out.absolute().with_name(f".{recipe.out.stem[:50]}.run")
        self.folder = hidden if folder is None else Path(folder)
        self._stop = Event()

    @property
    def kept(self) -> int:
        """Complete pieces in the folder."""
        return len(list((self.folder / "segments").glob("[0-9]*.mp4")))

    @property
    def begun(self) -> bool:
        """Whether there is something to go on with."""
        return is_run(self.folder)

    def stop(self) -> None:
        """Ask a run to stop: after the frame it is at, or when clip and speech are looked at; one to come, at once."""
        self._stop.set()

    def forget(self) -> None:
        """Delete plan and pieces, faces and all."""
        if self.begun:
            forget_run(self.folder)

    def run(self, tell: Tell = tell_nobody, *, progress: bool = False) -> RunReport:
        """Make the result, or what is missing of it.

        Args:
            tell: called where the work has come further.
            progress: show the library's own bars for what cannot be told: finding the face.

        Raises:
            StoppedError: somebody asked to stop; nothing is under the result's name that was not there before.
            LipwiseError: as `lipwise.run`.
        """

        def heed(stage: str, done: int, frames: int) -> None:
            tell(stage, done, frames)
            if self._stop.is_set():
                raise self._stopped()

        try:
            check_recipe(self.recipe)
            if self._own and self.begun:
                self._forget_another()
            report = run(self.recipe, run_folder=self.folder, resume=True, progress=progress, tell=heed)
        finally:
            self._stop.clear()  # not before the run: what is asked between a button and the first frame counts, too
        self.plan = load_plan(self.folder)
        self.forget()
        return report

    def _forget_another(self) -> None:
        changes = changes_since(self.folder, self.recipe)
        if changes:
            text = f"The run that was stopped was of something else and is forgotten: {'; '.join(changes)}"
            warnings.warn(text, LipwiseWarning, stacklevel=3)
            self.forget()

    def _stopped(self) -> StoppedError:
        return StoppedError(
            f"The run of {self.recipe.out} was stopped",
            cause="you asked for it",
            next_step=f"start it again: the complete pieces are kept, with what was found out about the clip, in "
            f"{self.folder}",
        )
