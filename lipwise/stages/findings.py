"""What an evaluation has found so far: figures, and the reason of each that could not be measured."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lipwise.errors import LipwiseError

OUTSIDE = ("psnr_outside_db", "ssim_outside")
INSIDE = ("psnr_inside_db", "ssim_inside", "seam", "seam_worst")
STEADY = ("flicker", "trembling")
PICTURE = (*OUTSIDE, *INSIDE, *STEADY)
MOUTH = ("mouth_opening", "mouth_width", "offset_s", "offset_confidence")
SYNC = ("lse_d", "lse_c", "av_offset_frames")
NO_LIPS = "no frame of the result has a face with new lips"
WHY_NONE: dict[str, str] = {
    **dict.fromkeys(OUTSIDE, "the mask covers every frame whole"),
    **dict.fromkeys(INSIDE, NO_LIPS),
    "flicker": "no two frames with a face follow on each other",
    "trembling": "no two frames follow on each other that show a face round the lips' mask",
}
ONE_PICTURE = "the source is a single picture, which cannot flicker"
UNLIKE_DB = 20.0  # PSNR outside the mask under which the frames are hardly those of the source


class SoundPart(NamedTuple):
    """A part of a file with sound, in seconds; None is its end."""

    path: Path
    start_s: float = 0.0
    end_s: float | None = None


class Heard(NamedTuple):
    """What is heard with a clip: its mel (80, M), and what SyncNet listens to."""

    mel: np.ndarray
    part: SoundPart


@dataclass
class Findings:
    """Collects what is measured; what fails is kept with its reason."""

    figures: dict[str, float] = field(default_factory=dict)
    anchors: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    missing_anchors: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    parts: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, np.ndarray] = field(default_factory=dict)

    def miss(self, names: Iterable[str], why: LipwiseError | str, *, anchor: bool = False) -> None:
        """Say why some figures are not there."""
        reason = f"{why.what} ({why.cause})" if isinstance(why, LipwiseError) else why
        target = self.missing_anchors if anchor else self.missing
        target.update(dict.fromkeys(names, reason))
