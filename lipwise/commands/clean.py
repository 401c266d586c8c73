"""`lipwise clean`: a clip without the frames that cannot be used."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

from lipwise.commands.choices import ChooseAt, one_choice
from lipwise.pipeline.clean import CleanPaths, clean_clip
from lipwise.stages.judge import FAULTS, UsabilitySettings, flags_of
from lipwise.stages.policies import CleanSettings


def clean(
    clip: tyro.conf.Positional[Path],
    *,
    out: Path,
    policy: Literal["drop", "pass", "hold", "fail"] = "drop",
    one_face: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    ignore: tuple[str, ...] = (),
    keep: str = "",
    drop: str = "",
    bridge: int = 0,
    hold: float = 1.0,
    sound: Literal["cut", "whole", "none"] = "cut",
    detector: Literal["auto", "libfacedetection", "yunet"] = "auto",
    choose: int | None = None,
    choose_at: ChooseAt | None = None,
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
        out: the cleaned clip: .mp4, .mov or .mkv.
        policy: drop frames that cannot be used; pass them untouched; hold the last usable frame; or fail.
        one_face: only frames with exactly one face can be used.
        ignore: reasons that do not count, such as blurred turned.
        keep: frames such as 12-18,40 that are used whatever speaks against them.
        drop: frames that are not used.
        bridge: use runs of up to so many unusable frames after all.
        hold: longest time in seconds that a frame is held.
        sound: cut it with the picture, keep it whole, or none.
        detector: what finds faces.
        choose: whom to follow, counted from the left, from 0; the largest steady face otherwise.
        choose_at: whom to follow: X Y of a point on the face in pixels of the upright picture, or X Y FRAME for where
            the face is in that frame.
        thresholds: from where on something is wrong with a frame.
        report: write the report to this JSON file.
        sheet: write a contact sheet to this picture.
        track: write the cleaned clip's track to this .npz file, for a run that looks for no face again.
        people: write the tracks of everybody in the cleaned clip to this .npz file, for lipwise.load_tracks; it takes a
            second look at the clip.
        no_cache: do not keep what was found for the next call; it is the geometry of a face.
    """
    chosen = one_choice(choose, choose_at)
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
    sys.stdout.write(
        clean_clip(
            clip,
            out,
            settings=settings,
            sound=sound,
            detector=detector,
            choose=chosen,
            paths=CleanPaths(report, sheet, track, people),
            cache=not no_cache,
        )
    )
