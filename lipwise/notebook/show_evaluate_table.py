"""The figures of an evaluation as a table with a verdict, and SyncNet's scores over all shifts of the sound."""

import html
from typing import NamedTuple

import matplotlib.pyplot as plt
from IPython.display import HTML
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lipwise.notebook.show import PAGE_IN
from lipwise.stages.evaluation import FIGURES, Evaluation
from lipwise.stages.lse import SYNC_FPS, SyncScores

NO_END = float("inf")
COLOURS = {"good": "#2a9d5c", "fair": "#c98a00", "bad": "#d1495b"}  # of a bar beside the word, as the doctor's
HEADINGS = ("figure", "result", "source", "verdict", "good is", "what it says")


class Limits(NamedTuple):
    """From where to where a figure is good, and from where to where it can still be shown to people."""

    good: tuple[float, float]
    fair: tuple[float, float]


# Sound is noticed as early from 0.045 s on, as late from 0.125 s on, and minded from 0.09 and 0.185 s on: ITU-R
# BT.1359-1, "Relative timing of sound and vision for broadcasting", 1998. The other limits were found by looking at
# good and spoiled results of the sample; they are a beginning, not a norm.
HEARD_GOOD_S, HEARD_FAIR_S = (-0.125, 0.045), (-0.185, 0.09)
LIMITS: dict[str, Limits] = {
    "psnr_outside_db": Limits((36, NO_END), (30, NO_END)),
    "ssim_outside": Limits((0.95, NO_END), (0.9, NO_END)),
    "seam": Limits((0, 1.1), (0, 1.3)),
    "seam_worst": Limits((0, 1.1), (0, 1.3)),
    "flicker": Limits((0, 1.5), (0, 2)),
    "trembling": Limits((0, 1.2), (0, 1.4)),
    "mouth_opening": Limits((0.3, NO_END), (0.1, NO_END)),
    "mouth_width": Limits((0.3, NO_END), (0.1, NO_END)),
    "offset_s": Limits(HEARD_GOOD_S, HEARD_FAIR_S),
    "offset_confidence": Limits((0.8, NO_END), (0.5, NO_END)),
    "av_offset_frames": Limits((-3, 1), (-4, 2)),  # the same times in frames of 1/25 s
}


def verdict(name: str, value: float) -> str:
    """ "good", "fair" or "bad"; nothing for a figure that is neither by itself."""
    if name not in LIMITS:
        return ""
    for word, (low, high) in zip(("good", "fair"), LIMITS[name], strict=True):
        if low <= value <= high:
            return word
    return "bad"


def good_is(name: str) -> str:
    """In words, where a figure is good."""
    if name not in LIMITS:
        return "near the source's" if FIGURES[name].anchored else "-"
    low, high = LIMITS[name].good
    if high == NO_END:
        return f"{low:g} or more"
    return f"{high:g} or less" if low == 0 else f"{low:g} to {high:g}"


def table(evaluation: Evaluation) -> HTML:
    """Every figure of a result with the source's own beside it, a verdict, and why the rest is missing."""
    rows = [_row(evaluation, name) for name in FIGURES if name in evaluation.figures]
    notes = "".join(f"<li>{html.escape(line)}</li>" for line in (*_grouped(evaluation), *evaluation.remarks))
    head = "".join(f'<th style="text-align:left">{heading}</th>' for heading in HEADINGS)
    style = "max-width:100%;color:inherit;background:transparent"
    return HTML(f'<table style="{style}"><tr>{head}</tr>{"".join(rows)}</table><ul>{notes}</ul>')


def _row(evaluation: Evaluation, name: str) -> str:
    figure, value = FIGURES[name], evaluation.figures[name]
    anchor = figure.form.format(evaluation.anchors[name]) if name in evaluation.anchors else "-"
    word = verdict(name, value)
    bar = f"border-left:4px solid {COLOURS.get(word)};padding-left:6px"
    judged = f'<b style="{bar}">{word}</b>' if word else "-"
    cells = (figure.label.strip(), figure.form.format(value), anchor, judged, good_is(name), figure.meaning)
    escaped = (cell if cell == judged else html.escape(cell) for cell in cells)
    return "<tr>" + "".join(f'<td style="text-align:left">{cell}</td>' for cell in escaped) + "</tr>"


def _grouped(evaluation: Evaluation) -> list[str]:
    """One line for each reason why figures are missing, of the result and of the source."""
    lines = []
    for where, missing in (("", evaluation.missing), (" on the source", evaluation.missing_anchors)):
        labels: dict[str, list[str]] = {}
        for name, reason in missing.items():
            labels.setdefault(reason, []).append(FIGURES[name].label.strip())
        lines += [f"not measured{where}: {'; '.join(named)}: {reason}" for reason, named in labels.items()]
    return lines


def sync(evaluation: Evaluation) -> Figure | HTML:
    """SyncNet's mean distance at every shift of the sound, of the result and of the source; or why there is none."""
    scores = {"result": evaluation.sync, "source, with its own sound": evaluation.source_sync}
    known = {name: score for name, score in scores.items() if score is not None}
    if not known:
        reason = evaluation.missing.get("lse_d", "no scores")
        return HTML(f"<p><b>No scores by SyncNet.</b> {html.escape(reason)}.</p>")
    figure, axes = plt.subplots(figsize=(PAGE_IN, 3.4), layout="constrained")
    for name, score in known.items():
        _draw_scores(axes, name, score)
    axes.set(xlabel="shift tried (frames of 1/25 s; above 0: sound early)", ylabel="SyncNet's mean distance")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    plt.close(figure)
    return figure


def _draw_scores(axes: Axes, name: str, score: SyncScores) -> None:
    told = (
        f"{name}: LSE-D {score.lse_d:.2f}, LSE-C {score.lse_c:.2f},\nAV offset {score.offset_frames / SYNC_FPS:+.2f} s"
    )
    (line,) = axes.plot(score.shifts, score.mean_distances, lw=2, label=told)
    axes.plot(score.offset_frames, score.lse_d, "o", color=line.get_color())
