"""What a run can be made with, what each choice costs, and which of them "auto" is."""

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lipwise.faces.align import ALIGNED_PX
from lipwise.notebook.one_frame import Stretch
from lipwise.notebook.show_enhance_offers import BY_DETAIL, duration, seconds_a_frame
from lipwise.notebook.show_weights import in_words
from lipwise.notebook.timed import timed
from lipwise.stages.enhancers import NO_WEIGHTS, RESTORERS, load_restorer
from lipwise.stages.generators import BUILT_IN, load_generator
from lipwise.weights import find_weights
from lipwise.weights_list import weights_entries

AUTO, NONE = "auto", "none"
MOUTHS, RESTORE, UPSCALE = "generator", "restore", "upscale"
# What "auto" takes of what is on the disk, best first. Interpolation, which makes a picture larger and not better, is
# left out.
BEST = {
    MOUTHS: ("wav2lip_gan", "wav2lip", "wav2lip_sd_gan", BUILT_IN),
    RESTORE: (*RESTORERS, NONE),
    UPSCALE: (*BY_DETAIL, NONE),
}
# What the quickstart's form offers of each; a test compares the two.
OFFERED = {
    MOUTHS: (BUILT_IN, "wav2lip", "wav2lip_gan"),
    RESTORE: (NONE, *RESTORERS),
    UPSCALE: (NONE, NO_WEIGHTS, "realesrgan_x4plus_ncnn", "realesr_general_x4v3"),
}
NEEDS_NONE = {
    BUILT_IN: "moves the mouth that is there; preview quality",
    NO_WEIGHTS: "enlarges by interpolation; adds no detail",
    NONE: "leaves it out",
}
COLUMNS = ("field", "choice", "all frames take", "what it does", "licence")
KEPT_WHOLE = ("field", "choice", "all frames take")  # the words of the other columns may go over several lines
CELL = "text-align:left;vertical-align:top"


@dataclass(frozen=True)
class Choice:
    """One value of one field of the form, and its cost.

    Attributes:
        field: "generator", "restore" or "upscale".
        name: the value.
        purpose, licence: what the list of weights says.
        bytes: of its file; 0 where it needs none.
        kept: whether it can be used without a download.
        seconds: for all frames of the result; None where it was not measured.
        taken: whether the run takes it.
    """

    field: str
    name: str
    purpose: str
    licence: str
    bytes: int
    kept: bool
    seconds: float | None = None
    taken: bool = False

    @property
    def takes(self) -> str:
        """What it costs, in words: time where it was measured, else its download."""
        if self.seconds is not None:
            return "-" if self.name == NONE else duration(self.seconds)
        return "not measured" if self.kept else f"fetch {in_words(self.bytes)}"

    def row(self) -> tuple[str, ...]:
        """The choice in words, in the order of `COLUMNS`."""
        name = f"{self.name} (taken)" if self.taken else self.name
        return self.field, name, self.takes, self.purpose, self.licence

    def offer(self) -> str:
        """What fetching it takes and gives."""
        return f"{self.field} {self.name}, {in_words(self.bytes)}: {self.purpose}. Licence: {self.licence}"


