"""The whole of cleaning: examine, decide, write, and say what was done."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from lipwise.errors import FaceError, SettingsError
from lipwise.faces.choose import Choice
from lipwise.faces.track import TrackSettings, save_tracks
from lipwise.files import no_empty_folders, sha256_of
from lipwise.media.probe import VideoInfo, probe
from lipwise.pipeline.clean_report import Asked, save_report, tell
from lipwise.pipeline.side_file import check_side_file
from lipwise.pipeline.told import kept_warnings, without_repeats
from lipwise.settings import as_settings
from lipwise.stages.clean import Examined, examine, track_people
from lipwise.stages.contact_sheet import check_sheet, save_contact_sheet
from lipwise.stages.outcome import Outcome, outcome_of
from lipwise.stages.policies import CleanSettings, apply_policy, bridge_track, bridged_frames, decided
from lipwise.stages.write_clean import CleanedClip, Sound, check_cleanable, track_along, write_clean


class CleanPaths(NamedTuple):
    """What else is written beside a cleaned clip; None is not.

    Attributes:
        report: the usability report of the source and what was made of it, JSON.
        sheet: the contact sheet of the source.
        track: the track of the cleaned clip.
        people: the tracks of everybody in the cleaned clip, for `lipwise.load_tracks`.
    """

    report: Path | None = None
    sheet: Path | None = None
    track: Path | None = None
    people: Path | None = None


NOTHING_ELSE = CleanPaths()
TRACKS = ("track", "people")  # of `CleanPaths`


def clean_clip(
    clip: str | Path,
    out: str | Path,
    *,
    settings: CleanSettings | Mapping[str, Any] | None = None,
    sound: Sound = "cut",
    detector: str = "auto",
    choose: Choice | Mapping[int, Choice] | None = None,
    tracking: TrackSettings | Mapping[str, Any] | None = None,
    paths: CleanPaths = NOTHING_ELSE,
    cache: bool = True,
    progress: bool = True,
) -> str:
    """Examine a clip, apply a policy, write the cleaned clip and whatever `paths` names.

    Report and sheet are written before the policy may refuse the clip, so that they show why it did, also where nobody
    is seen; the report is written again when all is done, and says so.

    Returns:
        What was done, in words, with everything that the library warned of.

    Raises:
        LipwiseError: what is wrong with the clip or the settings; nothing is left under the result's name.
    """
    settings, tracking = as_settings(CleanSettings, settings), as_settings(TrackSettings, tracking)
    with kept_warnings() as warned:
        video = probe(clip)
        with no_empty_folders(Path(out), keep=False):
            check_cleanable(video, out, sound)
        _check_paths(video.path, Path(out), paths)
        with no_empty_folders(Path(out)):  # report and sheet may lie there, too
            found = examine(
                video,
                detector=detector,
                choose=choose,
                settings=tracking,
                thresholds=settings.thresholds,
                cache=cache,
                progress=progress,
            )
            asked = Asked(str(clip), settings, sound, decided(found.report, settings))
            cleaned, outcome = _apply(found, asked, Path(out), paths)
            if paths.people is not None:
                _save_people(
                    paths.people, found.video, cleaned, detector=detector, settings=tracking, progress=progress
                )
    return tell(asked, cleaned, outcome, without_repeats(found.video.notes, warned))


def _apply(found: Examined, asked: Asked, out: Path, paths: CleanPaths) -> tuple[CleanedClip, Outcome]:
    """Write the clip that the policy leaves, its track, and what shows why."""
    settings = asked.settings.model_copy(update={"keep": "", "drop": ""})  # they are among the report's edits now
    track = bridge_track(found.track, bridged_frames(asked.report, settings))
    if paths.report is not None:
        save_report(paths.report, asked)
    if paths.sheet is not None:
        save_contact_sheet(paths.sheet, found.video, asked.report, track=track)
    try:
        timeline = apply_policy(asked.report, settings, clip=asked.clip)
    except FaceError as error:
        if paths.report is not None:
            save_report(paths.report, asked, refused=f"{error.what}: {error.cause}")
        raise
    outcome = outcome_of(asked.report, timeline, settings)
    cleaned = write_clean(found.video, timeline, out, track=track, sound=cast("Sound", asked.sound))
    if paths.track is not None and cleaned.track is not None:
        cleaned.track.save(paths.track)
    if paths.report is not None:
        save_report(paths.report, asked, done=(cleaned, outcome))
    return cleaned, outcome


def _save_people(
    path: Path,
    video: VideoInfo,
    cleaned: CleanedClip,
    *,
    detector: str,
    settings: TrackSettings,
    progress: bool,
) -> None:
    """Follow everybody in the source, and write where they are in the cleaned clip."""
    shown = replace(cleaned.timeline, synth=np.ones(len(cleaned.timeline), bool))  # whoever may be used in a frame
    everybody = track_people(video, detector=detector, settings=settings, progress=progress)
    moved = [track_along(track, shown, size_wh=cleaned.video.size_wh) for track in everybody]
    save_tracks(path, [replace(track, clip=sha256_of(cleaned.video.path)) for track in moved])


def _check_paths(clip: Path, out: Path, paths: CleanPaths) -> None:
    """Refuse what would overwrite the clip, the result or another of them, before any work is done."""
    taken = [clip, out]
    for role, path in paths._asdict().items():
        if path is None:
            continue
        check_side_file(path, taken, role=role)
        if role in TRACKS and path.suffix.lower() != ".npz":
            raise SettingsError(
                f"The {role} cannot be written to {path}",
                cause=f"its ending is '{path.suffix}', and a track's is .npz"
                if path.suffix
                else "its name has no ending",
                next_step=f"name it {path.with_suffix('.npz').name}, say",
            )
        taken.append(path)
    if paths.sheet is not None:
        check_sheet(paths.sheet)
