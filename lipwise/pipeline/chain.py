"""The whole chain: plan, render each segment, join."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from lipwise.faces.flicker import FlickerMeter
from lipwise.faces.track import FILLED
from lipwise.files import no_empty_folders, written_for
from lipwise.media.encoding_notes import encoding_notes
from lipwise.media.probe import probe
from lipwise.models.generator import Generator
from lipwise.pipeline.check import check_recipe
from lipwise.pipeline.enhance_checks import tell_of_idle_in_run
from lipwise.pipeline.enhancers import check_video_size, load_enhancers, tell_of_enhancement
from lipwise.pipeline.join import join_plan
from lipwise.pipeline.plan import Plan, make_plan, used_part
from lipwise.pipeline.render import render_segment
from lipwise.pipeline.report import RunReport
from lipwise.pipeline.run_folder import RunFolder, files_in, open_run_folder
from lipwise.pipeline.run_inputs import files_of
from lipwise.pipeline.side_file import check_side_file
from lipwise.pipeline.stopwatch import Stopwatch
from lipwise.pipeline.told import Tell, kept_warnings, tell_nobody, without_repeats
from lipwise.recipe import Recipe
from lipwise.stages.aligned import FaceCount, align_track, count_faces
from lipwise.stages.enhancers import Enhancers
from lipwise.stages.generators import load_generator
from lipwise.stages.outcome import held_and_dropped


def run(
    recipe: Recipe,
    *,
    run_folder: str | Path | None = None,
    resume: bool = False,
    report_path: str | Path | None = None,
    progress: bool = True,
    tell: Tell = tell_nobody,
) -> RunReport:
    """Make a video whose lips say the speech.

    A run that is broken off, whatever the cause, leaves under the result's name what was there before. With a run
    folder, it goes on when it is called again with `resume`: the plan and the segments that are complete are used as
    they are, and without a GPU the result is the same bit for bit.

    Args:
        recipe: what to make, from what, and how.
        run_folder: keep the plan and the segments in this folder; None keeps them beside the result while they are
            needed and deletes them, faces and all, at the end. `lipwise.forget_run` deletes a folder's.
        resume: go on with the run in the folder, or begin where there is none. False: the folder must be new or empty.
        report_path: write the report to this JSON file, too.
        progress: show progress bars; none of the frames where `tell` is told of them.
        tell: called with a stage, the frames that are made and the frames of the result (0: not known yet), at each
            stage and after each frame. What it raises ends the run: that is how to stop one.

    Returns:
        A report that says where the result lies, what was done and what was replaced.

    Raises:
        SettingsError: the run in the folder is not of this recipe and these files, or the folder is not a run's.
        LipwiseError: what is wrong with the input or the settings; nothing is left under the result's name.
    """
    check_recipe(recipe)
    with no_empty_folders(recipe.out), open_run_folder(recipe, run_folder, resume=resume) as folder:
        check_side_file(report_path, [*files_of(recipe).values(), recipe.out, *files_in(folder.path)])
        report = _run_in(folder, recipe, tell, progress=progress)
        if report_path is not None:
            report.save(report_path)
        return report


def _run_in(folder: RunFolder, recipe: Recipe, tell: Tell, *, progress: bool) -> RunReport:
    watch = Stopwatch()
    with kept_warnings() as warned:
        tell_of_idle_in_run(recipe)
        tell("look at the clip", 0, 0)
        with watch.measure("look at the clip"):
            clip = used_part(probe(recipe.face), recipe)  # says what is wrong before anything large is loaded
        generator, enhancers = _load(recipe, watch)
        check_video_size(enhancers, clip.size_wh)
        meter = FlickerMeter() if any(enhancers) else None
        tell("hear the speech, find the face", 0, 0)
        bar = progress and tell is tell_nobody
        with written_for(recipe.out):
            plan = folder.plan(
                recipe, lambda: make_plan(recipe, folder.path, generator=generator, watch=watch, progress=progress)
            )
            before = folder.keep_whole_segments(plan)
            render_all(
                plan, generator=generator, enhancers=enhancers, meter=meter, watch=watch, progress=bar, tell=tell
            )
        tell("join", len(plan.timeline), len(plan.timeline))
        with watch.measure("join"):
            out = join_plan(plan, recipe.out)
    measured = "times and flicker" if meter else "times"
    resumed = f"{before} of {len(plan.segments)} pieces had been made before: {measured} are of the rest"
    changed = encoding_notes(plan.video, enhancers.size_for(plan.video.size_wh))
    remarks = [*([resumed] if before else []), *warned, *enhancers.remarks(), *changed]
    report = _report(plan, generator, out, watch, remarks)
    return replace(report, enhancement=tell_of_enhancement(enhancers, _face_count(plan), meter))


def _load(recipe: Recipe, watch: Stopwatch) -> tuple[Generator, Enhancers]:
    """Everything that a network or a file has to be loaded for."""
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
    return generator, enhancers


def render_all(
    plan: Plan,
    *,
    generator: Generator,
    enhancers: Enhancers | None = None,
    meter: FlickerMeter | None = None,
    watch: Stopwatch,
    progress: bool,
    tell: Tell = tell_nobody,
) -> None:
    """Render every segment that is not there yet, one after the other."""
    frames = len(plan.timeline)
    with tqdm(total=frames, desc="lips", unit="frame", disable=not progress) as bar:
        for number, part in enumerate(plan.segments):
            if plan.segment_path(number).exists():
                bar.update(part.stop - part.start)
            else:
                on_frame = _counter(part.start, frames, bar.update, tell)
                render_segment(
                    plan, number, generator=generator, enhancers=enhancers, meter=meter, watch=watch, on_frame=on_frame
                )
            tell("make the frames", part.stop, frames)


def _counter(done: int, frames: int, update: Callable[[], object], tell: Tell) -> Callable[[], None]:
    """To be called after each frame of a segment that begins after `done` frames."""

    def count() -> None:
        nonlocal done
        done += 1
        update()
        tell("make the frames", done, frames)

    return count


def _report(plan: Plan, generator: Generator, out: Path, watch: Stopwatch, warned: list[str]) -> RunReport:
    shown = plan.timeline.source_index[plan.timeline.synth]
    spoken = generator.remarks(plan.state[plan.timeline.synth])  # nothing is made of the others
    remarks = [*without_repeats(plan.video.notes, warned), *spoken]
    held, dropped = held_and_dropped(plan.timeline, plan.video.frame_count, plan.recipe.clean.policy)
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
        held=held,
        dropped=dropped,
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
