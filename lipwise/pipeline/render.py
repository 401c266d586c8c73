"""Rendering one segment: a pure function of the plan, whoever calls it."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from lipwise.faces.flicker import FlickerMeter
from lipwise.faces.steady import SETTLED_FRAMES
from lipwise.media.prefetch import prefetch
from lipwise.media.read import read_frames
from lipwise.media.write import VideoWriter
from lipwise.models.generator import Generator
from lipwise.pipeline.plan import Plan
from lipwise.pipeline.stopwatch import Stopwatch
from lipwise.recipe import QUANTISER
from lipwise.stages.enhance import enhance_frames
from lipwise.stages.enhancers import Enhancers
from lipwise.stages.lipsync import lipsync_frames


def render_segment(
    plan: Plan,
    number: int,
    *,
    generator: Generator,
    enhancers: Enhancers | None = None,
    meter: FlickerMeter | None = None,
    watch: Stopwatch | None = None,
    on_frame: Callable[[], object] = lambda: None,
) -> Path:
    """Render one segment into its file, in memory that does not depend on the clip's length.

    Args:
        plan: what `make_plan` gave.
        number: which of `plan.segments`.
        generator: the one the plan was made with.
        enhancers: what restores faces and upscales; None does neither.
        meter: adds up the flicker of enhanced faces.
        watch: adds up where the time goes.
        on_frame: called after each written frame.

    Returns:
        The segment's path; it exists only when the segment is complete. One that is there already is kept.
    """
    path, part = plan.segment_path(number), plan.segments[number]
    if path.exists():
        return path
    watch = watch or Stopwatch()
    enhances = enhancers is not None and any(enhancers)
    # What an enhancer steadies depends on the frames before, so some of the segment before are made again, and dropped.
    again = min(SETTLED_FRAMES, part.start) if enhances and plan.recipe.enhance.steady else 0
    part = slice(part.start - again, part.stop)
    read = prefetch(read_frames(plan.video, plan.timeline.source_index[part]))
    frames = lipsync_frames(
        plan.video,
        plan.track,
        plan.timeline,
        plan.speech,
        generator=generator,
        state=plan.state,
        part=part,
        frames=watch.each("wait for frames", read),
        settings=plan.recipe.lipsync,
    )
    frames = watch.each("make mouths", frames)
    if enhancers is not None and enhances:
        enhanced = enhance_frames(
            frames,
            plan.track,
            plan.timeline,
            restorer=enhancers.restorer,
            upscaler=enhancers.upscaler,
            part=part,
            meter=meter,
            settings=plan.recipe.enhance,
        )
        frames = islice(watch.each("enhance", enhanced), again, None)
    with VideoWriter(path, fps=plan.timeline.fps, segment=True, quality=QUANTISER[plan.recipe.quality]) as writer:
        for frame in frames:
            with watch.measure("encode"):
                writer.write(frame)
            on_frame()
    return path
