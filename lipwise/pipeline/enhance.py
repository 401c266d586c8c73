"""Enhancement alone: of a video, whose sound stays as it is, of a photo, or of a folder of photos."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwise.errors import MediaError, SettingsError
from lipwise.faces.choose import Choice
from lipwise.files import no_empty_folders
from lipwise.media.output import check_destination
from lipwise.media.picture import check_picture_destination
from lipwise.media.probe import VideoInfo, probe
from lipwise.pipeline.enhance_job import EnhanceJob
from lipwise.pipeline.enhance_photos import Pair, enhance_photos, photos_of
from lipwise.pipeline.enhance_video import enhance_video
from lipwise.pipeline.enhancers import check_enhancers, load_enhancers
from lipwise.pipeline.report import EnhanceReport
from lipwise.pipeline.stopwatch import Stopwatch
from lipwise.pipeline.told import kept_warnings, without_repeats
from lipwise.recipe import QUANTISER, Quality
from lipwise.stages.aligned import EnhanceSettings
from lipwise.stages.enhancers import Engine, Enhancers

if TYPE_CHECKING:  # at run time these two would bring torch along
    from lipwise.models.restorers import Restorer
    from lipwise.models.upscalers import Upscaler


def enhance(
    source: str | Path,
    out: str | Path,
    *,
    restore: "str | Restorer | None" = None,
    upscale: "str | Upscaler | None" = None,
    engine: Engine | None = None,
    scale: float | None = None,
    height: int | None = None,
    denoise: float = 1.0,
    settings: EnhanceSettings | dict[str, Any] | None = None,
    quality: Quality = "good",
    choose: Choice | None = None,
    detector: str = "auto",
    device: str | None = None,
    progress: bool = True,
) -> EnhanceReport:
    """Restore faces and upscale pictures, nothing else.

    Args:
        source: a video, a photo, or a folder, whose photos are enhanced one by one; folders in it are left out.
        out: the result: a video, a photo, or a folder, in which photos keep their names.
        restore, upscale: what restores faces and what upscales: a name or file for `load_restorer` and
            `load_upscaler`, or what they gave.
        engine, scale, height, denoise, device: for these two where they are loaded here.
        settings: None is the defaults.
        quality: of a written video.
        choose: whose face is restored in a video; None is the largest steady one. In photos all faces are.
        detector: see `lipwise.stages.clean.track_faces`.
        progress: show bars.

    Raises:
        LipwiseError: what is wrong with the input or the settings; nothing is left under the result's name. Of a folder
            photos that cannot be enhanced are told of in the report, unless none can be.
    """
    source, out = Path(source), Path(out)
    _check_paths(source, out)
    if restore is None and upscale is None:
        raise SettingsError(
            "There is nothing to do",
            cause="neither a restorer nor an upscaler was named",
            next_step="name one, such as restore=gfpgan_1.4 or upscale=lanczos",
        )
    asked: dict[str, Any] = {"scale": scale, "height": height, "denoise": denoise}
    if upscale is not None and not isinstance(upscale, str):
        _refuse_for_loaded(asked)
    settings = settings if isinstance(settings, EnhanceSettings) else EnhanceSettings(**settings or {})
    names: dict[str, Any] = asked | {"restore": _name(restore), "upscale": _name(upscale)}
    check_enhancers(**names)
    watch = Stopwatch()
    with no_empty_folders(out), kept_warnings() as warned:
        opened = _opened(source, out)
        with watch.measure("load the enhancers"):
            loaded = load_enhancers(**names, engine=engine, device=device)
        enhancers = Enhancers(
            loaded.restorer if isinstance(restore, str) else restore,
            loaded.upscaler if isinstance(upscale, str) else upscale,
        )
        job = EnhanceJob(enhancers, settings, detector, watch, progress)
        if isinstance(opened, VideoInfo):
            report = enhance_video(opened, out, job, quality=QUANTISER[quality], choose=choose)
        else:
            report = enhance_photos(opened, out, job)
    told = without_repeats(report.remarks, [*warned, *enhancers.remarks()])
    return replace(report, remarks=tuple(told), seconds=dict(watch.seconds))


def _opened(source: Path, out: Path) -> VideoInfo | list[Pair]:
    """The source as a video, or as photos and where their results go, once the results can be written."""
    if source.is_dir():
        return photos_of(source, out)
    video = probe(source)
    if video.is_still:
        check_picture_destination(out)
        return [(source, out)]
    check_destination(out)
    return video


def _name(given: object) -> str | None:
    return given if isinstance(given, str) else None


def _refuse_for_loaded(asked: dict[str, Any]) -> None:
    """Raises SettingsError where what only loading an upscaler can settle was given beside a loaded one."""
    given = [what for what, value in asked.items() if value != (1.0 if what == "denoise" else None)]
    if given:
        raise SettingsError(
            f"{' and '.join(given)} beside an upscaler that is loaded",
            cause="the upscaler was given ready-made, and has its size and strength already",
            next_step='give them when loading it, as in lipwise.load_upscaler("lanczos", scale=2)',
        )


def _check_paths(source: Path, out: Path) -> None:
    if not source.exists():
        raise MediaError(
            f"{source} is not there",
            cause=f"nothing has that name in {source.absolute().parent}",
            next_step="check the spelling and the folder",
        )
    if source.resolve() == out.resolve():
        raise SettingsError(
            f"The result {out} would overwrite the source",
            cause="both are the same",
            next_step="choose another name for the result",
        )
