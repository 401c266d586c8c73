"""The doctor's table, as text and as HTML."""

import html
from dataclasses import dataclass
from typing import Literal

EVERY_RUN_NEEDS = frozenset({"Python", "torch", "cv2", "numpy", "scipy", "librosa", "PyAV", "weights"})
# Of a bar beside the word: no colour makes words that are legible on white and on black.
_COLOURS = {"ok": "#2e8b57", "warn": "#c77700", "missing": "#d23f3f"}
_CELL = '<td style="text-align:left;vertical-align:top;padding:2px 12px 2px 0">'


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    found: str
    status: Literal["ok", "warn", "missing"] = "ok"
    next_step: str = ""


@dataclass(frozen=True, repr=False)
class Environment:
    """The table; in a notebook it shows itself as one."""

    rows: tuple[Row, ...]

    @property
    def lacks(self) -> list[str]:
        """What is missing of that which every run needs."""
        return [row.what for row in self.rows if row.status == "missing" and row.what in EVERY_RUN_NEEDS]

    @property
    def verdict(self) -> str:
        """The table in one line."""
        if self.lacks:
            return f"Not ready: {', '.join(self.lacks)} missing or broken."
        others = [row.what for row in self.rows if row.status != "ok"]
        return f"Ready, but look at: {', '.join(others)}." if others else "Ready: everything is there."

    def __str__(self) -> str:
        width = max((len(row.what) for row in self.rows), default=0)
        lines = []
        for row in self.rows:
            lines.append(f"{row.status:7s}  {row.what:{width}s}  {row.found}")
            if row.next_step:
                lines.append(f"{'':7s}  {'':{width}s}  next: {row.next_step}")
        return "\n".join([*lines, self.verdict])

    __repr__ = __str__  # a page without HTML shows the same text

    def _repr_html_(self) -> str:
        # Only the bar beside a status has a colour of its own: text and ground are those of the page, light or dark.
        return (
            '<table style="color:inherit;background:transparent;border-collapse:collapse">'
            f'<caption style="text-align:left;color:inherit"><b>{html.escape(self.verdict)}</b></caption>'
            f"<tbody>{''.join(map(_html_of, self.rows))}</tbody></table>"
        )


def _html_of(row: Row) -> str:
    colour = _COLOURS[row.status]
    status = f'<b style="border-left:4px solid {colour};padding-left:6px">{row.status}</b>'
    step = f"<br><i>next: {html.escape(row.next_step)}</i>" if row.next_step else ""
    cells = (status, html.escape(row.what), html.escape(row.found) + step)
    return '<tr style="background:transparent">' + "".join(f"{_CELL}{cell}</td>" for cell in cells) + "</tr>"
