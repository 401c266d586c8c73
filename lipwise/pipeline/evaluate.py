"""Evaluation of a result, with what its run folder knows of the source."""

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Literal

from lipwise.errors import FaceError, SettingsError
from lipwise.faces.track import FaceTrack
from lipwise.media.probe import VideoInfo
from lipwise.pipeline.plan import Plan, load_plan
from lipwise.pipeline.run_folder import PLAN
from lipwise.recipe import Recipe
from lipwise.stages.evaluate import measure
from lipwise.stages.evaluation import Evaluation
from lipwise.stages.generators import GENERATORS
from lipwise.stages.lse import SyncNetwork
from lipwise.stages.pair import Pair, check_timeline, match, probe_result
from lipwise.stages.pasted import PastedRegion
from lipwise.stages.speech import Speech
from lipwise.timeline import Timeline

CHECKPOINT_KIND = "wav2lip"  # what the path of a checkpoint stands for


def evaluate(
    result: VideoInfo | str | Path,
    *,
    run: str | Path | None = None,
    source: VideoInfo | str | Path | None = None,
    track: FaceTrack | None = None,
    timeline: Timeline | None = None,
    speech: Speech | str | Path | None = None,
    pasted: PastedRegion | None = None,
    source_start_s: float = 0.0,
    sync: SyncNetwork | Literal["auto"] | None = "auto",
    detector: str = "auto",
    cache: bool = True,
    progress: bool = False,
) -> Evaluation:
    """Measure how well a result went.

    Nearness to the source inside and outside the pasted mask, seam, flicker, mouth against sound, and by how much the
    sound is early or late; with SyncNet's weights LSE-D, LSE-C and the AV offset. What has a value for the source clip
    and its own sound, too, is measured there as well: without that anchor a number says little. What cannot be measured
    is named with its reason.

    Args:
        result: the video to look at.
        run: the folder that `lipwise.run` kept: it knows source, track, timeline and settings, so that no face of the
            source is looked for again.
        source: instead, the clip or picture it was made from; None measures the result alone.
        track, timeline: the source's, where they are known; see `lipwise.stages.pair.match` for what is done otherwise.
        speech: what the lips should say; None is the result's own sound, as a viewer hears it.
        pasted: what was replaced; None is what the run says, or the defaults.
        source_start_s: where in its file `source` begins, where it is a part of a clip.
        sync: SyncNet, see `load_sync_network`; "auto" takes it where its weights are there, None leaves it out.
        detector: what finds faces where no track is known.
        cache: keep the tracks that are found now for the next call.
        progress: show bars.

    Raises:
        MediaError: a file is missing or cannot be read, or the result is a picture.
        SettingsError: track, timeline or run are not those of this result, or what a run knows was given beside it.

    Warns:
        LipwiseWarning: what was assumed where there is no timeline.
    """
    video = probe_result(result)
    if run is None:
        pair = match(
            video,
            source,
            track=track,
            timeline=timeline,
            source_start_s=source_start_s,
            detector=detector,
            cache=cache,
            progress=progress,
        )
    else:
        if source is not None or track is not None or timeline is not None or source_start_s:
            raise SettingsError(
                f"The run {run} was given, and source, track, timeline or source_start_s as well",
                cause="a run knows its own",
                next_step="leave out one or the other",
            )
        plan = open_run(run)
        pair, pasted = _pair_of(plan, video), pasted or pasted_by(plan.recipe)
        cache = cache and plan.recipe.clean.cache
    return measure(pair, speech=speech, pasted=pasted, sync=sync, detector=detector, cache=cache, progress=progress)


def open_run(folder: str | Path) -> Plan:
    """What a run knew: its source, track, timeline and settings.

    Args:
        folder: the one that `lipwise.run` kept.

    Raises:
        SettingsError: it holds no whole run.
        MediaError: the run's clip is gone or cannot be read.
    """
    lacks = _what_lacks(Path(folder))
    if lacks:
        raise _no_run(folder, lacks)
    try:
        return load_plan(Path(folder))
    except (SettingsError, FaceError) as error:  # of a clip that is gone a MediaError tells, which says what to do
        raise _no_run(folder, f"{error.what}: {error.cause}") from error
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise _no_run(folder, str(error)) from error


def _what_lacks(folder: Path) -> str:
    """In words, what keeps a folder from being a run's; empty where every file of a plan is there."""
    if not folder.is_dir():
        return "it is a file" if folder.exists() else "there is no such folder"
    missing = [name for name in PLAN if not (folder / name).is_file()]
    if len(missing) == len(PLAN):
        return f"no file of a run is in it: {', '.join(missing)}"
    return f"{', '.join(missing)} lacking: the run was broken off early, or not all of it was copied" if missing else ""


def _no_run(folder: str | Path, cause: str) -> SettingsError:
    step = "name the folder that was given to the run as run_folder (command line: --keep-run), or give the source"
    return SettingsError(f"{folder} holds no whole run", cause=cause, next_step=f"{step} instead")


def _pair_of(plan: Plan, result: VideoInfo) -> Pair:
    check_timeline(plan.timeline, result, plan.video)
    remarks = ()
    if plan.recipe.upscale is not None:
        remarks = (f"the run upscaled with {plan.recipe.upscale}: pixels that nobody touched differ by that, too",)
    pair = Pair(result, plan.video, plan.track, plan.timeline, remarks=remarks)
    return pair if plan.video.is_still else replace(pair, source_start_s=plan.clip_span_s[0])


def pasted_by(recipe: Recipe) -> PastedRegion:
    """What a run replaced."""
    generator = recipe.generator if recipe.generator in GENERATORS else CHECKPOINT_KIND
    restored = None if recipe.restore is None else recipe.enhance
    return PastedRegion(generator=generator, lipsync=recipe.lipsync, restored=restored)
