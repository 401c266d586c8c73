"""The whole chain: plan, render each segment, join."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from lipwise.errors import MediaError, SettingsError
from lipwise.faces.choose import check_choice
from lipwise.faces.flicker import FlickerMeter
from lipwise.faces.track import FILLED
from lipwise.files import hidden_folder, no_empty_folders
from lipwise.media.output import check_destination
from lipwise.media.probe import probe
from lipwise.models.generator import Generator
from lipwise.pipeline.enhancers import check_enhancers, check_video_size, load_enhancers, tell_of_enhancement
from lipwise.pipeline.join import join_plan
from lipwise.pipeline.plan import Plan, make_plan, used_part
from lipwise.pipeline.render import render_segment
from lipwise.pipeline.report import RunReport
from lipwise.pipeline.stopwatch import Stopwatch
from lipwise.pipeline.told import kept_warnings, without_repeats
from lipwise.recipe import Recipe
from lipwise.stages.aligned import FaceCount, align_track, count_faces
from lipwise.stages.enhancers import Enhancers
from lipwise.stages.generators import check_generator_name, load_generator


def run(
    recipe: Recipe,
    *,
    run_folder: str | Path | None = None,
    report_path: str | Path | None = None,
    progress: bool = True,
) -> RunReport:
    """Make a video whose lips say the speech.

    Args:
        recipe: what to make, from what, and how.
        run_folder: keep the plan and the segments in this folder, which must be new or empty; None keeps them beside
            the result while they are needed and deletes them, faces and all, at the end.
        report_path: write the report to this JSON file, too.
        progress: show progress bars.

    Returns:
        A report that says where the result lies, what was done and what was replaced.

    Raises:
        LipwiseError: what is wrong with the input or the settings; nothing is left under the result's name.
    """
    check_recipe(recipe)
    report_path = None if report_path is None else Path(report_path)
    _check_extra_paths(recipe, report_path, None if run_folder is None else Path(run_folder))
    with no_empty_folders(recipe.out), _run_folder(recipe.out, run_folder) as folder:
        with kept_warnings() as warned:
            watch = Stopwatch()
            with watch.measure("look at the clip"):
                clip = used_part(probe(recipe.face), recipe)  # says what is wrong before anything large is loaded
            with watch.measure("load the generator"):
                generator = load_generator(recipe.generator, device=recipe.device)
            with watch.measure("load the enhancers"):
                enhancers = load_enhancers(
                    restore=recipe.restore,
                    engine=recipe.restore_engine,
                    upscale=recipe.upscale,
                    scale=recipe.upscale_scale,
                    height=recipe.upscale_height,
                    denoise=recipe.upscale_denoise,
                    device=recipe.device,
                )
            check_video_size(enhancers, clip.size_wh)
            meter = FlickerMeter() if any(enhancers) else None
            plan = make_plan(recipe, folder, generator=generator, watch=watch, progress=progress)
            render_all(plan, generator=generator, enhancers=enhancers, meter=meter, watch=watch, progress=progress)
            with watch.measure("join"):
                out = join_plan(plan, recipe.out)
        report = _report(plan, generator, out, watch, [*warned, *enhancers.remarks()])
        report = replace(report, enhancement=tell_of_enhancement(enhancers, _face_count(plan), meter))
        if report_path is not None:
            report.save(report_path)
        return report


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
    spans = ((recipe.face, recipe.start_s, recipe.end_s), (recipe.speech, recipe.speech_start_s, recipe.speech_end_s))
    for path, start_s, end_s in spans:
        if end_s is not None and end_s <= start_s:
            raise SettingsError(
                f"The part of {path} from {start_s:g} s to {end_s:g} s is empty",
                cause="it ends before it begins",
                next_step="choose a start before the end",
            )
    recipe.check_consent()
    check_choice(recipe.choose)
    if recipe.choose is not None and recipe.clean.track_file is not None:
        raise SettingsError(
            "choose and clean.track_file were both given",
            cause="a track says already who speaks, and no face is looked for",
            next_step="leave one of them out; or save the track of the person chosen",
        )
    check_generator_name(recipe.generator)
    check_enhancers(
        restore=recipe.restore,
        upscale=recipe.upscale,
        scale=recipe.upscale_scale,
        height=recipe.upscale_height,
        denoise=recipe.upscale_denoise,
    )
    with no_empty_folders(recipe.out, keep=False):
        check_destination(recipe.out)


def _check_extra_paths(recipe: Recipe, report_path: Path | None, run_folder: Path | None) -> None:
    """Refuse a report that would overwrite something of the run, and a run folder that is not empty."""
    taken = {recipe.face.resolve(), recipe.speech.resolve(), recipe.out.resolve()}
    if report_path is not None and (report_path.resolve() in taken or not report_path.absolute().parent.is_dir()):
        raise SettingsError(
            f"The report cannot be written to {report_path}",
            cause="it is a file of this run" if report_path.resolve() in taken else "its folder is missing",
            next_step="name another file, in a folder that is there",
        )
    if run_folder is not None and (run_folder.is_file() or (run_folder.is_dir() and any(run_folder.iterdir()))):
        raise SettingsError(
            f"The run cannot be kept in {run_folder}",
            cause="it is a file" if run_folder.is_file() else "the folder holds something already",
            next_step="name a folder that is new or empty",
        )


def render_all(
    plan: Plan,
    *,
    generator: Generator,
    enhancers: Enhancers | None = None,
    meter: FlickerMeter | None = None,
    watch: Stopwatch,
    progress: bool,
) -> None:
    """Render every segment that is not there yet, one after the other."""
    with tqdm(total=len(plan.timeline), desc="lips", unit="frame", disable=not progress) as bar:
        for number, part in enumerate(plan.segments):
            before = bar.n
            render_segment(
                plan,
                number,
                generator=generator,
                enhancers=enhancers,
                meter=meter,
                watch=watch,
                on_frame=bar.update,
            )
            bar.update(before + part.stop - part.start - bar.n)  # a segment that was there already


@contextmanager
def _run_folder(out: Path, chosen: str | Path | None) -> Iterator[Path]:
    """The folder to keep, or one beside the result that is deleted at the end."""
    if chosen is not None:
        yield Path(chosen)
        return
    with hidden_folder(out.absolute().parent, prefix=f".{out.stem[:50]}.", suffix=".run") as folder:
        yield folder


def _report(plan: Plan, generator: Generator, out: Path, watch: Stopwatch, warned: list[str]) -> RunReport:
    shown = plan.timeline.source_index[plan.timeline.synth]
    spoken = generator.remarks(plan.state[plan.timeline.synth])  # nothing is made of the others
    remarks = [*without_repeats(plan.video.notes, warned), *spoken]
    return RunReport(
        out=out,
        frames=len(plan.timeline),
        fps=float(plan.timeline.fps),
        size_wh=probe(out).size_wh,
        synthesised=int(np.count_nonzero(plan.timeline.synth)),
        passed=int(np.count_nonzero(~plan.timeline.synth)),
        why_passed=_why_passed(plan.recipe),
        filled=int(np.count_nonzero(plan.track.origin[shown] == FILLED)),
        generator=generator.name,
        note=generator.note,
        remarks=tuple(dict.fromkeys(remarks)),
        seconds=dict(watch.seconds),
    )


def _why_passed(recipe: Recipe) -> str:
    """What is to be said of frames that pass untouched."""
    if recipe.clean.track_file is not None:
        return "passed untouched as the track says"
    only_unseen = set(recipe.clean.against) == {"no_face"} and not recipe.clean.drop and not recipe.clean.one_face
    return "without a face passed untouched" if only_unseen else "that cannot be used passed untouched"


def _face_count(plan: Plan) -> FaceCount:
    settings = plan.recipe.enhance
    return count_faces(align_track(plan.track, settings), plan.timeline, settings)