@dataclass(frozen=True)
class Choices:
    """Every choice with its cost; text in a terminal, a table on a page.

    The table holds what can be used at once and what is taken; a line below names what the form offers besides.

    Attributes:
        rows: one for each value that a field has here.
        frames, size_wh: of the result before it is enlarged.
    """

    rows: tuple[Choice, ...]
    frames: int
    size_wh: tuple[int, int]

    def take(self, *, generator: str = AUTO, restore: str = AUTO, upscale: str = AUTO, minutes: float = 2) -> "Choices":
        """Decide: "auto" becomes the best that is here and, for what enhances, needs at most so many minutes.

        Args:
            generator, restore, upscale: "auto", "none" (for the last two), a name, or a checkpoint's path.
            minutes: for restoring and for upscaling, each.
        """
        asked = {MOUTHS: generator, RESTORE: restore, UPSCALE: upscale}
        chosen = {field: self.best(field, minutes) if name == AUTO else name for field, name in asked.items()}
        rows = [replace(row, taken=row.name == chosen[row.field]) for row in self.rows]
        known = {(row.field, row.name) for row in rows}
        named = [_named(field, name) for field, name in chosen.items() if (field, name) not in known]
        return replace(self, rows=(*rows, *named))

    def best(self, field: str, minutes: float) -> str:
        """What "auto" is for a field."""
        rows = {row.name: row for row in self.rows if row.field == field and row.kept}
        limit = np.inf if field == MOUTHS else 60 * minutes
        fits = [name for name in BEST[field] if name in rows and (rows[name].seconds or 0) <= limit]
        return fits[0]

    def taken(self, field: str) -> str | None:
        """The name that a field of the recipe gets; None for "none"."""
        name = next(row.name for row in self.rows if row.field == field and row.taken)
        return None if name == NONE else name

    @property
    def seconds(self) -> float:
        """What everything that is taken needs for all frames; what was not measured is not in it."""
        return sum(row.seconds or 0 for row in self.rows if row.taken)

    @property
    def to_fetch(self) -> int:
        """Bytes that have to be fetched for what is taken."""
        return sum(row.bytes for row in self.rows if row.taken and not row.kept)

    def settings(self, *, scale: float | None = None) -> dict[str, str | float | None]:
        """The recipe's settings that make this choice."""
        upscale = self.taken(UPSCALE)
        size = {} if upscale is None or scale is None else {"upscale_scale": scale}
        return {MOUTHS: self.taken(MOUTHS), RESTORE: self.taken(RESTORE), UPSCALE: upscale} | size

    @property
    def table(self) -> tuple[Choice, ...]:
        """What can be used at once and what is taken, field by field."""
        return tuple(row for field in BEST for row in self.rows if row.field == field and (row.kept or row.taken))

    @property
    def others(self) -> tuple[Choice, ...]:
        """What the form offers besides, once it is fetched."""
        return tuple(row for row in self.rows if not (row.kept or row.taken))

    def _foot(self) -> str:
        basis = f"{self.frames} frames of {self.size_wh[0]} x {self.size_wh[1]}"
        fetch = f"; to fetch: {in_words(self.to_fetch)}" if self.to_fetch else ""
        return f"Times are measured here, for {basis}. Taken: about {duration(self.seconds)}{fetch}."

    def __repr__(self) -> str:
        rows = [COLUMNS, *(one.row() for one in self.table)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, self._foot(), *(one.offer() for one in self.others)])

    def _repr_html_(self) -> str:
        """Without colours of its own, so that a dark page shows it too; wide tables scroll inside the page."""
        head = "".join(f'<th style="text-align:left">{html.escape(name)}</th>' for name in COLUMNS)
        body = "".join(_table_row(one) for one in self.table)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f'<div style="overflow-x:auto">{table}</div><p>{html.escape(self._foot())}</p>{_folded(self.others)}'


def _table_row(one: Choice) -> str:
    weight = "font-weight:bold" if one.taken else ""
    cells = "".join(
        f'<td style="{CELL};white-space:{"nowrap" if name in KEPT_WHOLE else "normal"}">{html.escape(word)}</td>'
        for name, word in zip(COLUMNS, one.row(), strict=True)
    )
    return f'<tr style="{weight}">{cells}</tr>'


def _folded(others: Sequence[Choice]) -> str:
    """One line that names them; each with its size, purpose and licence below it once the line is clicked."""
    if not others:
        return ""
    names = html.escape(", ".join(one.name for one in others))
    items = "".join(f"<li>{html.escape(one.offer())}</li>" for one in others)
    return f"<details><summary>To fetch, with sizes and licences: {names}</summary><ul>{items}</ul></details>"


def measure_choices(stretch: Stretch, *, scale: float | None = None) -> Choices:
    """What the form offers, and what "auto" may take of the disk; what is on the disk is tried on one frame.

    Args:
        stretch: where the frame is taken from.
        scale: how many times larger an upscaler makes it; None is what the network gives.
    """
    frame = stretch.frame
    known = [_choice(field, name) for field in BEST for name in dict.fromkeys((*OFFERED[field], *BEST[field]))]
    rows = [
        replace(one, seconds=stretch.frames * _seconds(one, stretch, frame, scale)) if one.kept else one
        for one in known
        if one.kept or one.name in OFFERED[one.field]
    ]
    return Choices(tuple(rows), stretch.frames, (frame.shape[1], frame.shape[0]))


def _choice(field: str, name: str) -> Choice:
    if name in NEEDS_NONE:
        return Choice(field, name, NEEDS_NONE[name], "-", 0, kept=True)
    entry = weights_entries()[name]
    return Choice(field, name, entry.purpose, entry.licence, entry.bytes, kept=find_weights(name) is not None)


def _named(field: str, name: str) -> Choice:
    """What somebody names who knows more than the form."""
    if name in weights_entries():
        return replace(_choice(field, name), taken=True)
    return Choice(field, name, "your own checkpoint", "its owner's", 0, kept=True, taken=True)


def _seconds(one: Choice, stretch: Stretch, frame: np.ndarray, scale: float | None) -> float:
    """Seconds a frame."""
    if one.name == NONE:
        return 0.0
    if one.field == MOUTHS:
        return stretch.lipsync(load_generator(one.name, device=None))[1]
    if one.field == UPSCALE:
        return seconds_a_frame(one.name, frame, scale=scale)
    restorer, face = load_restorer(one.name), np.full((1, ALIGNED_PX, ALIGNED_PX, 3), 128, np.uint8)
    return timed(lambda: restorer.restore(face))[1]
