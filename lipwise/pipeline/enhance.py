"""Enhancement alone: of a video, whose sound stays as it is, of a photo, or of a folder of photos."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm.auto import tqdm

from lipwise.errors import LipwiseWarning, MediaError, SettingsError
from lipwise.faces.choose import Choice
from lipwise.faces.flicker import FlickerMeter
from lipwise.faces.rotation import turn_frame
from lipwise.faces.track import FaceTrack
from lipwise.files import no_empty_folders
from lipwise.media.keep_sound import join_kept_sound
from lipwise.media.output import check_destination
from lipwise.media.picture import ENDINGS, check_picture_destination, read_picture, write_picture
from lipwise.media.prefetch import prefetch
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames
from lipwise.media.turn import turn_video
from lipwise.media.write import VideoWriter
from lipwise.pipeline.enhancers import check_enhancers, load_enhancers, tell_of_enhancement
from lipwise.pipeline.report import EnhanceReport
from lipwise.pipeline.stopwatch import Stopwatch
from lipwise.recipe import QUANTISER, Quality
from lipwise.stages.aligned import EnhanceSettings, FaceCount, align_track, count_faces
from lipwise.stages.clean import track_faces
from lipwise.stages.enhance import enhance_frames
from lipwise.stages.enhancers import Engine, Enhancers
from lipwise.stages.photo import enhance_photo

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
    settings: EnhanceSettings | dict[str, Any] | None = None,
    quality: Quality = "good",
    choose: Choice | None = None,
    detector: str = "auto",
    device: str | None = None,
    progress: bool = True,
) -> EnhanceReport:
    """Restore faces and upscale pictures, nothing else.

    Args:
        source: a video, a photo, or a folder, whose photos are enhanced one by one.
        out: the result: a video, a photo, or a folder.
        restore, upscale: what restores faces and what upscales: a name or file for `load_restorer` and
            `load_upscaler`, or what they gave.
        engine, scale, height, device: for these two where they are loaded here.
        settings: None is the defaults.
        quality: of a written video.
        choose: whose face is restored in a video; None is the largest steady one. In photos all faces are.
        detector: see `lipwise.stages.clean.track_faces`.
        progress: show bars.

    Raises:
        LipwiseError: what is wrong with the input or the settings; nothing is left under the result's name.
    """
    source, out = Path(source), Path(out)
    _check_paths(source, out)
    if restore is None and upscale is None:
        raise SettingsError(
            "There is nothing to do",
            cause="neither a restorer nor an upscaler was named",
            next_step="name one, such as restore=gfpgan_1.4 or upscale=lanczos",
        )
    settings = settings if isinstance(settings, EnhanceSettings) else EnhanceSettings(**settings or {})
    names = {"restore": _name(restore), "upscale": _name(upscale), "scale": scale, "height": height}
    check_enhancers(**names)
    watch = Stopwatch()
    with _heard() as remarks, no_empty_folders(out):
        with watch.measure("load the enhancers"):
            loaded = load_enhancers(**names, engine=engine, device=device)
        enhancers = Enhancers(
            loaded.restorer if isinstance(restore, str) else restore,
            loaded.upscaler if isinstance(upscale, str) else upscale,
        )
        if source.is_dir():
            report = _folder(source, out, enhancers, settings, detector=detector, watch=watch, progress=progress)
        elif probe(source).is_still:
            report = _photos([(source, out)], out, enhancers, settings, detector=detector, watch=watch, progress=False)
        else:
            report = _video(
                probe(source),
                out,
                enhancers,
                settings,
                quality=QUANTISER[quality],
                choose=choose,
                detector=detector,
                watch=watch,
                progress=progress,
            )
    told = tuple(dict.fromkeys([*report.remarks, *remarks, *enhancers.remarks()]))
    return replace(report, remarks=told, seconds=dict(watch.seconds))


def _name(given: object) -> str | None:
    return given if isinstance(given, str) else None


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Collects our warnings for the report; others are passed on."""
    said: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LipwiseWarning)
        yield said
    for entry in caught:
        if issubclass(entry.category, LipwiseWarning):
            said.append(str(entry.message))
        else:
            warnings.showwarning(entry.message, entry.category, entry.filename, entry.lineno)


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


