"""`lipwise clean`: a clip without the frames that cannot be used."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

from lipwise.commands.choices import ChooseAt, Wording, as_typed, one_choice
from lipwise.faces.track import TrackSettings
from lipwise.pipeline.clean import CleanPaths, clean_clip
from lipwise.stages.judge import FAULTS, UsabilitySettings, flags_of
from lipwise.stages.policies import CleanSettings

WORDING = Wording(
    "clean",
    {
        "bridge_frames": "--bridge",
        "hold_s": "--hold",
        "one_face": "--one-face",
        "the policy": "--policy",
        "keep frames by hand": "keep frames with --keep",
        "keep them by hand": "keep them with --keep",
        "drop fewer frames by hand": "drop fewer frames with --drop",
        "loosen the threshold of that reason": "loosen that reason's --thresholds",
        "leave the reason out": "leave the reason out with --ignore",
        "try the other detector": "try the other --detector",
    }
    | {name: f"--thresholds.{name.replace('_', '-')}" for name in UsabilitySettings.__dataclass_fields__},
)


def clean(
    clip: tyro.conf.Positional[Path],
    *,
    out: Path,
    policy: Literal["drop", "pass", "hold", "fail"] = "drop",
    one_face: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    ignore: Annotated[tuple[str, ...], tyro.conf.arg(help_behavior_hint="(default: none)")] = (),
    keep: str = "",
    drop: str = "",
    bridge: int = 0,
    hold: float = 1.0,
    sound: Literal["cut", "whole", "none"] = "cut",
    detector: Literal["auto", "libfacedetection", "yunet"] = "auto",
    choose: int | None = None,
    choose_at: ChooseAt | None = None,
    least_confidence: float = 0.0,
    thresholds: UsabilitySettings = UsabilitySettings(),  # noqa: B008  # frozen
    report: Path | None = None,
    sheet: Path | None = None,
    track: Path | None = None,
    people: Path | None = None,
    no_cache: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
) -> None:
    """Leave out the frames of a clip in which no usable face is seen, and its sound with them.

    Args:
        clip: the clip.
        out: the cleaned clip: .mp4, .mov or .mkv; folders on the way are made. The other files may lie beside it
            or in folders that are there.
        policy: drop frames that cannot be used; pass them untouched; hold the last usable frame of the shot; or fail.
        one_face: only frames with exactly one face can be used.
        ignore: reasons that do not count, such as blurred turned; with no_face, frames in which nobody is seen stay in
            the clip and pass untouched.
        keep: frames such as 12-18,40 that are used whatever speaks against them.
        drop: frames that are not used, also where they are kept.
        bridge: use runs of up to so many unusable frames after all, 0 to 10000.
        hold: longest time in seconds that a frame is held, 0 to 3600; frames beyond it pass untouched.
        sound: cut it with the picture, keep it whole, or none.
        detector: what finds faces.
        choose: whom to follow, counted from the left, from 0; the largest steady face otherwise.
        choose_at: whom to follow: X Y of a point on the face in pixels of the upright picture, or X Y FRAME for where
            the face is in that frame.
        least_confidence: leave shots alone in which the face is less surely the same person, 0 to 1.
        thresholds: from where on something is wrong with a frame.
        report: write to this JSON file why frames cannot be used, and which frame of the clip became which.
        sheet: write a contact sheet to this picture.
        track: write the cleaned clip's track to this .npz file, for a run on that very file (run --track), which then
            looks for no face again.
        people: write the tracks of everybody in the cleaned clip to this .npz file, to see or choose who is in it:
            lipwise.load_tracks reads it, and the track of one of them, saved by itself, is one for run --track. It
            takes a second look at the clip.
        no_cache: do not keep what was found for the next call; it is the geometry of a face.
    """
    with as_typed(WORDING):
        flags_of(ignore)
        settings = CleanSettings(
            policy=policy,
            against=tuple(name for name in FAULTS if name not in ignore),  # pyright: ignore[reportArgumentType]  # checked
            one_face=one_face,
            keep=keep,
            drop=drop,
            bridge_frames=bridge,
            hold_s=hold,
            thresholds=thresholds,
        )
        said = clean_clip(
            clip,
            out,
            settings=settings,
            sound=sound,
            detector=detector,
            choose=one_choice(choose, choose_at),
            tracking=TrackSettings(least_confidence=least_confidence),
            paths=CleanPaths(report, sheet, track, people),
            cache=not no_cache,
        )
    sys.stdout.write(WORDING.of(said))
