"""What happens to frames that cannot be used: they are dropped, passed, held over, or refused."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from lipwise.errors import LipwiseWarning
from lipwise.faces.smooth import fill_gaps, find_runs, frames_in
from lipwise.faces.track import FILLED, FaceTrack
from lipwise.landmarks import MESH_POINTS
from lipwise.settings import Settings, as_settings
from lipwise.stages.judge import FAULTS, UsabilitySettings, flags_of
from lipwise.stages.measures import FrameMeasures
from lipwise.stages.ranges import format_ranges, parse_ranges, runs_of
from lipwise.stages.refusals import check_any_face, nothing_left, refused
from lipwise.stages.usability import UsabilityReport
from lipwise.timeline import Timeline, bounce

Policy = Literal["drop", "pass", "hold", "fail"]
SAME_SIZE = 1.2  # eye distances of the same picture before and after a black stretch differ by no more
ReasonName = Literal[
    "no_face", "too_small", "turned", "blurred", "too_dark", "too_bright", "cut_off", "doubtful", "several", "jump",
    "scene_cut",
]  # fmt: skip


class CleanSettings(Settings):
    """Which frames are used, and what happens to the others.

    Attributes:
        policy: "drop" leaves out frames that cannot be used; "pass" shows them untouched; "hold" shows the last usable
            frame of the shot in their place, for at most `hold_s`, and then passes, also over a stretch without any
            face, such as black, after which the face is there again at its size; "fail" refuses the clip.
        against: the reasons for which a frame cannot be used.
        one_face: only frames with exactly one face can be used.
        trust_filled: a frame in which the detector missed the face for a moment, and whose box the track filled in,
            counts as seen.
        bridge_frames: runs of up to so many unusable frames between usable ones of a shot are used after all, with
            boxes on the line between their neighbours where none was detected; 0 bridges none.
        hold_s: longest time that a frame is held.
        keep, drop: frames such as "12-18, 40" that are used or not whatever speaks for or against them, counted
            from the start of the part of the clip that is used; drop wins, and says so.
        thresholds: from where on something is wrong with a frame.
        track_file: a track that `FaceTrack.save` wrote for this very clip, such as that of a cleaned clip: no face is
            looked for, and every frame with a face in it is used. None looks for faces.
        cache: keep what was found in the user's cache, faces and all, so that a second run is quick; what is there
            already is used in any case.
    """

    policy: Policy = "drop"
    against: tuple[ReasonName, ...] = FAULTS  # pyright: ignore[reportAssignmentType]  # a test compares the names
    one_face: bool = False
    trust_filled: bool = False
    bridge_frames: Annotated[int, Field(ge=0, le=10_000)] = 0
    hold_s: Annotated[float, Field(ge=0, le=3600)] = 1.0
    keep: str = ""
    drop: str = ""
    thresholds: UsabilitySettings = UsabilitySettings()
    track_file: Path | None = None
    cache: bool = False


# For lip-sync: only where nobody is seen the frame passes untouched; blurred or turned lips are made all the same,
# because lips that stop for a few frames are worse than lips that are a little off.
LIPSYNC_CLEAN = CleanSettings(policy="pass", against=("no_face",), trust_filled=True)


def decided(report: UsabilityReport, settings: CleanSettings) -> UsabilityReport:
    """The report judged by the settings' thresholds, with their `keep` and `drop` after its own edits."""
    if report.settings != settings.thresholds:
        report = report.with_settings(settings.thresholds)
    report = report.keep(settings.keep) if settings.keep.strip() else report
    if not settings.drop.strip():
        return report
    both = parse_ranges(settings.keep, len(report)) & parse_ranges(settings.drop, len(report))
    if both.any():
        told = f"frames {format_ranges(both)} are to be kept and dropped: they are dropped"
        warnings.warn(told, LipwiseWarning, stacklevel=2)
    return report.drop(settings.drop)


def bridged_frames(report: UsabilityReport, settings: CleanSettings) -> np.ndarray:
    """(T,) bool, unusable frames in runs of at most `bridge_frames` between usable ones of the same shot."""
    usable, shot = _usable(report, settings), report.measures.shot
    bridged = np.zeros(len(report), bool)
    for run in runs_of(~usable):
        short = run.stop - run.start <= settings.bridge_frames
        inside = run.start > 0 and run.stop < len(report) and shot[run.start - 1] == shot[run.stop]
        if short and inside and not (report.edited[run] < 0).any():
            bridged[run] = True
    return bridged


def usable_frames(report: UsabilityReport, settings: CleanSettings) -> np.ndarray:
    """(T,) bool, the frames that can be used under the settings, bridged ones among them."""
    return _usable(report, settings) | bridged_frames(report, settings)


def _usable(report: UsabilityReport, settings: CleanSettings) -> np.ndarray:
    names, faces, edited = reasons_against(settings), report.measures.faces, report.edited
    usable = report.usable_against(names)
    if settings.one_face:
        usable &= (faces == 1) | (edited > 0)
    if not settings.trust_filled:
        return usable
    filled = (report.measures.origin == FILLED) & (edited >= 0)
    if settings.one_face:
        filled &= faces <= 1  # the one that was missed is not among them
    return usable | filled & ((report.reasons & flags_of(names - {"no_face"})) == 0)


