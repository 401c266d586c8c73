"""A picker of weights files: what each is, its size, its licence and why one would want it.

A thin view: `fetch_each`, `conditions` and `code_line` below do without a browser what the picker does with one, and
`lipwise.notebook.show_weights.shelf` is the table that reads without a kernel. Only what ipywidgets 7.7 and 8 have in
common is used.
"""

import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import disk_usage
from threading import Event, Thread

import ipywidgets

from lipwise.errors import WeightsError
from lipwise.notebook.show_weights import existing, in_words
from lipwise.weights import fetch_weights, find_weights
from lipwise.weights_cache import part_of
from lipwise.weights_list import Entry, weights_entries, weights_folder

BOX_WIDTH = "21em"  # holds the longest name of weights.yaml
LOOK_S = 0.5  # between two looks at how far a download is
ACCEPT = "I have read the conditions and keep to them"
NOTHING = "Tick a file to fetch it."


@dataclass(frozen=True)
class Fetched:
    """What became of one file: its verified path, or the error that says why there is none."""

    name: str
    path: Path | None = None
    error: WeightsError | None = None


def fetch_each(names: Sequence[str], *, accept_licence: bool = False) -> Iterator[Fetched]:
    """Fetch files one after the other; the failure of one does not keep the next from being fetched.

    Args:
        names: entries of the list of weights.
        accept_licence: whether the conditions of restricted files are acknowledged.
    """
    for name in names:
        try:
            yield Fetched(name, path=fetch_weights(name, accept_licence=accept_licence)[0])
        except WeightsError as error:
            yield Fetched(name, error=error)


def conditions(names: Sequence[str], entries: Mapping[str, Entry]) -> dict[str, list[str]]:
    """Condition of use -> the files among `names` that it holds for; files without one are left out."""
    found: dict[str, list[str]] = {}
    for name in names:
        condition = entries[name].condition
        if condition is not None:
            found.setdefault(condition, []).append(name)
    return found


def code_line(names: Sequence[str], *, accept_licence: bool = False) -> str:
    """The line of code that fetches these files."""
    arguments = [f'"{name}"' for name in names] + (["accept_licence=True"] if accept_licence else [])
    return f"lw.fetch_weights({', '.join(arguments)})"


