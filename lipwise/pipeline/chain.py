"""The whole chain: plan, render each segment, join."""

import shutil
import tempfile
import warnings
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from lipwise.errors import LipwiseWarning, MediaError, SettingsError
from lipwise.faces.track import FILLED
from lipwise.media.output import check_destination
from lipwise.models.generator import Generator
from lipwise.pipeline.join import join_plan
from lipwise.pipeline.plan import Plan, make_plan
from lipwise.pipeline.render import render_segment
from lipwise.pipeline.report import RunReport
from lipwise.pipeline.stopwatch import Stopwatch
from lipwise.recipe import Recipe
from lipwise.stages.generators import check_generator_name, load_generator


def run(recipe: Recipe, *, run_folder: str | Path | None = None, progress: bool = True) -> RunReport:
    """Make a video whose lips say the speech.

    Args:
        recipe: what to make, from what, and how.
        run_folder: keep the plan and the segments in this folder; None keeps them beside the result while they are
            needed and deletes them, faces and all, at the end.
        progress: show progress bars.

    Returns:
        A report that says where the result lies, what was done and what was replaced.

    Raises:
        LipwiseError: what is wrong with the input or the settings; nothing is left under the result's name.
    """
    check_recipe(recipe)
    folder = Path(run_folder) if run_folder is not None else _scratch_folder(recipe.out)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", LipwiseWarning)
            watch = Stopwatch()
            with watch.measure("load the generator"):
                generator = load_generator(recipe.generator, device=recipe.device)
            plan = make_plan(recipe, folder, generator=generator, watch=watch, progress=progress)
            render_all(plan, generator=generator, watch=watch, progress=progress)
            with watch.measure("join"):
                out = join_plan(plan, recipe.out)
        return _report(plan, generator, out, watch, [str(entry.message) for entry in caught if _ours(entry)])
    finally:
        if run_folder is None:
            shutil.rmtree(folder, ignore_errors=True)


def check_recipe(recipe: Recipe) -> None:
    """Refuse what can be refused before any work is done.

    Raises:
        ConsentError: nobody said that consent was given.
        MediaError: an input is missing or the result cannot be written.
        SettingsError: the result would overwrite an input, or there is no such generator.
    """
    for role, path in (("face", recipe.face), ("speech", recipe.speech)):
        if not path.exists():
            raise MediaError(
                f"The {role} file {path} is not there",
                cause=f"nothing has that name in {path.absolute().parent}",
                next_step="check the spelling and the folder",
            )
        if path.resolve() == recipe.out.resolve():
            raise SettingsError(
                f"The result {recipe.out} would overwrite the {role}",
                cause="both are the same file",
                next_step="choose another name for the result",
            )
    recipe.check_consent()
    check_generator_name(recipe.generator)
    check_destination(recipe.out)


def render_all(plan: Plan, *, generator: Generator, watch: Stopwatch, progress: bool) -> None:
    """Render every segment that is not there yet, one after the other."""
    with tqdm(total=len(plan.timeline), desc="lips", unit="frame", disable=not progress) as bar:
        for number, part in enumerate(plan.segments):
            before = bar.n
            render_segment(plan, number, generator=generator, watch=watch, on_frame=bar.update)
            bar.update(before + part.stop - part.start - bar.n)  # a segment that was there already


def _scratch_folder(out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{out.stem}.", suffix=".run", dir=out.parent))


def _ours(entry: warnings.WarningMessage) -> bool:
    if issubclass(entry.category, LipwiseWarning):
        return True
    warnings.showwarning(entry.message, entry.category, entry.filename, entry.lineno)
    return False


def _report(plan: Plan, generator: Generator, out: Path, watch: Stopwatch, warned: list[str]) -> RunReport:
    shown = plan.timeline.source_index[plan.timeline.synth]
    remarks = [*plan.video.notes, *warned, *generator.remarks(plan.state)]
    return RunReport(
        out=out,
        frames=len(plan.timeline),
        fps=float(plan.timeline.fps),
        size_wh=plan.video.size_wh,
        synthesised=int(np.count_nonzero(plan.timeline.synth)),
        passed=int(np.count_nonzero(~plan.timeline.synth)),
        filled=int(np.count_nonzero(plan.track.origin[shown] == FILLED)),
        generator=generator.name,
        note=generator.note,
        remarks=tuple(dict.fromkeys(remarks)),
        seconds=dict(watch.seconds),
    )
