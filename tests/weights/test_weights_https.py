"""Downloads from a real https server that misbehaves in every way a mirror can."""

import logging
import re
import socket
import sys
from types import SimpleNamespace

import pytest
from tls_server import dropped, other_piece, redirect, silent, status, whole, without_length

from lipwise import download
from lipwise.errors import WeightsError
from lipwise.weights import fetch_weights

MIDDLE = 9 * download.CHUNK_BYTES  # 0.6 MB


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(download, "READ_S", 0.3)


def bad_answers(content: bytes) -> dict:
    """What a server does, and what the user is told."""
    page = b"<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head>"
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:b78b\nsize 1000000\n"
    return {
        "short, announced": (whole(content[:-1]), "it offers 999,999 bytes where 1,000,000 were expected"),
        "short, not announced": (without_length(content[:-1]), "it gave 999,999 bytes where 1,000,000"),
        "long, announced": (whole(content + b"x"), "it offers 1,000,001 bytes where"),
        "without end": (without_length(content * 3), "it gives more than the 1,000,000 bytes"),
        "empty": (whole(b""), "it gave 0 bytes"),
        "other file of that size": (whole(content[::-1]), "another file: SHA-256"),
        "web page": (whole(page), "a web page, titled 'Google Drive - Quota exceeded'"),
        "web page of that size": (whole(page.ljust(len(content))), "a web page, titled"),
        "LFS pointer": (whole(pointer), "it gave a Git LFS pointer"),
        "XML message": (whole(b"<?xml version='1.0'?><Error>AccessDenied</Error>"), "it gave an XML message"),
        "to http": (redirect("http://127.0.0.1/net.bin"), "sends on to http://127.0.0.1/net.bin, which is not enc"),
        "to ftp": (redirect("ftp://127.0.0.1/net.bin"), "sends on to ftp://127.0.0.1/net.bin, which is not enc"),
        "round in circles": (redirect("/bad"), "it sends round in circles"),
        "403": (status(403), "it answered 403 Forbidden: it may have been taken back"),
        "404": (status(404), "it answered 404 Not Found: it has been moved or deleted"),
        "429": (status(429), "it answered 429 Too Many Requests: too many have asked; try again later"),
        "500": (status(500), "it answered 500 Internal Server Error"),
        "silent": (silent(1), "it was silent for 0.3 s"),
        "closes at once": (silent(0), "no connection|RemoteDisconnected"),
        "drops, cannot continue": (
            dropped(content, after=MIDDLE, ranges=False),
            "it broke off after 0.6 of 1.0 MB (the connection ended)",
        ),
    }


@pytest.mark.parametrize("case", bad_answers(b""))
def test_a_bad_answer_is_told_and_the_next_mirror_is_tried(case, server, content, from_mirrors, home, part, caplog):
    answer, said = bad_answers(content)[case]
    server.site = {"/bad": answer, "/good": whole(content)}
    from_mirrors(server.url("/bad"))
    with pytest.raises(WeightsError, match=re.escape(server.url("/bad"))) as caught:
        fetch_weights("net")
    assert re.search(said.replace("(", r"\(").replace(")", r"\)"), caught.value.cause)
    assert caught.value.cause.count("\n") == 0  # a line for each mirror
    assert "https://example.org/net" in caught.value.next_step  # the manual route
    assert str(home) in caught.value.next_step
    assert not (home / "net.bin").exists()
    assert part.exists() == (case == "drops, cannot continue")
    caplog.set_level(logging.INFO)
    from_mirrors(server.url("/bad"), server.url("/good"))
    assert fetch_weights("net")[0].read_bytes() == content
    assert server.url("/bad") in caplog.text
    assert not part.exists()


def test_a_good_answer_is_kept_under_its_name(server, content, from_mirrors, home, part):
    server.site = {"/far": redirect("/net.bin"), "/net.bin": whole(content)}
    from_mirrors(server.url("/far"))
    assert fetch_weights("net") == [home / "net.bin"]
    assert (home / "net.bin").read_bytes() == content
    assert not part.exists()
    assert sorted(path.name for path in home.iterdir()) == [".state", "net.bin"]


def test_a_dropped_connection_is_continued(server, content, from_mirrors):
    server.site = {"/net.bin": dropped(content, after=MIDDLE)}
    from_mirrors(server.url("/net.bin"))
    assert fetch_weights("net")[0].read_bytes() == content
    assert server.ranges_of("/net.bin") == [None, f"bytes={MIDDLE}-"]


def test_a_connection_that_falls_silent_is_continued(server, content, from_mirrors):
    server.site = {"/net.bin": dropped(content, after=MIDDLE, pause_s=1)}
    from_mirrors(server.url("/net.bin"))
    assert fetch_weights("net")[0].read_bytes() == content
    assert len(server.asked) == 2


def test_the_next_mirror_continues_what_one_began(server, content, from_mirrors):
    server.site = {"/a": dropped(content, after=MIDDLE, ranges=False), "/b": whole(content)}
    from_mirrors(server.url("/a"), server.url("/b"))
    assert fetch_weights("net")[0].read_bytes() == content
    assert server.ranges_of("/b") == [f"bytes={MIDDLE}-"]