class WeightsPicker(ipywidgets.VBox):
    """Tick files, read and acknowledge their conditions, fetch them.

    Files that are kept already are ticked and cannot be unticked. The button stays off until something is ticked and
    every condition that holds for it is acknowledged; a change of these conditions asks again.

    Args:
        entries: what can be picked; None takes the whole list of weights, your own file of entries included.
    """

    def __init__(self, entries: Mapping[str, Entry] | None = None) -> None:
        self.entries = dict(weights_entries() if entries is None else entries)
        self.boxes = {name: _checkbox(name, BOX_WIDTH) for name in self.entries}
        self.lines = {name: ipywidgets.HTML() for name in self.entries}
        self.conditions = ipywidgets.HTML()
        self.accept = _checkbox(ACCEPT, "auto")
        self.summary = ipywidgets.HTML()
        self.button = ipywidgets.Button(description="Fetch", icon="download")
        self.bar = ipywidgets.FloatProgress(layout=ipywidgets.Layout(width="60%"))
        self.bar.layout.visibility = "hidden"
        self.speed = ipywidgets.HTML()
        self.results = ipywidgets.HTML()
        rows = [ipywidgets.HBox([self.boxes[name], self.lines[name]]) for name in self.entries]
        doing = ipywidgets.HBox([self.button, self.bar, self.speed])
        super().__init__([*rows, self.conditions, self.accept, self.summary, doing, self.results])
        self._conditions: dict[str, list[str]] = {}
        self._show_kept()
        for box in self.boxes.values():
            box.observe(self._ticked, names="value")
        self.accept.observe(self._accepted, names="value")
        self.button.on_click(self._clicked)
        self._ticked()

    def chosen(self) -> tuple[str, ...]:
        """The files that are ticked and not kept yet, in the order of the list."""
        return tuple(name for name, box in self.boxes.items() if box.value and not box.disabled)

    def code(self) -> str:
        """The line of code that does the same as the button."""
        return code_line(self.chosen(), accept_licence=bool(self._conditions))

    def fetch(self) -> list[Fetched]:
        """Fetch what is ticked and say what became of each file; the button does this."""
        names, done = self.chosen(), []
        self.button.disabled = True
        self._begin(names)
        try:
            for name in names:
                with _watched(self.entries[name], partial(self._grown, name, start_mb=self.bar.value)):
                    done += fetch_each([name], accept_licence=self.accept.value)
                self._advance(done, len(names))
        finally:
            self._show_kept()
            self._ticked()
        return done

    def __repr__(self) -> str:
        """What a page without a kernel shows in the widget's place."""
        return f"a picker of {len(self.entries)} files; it needs a kernel, show_weights.shelf() is its table without"

    def _begin(self, names: Sequence[str]) -> None:
        self.results.value = self.speed.value = ""
        self.bar.max = sum(self.entries[name].bytes for name in names) / 1e6
        self.bar.value, self.bar.bar_style = 0, ""
        self.bar.description = f"0 of {len(names)}"
        self.bar.layout.visibility = "visible"

    def _grown(self, name: str, size: int, speed: float, *, start_mb: float) -> None:
        self.bar.value = start_mb + size / 1e6
        whole = self.entries[name].bytes
        self.speed.value = f"{html.escape(name)}: {in_words(size)} of {in_words(whole)}, {in_words(round(speed))}/s"

    def _advance(self, done: Sequence[Fetched], count: int) -> None:
        self.bar.value = sum(self.entries[one.name].bytes for one in done) / 1e6
        self.bar.description, self.speed.value = f"{len(done)} of {count}", ""
        self.bar.bar_style = "warning" if any(one.error for one in done) else "success"
        self.results.value = "".join(map(_result, done))

    def _show_kept(self) -> None:
        """Tick and lock what is kept, and say of each file what it is."""
        for name, entry in self.entries.items():
            kept = find_weights(name) is not None
            self.boxes[name].disabled = kept
            self.boxes[name].value = kept or self.boxes[name].value
            self.lines[name].value = _about(entry, kept=kept)

    def _ticked(self, _change: object = None) -> None:
        names = self.chosen()
        held = conditions(names, self.entries)
        if list(held) != list(self._conditions):
            self.accept.value = False
        self._conditions = held
        self.conditions.value = "".join(_condition(words, files) for words, files in held.items())
        self.accept.layout.display = "" if held else "none"
        size = sum(self.entries[name].bytes for name in names)
        free = disk_usage(existing(weights_folder())).free
        room = f"{_files(len(names))}, {in_words(size)} to fetch, {in_words(free)} free"
        self.summary.value = f"{room}<br><code>{html.escape(self.code())}</code>" if names else NOTHING
        self._accepted()

    def _accepted(self, _change: object = None) -> None:
        self.button.disabled = not self.chosen() or bool(self._conditions and not self.accept.value)

    def _clicked(self, _button: object) -> None:
        self.fetch()


@contextmanager
def _watched(entry: Entry, tell: Callable[[int, float], None]) -> Iterator[None]:
    """Tell, while the body runs, how many bytes of a download have come, and how many of them a second.

    A thread looks at the unfinished file. The library's own progress bar is not shown everywhere when a button starts
    the download, and the Output widget that would catch it breaks the whole picker in notebook 6.5.
    """
    done, part = Event(), part_of(entry)

    def look() -> None:
        before = _size(part)
        while not done.wait(LOOK_S):
            size = _size(part)
            tell(size, max(0, size - before) / LOOK_S)
            before = size

    watcher = Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # not begun, or done and renamed
        return 0


def _checkbox(words: str, width: str) -> ipywidgets.Checkbox:
    return ipywidgets.Checkbox(description=words, indent=False, layout=ipywidgets.Layout(width=width, flex="0 0 auto"))


def _files(count: int) -> str:
    return f"{count} file" + ("" if count == 1 else "s")


def _about(entry: Entry, *, kept: bool) -> str:
    """Size, licence and purpose, in the text's own colour so that a dark page shows them too."""
    licence = html.escape(entry.licence)
    words = [in_words(entry.bytes), f"<b>{licence}</b>" if entry.restricted else licence, html.escape(entry.purpose)]
    return " · ".join(["<b>kept</b>", *words] if kept else words)


def _condition(words: str, names: Sequence[str]) -> str:
    files = html.escape(", ".join(names))
    return f'<div style="border-left:4px solid;padding:0 0.6em"><b>{files}</b>: {html.escape(words)}</div>'


def _result(one: Fetched) -> str:
    if one.error is None:
        return f"<div><b>{html.escape(one.name)}</b> is kept: <code>{html.escape(str(one.path))}</code></div>"
    words = html.escape(str(one.error))
    return (
        f"<div><b>{html.escape(one.name)}</b> was not fetched:</div>"
        f'<pre style="white-space:pre-wrap;overflow-wrap:anywhere">{words}</pre>'
    )
