"""What a policy made of a clip, counted: frames used, held, passed and dropped."""

from dataclasses import dataclass

import numpy as np

from lipwise.stages.policies import CleanSettings, Policy, bridged_frames
from lipwise.stages.usability import UsabilityReport
from lipwise.timeline import Timeline, bounce


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


def held_and_dropped(timeline: Timeline, clip_frames: int, policy: Policy) -> tuple[int, int]:
    """Count what a policy did where the clip lies under a recording.

    Args:
        timeline: what `lipwise.stages.policies.plan_timeline` gave.
        clip_frames: frames of the clip that it was given.
        policy: the policy.

    Returns:
        Frames of the result that show a held frame in place of their own; and frames of the clip that are left out:
        those before its last frame that is shown, and, where the result plays on backward from there, those after it.
    """
    shown = timeline.source_index
    if policy == "hold":
        return int(np.count_nonzero(shown != bounce(0, clip_frames, len(shown)))), 0
    if policy != "drop":
        return 0, 0
    turns = bool((np.diff(shown) < 0).any())
    reached = clip_frames if turns else int(shown.max()) + 1
    return 0, reached - len(np.unique(shown))
