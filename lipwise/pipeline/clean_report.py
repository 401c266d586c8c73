"""What a cleaning did, in words and as JSON: the usability report, and what was made of it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lipwise.files import written_whole
from lipwise.pipeline.report import counted
from lipwise.stages.judge import FAULTS
from lipwise.stages.outcome import Outcome
from lipwise.stages.policies import CleanSettings, usable_frames
from lipwise.stages.ranges import format_ranges
from lipwise.stages.usability import UsabilityReport
from lipwise.stages.write_clean import CleanedClip


@dataclass(frozen=True, eq=False)
class Asked:
    """What was to be done with which clip.

    Attributes:
        clip: as it was named.
        settings, sound: as for `lipwise.pipeline.clean.clean_clip`.
        report: of the clip, with the settings' thresholds and a person's edits.
    """

    clip: str
    settings: CleanSettings
    sound: str
    report: UsabilityReport


def save_report(
    path: Path, asked: Asked, *, refused: str = "", done: tuple[CleanedClip, Outcome] | None = None
) -> None:
    """Write JSON that `UsabilityReport.load` reads, whole or not at all: the report, what was asked, what came of it.

    Args:
        refused: why no clip was written.
        done: the cleaned clip, and its frames counted; None as long as there is none.
    """
    settings = asked.settings
    wanted = settings.model_dump(mode="json", include=set(_TOLD)) | {
        "sound": asked.sound,
        "ignored": _ignored(settings),
    }
    values: dict[str, Any] = {"clip": asked.clip, "cleaning": wanted, "refused": refused or None, "result": None}
    if done is not None:
        cleaned, outcome = done
        values["result"] = {
            "path": str(cleaned.video.path),
            "frames": len(cleaned.timeline),
            "outcome": asdict(outcome),
            "source_frame": cleaned.timeline.source_index.tolist(),  # of each frame of the result
            "passed_untouched": format_ranges(~cleaned.timeline.synth),  # frames of the result
        }
    text = json.dumps(values | json.loads(asked.report.to_json()), allow_nan=False)
    with written_whole(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def tell(asked: Asked, cleaned: CleanedClip, outcome: Outcome, notes: list[str]) -> str:
    """The same in words, some lines."""
    report, settings = asked.report, asked.settings
    can = f"{np.count_nonzero(usable_frames(report, settings))} of {len(report)} frames can be used"
    only = ["only with exactly one face"] if settings.one_face else []
    ignored = [f"ignored: {', '.join(_ignored(settings)).replace('_', ' ')}"] if _ignored(settings) else []
    about = [line for line in str(report).split("\n")[1:] if line.strip() not in report.notes]  # told among the notes
    lines = [
        str(cleaned.video.path),
        f"  {counted(len(cleaned.timeline), 'frame')} from {len(report)}: {outcome}",
        *(f"  note: {note}" for note in notes),
        "; ".join([can, *only, *ignored]),
        *about,
    ]
    return "\n".join(lines) + "\n"


_TOLD = ("policy", "against", "one_face", "trust_filled", "bridge_frames", "hold_s", "keep", "drop")


def _ignored(settings: CleanSettings) -> list[str]:
    return [name for name in FAULTS if name not in settings.against]
