"""How often a frame is judged rightly: clips built from a real face, one for each reason, with exact ground truth.

    python benchmarks/clean_truth.py [--detector auto]

A row says what part of all frames of that clip was judged rightly (usable or not), and in what part of the unusable
frames the right reason was among those given. Clips with a mark (a second face, a cut) count the mark. What is said of
a clip as a whole stands under its row.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from built_clips import BUILDERS, Built

from lipwise.stages.clean import examine
from lipwise.stages.judge import FAULTS
from lipwise.stages.usability import UsabilityReport


def judged_usable(report: UsabilityReport, reason: str) -> np.ndarray:
    """(T,) bool; a second face speaks against a frame only where exactly one is asked for."""
    return report.usable_against((*FAULTS, "several") if reason == "several" else FAULTS)


def scores(report: UsabilityReport, built: Built) -> tuple[float, float | None]:
    """Share of frames judged rightly, and share of the unusable ones with the right reason; None without any."""
    rightly = float((judged_usable(report, built.reason) == built.usable).mean())
    if built.at:
        marked = np.flatnonzero(report.has(built.reason))
        return rightly, float(marked.tolist() == list(built.at))
    return rightly, built.named(report.has)


def main() -> None:
    """Build, examine, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", default="auto")
    chosen = parser.parse_args()
    print(f"{'clip':16s} {'reason':10s} {'frames':>6s} {'unusable':>8s} {'judged rightly':>14s} {'reason right':>12s}")
    with tempfile.TemporaryDirectory() as folder:
        for name, build in BUILDERS.items():
            built = build(Path(folder))
            report = examine(built.path, detector=chosen.detector, cache=False).report
            rightly, reason = scores(report, built)
            told = "" if reason is None else f"{100 * reason:11.1f} %"
            bad = int(np.count_nonzero(~built.usable))
            print(f"{name:16s} {built.reason:10s} {len(report):6d} {bad:8d} {100 * rightly:12.1f} % {told:>12s}")
            for note in report.notes:
                print(f"    {note}")


if __name__ == "__main__":
    main()
