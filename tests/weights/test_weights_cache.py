"""The folder of weights: what is taken for good, what is fetched anew, and who waits for whom."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock
from tls_server import dropped, whole

from lipwise import download, files, weights_cache
from lipwise.download import CHUNK_BYTES
from lipwise.errors import LipwiseWarning, WeightsError
from lipwise.weights import fetch_weights, find_weights


@pytest.fixture
def here(mirror, content, entry, listed, home):
    """The file is in the cache, brought from a folder that is empty again."""
    (mirror / "net.bin").write_bytes(content)
    listed(net=entry())
    path = fetch_weights("net")[0]
    (mirror / "net.bin").unlink()
    return path


def test_nothing_is_found_before_it_is_fetched(from_mirrors):
    from_mirrors("https://127.0.0.1:9/net.bin")
    assert find_weights("net") is None


def test_what_is_in_the_cache_is_neither_fetched_nor_hashed_again(here, monkeypatch):
    monkeypatch.setattr(weights_cache, "sha256_of", lambda path: pytest.fail("it was hashed again"))
    assert fetch_weights("net") == [here] == [find_weights("net")]


@pytest.mark.parametrize("anew", [False, True])
def test_a_flipped_byte_is_noticed(here, anew):
    before = here.stat()
    changed = bytearray(here.read_bytes())
    changed[500_000] ^= 1
    here.write_bytes(changed)
    if anew:  # a dying disk: the time of change stays, so that only a look at every byte tells
        os.utime(here, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert find_weights("net") == here
    assert find_weights("net", anew=anew) is None


def test_a_damaged_file_is_fetched_anew_and_that_is_said(here, mirror, content):
    (mirror / "net.bin").write_bytes(content)
    here.write_bytes(content[:-1])
    with pytest.warns(LipwiseWarning, match=r"net\.bin is not the listed file; it is fetched anew"):
        assert fetch_weights("net")[0].read_bytes() == content


def test_a_damaged_file_is_left_when_nothing_better_comes(here):
    here.write_bytes(b"precious")
    with pytest.warns(LipwiseWarning), pytest.raises(WeightsError, match=r"there is no net\.bin in it"):
        fetch_weights("net")
    assert here.read_bytes() == b"precious"


def test_a_file_put_there_by_hand_is_compared_and_taken(home, content, from_mirrors):
    home.mkdir()
    (home / "net.bin").write_bytes(content)
    from_mirrors("https://127.0.0.1:9/net.bin")
    assert fetch_weights("net") == [home / "net.bin"]


@pytest.mark.parametrize("record", ["", "{", "[]", "null", '{"size": 1}'])
def test_a_record_of_nonsense_counts_for_nothing(here, record, home):
    (home / ".state" / "net.bin" / "compared.json").write_text(record)
    assert fetch_weights("net") == [here]
    assert json.loads((home / ".state" / "net.bin" / "compared.json").read_text())["size"] == 1_000_000


def test_a_record_is_about_one_hash(here, entry, listed, content):
    listed(net=entry(content[::-1]))
    assert find_weights("net") is None


def own_command(*arguments: str, **variables: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "lipwise", "weights", *arguments]
    environment = os.environ | {"PYTHONPATH": str(Path(files.__file__).parent.parent)} | variables
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_download_once(server, content, entry, own_list, home):
    server.site = {"/net.bin": whole(content, delay_s=2)}
    own_list(net=entry(mirrors=[{"https": server.url("/net.bin")}]))
    both = [own_command("net") for _ in range(2)]
    said = [one.communicate(timeout=60) for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert len(server.asked) == 1
    assert sum("another process" in err for _, err in said) == 1
    assert (home / "net.bin").read_bytes() == content


def test_threads_download_once(server, content, from_mirrors, home):
    server.site = {"/net.bin": whole(content, delay_s=0.2)}
    from_mirrors(server.url("/net.bin"))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(fetch_weights, ["net"] * 4)) == [[home / "net.bin"]] * 4
    assert len(server.asked) == 1


def test_a_killed_process_leaves_a_part_that_the_next_goes_on_from(server, content, entry, own_list, home, part):
    after = 4 * CHUNK_BYTES
    server.site = {"/net.bin": dropped(content, after=after, pause_s=30)}
    own_list(net=entry(mirrors=[{"https": server.url("/net.bin")}]))
    killed = own_command("net")
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    have = part.stat().st_size  # the first piece, or all that was sent
    server.site = {"/net.bin": whole(content)}
    assert fetch_weights("net")[0].read_bytes() == content
    assert 0 < have <= after
    assert server.ranges_of("/net.bin") == [None, f"bytes={have}-"]


def test_a_file_system_without_locks_is_locked_elsewhere(here, home, monkeypatch, tmp_path, mirror, content):
    monkeypatch.setattr(weights_cache.tempfile, "gettempdir", lambda: str(tmp_path))
    acquire = FileLock.acquire

    def refusing(self, *args, **kwargs):
        if ".state" in str(self.lock_file):
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        return acquire(self, *args, **kwargs)

    monkeypatch.setattr(FileLock, "acquire", refusing)
    here.unlink()
    (mirror / "net.bin").write_bytes(content)
    assert fetch_weights("net") == [here]
    assert list(tmp_path.glob("lipwise-*.lock"))


def test_no_room_is_told_before_the_download(server, content, from_mirrors, home, monkeypatch):
    server.site = {"/net.bin": whole(content)}
    from_mirrors(server.url("/net.bin"))
    usage = namedtuple("usage", "total used free")(10**9, 10**9 - 10**5, 10**5)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(WeightsError, match=r"no room for net in .*home") as caught:
        fetch_weights("net")
    assert "1.0 MB are needed and 0.1 MB are free" in caught.value.cause
    assert "LIPWISE_HOME" in caught.value.next_step
    assert server.asked == []


def test_a_disk_that_fills_up_on_the_way_is_told_and_not_left_full(server, content, from_mirrors, part, monkeypatch):
    def flush(receiver):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(download._Receiver, "flush", flush)
    server.site = {"/a": whole(content), "/b": whole(content)}
    from_mirrors(server.url("/a"), server.url("/b"))
    with pytest.raises(WeightsError, match=r"(?s)/a: No space left on device.*/b: No space left on device"):
        fetch_weights("net")
    assert not part.exists()


@pytest.fixture
def mounted(tmp_path):
    """Mounts a real file system of some size; takes a right that few have."""
    made = []

    def mount(*options: str) -> Path:
        folder = tmp_path / f"disk{len(made)}"
        folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("this user may not mount a file system")
        made.append(folder)
        return folder

    yield mount
    for folder in made:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_real_disk_too_small(server, content, from_mirrors, mounted, monkeypatch):
    monkeypatch.setenv("LIPWISE_HOME", str(mounted("size=500k")))
    server.site = {"/net.bin": whole(content)}
    from_mirrors(server.url("/net.bin"))
    with pytest.raises(WeightsError, match="no room for net"):
        fetch_weights("net")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: namedtuple("usage", "free")(10**9))  # as under a quota
    with pytest.raises(WeightsError, match="No space left on device"):
        fetch_weights("net")


def test_a_real_disk_that_cannot_be_written(server, content, from_mirrors, mounted, monkeypatch):
    disk = mounted("size=5m")
    monkeypatch.setenv("LIPWISE_HOME", str(disk))
    server.site = {"/net.bin": whole(content)}
    from_mirrors(server.url("/net.bin"))
    path = disk / "net.bin"
    path.write_bytes(content)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert fetch_weights("net") == [path]  # what is there and right serves
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    path.unlink()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(WeightsError, match=r"(?s)cannot be kept in .*Read-only file system.*LIPWISE_HOME"):
        fetch_weights("net")


def test_a_drive_that_is_not_mounted(tmp_path, from_mirrors, monkeypatch):
    from_mirrors("https://127.0.0.1:9/net.bin")
    monkeypatch.setenv("LIPWISE_HOME", str(tmp_path / "drive" / "lipwise"))
    with pytest.raises(WeightsError, match="is a drive not mounted"):
        fetch_weights("net")
    assert not (tmp_path / "drive").exists()


def test_a_file_where_the_folder_should_be(tmp_path, from_mirrors, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    from_mirrors("https://127.0.0.1:9/net.bin")
    monkeypatch.setenv("LIPWISE_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(WeightsError, match="LIPWISE_HOME"):
        fetch_weights("net")
