"""Tables and figures about weights: what is kept where, what a checkpoint holds, what its hash tells."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lipwise.files import sha256_of
from lipwise.models.checkpoint import read_state_dict
from lipwise.notebook.show import PAGE_IN
from lipwise.weights import find_weights
from lipwise.weights_list import Entry, weights_entries, weights_folder

BLOCK = 1 << 22  # bytes compared at once
HASH_SIDE = 16  # 256 bits as a square
COLUMNS = ("name", "size", "here", "licence", "what it is for")
PIECES, ABREAST = 12, 3  # of a layer, drawn as pictures
_UNITS = ((1e9, "GB", 1), (1e6, "MB", 1), (1e3, "kB", 0))


def in_words(size: int) -> str:
    """Bytes in the unit that people use: 1_242_398 -> '1.2 MB'."""
    for unit, name, digits in _UNITS:
        if size >= unit:
            return f"{size / unit:.{digits}f} {name}"
    return f"{size} bytes"


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists: what disk it will be on."""
    return next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())


@dataclass(frozen=True)
class Shelf:
    """Which weights files are kept, and the disk they are on; text in a terminal, a table on a page.

    Attributes:
        entries: name -> entry of the list of weights.
        kept: name -> verified path, for those that are kept.
        folder: where they are kept.
        free_bytes: what is free on that disk.
    """

    entries: Mapping[str, Entry]
    kept: Mapping[str, Path]
    folder: Path
    free_bytes: int

    @property
    def kept_bytes(self) -> int:
        """What the kept files take."""
        return sum(self.entries[name].bytes for name in self.kept)

    @property
    def all_bytes(self) -> int:
        """What all listed files would take."""
        return sum(entry.bytes for entry in self.entries.values())

    def _rows(self) -> list[tuple[str, str, str, str, str]]:
        return [
            (name, in_words(one.bytes), "kept" if name in self.kept else "-", one.licence, one.purpose)
            for name, one in self.entries.items()
        ]

    def _foot(self) -> str:
        return (
            f"{len(self.kept)} of {len(self.entries)} files are kept in {self.folder}: {in_words(self.kept_bytes)} of "
            f"{in_words(self.all_bytes)}; {in_words(self.free_bytes)} are free on that disk"
        )

    def __repr__(self) -> str:
        rows = self._rows()
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
        lines = ["  ".join([*map(str.ljust, row[:4], widths), row[4]]) for row in rows]
        return "\n".join([*lines, self._foot()])

    def _repr_html_(self) -> str:
        """Without colours of its own, so that a dark page shows it too."""
        body = ""
        for row in self._rows():
            strong = "font-weight:bold" if row[0] in self.kept else ""
            body += f'<tr style="{strong}">{_cells("td", row)}</tr>'
        head = _cells("th", COLUMNS)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{html.escape(self._foot())}</p>"


def _cells(kind: str, words: Sequence[str]) -> str:
    """A row's cells; the first three columns are short and stay on one line."""
    style = "text-align:left;vertical-align:top;white-space:"
    wraps = ["nowrap"] * 3 + ["normal"] * (len(words) - 3)
    parts = zip(wraps, map(html.escape, words), strict=True)
    return "".join(f'<{kind} style="{style}{wrap}">{part}</{kind}>' for wrap, part in parts)


def shelf() -> Shelf:
    """What weights there are, which of them are kept, and how much disk they take. No network is asked.

    Raises:
        WeightsError: a list of weights cannot be read.
    """
    entries, folder = weights_entries(), weights_folder()
    kept = {name: path for name in entries if (path := find_weights(name)) is not None}
    return Shelf(entries, kept, folder, disk_usage(existing(folder)).free)


def layers(path: str | Path, *, most: int = 16) -> Figure:
    """What a checkpoint is: its layers by name, shape and count of numbers, and one layer's numbers as pictures.

    Args:
        path: safetensors, or a state dict saved by torch.
        most: how many of the largest are drawn, in the file's order; the others are added up in one bar.

    Raises:
        CheckpointError: the file cannot be read, or holds something that could run code.
    """
    path = Path(path)
    state = {name: tensor.float().numpy() for name, tensor in read_state_dict(path).items()}
    figure, (bars, near) = plt.subplots(
        1, 2, figsize=(PAGE_IN, 1.2 + 0.27 * min(len(state), most + 1)), width_ratios=(3, 1), layout="constrained"
    )
    count = _draw_bars(bars, {name: numbers.shape for name, numbers in state.items()}, most)
    figure.suptitle(f"{path.name}: {count:,} numbers in {len(state)} named blocks, {path.stat().st_size:,} bytes")
    _draw_pieces(near, state)
    plt.close(figure)
    return figure


