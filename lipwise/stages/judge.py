"""From measures to reasons: why a frame cannot be used."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import IntFlag
from numbers import Real

import numpy as np

from lipwise.errors import SettingsError
from lipwise.faces.measure import MOST_BLUR
from lipwise.faces.smooth import find_runs
from lipwise.faces.track import DETECTED
from lipwise.stages.measures import FrameMeasures

USUAL_SHARPNESS = 90  # percentile of a clip's own sharpness that its frames are compared with


class Reason(IntFlag):
    """What is to be said of a frame; several may hold at once."""

    NO_FACE = 1  # the detector does not see the face that is followed
    TOO_SMALL = 2
    TURNED = 4
    BLURRED = 8
    TOO_DARK = 16
    TOO_BRIGHT = 32
    CUT_OFF = 64  # the edge of the frame cuts the mouth
    DOUBTFUL = 128  # a guess: something seems to cover the mouth
    SEVERAL = 256  # more than one face of comparable size
    JUMP = 512  # the track was lost and a face is found elsewhere
    SCENE_CUT = 1024  # first frame of a new shot


REASONS = tuple(str(reason.name).lower() for reason in Reason)
MARKS = ("several", "jump", "scene_cut")  # worth knowing, but such a frame can be used
FAULTS = tuple(name for name in REASONS if name not in MARKS)


@dataclass(frozen=True)
class UsabilitySettings:
    """From where on something is wrong with a frame."""

    min_eyes_px: float = 20.0  # pixels between the eyes of a head that looks at the camera; 0 to 1000
    max_yaw_deg: float = 28.0  # degrees of measured turn to either side, which falls short of larger ones; 0 to 90
    min_sharpness: float = 0.45  # share of the clip's own sharpness (its 90th percentile); 0 to 1, 0 asks for none
    max_blur: float = 0.15  # blur (standard deviation) in eye distances, whatever the clip's own; 0 to 2, 2 allows all
    soft_blur: float = 0.06  # a clip whose sharpest tenth has more blur is told to be soft; 0 to 2, 2 never tells
    min_bright: float = 60.0  # luma (0-255) that a tenth of the face must reach; 0 asks for none
    max_clipped: float = 0.25  # share of the face that may be burnt out, 0 to 1; 1 allows all
    min_mouth_margin: float = 0.0  # distance from the lips to the frame's edge in eye distances; -5 to 5
    max_mouth_change: float = 0.72  # how unlike its usual look the lower face may be; 4 never doubts; 0 to 4
    max_change_ratio: float = 1.9  # and how many times as unlike as in the middle frame of the clip; 1 to 100
    jump_heights: float = 1.0  # face heights that a face may move between two detections; 0.1 to 100

    def __post_init__(self) -> None:
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Real) or not low <= float(value) <= high:
                raise SettingsError(
                    f"{name}={value!r} is out of range",
                    cause=f"it lies between {low:g} and {high:g}",
                    next_step=f"leave it out to use {_DEFAULTS[name]:g}",
                )
            object.__setattr__(self, name, float(value))  # NumPy's own kinds do not go into files


_LIMITS: dict[str, tuple[float, float]] = {
    "min_eyes_px": (0, 1000),
    "max_yaw_deg": (0, 90),
    "min_sharpness": (0, 1),
    "max_blur": (0, MOST_BLUR),
    "soft_blur": (0, MOST_BLUR),
    "min_bright": (0, 255),
    "max_clipped": (0, 1),
    "min_mouth_margin": (-5, 5),
    "max_mouth_change": (0, 4),
    "max_change_ratio": (1, 100),
    "jump_heights": (0.1, 100),
}
_DEFAULTS = {entry.name: entry.default for entry in fields(UsabilitySettings)}


def flags_of(names: Iterable[str]) -> int:
    """Reasons by name as one number of flags.

    Raises:
        SettingsError: a name that is none.
    """
    flags = 0
    for name in names:
        if name not in REASONS:
            raise SettingsError(
                f"There is no reason {name!r}", cause=f"the reasons are {', '.join(REASONS)}", next_step="use these"
            )
        flags |= Reason[name.upper()]
    return flags


def judge(measures: FrameMeasures, settings: UsabilitySettings | None = None) -> np.ndarray:
    """The reasons of every frame, (T,) uint16 of `Reason` flags; a comparison with NaN never holds."""
    settings = settings or UsabilitySettings()
    seen = measures.origin == DETECTED
    dark, bright = measures.bright < settings.min_bright, measures.clipped > settings.max_clipped
    blurred = measures.sharpness < settings.min_sharpness * own_sharpness(measures, settings)
    blurred |= (measures.blur > settings.max_blur) & ~dark
    turned = np.abs(measures.yaw_deg) > settings.max_yaw_deg
    change = max(settings.max_mouth_change, settings.max_change_ratio * _usual(measures.mouth_change, 50))
    holds = {
        Reason.NO_FACE: ~seen,
        Reason.TOO_SMALL: measures.eyes_px < settings.min_eyes_px,
        Reason.TURNED: turned,
        Reason.BLURRED: blurred,
        Reason.TOO_DARK: dark,
        Reason.TOO_BRIGHT: bright,
        Reason.CUT_OFF: measures.mouth_margin < settings.min_mouth_margin,
        # The look of a face in another light, out of focus or turned says nothing about what covers the mouth.
        Reason.DOUBTFUL: (measures.mouth_change > change) & ~dark & ~bright & ~blurred & ~turned,
        Reason.SEVERAL: measures.faces > 1,
        Reason.JUMP: (measures.step > settings.jump_heights) | _found_elsewhere(measures),
        Reason.SCENE_CUT: np.diff(measures.shot, prepend=measures.shot[:1]) != 0,
    }
    reasons = np.zeros(len(measures), np.uint16)
    for reason, mask in holds.items():
        reasons[mask] |= np.uint16(reason)
    return reasons


def own_sharpness(measures: FrameMeasures, settings: UsabilitySettings | None = None) -> float:
    """The sharpness that a clip's frames are compared with; 0 where nothing is known.

    Frames that say little of it are left out, unless there are no others.
    """
    fair = _fair(measures, settings or UsabilitySettings())
    return _usual(measures.sharpness[fair] if fair.any() else measures.sharpness, USUAL_SHARPNESS)


def notes_on(measures: FrameMeasures, settings: UsabilitySettings | None = None) -> tuple[str, ...]:
    """What is to be said of the clip as a whole, a sentence each; empty for most clips."""
    settings = settings or UsabilitySettings()
    blur = _usual(measures.blur[_fair(measures, settings)], 100 - USUAL_SHARPNESS)
    if blur <= settings.soft_blur:
        return ()
    return (
        f"the whole clip is soft: even its sharpest tenth is blurred by {blur:.2f} eye distances, where "
        f"{settings.soft_blur:g} still passes for sharp; its frames are only compared with each other",
    )


def _fair(measures: FrameMeasures, settings: UsabilitySettings) -> np.ndarray:
    """(T,) bool, frames whose sharpness says something of the clip's own: neither dark, burnt out, tiny nor unseen.

    The noise of a dark face passes for sharp, and so do the few pixels of a tiny one.
    """
    odd = (measures.bright < settings.min_bright) | (measures.clipped > settings.max_clipped)
    return (measures.origin == DETECTED) & ~odd & ~(measures.eyes_px < settings.min_eyes_px)


def _usual(values: np.ndarray, percentile: float) -> float:
    """A percentile of what is known; 0 where nothing is."""
    known = values[~np.isnan(values)]
    return float(np.percentile(known, percentile)) if len(known) else 0.0


def _found_elsewhere(measures: FrameMeasures) -> np.ndarray:
    """(T,) bool, the first frames of a shot, after the followed face was seen in it, in which only others are."""
    first = np.zeros(len(measures), bool)
    for run in find_runs(np.ones(len(measures), bool), measures.shot):
        seen_before = np.cumsum(measures.tracked[run]) > 0
        begins = np.diff(measures.elsewhere[run].astype(np.int8), prepend=0) == 1
        first[run] = begins & seen_before
    return first