def test_what_is_left_of_a_failure_is_told_and_continued_later(server, content, from_mirrors):
    server.site = {"/net.bin": dropped(content, after=MIDDLE, ranges=False)}
    from_mirrors(server.url("/net.bin"))
    with pytest.raises(WeightsError, match=r"0\.6 of 1\.0 MB are kept to go on from"):
        fetch_weights("net")
    server.site = {"/net.bin": whole(content)}
    assert fetch_weights("net")[0].read_bytes() == content
    assert server.ranges_of("/net.bin")[-1] == f"bytes={MIDDLE}-"


@pytest.mark.parametrize("answer", [whole, other_piece])
def test_a_spoilt_beginning_is_thrown_away_once(answer, server, content, from_mirrors, part):
    part.parent.mkdir(parents=True)
    part.write_bytes(b"something else" * 1000)
    server.site = {"/a": answer(content), "/b": whole(content)}
    from_mirrors(server.url("/a"), server.url("/b"))
    assert fetch_weights("net")[0].read_bytes() == content
    assert server.asked[-1][1] is None


USELESS = {
    "another piece": (other_piece, "asked for the rest of the file, it gave some other piece"),
    "web page": (lambda content: whole(b"<html>Quota exceeded</html>", ranges=False), "a web page"),
    "nothing": (lambda content: whole(b"", ranges=False), "it gave 0 bytes"),
    "other size": (lambda content: whole(content[1:], ranges=False), "it offers 999,999 bytes"),
    "rest of another size": (lambda content: whole(content[1:]), "it offers 999,999 bytes"),
    "404": (lambda content: status(404), "404"),
}


@pytest.mark.parametrize(("answer", "said"), USELESS.values(), ids=USELESS)
def test_a_good_beginning_outlives_a_useless_mirror(answer, said, server, content, from_mirrors, part):
    part.parent.mkdir(parents=True)
    part.write_bytes(content[:MIDDLE])
    server.site = {"/a": answer(content), "/b": whole(content)}
    from_mirrors(server.url("/a"))
    with pytest.raises(WeightsError, match=said):
        fetch_weights("net")
    from_mirrors(server.url("/a"), server.url("/b"))
    assert fetch_weights("net")[0].read_bytes() == content
    assert server.asked[-1] == ("/b", f"bytes={MIDDLE}-")


def test_a_complete_part_needs_no_network(content, from_mirrors, part):
    part.parent.mkdir(parents=True)
    part.write_bytes(content)
    from_mirrors("https://127.0.0.1:9/net.bin")
    assert fetch_weights("net")[0].read_bytes() == content


def test_a_server_that_never_gets_further_is_given_up(server, content, from_mirrors):
    server.site = {"/net.bin": dropped(content, after=0)}
    from_mirrors(server.url("/net.bin"))
    with pytest.raises(WeightsError, match="broke off"):
        fetch_weights("net")
    assert len(server.asked) == 1


def test_no_network_is_said_in_a_line_for_each_mirror(from_mirrors, monkeypatch):
    def nothing(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    from_mirrors("https://a.example/net.bin", {"hf": "a/b", "path": "net.bin"}, {"drive": "x" * 30})
    with pytest.raises(WeightsError) as caught:
        fetch_weights("net")
    lines = caught.value.cause.splitlines()
    assert len(lines) == 3
    assert all(line.endswith("its host cannot be found; is there a network?") for line in lines)


def test_a_refused_connection_is_said(from_mirrors):
    from_mirrors("https://127.0.0.1:9/net.bin")
    with pytest.raises(WeightsError, match="no connection: Connection refused"):
        fetch_weights("net")


@pytest.mark.parametrize("variables", [{}, {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""}])
@pytest.mark.parametrize(
    ("host", "known", "said"),
    [("127.0.0.1", False, "local issuer|self-signed"), ("example.org", True, "IP address mismatch")],
)
def test_a_certificate_that_proves_nothing_is_refused(
    host, known, said, variables, strange_server, content, from_mirrors, monkeypatch
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    server = strange_server(host, known=known)
    server.site = {"/net.bin": whole(content)}
    from_mirrors(server.url("/net.bin"))
    expected = said if not variables or known is False else f"{said}|local issuer"
    with pytest.raises(WeightsError, match=f"its certificate is not trusted: .*({expected})"):
        fetch_weights("net")
    assert server.asked == []


def test_progress_is_shown_on_a_terminal_only(server, content, from_mirrors, capsys, monkeypatch):
    server.site = {"/net.bin": whole(content)}
    from_mirrors(server.url("/net.bin"))
    fetch_weights("net")[0].unlink()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(download, "shows_progress", lambda: True)
    fetch_weights("net")
    assert re.search(r"net\.bin: 100%.*1\.00M/1\.00M \[.*B/s\]", capsys.readouterr().err)


@pytest.mark.parametrize(("kernel", "terminal"), [(None, False), (None, True), (object(), False)])
def test_somebody_watches_on_a_terminal_or_in_a_notebook(kernel, terminal, monkeypatch):
    shell = SimpleNamespace(kernel=kernel)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: terminal))
    assert download.shows_progress() == (terminal or kernel is not None)
