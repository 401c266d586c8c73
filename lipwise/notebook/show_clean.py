"""Figures about cleaning: what the detector sees, why frames cannot be used, what a policy makes of them."""

import html
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

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
from lipwise.stages.contact_sheet import BY_HAND, COLOURS, GOOD, colours_of
from lipwise.stages.judge import FAULTS, USUAL_SHARPNESS
from lipwise.stages.policies import check_any_face
from lipwise.stages.ranges import runs_of
from lipwise.stages.usability import UsabilityReport
from lipwise.timeline import Timeline

MOST_FACES, ABREAST = 6, 3  # frames that `faces` draws, and how many stand in a row
LOOKED_AT = 3  # frames that are shown of a clip in which nobody is seen
HELD, PASSED = (235, 200, 60), (140, 140, 140)  # colours of a policy's strip beside GOOD
WRAP = 110  # letters in a line of a figure's title


def telling_frames(report: UsabilityReport, *, most: int = MOST_FACES) -> list[int]:
    """Frames that say much about a clip: a good one and the middle of each fault's longest run, in order.

    Where these are few, the first and the last good frame join them.
    """
    masks = [report.usable, *(report.has(name) for name in FAULTS)]
    longest = [max(runs, key=lambda run: run.stop - run.start) for mask in masks if (runs := runs_of(mask))]
    middles = [(run.start + run.stop - 1) // 2 for run in longest][:most]
    good = np.flatnonzero(report.usable)
    ends = [int(good[0]), int(good[-1])] if len(good) else []
    return sorted(set(middles) | set(ends[: max(0, ABREAST - len(middles))]))


def faces(
    video: VideoInfo, track: FaceTrack, report: UsabilityReport, *, numbers: Sequence[int] | None = None
) -> Figure:
    """Frames of a clip with box, five points and the detector's score, each with what speaks against it.

    Where nobody is seen in the whole clip, three of its frames are shown, and what to try.

    Args:
        numbers: frames; None takes a good one and one of each fault.
    """
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
    for width, edge in ((4, "white"), (2.5, _share(colour))):  # white round it: seen on every ground
        axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, color=edge, lw=width))
    axes.plot(*points_xy.T, "o", ms=3.5, color="red", mec="white", mew=0.6)


def curves(report: UsabilityReport, waveform: np.ndarray | None = None, *, sample_rate: int = 16_000) -> Figure:
    """Reasons, size, sharpness and turn of the head over time, with the sound under them.

    A dashed line is a threshold; what lies beyond it is drawn in its reason's colour.

    Args:
        waveform: (n,) of the clip's sound; None draws none.
        sample_rate: of the waveform.
    """
    measures, asked = report.measures, report.settings
    known = measures.sharpness[np.isfinite(measures.sharpness)]
    usual = np.percentile(known, USUAL_SHARPNESS) if len(known) else 1.0
    lines = {
        "too_small": (measures.eyes_px, [asked.min_eyes_px], "between the eyes\n(pixels)"),
        "blurred": (measures.sharpness / usual, [asked.min_sharpness], "sharpness\n(1 = sharpest tenth)"),
        "turned": (measures.yaw_deg, [-asked.max_yaw_deg, asked.max_yaw_deg], "turn of the head\n(degrees)"),
    }
    heights = [0.4, 1, 1, 1] + ([0.7] if waveform is not None else [])
    figure, axes = plt.subplots(
        len(heights), 1, figsize=(PAGE_IN, 7), height_ratios=heights, sharex=True, layout="constrained"
    )
    _draw_strip(axes[0], report)
    times = np.arange(len(report)) / float(report.fps)
    for place, (name, (values, limits, label)) in zip(axes[1:], lines.items(), strict=False):
        place.plot(times, values, color="0.35", lw=1.5)
        beyond = np.where(report.has(name), values, np.nan)
        place.plot(times, beyond, ".-", color=_share(COLOURS[name]), lw=3, ms=5, label=name.replace("_", " "))
        for limit in limits:
            place.axhline(limit, color=_share(COLOURS[name]), ls="--", lw=1.2)
        place.set_ylabel(label)
        place.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9)
        place.margins(y=0.15)
    if waveform is not None:
        axes[-1].plot(np.arange(len(waveform)) / sample_rate, waveform, color="tab:blue", lw=0.4)
        axes[-1].set(ylabel="sound", yticks=[])
    axes[-1].set(xlabel="seconds", xlim=(0, len(report) / float(report.fps)))
    plt.close(figure)
    return figure


def _draw_strip(axes: Axes, report: UsabilityReport) -> None:
    """A colour for the first fault of each frame, and what the colours mean."""
    length_s = len(report) / float(report.fps)
    colours = colours_of(report)
    axes.imshow(colours[None], extent=(0, length_s, 0, 1), aspect="auto", interpolation="none")
    axes.set(yticks=[])
    axes.spines[:].set_visible(False)
    meanings = {"can be used": GOOD, "dropped by hand": BY_HAND} | {name: COLOURS[name] for name in FAULTS}
    shown = {name: colour for name, colour in meanings.items() if (colours == colour).all(axis=1).any()}
    marks = [Patch(color=_share(colour), label=name.replace("_", " ")) for name, colour in shown.items()]
    axes.legend(handles=marks, ncols=len(marks), loc="lower center", bbox_to_anchor=(0.5, 1), frameon=False, fontsize=9)


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


def policies(timelines: Mapping[str, Timeline], report: UsabilityReport) -> Figure:
    """The report as a strip, and one strip for what each policy makes of it, on one time axis."""
    figure, axes = plt.subplots(
        1 + len(timelines), 1, figsize=(PAGE_IN, 1.2 + 0.8 * len(timelines)), sharex=True, layout="constrained"
    )
    _draw_strip(axes[0], report)
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
    marks = [Patch(color=_share(colour), label=label) for label, colour in meanings.items()]
    figure.legend(handles=marks, ncols=len(marks), loc="outside lower center", frameon=False, fontsize=9)
    plt.close(figure)
    return figure


def strip_of(timeline: Timeline) -> np.ndarray:
    """(T_out, 3) uint8, a colour for each frame of a timeline: used, held or passed untouched."""
    held = np.diff(timeline.source_index, prepend=-1) == 0
    colours = np.where(timeline.synth[:, None], GOOD, PASSED)
    return np.where((held & timeline.synth)[:, None], HELD, colours).astype(np.uint8)


def players(**videos: str | Path) -> HTML:
    """Players beside each other, each under its name; see `lipwise.notebook.show.play`."""
    parts = [
        f'<div style="flex:1 1 16em;min-width:0"><b>{html.escape(name)}</b>{play(path).data}</div>'
        for name, path in videos.items()
    ]
    return HTML(f'<div style="display:flex;flex-wrap:wrap;gap:1em">{"".join(parts)}</div>')


def _share(colour: Sequence[int] | np.ndarray) -> tuple[float, float, float]:
    """0-255 as matplotlib's 0-1."""
    red, green, blue = colour
    return red / 255, green / 255, blue / 255
