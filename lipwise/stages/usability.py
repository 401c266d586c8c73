"""The usability report: for every frame of a clip the reasons that speak against it, and what a person decided."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lipwise.errors import LipwiseError, SettingsError
from lipwise.files import written_whole
from lipwise.settings import as_settings
from lipwise.stages.judge import FAULTS, REASONS, Reason, UsabilitySettings, flags_of, judge, notes_on
from lipwise.stages.measures import FrameMeasures
from lipwise.stages.ranges import Frames, format_ranges, parse_ranges
from lipwise.stages.report_file import FORMAT, Edit, columns_of, parse_report, plain_column

if TYPE_CHECKING:
    import pandas  # pyright: ignore[reportMissingImports]  # optional


@dataclass(frozen=True, eq=False)
class UsabilityReport:
    """Why frames cannot be used. Editing gives a new report; nothing is changed in place.

    Attributes:
        measures: one row a frame, everything that was judged.
        reasons: (T,) uint16, `Reason` flags.
        settings: the thresholds they were judged by.
        fps: frames a second of the clip's grid.
        edits: what a person decided, in order; later ones win.
        clip: SHA-256 of the file that the frames are in; "" where nobody knows.
    """

    measures: FrameMeasures
    reasons: np.ndarray
    settings: UsabilitySettings
    fps: Fraction
    edits: tuple[Edit, ...] = ()
    clip: str = ""

    @classmethod
    def of(
        cls, measures: FrameMeasures, *, fps: Fraction, settings: UsabilitySettings | Mapping[str, Any] | None = None
    ) -> "UsabilityReport":
        """Judge measures by thresholds; None takes the defaults."""
        settings = as_settings(UsabilitySettings, settings)
        return cls(measures, judge(measures, settings), settings, fps)

    def __len__(self) -> int:
        return len(self.reasons)

    def with_settings(self, settings: UsabilitySettings | Mapping[str, Any] | None) -> "UsabilityReport":
        """The same frames judged by other thresholds; no frame is read again, and edits stay."""
        settings = as_settings(UsabilitySettings, settings)
        return replace(self, settings=settings, reasons=judge(self.measures, settings))

    # --- what it says

    @property
    def usable(self) -> np.ndarray:
        """(T,) bool, nothing of `FAULTS` holds, or a person decided so."""
        return self.usable_against(FAULTS)

    @property
    def edited(self) -> np.ndarray:
        """(T,) int8, 1 where a person keeps the frame, -1 where they drop it, 0 elsewhere."""
        edited = np.zeros(len(self), np.int8)
        for edit in self.edits:
            edited[parse_ranges(edit.frames, len(self))] = 1 if edit.keep else -1
        return edited

    @property
    def count(self) -> int:
        """How many frames can be used."""
        return int(np.count_nonzero(self.usable))

    def usable_against(self, names: Iterable[str]) -> np.ndarray:
        """(T,) bool where only some reasons count; edits win over all of them."""
        edited = self.edited
        return ((self.reasons & flags_of(names)) == 0) & (edited >= 0) | (edited > 0)

    def has(self, name: str) -> np.ndarray:
        """(T,) bool, a reason holds, such as "blurred"."""
        return (self.reasons & flags_of([name])) != 0

    def counts(self) -> dict[str, int]:
        """Frames for which each reason holds, those of no frame left out."""
        counts = {name: int(np.count_nonzero(self.has(name))) for name in REASONS}
        return {name: count for name, count in counts.items() if count}

    def ranges(self, name: str | None = None, *, most: int | None = None) -> str:
        """Frames of a reason as text, "12-18, 40"; None is those that cannot be used."""
        return format_ranges(~self.usable if name is None else self.has(name), most=most)

    def why(self, frame: int) -> tuple[str, ...]:
        """The reasons that hold for one frame."""
        return tuple(str(reason.name).lower() for reason in Reason if int(self.reasons[frame]) & reason)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of the clip as a whole, such as that it is soft from end to end."""
        return notes_on(self.measures, self.settings)

    def __str__(self) -> str:
        lines = [f"{self.count} of {len(self)} frames can be used", *(f"  {note}" for note in self.notes)]
        lines += [f"  {name.replace('_', ' ')}: {self.ranges(name, most=8)}" for name in self.counts()]
        lines += [f"  {'kept' if edit.keep else 'dropped'} by hand: {edit.frames}" for edit in self.edits]
        return "\n".join(lines)

    # --- what a person decides

    def keep(self, frames: Frames) -> "UsabilityReport":
        """Use frames whatever speaks against them: "12-18, 40", 40, slice(12, 19), numbers, or a mask (T,) bool.

        Raises:
            SettingsError: no such frames.
        """
        return self._with_edit(frames, keep=True)

    def drop(self, frames: Frames) -> "UsabilityReport":
        """Do not use frames; the argument is that of `keep`."""
        return self._with_edit(frames, keep=False)

    def undo(self) -> "UsabilityReport":
        """The report before the last decision; itself where there was none."""
        return replace(self, edits=self.edits[:-1])

    @property
    def code(self) -> str:
        """The decisions as code, such as `.keep("12-18").drop("40")`."""
        return "".join(f'.{"keep" if edit.keep else "drop"}("{edit.frames}")' for edit in self.edits)

    def _with_edit(self, frames: Frames, *, keep: bool) -> "UsabilityReport":
        text = format_ranges(parse_ranges(frames, len(self)))
        return replace(self, edits=(*self.edits, Edit(keep, text))) if text else self

    # --- to other programs

    def to_pandas(self) -> "pandas.DataFrame":
        """A table with one row a frame: time, usable, a column for each reason, and the measures.

        Raises:
            LipwiseError: pandas is not installed.
        """
        try:
            import pandas  # pyright: ignore[reportMissingImports]  # optional
        except ImportError as error:
            raise LipwiseError(
                "A report becomes a table only with pandas",
                cause=str(error),
                next_step="pip install pandas, or use report.to_json()",
            ) from error
        times = np.arange(len(self)) / float(self.fps)
        table: dict[str, Any] = {"time_s": times, "usable": self.usable, "edited": self.edited}
        table |= {name: self.has(name) for name in REASONS} | columns_of(self.measures)
        return pandas.DataFrame(table).rename_axis("frame")

    def to_json(self) -> str:
        """Everything as JSON text that `from_json` reads; reasons are also written out as ranges."""
        values = {
            "format": FORMAT,
            "frames": len(self),
            "fps": str(self.fps),
            "clip_sha256": self.clip,
            "usable_frames": self.count,
            "unusable": self.ranges(),
            "notes": list(self.notes),
            "reasons": {name: self.ranges(name) for name in self.counts()},
            "edits": [asdict(edit) for edit in self.edits],
            "settings": asdict(self.settings),
            "measures": {name: plain_column(column) for name, column in columns_of(self.measures).items()},
        }
        return json.dumps(values, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "UsabilityReport":
        """Read what `to_json` gave.

        Raises:
            SettingsError: the text is none of it, or a value in it makes no sense.
        """
        stored = parse_report(text)
        report = cls.of(stored.measures, fps=stored.fps, settings=stored.settings)
        return replace(report, edits=stored.edits, clip=stored.clip)

    def save(self, path: str | Path) -> None:
        """Write the report as JSON, whole or not at all.

        Raises:
            DiskFullError: no space is left. MediaError: it cannot be written for another reason.
        """
        with written_whole(Path(path)) as part:
            part.write_text(self.to_json() + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "UsabilityReport":
        """Read what `save` wrote.

        Raises:
            SettingsError: the file cannot be read or holds no report.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"Cannot read the report {path}", cause=str(error), next_step="name a file that save() wrote"
            ) from error
        try:
            return cls.from_json(text)
        except SettingsError as error:
            raise SettingsError(
                f"{path} holds no usability report", cause=error.cause, next_step="name a file that save() wrote"
            ) from error
