"""What a policy made of a clip, counted: frames used, held, passed and dropped."""

from dataclasses import dataclass

import numpy as np

from lipwise.stages.policies import CleanSettings, bridged_frames
from lipwise.stages.usability import UsabilityReport
from lipwise.timeline import Timeline


@dataclass(frozen=True)
class Outcome:
    """Frames of a clip that a policy was applied to; bridged ones are among those used.

    Attributes:
        used: shown as they are, with a face that can get new lips.
        bridged: used although something speaks against them, between usable ones.
        held: in their place the last usable frame is shown.
        passed: shown untouched; they get no new lips.
        dropped: left out.
    """

    used: int
    bridged: int
    held: int
    passed: int
    dropped: int

    def __str__(self) -> str:
        counts = {
            "used": self.used,
            "of them bridged": self.bridged,
            "held": self.held,
            "passed untouched": self.passed,
            "dropped": self.dropped,
        }
        return ", ".join(f"{count} {words}" for words, count in counts.items() if count) or "0 used"


def outcome_of(report: UsabilityReport, timeline: Timeline, settings: CleanSettings) -> Outcome:
    """Count what a policy did.

    Args:
        report: as `lipwise.stages.policies.decided` gives it.
        timeline: what `apply_policy` gave for the two others.
    """
    shown = timeline.source_index
    dropped = len(report) - len(timeline)
    held = np.zeros(len(timeline), bool) if dropped else shown != np.arange(len(timeline))
    return Outcome(
        used=int(np.count_nonzero(timeline.synth & ~held)),
        bridged=int(np.count_nonzero(bridged_frames(report, settings))),
        held=int(np.count_nonzero(held)),
        passed=int(np.count_nonzero(~timeline.synth & ~held)),
        dropped=dropped,
    )
