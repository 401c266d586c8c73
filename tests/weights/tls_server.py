"""An https server on this machine that can be told to misbehave, path by path."""

import re
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Looks up what to do for a path."""

    server: "TlsServer"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append((path, self.headers["Range"]))
        with suppress(OSError):  # the other side has heard enough
            self.server.site.get(path, status(404))(self)

    def head(self, code: int, **headers: object) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def begin(self, size: int, *, ranges: bool, **headers: object) -> int:
        """Announce a file of some size, or the rest of it that was asked for; gives where to begin."""
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        if wanted is None or not ranges:
            self.head(200, Content_Length=size, **headers)
            return 0
        start = int(wanted[1])
        self.head(206, Content_Length=size - start, Content_Range=f"bytes {start}-{size - 1}/{size}", **headers)
        return start

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


class TlsServer(ThreadingHTTPServer):
    """Serves `site`, a mapping of paths to answers, and notes what was asked for."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.context = context
        self.site: dict[str, Answer] = {}
        self.asked: list[tuple[str, str | None]] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def finish_request(self, request, client_address) -> None:
        """The handshake happens in the connection's own thread, so that a refused one holds nobody up."""
        with suppress(OSError), self.context.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def url(self, path: str) -> str:
        return f"https://127.0.0.1:{self.server_port}{path}"

    def ranges_of(self, path: str) -> list[str | None]:
        return [wanted for asked, wanted in self.asked if asked == path]


def whole(content: bytes, *, ranges: bool = True, delay_s: float = 0, **headers: object) -> Answer:
    """The file, or the part of it that was asked for."""

    def answer(handler: Handler) -> None:
        time.sleep(delay_s)
        start = handler.begin(len(content), ranges=ranges, **headers)
        handler.wfile.write(content[start:])

    return answer


def dropped(content: bytes, *, after: int, ranges: bool = True, pause_s: float = 0) -> Answer:
    """The file, but after some bytes of each answer the connection ends (or first falls silent)."""

    def answer(handler: Handler) -> None:
        start = handler.begin(len(content), ranges=ranges)
        handler.wfile.write(content[start : start + after])
        handler.wfile.flush()
        time.sleep(pause_s)

    return answer


def without_length(content: bytes) -> Answer:
    """The content, ended by closing the connection."""

    def answer(handler: Handler) -> None:
        handler.head(200)
        handler.wfile.write(content)

    return answer


def status(code: int, **headers: object) -> Answer:
    return lambda handler: handler.head(code, Content_Length=0, **headers)


def redirect(target: str) -> Answer:
    return status(302, Location=target)


def silent(seconds: float) -> Answer:
    return lambda handler: time.sleep(seconds)


def other_piece(content: bytes) -> Answer:
    """Asked for the rest, gives the beginning and says so."""

    def answer(handler: Handler) -> None:
        size = len(content)
        handler.head(206, Content_Length=size, Content_Range=f"bytes 0-{size - 1}/{size}")
        handler.wfile.write(content)

    return answer
