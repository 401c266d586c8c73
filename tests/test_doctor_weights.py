"""What the doctor says of the folder of weights, of what lies in it, and of lists that cannot be read."""

import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

import lipwise as lw
from lipwise import doctor
from lipwise.doctor.table import Row


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    for name in ("LIPWISE_MIRROR", "LIPWISE_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LIPWISE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def filled(home, face_mesh) -> Path:
    """A folder with the face mesh in it; gives its path."""
    home.mkdir()
    return Path(shutil.copy(face_mesh, home))


def rows() -> tuple[Row, Row]:
    """The doctor's two rows about weights: the disk, and the files."""
    both = ("disk of weights", doctor.disk_of_weights), ("weights", doctor.weights)
    return tuple(doctor._guarded(what, check) for what, check in both)


def test_a_full_disk_is_told_with_the_folder(home, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=300_000_000))
    row = rows()[0]
    assert row.status == "warn"
    assert row.found == f"0.3 GB free at {home}"
    assert "LIPWISE_HOME" in row.next_step


def test_absent_weights_are_missing(home):
    row = rows()[1]
    assert (row.status, row.next_step) == ("missing", "python -m lipwise weights face_mesh")
    assert row.found.startswith("0 of ")


def test_present_weights_are_named_with_their_size(filled):
    row = rows()[1]
    assert row.status == "ok"
    assert row.found == f"1 of {len(lw.weights_entries())} (1.2 MB): face_mesh"


@pytest.mark.parametrize("whole", [False, True])
def test_a_file_that_is_not_the_listed_one_is_not_present(whole, filled):
    filled.write_bytes(b"\0" * filled.stat().st_size if whole else b"cut")
    row = rows()[1]
    assert (row.status, row.next_step) == ("missing", "python -m lipwise weights face_mesh")
    assert row.found.startswith("0 of ")
    assert row.found.endswith("; not the listed file: face_mesh")


def test_another_file_that_is_not_the_listed_one_is_a_warning(filled):
    (filled.parent / lw.weights_entries()["yunet_2023mar"].file).write_bytes(b"cut")
    row = rows()[1]
    assert (row.status, row.next_step) == ("warn", "python -m lipwise weights yunet_2023mar")
    assert row.found.endswith("1.2 MB): face_mesh; not the listed file: yunet_2023mar")


@pytest.mark.parametrize(
    ("home_is", "said"),
    [("file", "{0} is a file, not a folder"), ("file/home", "there is no {0.parent}"), ("no/home", "not mounted")],
)
def test_a_folder_that_cannot_be_made_is_told_where_the_weights_would_go(home_is, said, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LIPWISE_HOME", str(tmp_path / home_is))
    disk, weights = rows()
    assert disk.status == "warn"
    assert said.format(tmp_path / home_is) in disk.found
    assert weights.status == "missing"
    for row in (disk, weights):
        assert "set LIPWISE_HOME to a folder that can be written" in row.next_step
    assert weights.next_step.endswith("then: python -m lipwise weights face_mesh")


def test_a_folder_that_cannot_be_written_is_told(home, monkeypatch):
    home.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    disk, weights = rows()
    assert disk.status == "warn"
    assert disk.found.endswith("cannot be written to")
    assert disk.next_step == "set LIPWISE_HOME to a folder that can be written"
    assert weights.next_step == f"{disk.next_step}, then: python -m lipwise weights face_mesh"


def test_a_folder_that_can_only_be_read_serves_with_what_it_has(filled):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", str(filled.parent)], check=False).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        subprocess.run(["mount", "-o", "remount,ro", str(filled.parent)], check=True)
        assert rows()[1].next_step.startswith("set LIPWISE_HOME to a folder that can be written, then: ")
    finally:
        subprocess.run(["umount", str(filled.parent)], check=True)
    filled.parent.chmod(0o555)
    assert rows()[1].status == "ok"
    filled.parent.chmod(0o755)


@pytest.mark.parametrize(
    ("variable", "value", "said", "step"),
    [
        ("LIPWISE_HOME", "~nobody-of-this-name/w", "LIPWISE_HOME names ~nobody-of-this-name/w", "LIPWISE_HOME"),
        ("LIPWISE_HOME", "/" + "a" * 300, "too long", "LIPWISE_HOME"),
        ("LIPWISE_WEIGHTS", "{home}/gone.yaml", "gone.yaml cannot be used: [Errno 2] No such file", "mend it there"),
        ("LIPWISE_WEIGHTS", "{home}/bad.yaml", "line 1: 'net' is not a name with fields below it", "mend it there"),
    ],
)
def test_an_error_with_words_of_its_own_keeps_them(variable, value, said, step, home, monkeypatch):
    home.mkdir()
    (home / "bad.yaml").write_text("net: 5")
    monkeypatch.setenv(variable, value.format(home=home))
    row = rows()[1]
    assert row.status == "missing"
    assert said in row.found
    assert "Error:" not in row.found
    assert step in row.next_step
