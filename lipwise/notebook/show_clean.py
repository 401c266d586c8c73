"""Figures about cleaning: what the detector sees, and why frames cannot be used."""

import html
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from lipwise.errors import FaceError
from lipwise.faces.detect import Faces
from lipwise.faces.track import FaceTrack
from lipwise.media.probe import VideoInfo
from lipwise.media.read import read_frames
from lipwise.media.turn import turn_video
from lipwise.notebook.show import PAGE_IN, play
from lipwise.stages.belongs import check_report
from lipwise.stages.judge import own_sharpness
from lipwise.stages.policies import check_any_face
from lipwise.stages.ranges import runs_of
from lipwise.stages.reason_strip import COLOUR_OF, COLOURS, DROPPED, GOOD, colours_of, draw_strip, kinds_of
from lipwise.stages.usability import UsabilityReport

MOST_FACES, ABREAST = 6, 3  # frames that `faces` draws, and how many stand in a row
LOOKED_AT = 3  # frames that are shown of a clip in which nobody is seen
WRAP = 110  # letters in a line of a figure's title
STRIP_WH = (1000, 24)  # of the strip of reasons, in its own pixels
MOST_ABREAST = 7  # words of a legend that stand in a row


def telling_frames(report: UsabilityReport, *, most: int = MOST_FACES) -> list[int]:
    """Frames that say much about a clip, in order: the middle of the longest run of good ones and of each fault.

    A frame stands for the first of its faults. Where there are too many, the shortest runs go; where few, the first
    and the last good frame join.
    """
    kinds = {name: mask for name, mask in kinds_of(report).items() if name != DROPPED}
    earlier = np.cumsum(list(kinds.values()), axis=0) - list(kinds.values())
    firsts = [mask & (before == 0) for mask, before in zip(kinds.values(), earlier, strict=True)]
    longest = [max(runs, key=_length) for mask in firsts if (runs := runs_of(mask))]
    longest = sorted(longest, key=_length, reverse=True)[:most]
    middles = [(run.start + run.stop - 1) // 2 for run in longest]
    good = np.flatnonzero(report.usable)
    ends = [int(good[0]), int(good[-1])] if len(good) else []
    return sorted(set(middles) | set(ends[: max(0, ABREAST - len(middles))]))


def _length(run: slice) -> int:
    return run.stop - run.start


def faces(
    video: VideoInfo, track: FaceTrack, report: UsabilityReport, *, numbers: Sequence[int] | None = None
) -> Figure:
    """Frames of a clip with box, five points and the detector's score, each with what speaks against it.

    Where nobody is seen in the whole clip, three of its frames are shown, and what to try.

    Args:
        numbers: frames; None takes a good one and one of each fault.

    Raises:
        SettingsError: the report is not of this clip.
    """
    check_report(report, video)
    nobody = _nobody(report, video)
    if numbers is None:
        evenly = np.linspace(0, len(report) - 1, LOOKED_AT).round().astype(int)
        numbers = sorted(set(evenly.tolist())) if nobody else telling_frames(report)
    rows = -(-len(numbers) // ABREAST)
    figure, axes = plt.subplots(rows, ABREAST, figsize=(PAGE_IN, 3.7 * rows), layout="constrained", squeeze=False)
    for place in axes.flat:
        place.axis("off")
    frames = read_frames(turn_video(video, track.rotation), list(numbers))
    for place, number, frame in zip(axes.flat, numbers, frames, strict=False):
        place.imshow(frame)
        _draw_face(place, track, report, number)
    if nobody:
        lines = (textwrap.fill(line, WRAP) for line in str(nobody).splitlines())
        figure.suptitle("\n".join(lines), fontsize=10, ha="left", x=0.02)
    plt.close(figure)
    return figure


def _nobody(report: UsabilityReport, video: VideoInfo) -> FaceError | None:
    """What to say of a clip in which nobody is seen."""
    try:
        check_any_face(report, video.path.name)
    except FaceError as error:
        return error
    return None


def _draw_face(axes: Axes, track: FaceTrack, report: UsabilityReport, number: int) -> None:
    title = f"frame {number}: " + (", ".join(report.why(number)).replace("_", " ") or "nothing against it")
    if track.has_face[number]:
        _box(axes, track.boxes_xyxy[number], track.landmarks_xy[number], colours_of(report)[number])
        title += f"\nscore {track.score[number]:.2f}, {report.measures.eyes_px[number]:.0f} px between the eyes"
    axes.set_title(title, fontsize=10)


def _box(axes: Axes, box_xyxy: np.ndarray, points_xy: np.ndarray, colour: Sequence[int] | np.ndarray) -> None:
    x0, y0, x1, y1 = box_xyxy
    for width, edge in ((4, "white"), (2.5, share(colour))):  # white round it: seen on every ground
        axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, color=edge, lw=width))
    axes.plot(*points_xy.T, "o", ms=3.5, color="red", mec="white", mew=0.6)


class Curve(NamedTuple):
    """What was measured, for a reason that is judged by one number.

    Attributes:
        values: (T,) float.
        limits: the reason holds beyond them.
        label: what the axis says.
    """

    values: np.ndarray
    limits: tuple[float, ...]
    label: str