def _draw_bars(axes: Axes, shapes: Mapping[str, tuple[int, ...]], most: int) -> int:
    """One bar for each layer; returns how many numbers there are in all."""
    sizes = {name: int(np.prod(shape)) for name, shape in shapes.items()}
    drawn = sorted(sizes, key=lambda name: -sizes[name])[:most]
    drawn = [name for name in sizes if name in drawn]
    forms = [" x ".join(map(str, shapes[name])) or "one number" for name in drawn]
    wide = [max(map(len, words)) for words in (drawn, forms)]
    labels = [f"{name.ljust(wide[0])}  {form.ljust(wide[1])}" for name, form in zip(drawn, forms, strict=True)]
    counts = [sizes[name] for name in drawn]
    if len(sizes) > most:
        labels.append(f"{len(sizes) - most} others, no larger".ljust(sum(wide) + 2))
        counts.append(sum(sizes.values()) - sum(counts))
    bar = axes.barh(np.arange(len(counts)), counts, color="steelblue")
    axes.bar_label(bar, [f"{count:,}" for count in counts], padding=3)
    axes.set_yticks(np.arange(len(labels)), labels, family="monospace")
    axes.set(xticks=[], xlim=(0, 1.18 * max(counts)), ylim=(len(counts) - 0.4, -0.6))
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    return sum(sizes.values())


def _draw_pieces(axes: Axes, state: Mapping[str, np.ndarray]) -> None:
    """The first layer of small filters (any others: the first matrix) as pictures, blue below 0 and red above."""
    axes.axis("off")
    by_kind = sorted(state, key=lambda name: state[name].ndim < 3)  # stable: filters first, in the file's order
    name = next((name for name in by_kind if state[name].ndim > 1), None)
    if name is None:
        return
    numbers = state[name]
    pieces = numbers.reshape(-1, *numbers.shape[-2:])
    rows, columns = pieces.shape[1:]
    shown = pieces[:: max(1, len(pieces) // PIECES)][:PIECES]
    wide = min(ABREAST, len(shown))
    framed = np.full((-(-len(shown) // wide) * wide, rows + 1, columns + 1), np.nan)  # a gap beside and below each
    framed[: len(shown), :rows, :columns] = shown
    lines = [np.hstack(list(framed[first : first + wide])) for first in range(0, len(framed), wide)]
    reach = float(np.abs(shown).max())
    axes.imshow(np.vstack(lines), cmap="RdBu_r", vmin=-reach, vmax=reach)
    some = ", ".join(f"{number:.3f}" for number in shown.ravel()[:3])
    counted = f"{len(shown)} of {len(pieces):,} pieces" if len(pieces) > len(shown) else f"{len(shown)} pieces"
    axes.set_title(f"{name}\n{counted},\n{rows} x {columns} numbers each:\n{some}, ...", fontsize=10)


def hashes(before: str | Path, after: str | Path) -> Figure:
    """The SHA-256 of two files as squares of 256 bits, and which of these bits differ.

    Raises:
        OSError: a file cannot be read.
    """
    before, after = Path(before), Path(after)
    digests = [sha256_of(path) for path in (before, after)]
    bits = [np.unpackbits(np.frombuffer(bytes.fromhex(digest), np.uint8)) for digest in digests]
    squares = [row.reshape(HASH_SIDE, HASH_SIDE) for row in bits]
    differ = squares[0] != squares[1]
    figure, axes = plt.subplots(1, 3, figsize=(PAGE_IN, PAGE_IN / 3 + 0.7), layout="constrained")
    for place, path, digest, square in zip(axes[:2], (before, after), digests, squares, strict=True):
        place.imshow(square, cmap="gray_r", vmin=0, vmax=1)
        place.set_title(f"{path.name}\n{digest[:20]}...", family="monospace", fontsize=10)
    axes[2].imshow(differ, cmap="Oranges", vmin=0, vmax=1.4)
    axes[2].set_title(f"{differ.sum()} of {differ.size} bits of the hash differ", fontsize=11)
    for place in axes:
        place.set(xticks=[], yticks=[])
    figure.suptitle(_difference(before, after))
    plt.close(figure)
    return figure


def _difference(before: Path, after: Path) -> str:
    """How far two files differ, in words."""
    sizes = [path.stat().st_size for path in (before, after)]
    if sizes[0] != sizes[1]:
        return f"{sizes[0]:,} bytes against {sizes[1]:,}"
    return f"{_bits_that_differ(before, after):,} of {8 * sizes[0]:,} bits of the file differ"


def _bits_that_differ(before: Path, after: Path) -> int:
    count = 0
    with before.open("rb") as one, after.open("rb") as other:
        while block := one.read(BLOCK):
            pair = np.frombuffer(block, np.uint8) ^ np.frombuffer(other.read(BLOCK), np.uint8)
            count += int(np.unpackbits(pair[pair > 0]).sum())
    return count