def _video(
    video: VideoInfo,
    out: Path,
    enhancers: Enhancers,
    settings: EnhanceSettings,
    *,
    quality: int,
    choose: Choice | None,
    detector: str,
    watch: Stopwatch,
    progress: bool,
) -> EnhanceReport:
    check_destination(out)
    track, count = None, None
    if enhancers.restorer is not None:
        with watch.measure("find the face"):
            track = track_faces(video, detector=detector, choose=choose, progress=progress)
        video = turn_video(video, track.rotation)
        count = count_faces(align_track(track, settings), settings=settings)
    meter = FlickerMeter()
    restorer, upscaler = enhancers
    read = watch.each("wait for frames", prefetch(read_frames(video)))
    frames = enhance_frames(read, track, restorer=restorer, upscaler=upscaler, meter=meter, settings=settings)
    with tempfile.TemporaryDirectory(prefix=".lipwise-", dir=out.absolute().parent) as folder:
        silent = Path(folder) / f"picture{out.suffix}"
        with VideoWriter(silent, fps=video.fps, quality=quality) as writer:
            shown = tqdm(frames, desc="enhance", total=video.frame_count, unit="frame", disable=not progress)
            for frame in watch.each("enhance", shown):
                with watch.measure("encode"):
                    writer.write(frame)
        with watch.measure("join"):
            join_kept_sound(silent, video.path, out)
    told = tell_of_enhancement(enhancers, count, meter)
    return EnhanceReport(out, writer.frame_count, probe(out).size_wh, told, video.notes, {})


def _folder(
    source: Path,
    out: Path,
    enhancers: Enhancers,
    settings: EnhanceSettings,
    *,
    detector: str,
    watch: Stopwatch,
    progress: bool,
) -> EnhanceReport:
    found = sorted(path for path in source.iterdir() if path.suffix.lower() in ENDINGS)
    if not found:
        raise MediaError(
            f"{source} holds no photo",
            cause=f"no name in it ends in {', '.join(ENDINGS)}",
            next_step="name a folder of photos, one photo, or a video",
        )
    if out.is_file():
        raise MediaError(f"{out} cannot hold photos", cause="it is a file", next_step="name a folder, new or not")
    pairs = [(path, out / path.name) for path in found]
    return _photos(pairs, out, enhancers, settings, detector=detector, watch=watch, progress=progress)


def _photos(
    pairs: list[tuple[Path, Path]],
    out: Path,
    enhancers: Enhancers,
    settings: EnhanceSettings,
    *,
    detector: str,
    watch: Stopwatch,
    progress: bool,
) -> EnhanceReport:
    for _, target in pairs:
        check_picture_destination(target)
    counts, size_wh = np.zeros(4, int), (0, 0)
    for path, target in tqdm(pairs, desc="enhance", unit="photo", disable=not progress):
        picture = read_picture(path)
        with watch.measure("find the faces"):
            tracks = _faces_of(path, detector) if enhancers.restorer is not None else []
        if tracks:
            picture = turn_frame(picture, tracks[0].rotation)
        with watch.measure("enhance"):
            result, count = enhance_photo(picture, tracks, enhancers=enhancers, settings=settings)
        write_picture(target, result)
        counts += (count.restored, count.small, count.not_synthesised, count.without_face)
        size_wh = (result.shape[1], result.shape[0])
    told = tell_of_enhancement(enhancers, FaceCount(*(int(number) for number in counts)), None)
    return EnhanceReport(out, len(pairs), size_wh, told, (), {})


def _faces_of(path: Path, detector: str) -> list[FaceTrack]:
    """A track of one frame for every face of a photo, from left to right."""
    video = probe(path)
    first = track_faces(video, detector=detector)
    if first.people[0] < 2:
        return [first] if first.has_face.any() else []
    tracks = [track_faces(video, detector=detector, choose=number) for number in range(int(first.people[0]))]
    return [track for track in tracks if track.has_face.any()]
