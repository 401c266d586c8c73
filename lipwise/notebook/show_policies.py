"""What policies make of a clip, one strip below the other."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lipwise.notebook.show import PAGE_IN
from lipwise.notebook.show_clean import draw_reasons, share
from lipwise.stages.reason_strip import GOOD
from lipwise.stages.usability import UsabilityReport
from lipwise.timeline import Timeline

HELD, PASSED = (235, 200, 60), (140, 140, 140)  # colours of a policy's strip beside GOOD


def policies(timelines: Mapping[str, Timeline], report: UsabilityReport) -> Figure:
    """The report as a strip, and one strip for what each policy makes of it, on one time axis."""
    figure, axes = plt.subplots(
        1 + len(timelines), 1, figsize=(PAGE_IN, 1.2 + 0.8 * len(timelines)), sharex=True, layout="constrained"
    )
    draw_reasons(axes[0], report)
    axes[0].set_ylabel("clip", rotation=0, ha="right", va="center")
    for place, (name, timeline) in zip(axes[1:], timelines.items(), strict=True):
        strip, extent = strip_of(timeline)[None], (0, timeline.duration_s, 0, 1)
        place.imshow(strip, extent=extent, aspect="auto", interpolation="none")
        place.set_ylabel(name, rotation=0, ha="right", va="center")
        place.text(timeline.duration_s, 0.5, f" {len(timeline)} frames, {timeline.duration_s:.1f} s", va="center")
        place.set_yticks([])
        place.spines[:].set_visible(False)
        for join in np.flatnonzero(~np.isin(np.diff(timeline.source_index), (0, 1))) + 1:
            place.axvline(int(join) / float(timeline.fps), color="white", lw=1.5)
    longest = max([len(report) / float(report.fps), *(timeline.duration_s for timeline in timelines.values())])
    axes[-1].set(xlabel="seconds", xlim=(0, 1.2 * longest))
    meanings = {"used; white line: something is cut out": GOOD, "the frame before, held": HELD, "untouched": PASSED}
    marks = [Patch(color=share(colour), label=label) for label, colour in meanings.items()]
    figure.legend(handles=marks, ncols=len(marks), loc="outside lower center", frameon=False, fontsize=9)
    plt.close(figure)
    return figure


def strip_of(timeline: Timeline) -> np.ndarray:
    """(T_out, 3) uint8, a colour for each frame of a timeline: used, held or passed untouched."""
    held = np.diff(timeline.source_index, prepend=-1) == 0
    colours = np.where(timeline.synth[:, None], GOOD, PASSED)
    return np.where((held & timeline.synth)[:, None], HELD, colours).astype(np.uint8)
