"""One file over https: continued where it broke off, encrypted all the way, ended early when it is the wrong one.

pooch fetches; what it writes into decides whether the server's answer continues the part that is there or replaces it.
"""

import codecs
import errno
import re
import socket
import ssl
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from tqdm.auto import tqdm

CONNECT_S, READ_S = 5, 60  # an unreachable or silent host must not hold up the next mirror
CHUNK_BYTES = 1 << 16  # what is lost at most when a connection ends
LOOK_BYTES = 2048  # of a file's beginning, to tell a web page from weights
NO_SUCH_REST = 416
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
STATUS_HINTS = {
    403: "it may have been taken back",
    404: "it has been moved or deleted",
    429: "too many have asked; try again later",
}


class MirrorError(OSError):
    """A mirror did not give the file; the message says why in words for a person."""


class BrokenOffError(MirrorError):
    """The connection ended in the middle; what has come is kept."""


def download(url: str, part: Path, *, file: str, size: int) -> None:
    """Fetch a file, going on behind what `part` already holds where the server allows it.

    Args:
        url: an https address; redirects may lead only to https addresses.
        part: where to write. On a failure it is empty or holds a beginning to go on from.
        file: what the progress bar calls it.
        size: bytes the whole file has to have; more are never written.

    Raises:
        BrokenOffError: the connection ended in the middle.
        MirrorError: there was no answer, or it was another file.
        OSError: `part` cannot be written, for want of room say.
    """
    from requests import RequestException

    with _Receiver(part, file=file, size=size) as receiver:
        try:
            _ask(url, receiver)
        except (RequestException, ValueError) as error:  # requests lets through what is wrong with an address
            if not receiver.begun:
                raise MirrorError(in_short(error)) from error
            come = f"{receiver.came_to / 1e6:.1f} of {size / 1e6:.1f} MB"
            raise BrokenOffError(f"it broke off after {come} ({in_short(error)})") from error
        if receiver.came_to == 0:
            raise MirrorError(f"it gave 0 bytes where {size:,} were expected")


def _ask(url: str, receiver: "_Receiver") -> None:
    """Ask for what is missing, or for everything where the server says that there is no such rest."""
    from pooch import HTTPDownloader
    from requests import HTTPError

    for wanted in (receiver.range_header(), {}):
        fetch = HTTPDownloader(
            chunk_size=CHUNK_BYTES,
            timeout=(CONNECT_S, READ_S),
            headers={"Accept-Encoding": "identity"} | wanted,
            hooks={"response": receiver.on_answer},
        )
        try:
            fetch(url, receiver, None)
            return
        except HTTPError as error:
            if not wanted or getattr(error.response, "status_code", None) != NO_SUCH_REST:
                raise


class _Receiver:
    """What pooch writes into: a part file and a progress bar, begun anew or continued as the server answers."""

    def __init__(self, part: Path, *, file: str, size: int) -> None:
        self.file = part.open("ab")
        self.came_to = self.file.tell()  # where the next piece belongs
        self.begun = False
        self._size, self._offered = size, size
        self._name, self._bar = file, None

    def __enter__(self) -> "_Receiver":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
        self.file.close()

    def range_header(self) -> dict[str, str]:
        """Asks for what is still missing."""
        return {"Range": f"bytes={self.came_to}-"} if self.came_to else {}

    def on_answer(self, response: Any, *_: object, **__: object) -> None:
        """Called by requests for every answer on the way, redirects included, before its body is read."""
        if response.is_redirect:
            target = urljoin(response.url, response.headers["location"])
            if urlsplit(target).scheme.lower() != "https":
                raise MirrorError(f"it sends on to {target}, which is not encrypted")
        elif response.ok:
            self._begin(response)

    def _begin(self, response: Any) -> None:
        continued = re.match(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("content-range", ""))
        if response.status_code == 206:
            if continued is None or int(continued[1]) != self.came_to:
                raise MirrorError("asked for the rest of the file, it gave some other piece")
            offered = continued[2]
        else:  # the whole file: the server cannot continue, or was not asked to
            self.came_to = 0
            packed = "content-encoding" in response.headers  # then the length is another one
            offered = "*" if packed else response.headers.get("content-length", "*")
        self._offered = int(offered) if offered.isdigit() else self._size
        bar = {"desc": self._name, "total": self._size, "initial": self.came_to, "unit": "B", "unit_scale": True}
        self._bar = tqdm(**bar, disable=not shows_progress())
        self.begun = True

    def write(self, chunk: bytes) -> None:
        """Keep a piece, unless it or what was announced shows that this is the wrong file."""
        problem = None if self.came_to else unlike_weights(chunk)
        if problem is None and self._offered != self._size:
            problem = f"it offers {self._offered:,} bytes where {self._size:,} were expected"
        if problem is not None:  # before anything is written: it must not cost what another mirror has given
            raise MirrorError(problem)
        if self.came_to == 0:
            self.file.truncate(0)
        if self.came_to + len(chunk) > self._size:
            self.file.truncate(0)
            raise MirrorError(f"it gives more than the {self._size:,} bytes expected")
        self.file.write(chunk)
        self.came_to += len(chunk)
        if self._bar is not None:
            self._bar.update(len(chunk))

    def flush(self) -> None:
        """Part of what pooch asks of a file."""
        self.file.flush()


