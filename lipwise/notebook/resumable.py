"""A run that can be stopped and goes on where it was: pieces that are complete stay, nothing else does.

Plan and pieces lie in a hidden folder beside the result, faces and all, until the result is there or `forget` is asked.
"""

import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event

from lipwise.errors import LipwiseError, LipwiseWarning, SettingsError
from lipwise.faces.flicker import FlickerMeter
from lipwise.files import no_empty_folders, written_whole

# The last three tell of a run what `lipwise.run` tells; they are the pipeline's own and have no other door.
from lipwise.pipeline.chain import _face_count, _ours, _report, check_recipe
from lipwise.pipeline.enhancers import load_enhancers, tell_of_enhancement
from lipwise.pipeline.join import join_plan
from lipwise.pipeline.plan import Plan, load_plan, make_plan
from lipwise.pipeline.render import render_segment
from lipwise.pipeline.report import RunReport
from lipwise.pipeline.stopwatch import Stopwatch
from lipwise.recipe import Recipe
from lipwise.stages.enhancers import Enhancers
from lipwise.stages.generators import load_generator

MARK = "run.json"  # in the folder: what it is a run of
COMPLETE = "recipe.yaml"  # written last of a plan

Tell = Callable[[str, int, int], object]  # what is done now, frames done, frames of the result (0: not known yet)


class StoppedError(LipwiseError):
    """A run that was stopped because somebody asked for it."""


class ResumableRun:
    """`lipwise.run` in steps that can be stopped. A run of the same recipe goes on with the pieces that are complete.

    Args:
        recipe: what to make.
        folder: for plan and pieces; None takes a hidden one beside the result.

    Attributes:
        plan: what was found out about clip and speech; None before `run` has come so far.
        resumed: pieces that were complete before `run` began.
    """

    def __init__(self, recipe: Recipe, *, folder: str | Path | None = None) -> None:
        self.recipe = recipe
        self.folder = (
            recipe.out.absolute().with_name(f".{recipe.out.stem[:50]}.run") if folder is None else Path(folder)
        )
        self.plan: Plan | None = None
        self.resumed = 0
        self._stop = Event()

    @property
    def kept(self) -> int:
        """Complete pieces in the folder."""
        return len(list((self.folder / "segments").glob("[0-9]*.mp4")))

    def stop(self) -> None:
        """Ask a run in another thread to stop: after the frame it is at, or when clip and speech are looked at."""
        self._stop.set()

    def forget(self) -> None:
        """Delete plan and pieces, faces and all."""
        if (self.folder / MARK).exists():
            shutil.rmtree(self.folder)

    def run(self, tell: Tell = lambda stage, done, frames: None, *, progress: bool = False) -> RunReport:
        """Make the result, or what is missing of it.

        Args:
            tell: called where the work has come further.
            progress: show the library's own bars for what cannot be told: finding the face.

        Raises:
            StoppedError: somebody asked to stop; nothing is under the result's name that was not there before.
            LipwiseError: as `lipwise.run`.
        """
        self._stop.clear()
        check_recipe(self.recipe)
        with no_empty_folders(self.recipe.out), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", LipwiseWarning)
            self._open_folder()
            report = self._made(Stopwatch(), tell, progress=progress)
        remarks = [str(entry.message) for entry in caught if _ours(entry)]
        if self.resumed:
            remarks.append(f"{self.resumed} pieces had been made before the run was stopped; times are without them")
        return replace(report, remarks=tuple(dict.fromkeys([*report.remarks, *remarks])))

    def _made(self, watch: Stopwatch, tell: Tell, *, progress: bool) -> RunReport:
        recipe = self.recipe
        tell("load what makes the mouths", 0, 0)
        with watch.measure("load the generator"):
            generator = load_generator(recipe.generator, device=recipe.device)
        with watch.measure("load the enhancers"):
            enhancers = _enhancers_of(recipe)
        self._heed_stop()
        tell("hear the speech, find the face", 0, 0)
        if (self.folder / COMPLETE).exists():
            plan = load_plan(self.folder)
        else:
            plan = make_plan(recipe, self.folder, generator=generator, watch=watch, progress=progress)
        self.plan, self.resumed = plan, self.kept
        meter = FlickerMeter() if any(enhancers) else None
        for number, part in enumerate(plan.segments):
            self._heed_stop()
            on_frame = self._counter(tell, part.start, len(plan.timeline))
            render_segment(
                plan, number, generator=generator, enhancers=enhancers, meter=meter, watch=watch, on_frame=on_frame
            )
            tell("make the frames", part.stop, len(plan.timeline))
        tell("join", len(plan.timeline), len(plan.timeline))
        with watch.measure("join"):
            out = join_plan(plan, recipe.out)
        report = _report(plan, generator, out, watch, enhancers.remarks())
        report = replace(report, enhancement=tell_of_enhancement(enhancers, _face_count(plan), meter))
        self.forget()
        return report

    def _counter(self, tell: Tell, done: int, frames: int) -> Callable[[], None]:
        """To be called after each frame of a piece. What it raises leaves nothing of the piece behind."""

        def count() -> None:
            nonlocal done
            done += 1
            tell("make the frames", done, frames)
            self._heed_stop()

        return count

    def _heed_stop(self) -> None:
        if self._stop.is_set():
            pieces = len(self.plan.segments) if self.plan is not None else 0
            raise StoppedError(
                f"The run of {self.recipe.out} was stopped",
                cause="you asked for it",
                next_step=f"start it again: {self.kept} of {pieces or 'its'} pieces are kept, with what was found out "
                f"about the clip, in {self.folder}",
            )

    def _open_folder(self) -> None:
        """Make the folder, or take the one that was left by the same run; what another run left is deleted."""
        mark, wanted = self.folder / MARK, _inputs(self.recipe)
        if self.folder.is_dir() and any(self.folder.iterdir()) and not mark.exists():
            raise SettingsError(
                f"The run cannot be kept in {self.folder}",
                cause="the folder holds something that is not a run",
                next_step="name a folder that is new or empty",
            )
        if mark.exists() and mark.read_text(encoding="utf-8") != wanted:
            self.forget()
        self.folder.mkdir(parents=True, exist_ok=True)
        if not mark.exists():
            with written_whole(mark) as part:
                part.write_text(wanted, encoding="utf-8")


def _inputs(recipe: Recipe) -> str:
    """What a run depends on: its settings, and which files they name."""
    files = {str(path.absolute()): path.stat() for path in (recipe.face, recipe.speech)}
    stamps = {name: [stat.st_size, stat.st_mtime_ns] for name, stat in files.items()}
    return json.dumps({"recipe": recipe.model_dump(mode="json"), "files": stamps}, sort_keys=True, indent=1)


def _enhancers_of(recipe: Recipe) -> Enhancers:
    return load_enhancers(
        restore=recipe.restore,
        engine=recipe.restore_engine,
        upscale=recipe.upscale,
        scale=recipe.upscale_scale,
        height=recipe.upscale_height,
        device=recipe.device,
    )