def reasons_against(settings: CleanSettings) -> set[str]:
    """The names of the reasons for which a frame cannot be used."""
    return {*settings.against, "several"} if settings.one_face else set(settings.against)


def apply_policy(
    report: UsabilityReport, settings: CleanSettings | Mapping[str, Any] | None = None, *, clip: str = "the clip"
) -> Timeline:
    """Lay out a whole clip under a policy.

    Args:
        report: of the clip.
        settings: None takes the defaults: drop whatever has a fault. A mapping holds settings by name.
        clip: its name, for errors.

    Returns:
        A Timeline; `synth` is True where a frame can be used and the track has a face in it.

    Raises:
        FaceError: nobody is seen in the whole clip; no frame can be used (except under "pass"); or the policy is
            "fail" and some cannot.
        SettingsError: the settings are none.
    """
    settings = as_settings(CleanSettings, settings)
    report = decided(report, settings)
    check_any_face(report, clip)
    usable = usable_frames(report, settings)
    if not usable.any() and settings.policy != "pass":
        raise nothing_left(report, reasons_against(settings), clip)
    frames = np.arange(len(report), dtype=np.int64)
    synth = usable & (report.measures.tracked | bridged_frames(report, settings))
    if settings.policy == "fail" and not usable.all():
        raise refused(report, usable, reasons_against(settings), clip)
    if settings.policy == "drop":
        return Timeline(frames[usable], synth[usable], report.fps, report.clip)
    if settings.policy == "hold":
        frames = _held(usable, _scenes(report.measures), frames_in(settings.hold_s, report.fps))
        return Timeline(frames, synth[frames], report.fps, report.clip)
    return Timeline(frames, synth, report.fps, report.clip)


def plan_timeline(
    report: UsabilityReport,
    length: int,
    settings: CleanSettings | Mapping[str, Any] | None = None,
    *,
    clip: str = "the clip",
) -> Timeline:
    """Lay a clip under a recording that lasts `length` frames: trimmed, or played forward and backward again.

    The other arguments and the errors are those of `apply_policy`.
    """
    whole = apply_policy(report, settings, clip=clip)
    order = bounce(0, len(whole), length)
    return Timeline(whole.source_index[order], whole.synth[order], whole.fps, whole.clip)


def _scenes(measures: FrameMeasures) -> np.ndarray:
    """(T,) int shots, but one where the same picture seems to go on after a stretch in which nobody at all is seen.

    Black between two pieces of a scene makes shots of its own. That the scene goes on is told by the size of the face.
    """
    scene, shot = measures.shot.astype(np.int64), measures.shot
    seen = np.zeros(shot.max() + 1, bool)
    seen[shot[measures.tracked | (measures.faces > 0)]] = True
    for run in runs_of(~seen[shot]):
        if run.start == 0 or run.stop == len(shot):
            continue
        before = np.flatnonzero(measures.tracked & (shot == shot[run.start - 1]))[-1:]
        after = np.flatnonzero(measures.tracked & (shot == shot[run.stop]))[:1]
        sizes = measures.eyes_px[np.r_[before, after]]
        if len(sizes) == 2 and sizes.max() <= SAME_SIZE * sizes.min():
            scene[run.stop :] -= scene[run.stop] - scene[run.start - 1]
            scene[run] = scene[run.start - 1]
    return scene


def _held(usable: np.ndarray, shot: np.ndarray, longest: int) -> np.ndarray:
    """(T,) int64, each frame or, where it cannot be used, the last usable one of its shot if that is near enough."""
    frames = np.arange(len(usable), dtype=np.int64)
    last = np.maximum.accumulate(np.where(usable, frames, -1))
    near = (last >= 0) & (frames - last <= longest) & (shot[last] == shot)
    return np.where(near, last, frames)


def bridge_track(track: FaceTrack, bridged: np.ndarray) -> FaceTrack:
    """The track with boxes, landmarks and mesh on the line between their neighbours where bridged frames have none.

    Args:
        bridged: (T,) bool, see `bridged_frames`. Detected and filled rows stay as they are, except that a missing
            mesh is laid on the line, too.
    """
    values = np.concatenate([track.boxes_xyxy, track.landmarks_xy.reshape(len(track), -1)], axis=1)  # (T, 14)
    values[~track.has_face] = np.nan
    lined = _on_the_line(values, track.shot, bridged)
    new = bridged & ~track.has_face & ~np.isnan(lined[:, 0])
    mesh_xy = track.mesh_xy
    if len(mesh_xy):
        mesh_xy = _on_the_line(mesh_xy.reshape(len(track), -1), track.shot, bridged).reshape(-1, MESH_POINTS, 2)
    return replace(
        track,
        boxes_xyxy=lined[:, :4].astype(np.float32),
        landmarks_xy=lined[:, 4:].reshape(-1, 5, 2).astype(np.float32),
        origin=np.where(new, FILLED, track.origin).astype(np.uint8),
        mesh_xy=mesh_xy,
    )


def _on_the_line(values: np.ndarray, shot: np.ndarray, bridged: np.ndarray) -> np.ndarray:
    """(T, K) values with the NaN rows of bridged frames filled."""
    filled = values.copy()
    for run in find_runs(bridged, shot):
        part = slice(max(run.start - 1, 0), run.stop + 1)
        between = filled[part].copy()
        fill_gaps(between, shot[part], longest=run.stop - run.start, hold=0)
        filled[part] = between
    return filled
