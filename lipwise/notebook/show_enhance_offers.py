"""What a clip can be enhanced with here, and how long each upscaler would need for it."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from lipwise.media.probe import VideoInfo
from lipwise.media.read import read_frames
from lipwise.notebook.show_weights import in_words
from lipwise.stages.enhancers import NO_WEIGHTS, RESTORERS, UPSCALERS, load_upscaler
from lipwise.weights import find_weights
from lipwise.weights_list import weights_entries

PIECE_PX, WARM_PX = 96, 32  # sides of the pieces of a frame that an upscaler is timed with, and warmed up with
# Upscalers for filmed pictures, those that draw most first. One trained on drawings makes a drawing of a person: it is
# taken by name only.
BY_DETAIL = ("realesrgan_x4plus", "realesrgan_x4plus_ncnn", "realesrgan_x2plus", "realesr_general_x4v3")
COLUMNS = ("name", "what for", "size", "here", "this clip takes", "licence")


@dataclass(frozen=True)
class Offer:
    """A restorer or an upscaler, and what it takes for a clip.

    Attributes:
        name, purpose, licence: what the list of weights says.
        size: of its file; empty where it needs none.
        kept: whether it can be used without a download.
        seconds: for all frames of the clip; None where it was not measured.
    """

    name: str
    purpose: str
    licence: str
    size: str
    kept: bool
    seconds: float | None = None

    def row(self) -> tuple[str, ...]:
        """The offer in words, in the order of `COLUMNS`."""
        takes = "-" if self.seconds is None else duration(self.seconds)
        return self.name, self.purpose, self.size, "yes" if self.kept else "-", takes, self.licence


@dataclass(frozen=True)
class Offers:
    """What a clip could be enhanced with; text in a terminal, a table on a page.

    Attributes:
        rows: one for each restorer and upscaler.
        frames: of the clip.
        size_wh: of the clip.
    """

    rows: tuple[Offer, ...]
    frames: int
    size_wh: tuple[int, int]

    @property
    def upscalers(self) -> tuple[str, ...]:
        """Those that are here."""
        return tuple(one.name for one in self.rows if one.seconds is not None)

    def best_within(self, minutes: float) -> str:
        """The upscaler for filmed pictures here that draws most detail and needs at most so long; else "lanczos"."""
        takes = {one.name: one.seconds for one in self.rows if one.seconds is not None}
        return next((name for name in BY_DETAIL if takes.get(name, np.inf) <= 60 * minutes), NO_WEIGHTS)

    def _foot(self) -> str:
        basis = f"{self.frames} frames of {self.size_wh[0]} x {self.size_wh[1]}, by a piece of {PIECE_PX} x {PIECE_PX}"
        return f"Measured for {basis}. Fetch what is not here with lw.fetch_weights(name)."

    def __repr__(self) -> str:
        rows = [COLUMNS, *(one.row() for one in self.rows)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, self._foot()])

    def _repr_html_(self) -> str:
        """Without colours of its own, so that a dark page shows it too."""
        head = _cells("th", COLUMNS)
        body = "".join(
            f'<tr style="{"font-weight:bold" if one.kept else ""}">{_cells("td", one.row())}</tr>' for one in self.rows
        )
        foot = html.escape(self._foot()).replace("lw.fetch_weights(name)", "<code>lw.fetch_weights(name)</code>")
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{foot}</p>"


def _cells(kind: str, words: Sequence[str]) -> str:
    style = "text-align:left;vertical-align:top;white-space:"
    wraps = ["normal" if name in ("what for", "licence") else "nowrap" for name in COLUMNS]
    return "".join(
        f'<{kind} style="{style}{wrap}">{html.escape(word)}</{kind}>' for word, wrap in zip(words, wraps, strict=True)
    )


def offers(video: VideoInfo, *, scale: float | None = None) -> Offers:
    """What there is to enhance a clip with, and how long the upscalers that are here would need for it.

    Each is shown one piece of the clip's first frame; the frame's other pixels are taken to cost as much.
    """
    entries, frame = weights_entries(), next(read_frames(video, [0]))
    rows = []
    for name in (*RESTORERS, *UPSCALERS):
        kept = name == NO_WEIGHTS or find_weights(name) is not None
        about = (
            ("pictures enlarged by interpolation; adds no detail", "none needed", "-") if name == NO_WEIGHTS else None
        )
        if about is None:
            about = entries[name].purpose, entries[name].licence, in_words(entries[name].bytes)
        timed = kept and name in UPSCALERS
        seconds = video.frame_count * seconds_a_frame(name, frame, scale=scale) if timed else None
        rows.append(Offer(name, *about, kept=kept, seconds=seconds))
    return Offers(tuple(rows), video.frame_count, video.size_wh)


def seconds_a_frame(name: str, frame: np.ndarray, *, scale: float | None = None) -> float:
    """How long an upscaler would need for a frame (H, W, 3), judged by a piece of it."""
    upscaler = load_upscaler(name, scale=scale)
    upscaler.upscale(np.ascontiguousarray(frame[:WARM_PX, :WARM_PX]))
    piece = np.ascontiguousarray(frame[-PIECE_PX:, -PIECE_PX:])
    start = perf_counter()
    upscaler.upscale(piece)
    spent = perf_counter() - start
    return spent * frame[..., 0].size / piece[..., 0].size


def duration(seconds: float) -> str:
    """Seconds as people say them: 0.4 -> 'under 1 s', 75 -> '1 min 15 s'."""
    if seconds < 1:
        return "under 1 s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if minutes < 1:
        return f"{whole} s"
    if minutes < 10:
        return f"{minutes} min {rest} s"
    return f"{round(seconds / 60)} min" if minutes < 120 else f"{round(seconds / 3600)} h"