def unlike_weights(beginning: bytes) -> str | None:
    """What a file is that begins like this and cannot be weights: a web page or a pointer; None otherwise."""
    start = beginning[:LOOK_BYTES].removeprefix(codecs.BOM_UTF8).lstrip()
    if re.match(rb"<(!doctype html|html|head|!--)", start, re.IGNORECASE):
        title = re.search(rb"<title[^>]*>\s*(.{1,80}?)\s*</title>", start, re.IGNORECASE | re.DOTALL)
        named = f", titled {title[1].decode(errors='replace')!r}" if title else ""
        return f"it gave a web page{named}, not the file; perhaps a notice that its quota is used up"
    if start.startswith(b"<?xml"):
        return "it gave an XML message, not the file"
    if start.startswith(b"version https://git-lfs"):
        return "it gave a Git LFS pointer, a few lines that stand for the file"
    return None


def wrong_at_a_glance(path: Path, size: int) -> str | None:
    """What a file that a mirror gave is instead of weights of this size; None when the hash has to tell.

    Raises:
        OSError: as the system says.
    """
    with path.open("rb") as file:
        problem = unlike_weights(file.read(LOOK_BYTES))
    given = path.stat().st_size
    return problem or (f"it gave {given:,} bytes where {size:,} were expected" if given != size else None)


def shows_progress() -> bool:
    """Whether somebody watches: standard error is a terminal, or this is a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None or sys.stderr.isatty()


def in_short(error: BaseException) -> str:
    """One line about an error of requests or gdown; urllib3's own words run over several, the reason last."""
    from requests import HTTPError, ReadTimeout, RequestException, Timeout, TooManyRedirects

    root = _root(error)
    if isinstance(error, HTTPError) and error.response is not None:
        hint = STATUS_HINTS.get(error.response.status_code)
        said = f"it answered {error.response.status_code} {error.response.reason}".rstrip()
        return f"{said}: {hint}" if hint else said
    if isinstance(root, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {root.verify_message}"
    if isinstance(root, socket.gaierror):
        return "its host cannot be found; is there a network?"
    if isinstance(error, TooManyRedirects):
        return "it sends round in circles"
    if isinstance(error, ReadTimeout) or "Read timed out" in str(error):
        return f"it was silent for {READ_S} s"
    if isinstance(error, Timeout) or isinstance(root, TimeoutError):
        return f"no connection within {CONNECT_S} s"
    if isinstance(root, OSError) and root.strerror:
        return f"no connection: {root.strerror}"
    if isinstance(error, ValueError) and not isinstance(error, RequestException):
        return f"it is, or sends on to, an address that makes no sense: {error}"
    if type(root).__name__ == "IncompleteRead":  # of http.client and of urllib3
        return "the connection ended"
    return _first_line(root)


def _root(error: BaseException) -> BaseException:
    """The error at the bottom of what caused what."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
