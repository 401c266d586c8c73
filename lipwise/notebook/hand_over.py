"""Handing a file to the reader: a download on Colab, elsewhere a link."""

from pathlib import Path

from IPython.display import FileLink

from lipwise.errors import MediaError
from lipwise.notebook.colab import colab_module


def download(path: str | Path) -> FileLink | None:
    """Give a file to the person at the page.

    Colab's page starts a download. Elsewhere a link is returned, to be shown as a cell's last line; it works for files
    in and below the folder of the notebook.

    Raises:
        MediaError: there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        step = "run the cells above, or check the spelling"
        raise MediaError(f"There is no file {path}", cause="nothing of that name is there", next_step=step)
    files = colab_module("files")
    if files is not None:
        files.download(str(path))
        return None
    return FileLink(reachable(path), result_html_prefix="Right-click and save: ")


def reachable(path: Path, *, start: Path | None = None) -> str:
    """A path as a link from the notebook's folder `start` (None: the working folder); absolute where it is above it."""
    whole, start = path.absolute(), (start or Path.cwd()).absolute()
    return whole.relative_to(start).as_posix() if whole.is_relative_to(start) else str(whole)
