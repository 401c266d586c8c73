"""A run on a page: one frame before it, the result beside the clip after it, and what was done in between."""

import html
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML
from matplotlib.figure import Figure

from lipwise.faces.track import DETECTED, FILLED, FaceTrack
from lipwise.media.probe import probe
from lipwise.media.read import read_frames
from lipwise.media.sound import read_sound
from lipwise.media.write import write_video
from lipwise.notebook.one_frame import Preview
from lipwise.notebook.show import PAGE_IN, PREVIEW_QUALITY, PREVIEW_S, PREVIEW_SIDE, player
from lipwise.notebook.show_enhance_offers import duration
from lipwise.notebook.speech_source import source_of
from lipwise.pipeline.plan import Plan
from lipwise.pipeline.report import RunReport
from lipwise.timeline import Timeline

CELL = "text-align:left;vertical-align:top;white-space:normal"  # some pages put tables on one line, to the right
NO_CHANCE = "none: no chance is used, the same input gives the same pictures"


def one_frame(made: Preview) -> Figure:
    """The frame before and after the whole chain, and the face's lower half from near."""
    before, after = made.before, made.result
    pictures = {"before": before, "after": after}
    if made.lipsync is not None:
        box = made.lipsync.box
        pictures["before, from near"] = box.of(before)
        scale = after.shape[0] / before.shape[0]
        x0, y0, x1, y1 = (round(side * scale) for side in (box.x0, box.y0, box.x1, box.y1))
        pictures["after, from near"] = after[y0:y1, x0:x1]
    figure, axes = plt.subplots(1, len(pictures), figsize=(PAGE_IN, 3.0), layout="constrained")
    for place, (title, picture) in zip(axes, pictures.items(), strict=True):
        place.imshow(picture)
        place.set_title(f"{title}\n{picture.shape[1]} x {picture.shape[0]} px", fontsize=10)
        place.axis("off")
    plt.close(figure)
    return figure


def compare(plan: Plan, out: str | Path) -> HTML:
    """A player with the clip on the left and the result on the right, as a small preview with the result's sound."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "compare.mp4"
        shown = _beside(plan, out, path)
        seconds = shown / float(plan.timeline.fps)
        caption = f"left: {plan.recipe.face.name}, right: {Path(out).name}; a preview of the first {seconds:.1f} s"
        return player(path.read_bytes(), caption, width_px=2 * PREVIEW_SIDE)


def _beside(plan: Plan, out: str | Path, path: Path) -> int:
    """Write clip and result beside each other; returns how many frames."""
    result, fps = probe(out), plan.timeline.fps
    count = min(len(plan.timeline), int(PREVIEW_S * fps))
    rows, columns = (side - side % 2 for side in plan.track.size_wh[::-1])
    scale = min(1.0, PREVIEW_SIDE / max(rows, columns))
    size_wh = max(2, round(columns * scale / 2) * 2), max(2, round(rows * scale / 2) * 2)
    pairs = zip(
        read_frames(plan.video, plan.timeline.source_index[:count]), read_frames(result, range(count)), strict=True
    )
    frames = (np.hstack([cv2.resize(one, size_wh, interpolation=cv2.INTER_AREA) for one in pair]) for pair in pairs)
    sound = read_sound(result.path, end_s=count / float(fps))
    write_video(path, frames, fps=fps, sound=sound, quality=PREVIEW_QUALITY)
    return count


@dataclass(frozen=True)
class RunCard:
    """What a run did: times by stage, frames by reason, models, chance, voice; text in a terminal, tables on a page.

    Attributes:
        title: the result.
        tables: heading -> rows of two columns.
        shares: stage -> its share of the time, 0 to 1.
    """

    title: str
    tables: dict[str, dict[str, str]]
    shares: dict[str, float]

    def __repr__(self) -> str:
        lines = [self.title]
        for heading, rows in self.tables.items():
            lines += [f"  {heading}", *(f"    {name}: {value}" for name, value in rows.items())]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """In the page's own colours, so that a dark page shows it too."""
        parts = [f"<h4>{html.escape(self.title)}</h4>"]
        for heading, rows in self.tables.items():
            body = "".join(self._row(name, value) for name, value in rows.items())
            parts.append(f"<p><b>{html.escape(heading)}</b></p><table>{body}</table>")
        return f'<div style="overflow-x:auto">{"".join(parts)}</div>'

    def _row(self, name: str, value: str) -> str:
        left = f'<td style="{CELL};white-space:nowrap">{html.escape(name)}</td>'
        right = f'<td style="{CELL}">{html.escape(value)}</td>'
        if name not in self.shares:
            return f"<tr>{left}{right}</tr>"
        width = max(1, round(200 * self.shares[name]))
        bar = f'<div style="width:{width}px;height:0.8em;background:currentColor;opacity:0.6"></div>'
        return f'<tr>{left}{right}<td style="{CELL}">{bar}</td></tr>'


def card(report: RunReport, plan: Plan) -> RunCard:
    """What a run did, from its report and its plan alone: what a form or a picker says now may be something else."""
    speech = source_of(plan.recipe.speech)
    total = sum(report.seconds.values())
    times = {stage: duration(spent) for stage, spent in report.seconds.items() if spent >= 0.005 * total}
    enhancement = report.enhancement
    models = {
        "mouths": f"{report.generator}: {report.note}",
        "restored by": enhancement.restorer or "nothing",
        "enlarged by": enhancement.upscaler or "nothing",
        "seed": NO_CHANCE,
        "voice": f"{speech.words}, {speech.path.name}",
    }
    tables = {
        f"Time, {duration(total)} in all": times,
        f"Frames, {report.frames} in all": frames_by_reason(plan.track, plan.timeline) | _left_out(report),
        "Models": models,
    }
    if report.remarks:
        tables["To know"] = {str(number): remark for number, remark in enumerate(report.remarks, 1)}
    size = f"{report.size_wh[0]} x {report.size_wh[1]} at {report.fps:g} a second"
    return RunCard(f"{report.out.name}, {size}", tables, {stage: report.seconds[stage] / total for stage in times})


def _left_out(report: RunReport) -> dict[str, str]:
    """What the policy did with frames that cannot be used -> how many; nothing where it did nothing."""
    counts = {"of these held, a usable one in their place": report.held, "dropped from the clip": report.dropped}
    return {what: str(count) for what, count in counts.items() if count}


def frames_by_reason(track: FaceTrack, timeline: Timeline) -> dict[str, str]:
    """What became of the result's frames and why -> how many."""
    origin, synth = track.origin[timeline.source_index], timeline.synth
    reasons = {
        "new lips, face found": synth & (origin == DETECTED),
        "new lips, face between its neighbours'": synth & (origin == FILLED),
        "new lips, face placed by hand": synth & ~np.isin(origin, (DETECTED, FILLED)),
        "untouched, nobody seen": ~synth & ~track.has_face[timeline.source_index],
        "untouched, left out by the policy": ~synth & track.has_face[timeline.source_index],
    }
    counts = {reason: int(np.count_nonzero(frames)) for reason, frames in reasons.items()}
    return {reason: str(count) for reason, count in counts.items() if count}