def measured(report: UsabilityReport) -> dict[str, Curve]:
    """Reason -> the number that it is judged by, with its thresholds."""
    measures, asked = report.measures, report.settings
    usual = own_sharpness(measures, asked) or 1.0  # 0 where nobody is seen
    turn = asked.max_yaw_deg
    return {
        "too_small": Curve(measures.eyes_px, (asked.min_eyes_px,), "between the eyes\n(pixels)"),
        "blurred": Curve(measures.sharpness / usual, (asked.min_sharpness,), "sharpness\n(1 = sharpest tenth)"),
        "turned": Curve(measures.yaw_deg, (-turn, turn), "turn of the head\n(degrees)"),
        "cut_off": Curve(measures.mouth_margin, (asked.min_mouth_margin,), "lips to the edge\n(eye distances)"),
    }


def curves(report: UsabilityReport, waveform: np.ndarray | None = None, *, sample_rate: int = 16_000) -> Figure:
    """Reasons, and what they are judged by, over time: size, sharpness, turn and place; the sound under them.

    A dashed line is a threshold; frames for which a reason holds are drawn in its colour.

    Args:
        waveform: (n,) of the clip's sound; None draws none.
        sample_rate: of the waveform.
    """
    drawn = measured(report)
    heights = [0.4] + len(drawn) * [1] + ([0.7] if waveform is not None else [])
    figure, axes = plt.subplots(
        len(heights), 1, figsize=(PAGE_IN, 1.8 * sum(heights)), height_ratios=heights, sharex=True, layout="constrained"
    )
    draw_reasons(axes[0], report)
    for place, (name, curve) in zip(axes[1:], drawn.items(), strict=False):
        _draw_curve(place, name, curve, report)
    if waveform is not None:
        axes[-1].plot(np.arange(len(waveform)) / sample_rate, waveform, color="tab:blue", lw=0.4)
        axes[-1].set(ylabel="sound", yticks=[])
    axes[-1].set(xlabel="seconds", xlim=(0, len(report) / float(report.fps)))
    plt.close(figure)
    return figure


def _draw_curve(axes: Axes, name: str, curve: Curve, report: UsabilityReport) -> None:
    times, colour = np.arange(len(report)) / float(report.fps), share(COLOURS[name])
    axes.plot(times, curve.values, color="0.35", lw=1.5)
    held = np.where(report.has(name), curve.values, np.nan)
    axes.plot(times, held, ".-", color=colour, lw=3, ms=5, label=name.replace("_", " "))
    for limit in curve.limits:
        axes.axhline(limit, color=colour, ls="--", lw=1.2)
    axes.set_ylabel(curve.label)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9)
    axes.margins(y=0.15)


def draw_reasons(axes: Axes, report: UsabilityReport) -> None:
    """The colours of each frame's faults, and what the colours mean."""
    length_s, kinds = len(report) / float(report.fps), kinds_of(report)
    axes.imshow(draw_strip(kinds, STRIP_WH), extent=(0, length_s, 0, 1), aspect="auto", interpolation="none")
    axes.set(yticks=[])
    axes.spines[:].set_visible(False)
    marks = [Patch(color=share(COLOUR_OF[name]), label=name) for name in kinds]
    axes.legend(
        handles=marks,
        ncols=min(len(marks), MOST_ABREAST),
        loc="lower center",
        bbox_to_anchor=(0.5, 1),
        frameon=False,
        fontsize=9,
    )


def tries(pictures: Mapping[str, np.ndarray], found: Mapping[str, Faces]) -> Figure:
    """Pictures (H, W, 3) by name, with the best face that a detector found in each, or none."""
    rows = -(-len(pictures) // ABREAST)
    figure, axes = plt.subplots(rows, ABREAST, figsize=(PAGE_IN, 3.6 * rows), layout="constrained", squeeze=False)
    for place in axes.flat:
        place.axis("off")
    for place, (name, picture) in zip(axes.flat, pictures.items(), strict=False):
        place.imshow(picture)
        seen = found[name]
        if len(seen.score):
            _box(place, seen.boxes_xyxy[0], seen.landmarks_xy[0], GOOD)
        verdict = f"score {seen.score[0]:.2f}" if len(seen.score) else "no face"
        place.set_title(f"{name} ({picture.shape[1]} px): {verdict}", fontsize=10)
    plt.close(figure)
    return figure


def players(**videos: str | Path) -> HTML:
    """Players beside each other, each under its name; see `lipwise.notebook.show.play`."""
    parts = [
        f'<div style="flex:1 1 16em;min-width:0"><b>{html.escape(name)}</b>{play(path).data}</div>'
        for name, path in videos.items()
    ]
    return HTML(f'<div style="display:flex;flex-wrap:wrap;gap:1em">{"".join(parts)}</div>')


def share(colour: Sequence[int] | np.ndarray) -> tuple[float, float, float]:
    """0-255 as matplotlib's 0-1."""
    red, green, blue = colour
    return red / 255, green / 255, blue / 255
