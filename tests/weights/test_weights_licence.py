"""Conditions on a file's use: shown once, accepted before a download; and the command line."""

import logging
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from tls_server import status, whole

import lipwise
from lipwise.errors import LicenceError, WeightsError
from lipwise.weights import fetch_weights

CONDITION = "For research only."


@pytest.fixture
def restricted(server, content, from_mirrors, caplog):
    """A file with a condition on an https server; gives how often the condition was shown."""
    server.site = {"/net.bin": whole(content)}
    from_mirrors(server.url("/net.bin"), condition=CONDITION, licence="research")
    caplog.set_level(logging.WARNING)
    return lambda: caplog.text.count(CONDITION)


def test_a_restricted_file_is_not_downloaded_unasked(restricted, server):
    with pytest.raises(LicenceError) as caught:
        fetch_weights("net")
    assert isinstance(caught.value, WeightsError)
    assert CONDITION in caught.value.cause
    assert "https://example.org/net" in caught.value.cause
    for way in ("accept_licence=True", "LIPWISE_ACCEPT_LICENCE=yes", "lipwise weights net --accept-licence"):
        assert way in caught.value.next_step
    assert server.asked == []


@pytest.mark.parametrize("value", ["no", "", "1"])
def test_only_yes_is_yes(restricted, value, monkeypatch):
    monkeypatch.setenv("LIPWISE_ACCEPT_LICENCE", value)
    with pytest.raises(LicenceError):
        fetch_weights("net")


@pytest.mark.parametrize("way", ["argument", "variable"])
def test_accepted_it_is_shown_once_and_remembered(restricted, way, monkeypatch, content):
    if way == "variable":
        monkeypatch.setenv("LIPWISE_ACCEPT_LICENCE", "yes")
    path = fetch_weights("net", accept_licence=way == "argument")[0]
    monkeypatch.delenv("LIPWISE_ACCEPT_LICENCE", raising=False)
    assert restricted() == 1
    path.unlink()
    assert fetch_weights("net")[0].read_bytes() == content
    assert restricted() == 1


def test_another_wording_is_another_condition(restricted, from_mirrors, server):
    fetch_weights("net", accept_licence=True)[0].unlink()
    from_mirrors(server.url("/net.bin"), condition=CONDITION + " And not on Sundays.", licence="research")
    with pytest.raises(LicenceError, match="Sundays"):
        fetch_weights("net")


def test_what_is_in_the_cache_needs_no_word(restricted, home, content):
    home.mkdir()
    (home / "net.bin").write_bytes(content)
    assert fetch_weights("net") == [home / "net.bin"]


def test_a_folder_needs_no_word_and_shows_it_but_does_not_stand_for_one(restricted, mirror, content):
    (mirror / "net.bin").write_bytes(content)
    path = fetch_weights("net")[0]
    assert restricted() == 1
    path.unlink()
    (mirror / "net.bin").write_bytes(b"cut off")
    with pytest.raises(LicenceError, match="it gave 7 bytes"):
        fetch_weights("net")


def test_a_free_file_shows_nothing(server, content, from_mirrors, caplog):
    server.site = {"/net.bin": whole(content)}
    from_mirrors(server.url("/net.bin"))
    fetch_weights("net")
    assert caplog.text == ""


def command(*arguments: str, **options) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(Path(lipwise.__file__).parent.parent)}
    options = {"env": environment, "text": True, "check": False, "timeout": 60} | options
    return subprocess.run([sys.executable, "-m", "lipwise", "weights", *arguments], **options)


@pytest.fixture
def own_net(server, content, entry, own_list):
    server.site = {"/net.bin": whole(content), "/gone": status(404)}
    mirrors = [{"https": server.url("/net.bin")}]
    gone = entry(mirrors=[{"https": server.url("/gone")}], file="gone.bin")
    own_list(net=entry(mirrors=mirrors, condition=CONDITION), gone=gone)


def test_the_command_takes_the_flag_and_goes_on_after_a_failure(own_net, home):
    done = command("gone", "net", "--accept-licence", capture_output=True)
    assert done.returncode == 2
    assert f"net: {home / 'net.bin'}" in done.stdout
    assert "/gone: it answered 404" in done.stderr
    assert done.stderr.count(CONDITION) == 1


def test_the_command_without_a_terminal_refuses(own_net, home):
    done = command("net", capture_output=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "--accept-licence" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (home / "net.bin").exists()


@pytest.mark.parametrize(("answer", "status"), [("yes\n", 0), ("no\n", 2), ("\n", 2)])
def test_the_command_asks_on_a_terminal(own_net, home, answer, status):
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())
    done = command("net", stdin=theirs, stderr=theirs, stdout=subprocess.PIPE)
    said = os.read(ours, 100_000).decode()
    os.close(ours)
    os.close(theirs)
    assert done.returncode == status
    assert said.count(CONDITION) == 1
    assert "Type yes" in said
    assert (home / "net.bin").exists() == (status == 0)


def test_the_command_lists_what_there_is(own_net):
    done = command(capture_output=True)
    assert done.returncode == 0
    for name, one in lipwise.weights_entries().items():
        assert any(line.startswith(f"{name} ") and one.licence in line for line in done.stdout.splitlines())


def test_the_command_names_an_unknown_name(home):
    done = command("nobody", capture_output=True)
    assert done.returncode == 2
    assert "nobody" in done.stderr
