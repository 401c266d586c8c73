"""Enhancement alone: of a video, whose sound stays as it is, of a photo, or of a folder of photos."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwise.errors import MediaError, SettingsError
from lipwise.faces.choose import Choice
from lipwise.files import no_empty_folders
from lipwise.media.output import MUXERS, check_destination
from lipwise.media.picture import ENDINGS, check_picture_destination, read_picture
from lipwise.media.probe import VideoInfo, probe
from lipwise.pipeline.enhance_checks import (
    check_choices,
    check_paths,
    refuse_for_loaded,
    tell_of_idle,
    tell_of_idle_detector,
    tell_of_idle_in_photos,
)
from lipwise.pipeline.enhance_job import EnhanceJob
from lipwise.pipeline.enhance_photos import Pair, enhance_photos, photos_of
from lipwise.pipeline.enhance_video import enhance_video
from lipwise.pipeline.enhancers import check_enhancers, load_enhancers
from lipwise.pipeline.report import EnhanceReport
from lipwise.pipeline.side_file import check_side_file
from lipwise.pipeline.stopwatch import Stopwatch
from lipwise.pipeline.told import kept_warnings, without_repeats
from lipwise.recipe import QUANTISER, Quality
from lipwise.settings import as_settings
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
    tile: int | None = None,
    overlap: int | None = None,
    settings: EnhanceSettings | Mapping[str, Any] | None = None,
    quality: Quality = "good",
    choose: Choice | None = None,
    detector: str = "auto",
    device: str | None = None,
    report_path: str | Path | None = None,
    progress: bool = True,
) -> EnhanceReport:
    """Restore faces and upscale pictures, nothing else.

    Args:
        source: a video, a photo, or a folder, whose photos are enhanced one by one; folders in it are left out.
        out: the result: a video, a photo, or a folder, in which photos keep their names.
        restore, upscale: what restores faces and what upscales: a name or file for `load_restorer` and
            `load_upscaler`, or what they gave.
        engine, scale, height, denoise, tile, overlap, device: for these two where they are loaded here.
        settings: None is the defaults; a mapping holds settings by name.
        quality: of a written video.
        choose: whose face is restored in a video; None is the largest steady one. In photos all faces are.
        detector: see `lipwise.stages.clean.track_faces`.
        report_path: write the report to this JSON file, too.
        progress: show bars.

    Raises:
        LipwiseError: what is wrong with the input or the settings; nothing is left under the result's name. Of a folder
            photos that cannot be enhanced are told of in the report, unless none can be.
    """
    source, out = check_paths(source, out)
    if restore is None and upscale is None:
        raise SettingsError(
            "There is nothing to do",
            cause="neither a restorer nor an upscaler was named",
            next_step="name one, such as restore=gfpgan_1.4 or upscale=lanczos",
        )
    asked: dict[str, Any] = {"scale": scale, "height": height, "denoise": denoise}
    cut: dict[str, Any] = {"tile": tile, "overlap": overlap}
    if upscale is not None and not isinstance(upscale, str):
        refuse_for_loaded(asked | cut)
    settings = as_settings(EnhanceSettings, settings)
    check_choices(quality=quality, detector=detector)
    names: dict[str, Any] = asked | {"restore": _name(restore), "upscale": _name(upscale)}
    check_enhancers(**names)
    watch = Stopwatch()
    with no_empty_folders(out), kept_warnings() as warned:
        tell_of_idle(restore, upscale, settings=settings, engine=engine, device=device, cut=cut)
        opened = _opened(source, out)
        check_side_file(report_path, _files(source, out, opened, restore, upscale))
        with watch.measure("load the enhancers"):
            loaded = load_enhancers(**names, **cut, engine=engine, device=device)
        enhancers = Enhancers(
            loaded.restorer if isinstance(restore, str) else restore,
            loaded.upscaler if isinstance(upscale, str) else upscale,
        )
        tell_of_idle_detector(detector, enhancers, moves=isinstance(opened, VideoInfo))
        job = EnhanceJob(enhancers, settings, detector, watch, progress)
        if isinstance(opened, VideoInfo):
            report = enhance_video(opened, out, job, quality=QUANTISER[quality], choose=choose)
        else:
            tell_of_idle_in_photos(choose=choose, quality=quality)
            report = enhance_photos(opened, out, job)
    told = without_repeats(report.remarks, [*warned, *enhancers.remarks()])
    report = replace(report, remarks=tuple(told), seconds=dict(watch.seconds))
    if report_path is not None:
        report.save(report_path)
    return report


def _opened(source: Path, out: Path) -> VideoInfo | list[Pair]:
    """The source as a video, or as photos and where their results go, once the results can be written."""
    if source.is_dir():
        return photos_of(source, out)
    try:
        video = probe(source)
    except MediaError:
        if source.suffix.lower() in ENDINGS:
            read_picture(source)  # says what is wrong with it as a photo
        raise
    if video.is_still:
        check_picture_destination(out)
        return [(source, out)]
    if out.suffix.lower() in ENDINGS:
        raise MediaError(
            f"{out} cannot be written as a video",
            cause=f"{source.name} moves ({video.frame_count} frames), and a GIF or PNG that does counts as a video",
            next_step=f"give the result an ending of a video: {', '.join(MUXERS)}",
        )
    check_destination(out)
    return video


def _files(source: Path, out: Path, opened: VideoInfo | list[Pair], *enhancers: object) -> list[Path]:
    """Every file that is read or written: the source's and the result's, one by one, and those of networks."""
    pairs = [] if isinstance(opened, VideoInfo) else opened
    networks = [Path(given) for given in enhancers if isinstance(given, str) and Path(given).is_file()]
    return [source, out, *(path for pair in pairs for path in pair), *networks]


def _name(given: object) -> str | None:
    return given if isinstance(given, str) else None
