"""A picker of a clip or a recording: the sample's, one on this machine, or one on Google Drive.

A thin view of `listing`, which is pure. Keyboard: Tab and arrow keys reach everything. Only what ipywidgets 7.7 and 8
have in common is used; FileUpload, which breaks on Colab at a megabyte, is not.
"""

import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
import ipywidgets

from lipwise.errors import LipwiseError
from lipwise.media.container import open_input
from lipwise.media.probe import probe
from lipwise.notebook.colab import colab_module
from lipwise.notebook.widgets import DRIVE

Kind = Literal["face", "speech"]
VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
SOUNDS = (".wav", ".flac", ".mp3", ".m4a", ".aac", ".ogg", ".opus")
ENDINGS: dict[Kind, tuple[str, ...]] = {"face": VIDEOS + PICTURES, "speech": SOUNDS + VIDEOS}
SAMPLE, HERE, ON_DRIVE = "Sample", "This machine", "Google Drive"
UP = ".. (one folder up)"


@dataclass(frozen=True)
class Listed:
    """A line of the picker: a folder to open or a file to take."""

    path: Path
    words: str


def listing(folder: Path, kind: Kind) -> list[Listed]:
    """The folder above, then folders, then files that can be a face or speech; hidden ones are left out.

    Raises:
        OSError: as the system says.
    """
    seen = sorted((one for one in folder.iterdir() if not one.name.startswith(".")), key=lambda one: one.name.lower())
    folders = [Listed(one, f"{one.name}/") for one in seen if one.is_dir()]
    files = [Listed(one, one.name) for one in seen if one.is_file() and one.suffix.lower() in ENDINGS[kind]]
    above = [] if folder.absolute().parent == folder.absolute() else [Listed(folder.absolute().parent, UP)]
    return [*above, *folders, *files]


def about(path: Path, kind: Kind) -> str:
    """What a file is, or why it cannot be taken; nothing but a frame of a clip is decoded for it."""
    try:
        if kind == "speech":
            return _about_sound(path)
        video = probe(path)
        size = f"{video.size_wh[0]} x {video.size_wh[1]}"
        return f"a photo, {size}" if video.is_still else f"{size}, {video.duration_s:.1f} s"
    except LipwiseError as error:
        return f"cannot be taken: {error.what} ({error.cause})"


def _about_sound(path: Path) -> str:
    with open_input(path) as container:
        if not container.streams.audio:
            return "cannot be taken: it has no sound"
        stream = container.streams.audio[0]
        if stream.duration and stream.time_base:
            return f"{float(stream.duration * stream.time_base):.1f} s of sound"
        # Matroska tells the length of the whole file; what a browser has recorded tells none.
        return f"{container.duration / av.time_base:.1f} s of sound" if container.duration else "sound"


def code_line(kind: Kind, chosen: Path | None, sample: Path) -> str:
    """The line of the form that chooses the same file; the sample is chosen by an empty one."""
    return f"{kind} = {json.dumps('' if chosen in (None, sample) else chosen.as_posix(), ensure_ascii=False)}"


class FilePicker(ipywidgets.VBox):
    """Pick the sample's file, one on this machine or one on Google Drive.

    `path` is what is picked; the line below it is what to write into the form so that it is picked again.

    Args:
        kind: "face" lists clips and photos, "speech" recordings and clips.
        sample: what is picked at first.
        chosen: picked at first instead, unless it is empty.
        folder: the one to begin with on this machine.
    """

    def __init__(self, kind: Kind, sample: str | Path, *, chosen: str | Path = "", folder: str | Path = ".") -> None:
        self.kind: Kind = kind
        self.sample, self.path = Path(sample), Path(chosen or sample)
        self.folder, self._listed = Path(folder), list[Listed]()
        places = [SAMPLE, HERE, ON_DRIVE]
        self.place = ipywidgets.ToggleButtons(
            options=places, value=SAMPLE if self.path == self.sample else HERE, description=kind
        )
        self.files = ipywidgets.Select(options=[], rows=8, layout=ipywidgets.Layout(width="95%", max_width="40em"))
        self.take = ipywidgets.Button(description="Take", icon="check", layout=ipywidgets.Layout(width="auto"))
        self.where, self.caption = ipywidgets.HTML(), ipywidgets.HTML()
        self.browser = ipywidgets.VBox([self.where, self.files, self.take])
        super().__init__([self.place, self.browser, self.caption])
        self.place.observe(self._place_chosen, names="value")
        self.files.observe(self._marked, names="value")
        self.take.on_click(lambda _: self.open_or_take())
        self.browser.layout.display = "none" if self.place.value == SAMPLE else ""
        self._show_picked()
        self.go(folder)

    def open_or_take(self) -> None:
        """Open the folder that is marked, or take the file."""
        if self.files.index is None:
            return
        marked = self._listed[self.files.index].path
        if marked.is_dir():
            self.go(marked)
        else:
            self.path = marked
            self._show_picked()

    def go(self, folder: str | Path) -> None:
        """Show another folder; where it cannot be opened, say why and stay."""
        try:
            listed = listing(Path(folder), self.kind)
        except OSError as error:
            self.caption.value = html.escape(f"{folder} cannot be opened: {error}")
            return
        self.folder, self._listed = Path(folder), listed
        self.files.options = [one.words for one in listed]
        self.files.index = None
        self.where.value = html.escape(str(self.folder.absolute()))
        self._marked()

    def code(self) -> str:
        """The line of the form that picks the same."""
        return code_line(self.kind, self.path, self.sample)

    def __repr__(self) -> str:
        """What a page without a kernel shows in the widget's place."""
        return f"a picker of {self.kind} files; it needs a kernel, the form takes a file's name without"

    def _place_chosen(self, change: dict) -> None:
        problem = self._mount() if change["new"] == ON_DRIVE else ""
        if problem:
            self.place.value = change["old"]
            self.caption.value = html.escape(problem)
            return
        self.browser.layout.display = "none" if change["new"] == SAMPLE else ""
        if change["new"] == SAMPLE:
            self.path = self.sample
            self._show_picked()
        else:
            self.go(DRIVE / "MyDrive" if change["new"] == ON_DRIVE else self.folder)

    def _mount(self) -> str:
        """Mount the reader's Drive; Colab asks for leave on the page. Returns why it is not there, or nothing."""
        drive = colab_module("drive")
        if drive is None:
            return "Google Drive can be reached on Colab only. Here, name a file of this machine."
        try:
            drive.mount(str(DRIVE))
        except Exception as error:  # whatever Colab raises: no leave was given
            return f"Google Drive was not mounted: {error}"
        return ""

    def _marked(self, _change: object = None) -> None:
        index = self.files.index
        self.take.disabled = index is None
        self.take.description = "Open" if index is not None and self._listed[index].path.is_dir() else "Take"

    def _show_picked(self) -> None:
        picked = html.escape(f"{self.path.name}, {about(self.path, self.kind)}")
        self.caption.value = f"picked: {picked}<br><code>{html.escape(self.code())}</code>"
