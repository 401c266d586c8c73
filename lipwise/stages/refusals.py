"""What is said when a clip cannot be cleaned, or its policy refuses it."""

from collections.abc import Iterable

import numpy as np

from lipwise.errors import FaceError
from lipwise.faces.track import DETECTED
from lipwise.stages.ranges import format_ranges
from lipwise.stages.usability import UsabilityReport

MOST_RANGES = 12  # written out in an error
BETTER_CLIP = (
    "use a clip in which an upright face looks at the camera and is at least a tenth of the picture's "
    "height; turn a clip that lies on its side; brighten a dark one; try the other detector (yunet or libfacedetection)"
)


def check_any_face(report: UsabilityReport, clip: str) -> None:
    """Raises FaceError where the followed face is seen in no frame."""
    if (report.measures.origin == DETECTED).any():
        return
    others = int(np.count_nonzero(report.measures.faces))
    cause = f"the detector looked at {len(report)} frame(s)"
    raise FaceError(
        f"No face was found in {clip}",
        cause=f"{cause}; what it took for faces in {others} of them was too short-lived" if others else cause,
        next_step=BETTER_CLIP,
    )


def nothing_left(report: UsabilityReport, against: Iterable[str], clip: str) -> FaceError:
    """The error for a clip of which no frame can be used, for some of the reasons."""
    by_hand = bool((report.edited < 0).all())
    return FaceError(
        f"Not one of the {len(report)} frame(s) of {clip} can be used",
        cause=_why(report, against, np.ones(len(report), bool)),
        next_step="drop fewer frames by hand"
        if by_hand
        else "loosen the threshold of that reason, leave the reason out, keep frames by hand, or use the policy pass",
    )


def refused(report: UsabilityReport, usable: np.ndarray, against: Iterable[str], clip: str) -> FaceError:
    """The error for a clip that the policy "fail" refuses."""
    return FaceError(
        f"Frames {format_ranges(~usable, most=MOST_RANGES)} of {clip} cannot be used",
        cause=_why(report, against, ~usable),
        next_step="use the policy drop, hold or pass, keep them by hand, or cut them out of the clip",
    )


def _why(report: UsabilityReport, against: Iterable[str], frames: np.ndarray) -> str:
    """The reasons that count and hold in some frames, each with them."""
    counted = [name for name in report.counts() if name in set(against)]
    told = [(name, format_ranges(report.has(name) & frames, most=MOST_RANGES)) for name in counted]
    dropped = format_ranges((report.edited < 0) & frames, most=MOST_RANGES)
    return "; ".join(
        f"{name.replace('_', ' ')}: {text}" for name, text in [*told, ("dropped by hand", dropped)] if text
    )
