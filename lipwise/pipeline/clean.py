"""The whole of cleaning: examine, decide, write, and say what was done."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lipwise.errors import SettingsError
from lipwise.faces.choose import Choice
from lipwise.faces.track import save_tracks
from lipwise.files import no_empty_folders
from lipwise.media.probe import VideoInfo, probe
from lipwise.stages.clean import examine, track_people
from lipwise.stages.contact_sheet import check_sheet, save_contact_sheet
from lipwise.stages.policies import CleanSettings, apply_policy, bridge_track, bridged_frames, check_any_face, decided
from lipwise.stages.write_clean import CleanedClip, Sound, check_cleanable, track_along, write_clean


class CleanPaths(NamedTuple):
    """What else is written beside a cleaned clip; None is not.

    Attributes:
        report: the usability report of the source, JSON.
        sheet: the contact sheet of the source.
        track: the track of the cleaned clip.
        people: the tracks of everybody in the cleaned clip, for `lipwise.load_tracks`.
    """

    report: Path | None = None
    sheet: Path | None = None
    track: Path | None = None
    people: Path | None = None


NOTHING_ELSE = CleanPaths()


def clean_clip(
    clip: str | Path,
    out: str | Path,
    *,
    settings: CleanSettings | None = None,
    sound: Sound = "cut",
    detector: str = "auto",
    choose: Choice | Mapping[int, Choice] | None = None,
    paths: CleanPaths = NOTHING_ELSE,
    cache: bool = True,
    progress: bool = True,
) -> str:
    """Examine a clip, apply a policy, write the cleaned clip and whatever `paths` names.

    Report and sheet are written before the policy may refuse the clip, so that they show why it did; only a clip
    in which nobody is seen gives none.

    Returns:
        What was done, in words.

    Raises:
        LipwiseError: what is wrong with the clip or the settings; nothing is left under the result's name.
    """
    settings = settings or CleanSettings()
    video = probe(clip)
    with no_empty_folders(Path(out), keep=False):
        check_cleanable(video, out, sound)
    _check_paths(video.path, Path(out), paths)
    found = examine(
        video, detector=detector, choose=choose, thresholds=settings.thresholds, cache=cache, progress=progress
    )
    video, report = found.video, decided(found.report, settings)
    check_any_face(report, str(clip))
    track = bridge_track(found.track, bridged_frames(report, settings))
    if paths.report is not None:
        report.save(paths.report)
    if paths.sheet is not None:
        save_contact_sheet(paths.sheet, video, report, track=track)
    timeline = apply_policy(report, settings.model_copy(update={"keep": "", "drop": ""}), clip=str(clip))
    with no_empty_folders(Path(out)):
        cleaned = write_clean(video, timeline, out, track=track, sound=sound)
    if paths.track is not None and cleaned.track is not None:
        cleaned.track.save(paths.track)
    if paths.people is not None:
        _save_people(paths.people, video, cleaned, detector=detector, progress=progress)
    notes = "".join(f"  note: {note}\n" for note in video.notes)
    return f"{cleaned.video.path}\n  {len(cleaned.timeline)} of {len(report)} frames\n{notes}{report}\n"


def _save_people(path: Path, video: VideoInfo, cleaned: CleanedClip, *, detector: str, progress: bool) -> None:
    """Follow everybody in the source, and write where they are in the cleaned clip."""
    shown = replace(cleaned.timeline, synth=np.ones(len(cleaned.timeline), bool))  # whoever may be used in a frame
    everybody = track_people(video, detector=detector, progress=progress)
    save_tracks(path, [track_along(track, shown, size_wh=cleaned.video.size_wh) for track in everybody])


def _check_paths(clip: Path, out: Path, paths: CleanPaths) -> None:
    """Refuse what would overwrite the clip, the result or another of them, before any work is done."""
    taken = {clip.resolve(), out.resolve()}
    for role, path in zip(paths._fields, paths, strict=True):
        if path is None:
            continue
        if path.resolve() in taken or not path.absolute().parent.is_dir():
            raise SettingsError(
                f"The {role} cannot be written to {path}",
                cause="its folder is missing" if path.resolve() not in taken else "another file of this call is there",
                next_step="name another file, in a folder that is there",
            )
        taken.add(path.resolve())
    if paths.sheet is not None:
        check_sheet(paths.sheet)
