"""The whole of cleaning: examine, decide, write, and say what was done."""

from pathlib import Path
from typing import NamedTuple

from lipwise.errors import SettingsError
from lipwise.faces.choose import Choice
from lipwise.files import no_empty_folders
from lipwise.media.probe import probe
from lipwise.stages.clean import examine
from lipwise.stages.contact_sheet import check_sheet, save_contact_sheet
from lipwise.stages.policies import CleanSettings, apply_policy, bridge_track, bridged_frames, check_any_face, decided
from lipwise.stages.write_clean import Sound, check_cleanable, write_clean


class CleanPaths(NamedTuple):
    """What else is written beside a cleaned clip; None is not."""

    report: Path | None = None
    sheet: Path | None = None
    track: Path | None = None


NOTHING_ELSE = CleanPaths()


def clean_clip(
    clip: str | Path,
    out: str | Path,
    *,
    settings: CleanSettings | None = None,
    sound: Sound = "cut",
    detector: str = "auto",
    choose: Choice | None = None,
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
    track, report = examine(
        video, detector=detector, choose=choose, thresholds=settings.thresholds, cache=cache, progress=progress
    )
    report = decided(report, settings)
    check_any_face(report, str(clip))
    track = bridge_track(track, bridged_frames(report, settings))
    if paths.report is not None:
        report.save(paths.report)
    if paths.sheet is not None:
        save_contact_sheet(paths.sheet, video, report, track=track)
    timeline = apply_policy(report, settings.model_copy(update={"keep": "", "drop": ""}), clip=str(clip))
    with no_empty_folders(Path(out)):
        cleaned = write_clean(video, timeline, out, track=track, sound=sound)
    if paths.track is not None and cleaned.track is not None:
        cleaned.track.save(paths.track)
    notes = "".join(f"  note: {note}\n" for note in video.notes)
    return f"{cleaned.video.path}\n  {len(cleaned.timeline)} of {len(report)} frames\n{notes}{report}\n"


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
