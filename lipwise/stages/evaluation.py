"""Evaluation: what was measured on a result, and what could not be, as a table, as JSON and as curves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lipwise.errors import LipwiseError
from lipwise.files import written_whole
from lipwise.stages.lse import SyncScores
from lipwise.stages.offset import OffsetEstimate

if TYPE_CHECKING:
    import pandas  # pyright: ignore[reportMissingImports]  # optional

FORMAT = 1  # of the JSON file


class Figure(NamedTuple):
    """One thing that is measured.

    Attributes:
        label: what the table calls it.
        form: how its value is written.
        meaning: one line.
        anchored: the source clip has a value of its own, which belongs beside it.
    """

    label: str
    form: str
    meaning: str
    anchored: bool = False


FIGURES: Mapping[str, Figure] = {
    "psnr_outside_db": Figure("PSNR outside the mask", "{:.1f} dB", "what nobody touched; encoding costs a little"),
    "ssim_outside": Figure("SSIM outside the mask", "{:.4f}", "the same by structure; 1 is identical"),
    "psnr_inside_db": Figure("PSNR inside the mask", "{:.1f} dB", "how much the new mouth differs from the old one"),
    "ssim_inside": Figure("SSIM inside the mask", "{:.4f}", "the same by structure"),
    "seam": Figure("seam", "{:.3f}", "gradient across the mask's border beside the source's; 1 is no seam"),
    "seam_worst": Figure("seam, worst frames", "{:.3f}", "the same, 95th percentile"),
    "flicker": Figure("flicker", "{:.2f}", "of the face, times the source's, each by its own motion; 1 is no more"),
    "trembling": Figure("trembling", "{:.2f}", "of the face round the lips' mask, by the source's motion"),
    "mouth_opening": Figure("mouth opening, r", "{:+.2f}", "seen against heard; real speech: 0.1 to 0.5", True),
    "mouth_width": Figure("mouth width, r", "{:+.2f}", "the same for its width; real speech: 0.3 to 0.6", True),
    "offset_s": Figure("sound early by", "{:+.3f} s", "by mesh and viseme network; below 0 it is late", True),
    "offset_confidence": Figure("  confidence in that", "{:.2f}", "share of such estimates within one frame", True),
    "lse_d": Figure("LSE-D", "{:.3f}", "SyncNet's distance, lower is better; a constant offset does not show", True),
    "lse_c": Figure("LSE-C", "{:.3f}", "SyncNet's confidence, higher is better", True),
    "av_offset_frames": Figure("AV offset", "{:+.0f} frames", "SyncNet's, of 1/25 s; above 0 the sound is early", True),
}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How well a result went. Every one of `FIGURES` is in `figures` or, with the reason, in `missing`.

    Attributes:
        result: the file that was looked at.
        source: what it was made from; None where nobody said.
        frames, fps, size_wh: of the result.
        figures: name -> value, for the result.
        anchors: the same for the source clip with its own sound, where that has a value of its own.
        missing: name -> why it could not be measured. missing_anchors: the same for the source clip.
        remarks: what was assumed, resized or left out.
        curves: name -> (T,) one value for each frame of the result, NaN where there is none.
        offset, source_offset: the estimates with their curves over the lags; None where there is none.
        sync, source_sync: SyncNet's scores with all their windows; None where there are none.
    """

    result: Path
    source: Path | None
    frames: int
    fps: float
    size_wh: tuple[int, int]
    figures: Mapping[str, float]
    anchors: Mapping[str, float]
    missing: Mapping[str, str]
    missing_anchors: Mapping[str, str]
    remarks: tuple[str, ...] = ()
    curves: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)
    offset: OffsetEstimate | None = field(default=None, repr=False)
    source_offset: OffsetEstimate | None = field(default=None, repr=False)
    sync: SyncScores | None = field(default=None, repr=False)
    source_sync: SyncScores | None = field(default=None, repr=False)

    def __getitem__(self, name: str) -> float:
        """A figure of the result by its name.

        Raises:
            LipwiseError: it could not be measured, or there is no such figure.
        """
        if name in self.figures:
            return self.figures[name]
        raise LipwiseError(
            f"There is no figure {name!r} of {self.result.name}",
            cause=self.missing.get(name, f"the figures are {', '.join(FIGURES)}"),
            next_step="print the evaluation: it lists what was measured and why the rest was not",
        )

    def __str__(self) -> str:
        width = max(len(figure.label) for figure in FIGURES.values())
        frames = "1 frame" if self.frames == 1 else f"{self.frames} frames"
        lines = [
            f"{self.result}",
            f"  {frames}, {self.size_wh[0]} x {self.size_wh[1]} at {self.fps:g} a second",
            f"  source: {self.source or 'none given'}",
        ]
        if self.figures or self.anchors:
            lines.append(f"  {'':{width}s}  {'result':>10s}  {'source':>10s}")
        for name, figure in FIGURES.items():
            cells = [_cell(values, name) for values in (self.figures, self.anchors)]
            if any(cells):
                shown = "  ".join(f"{cell or '-':>10s}" for cell in cells)
                lines.append(f"  {figure.label:{width}s}  {shown}  {figure.meaning}")
        lines += [f"  not measured: {what}" for what in _grouped(self.missing)]
        lines += [f"  not measured on the source: {what}" for what in _grouped(self.missing_anchors)]
        return "\n".join([*lines, *(f"  note: {remark}" for remark in self.remarks)])

    def to_rows(self) -> list[dict[str, Any]]:
        """One plain row for each of `FIGURES`: name, label, result, source, meaning, missing, missing_source."""
        return [
            {
                "name": name,
                "label": figure.label.strip(),
                "result": self.figures.get(name),
                "source": self.anchors.get(name),
                "meaning": figure.meaning,
                "missing": self.missing.get(name, ""),
                "missing_source": self.missing_anchors.get(name, ""),
            }
            for name, figure in FIGURES.items()
        ]

    def to_pandas(self) -> "pandas.DataFrame":
        """The curves as a table with one row for each frame of the result, and its time.

        Raises:
            LipwiseError: pandas is not installed.
        """
        try:
            import pandas  # pyright: ignore[reportMissingImports]  # optional
        except ImportError as error:
            raise LipwiseError(
                "An evaluation becomes a table only with pandas",
                cause=str(error),
                next_step="pip install pandas, or use evaluation.curves",
            ) from error
        table: dict[str, Any] = {"time_s": np.arange(self.frames) / self.fps, **self.curves}
        return pandas.DataFrame(table).rename_axis("frame")

    def to_json(self) -> str:
        """The figures as JSON text, without the curves; numbers are finite."""
        values = {
            "format": FORMAT,
            "result": str(self.result),
            "source": None if self.source is None else str(self.source),
            "frames": self.frames,
            "fps": self.fps,
            "size_wh": list(self.size_wh),
            "figures": dict(self.figures),
            "anchors": dict(self.anchors),
            "missing": dict(self.missing),
            "missing_anchors": dict(self.missing_anchors),
            "remarks": list(self.remarks),
        }
        return json.dumps(values, indent=2, allow_nan=False) + "\n"

    def save(self, path: str | Path) -> None:
        """Write the figures as JSON, whole or not at all.

        Raises:
            DiskFullError: no space is left. MediaError: it cannot be written for another reason.
        """
        with written_whole(Path(path)) as part:
            part.write_text(self.to_json(), encoding="utf-8")


def _cell(values: Mapping[str, float], name: str) -> str:
    return FIGURES[name].form.format(values[name]) if name in values else ""


def _grouped(missing: Mapping[str, str]) -> list[str]:
    """One line for each reason, with all the figures it is the reason for."""
    labels: dict[str, list[str]] = {}
    for name, reason in missing.items():
        labels.setdefault(reason, []).append(FIGURES[name].label.strip())
    return [f"{'; '.join(named)}: {reason}" for reason, named in labels.items()]
