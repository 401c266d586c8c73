"""Files and folders that are there whole, or not at all."""

import os
import shutil
import time
import warnings
from pathlib import Path

import pytest

from lipwise import files
from lipwise.errors import DiskFullError, LipwiseWarning, MediaError


def test_a_hidden_folder_goes_with_all_that_is_in_it(tmp_path):
    with files.hidden_folder(tmp_path) as folder:
        (folder / "part").write_text("some")
        assert folder.parent == tmp_path
        assert folder.name.startswith(".")
    assert list(tmp_path.iterdir()) == []


def test_a_hidden_folder_goes_though_the_work_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), files.hidden_folder(tmp_path):
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


def test_a_hidden_folder_goes_though_a_person_interrupts_the_deleting(tmp_path, monkeypatch):
    pressed = []

    def interrupted(folder, ignore_errors=False):
        if not pressed:
            pressed.append(folder)
            (folder / "part").unlink()
            raise KeyboardInterrupt
        shutil.rmtree(folder, ignore_errors=ignore_errors)

    monkeypatch.setattr(files, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt), files.hidden_folder(tmp_path) as folder:
        (folder / "part").write_text("some")
    assert pressed
    assert list(tmp_path.iterdir()) == []


def test_a_hidden_folder_goes_though_the_program_is_told_to_end_while_it_is_made(tmp_path, monkeypatch):
    make = Path.mkdir

    def made_then_told(folder, **how):
        make(folder, **how)
        raise SystemExit

    monkeypatch.setattr(Path, "mkdir", made_then_told)
    with pytest.raises(SystemExit), files.hidden_folder(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


# --- what the system refuses


def test_a_file_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for name in ("nowhere/a.json", "file/a.json", "folder", "a" * 300):
        with pytest.raises(MediaError) as caught, files.written_whole(tmp_path / name) as part:
            part.write_text("some")
        assert caught.value.what == f"{tmp_path / name} cannot be written"
        assert "Errno" not in caught.value.cause
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("number", files.FULL)
def test_a_full_disk_is_told_as_such(number, tmp_path):
    said = r"(?s)a cannot be written.*the disk is full: no room"
    with pytest.raises(DiskFullError, match=said), files.written_whole(tmp_path / "a"):
        raise OSError(number, "no room")
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_too_long_is_told_before_anything_is_written(tmp_path):
    with pytest.raises(OSError, match="too long"):
        files.new_part(tmp_path / ("a" * 300))
    assert not list(tmp_path.iterdir())


def test_what_is_wrong_with_the_content_stays_what_it_is(tmp_path):
    with pytest.raises(ZeroDivisionError), files.written_whole(tmp_path / "a"):
        _ = 1 / 0
    assert not list(tmp_path.iterdir())


def test_a_hidden_folder_that_cannot_be_made_is_told(tmp_path):
    with pytest.raises(MediaError, match="nowhere cannot be written"), files.hidden_folder(tmp_path / "nowhere"):
        pass


def test_a_part_that_finds_no_room_is_told_under_the_results_name(tmp_path):
    out, part = tmp_path / "out.mp4", tmp_path / "part.npz"
    with pytest.raises(DiskFullError) as caught, files.written_for(out), files.writing(part):
        raise OSError(files.FULL[0], "no room")
    assert caught.value.what == f"{out} cannot be written"
    assert caught.value.cause.endswith(f"it happened to a part of it, {part}")


# --- what a killed program left


def hours_old(folder: Path, hours: float) -> Path:
    """A folder with a file in it, as a program that was killed leaves it."""
    folder.mkdir()
    (folder / "track.npz").touch()
    then = time.time() - 3600 * hours
    for path in (folder / "track.npz", folder):
        os.utime(path, (then, then))
    return folder


def test_what_a_killed_program_left_is_told(tmp_path):
    names = ".lipwise-0123456789abcdef", ".lipwise-a [1]-0123456789abcdef"  # whatever the next result is called
    for name in names:
        hours_old(tmp_path / name, 2)
    hours_old(tmp_path / ".lipwise-run", 2)  # named by a person
    with (
        pytest.warns(LipwiseWarning, match="was left by a program that was killed") as caught,
        files.hidden_folder(tmp_path, of="b"),
    ):
        pass
    told = [str(one.message).partition(" was left")[0] for one in caught]
    assert told == [str(tmp_path / name) for name in names]
    assert all(Path(name).exists() for name in told)


@pytest.mark.parametrize("fresh", [".", "track.npz"])
def test_a_folder_in_which_something_changed_is_somebodys(tmp_path, fresh):
    left = hours_old(tmp_path / ".lipwise-0123456789abcdef", 2)
    os.utime(left / fresh)
    with warnings.catch_warnings(), files.hidden_folder(tmp_path):
        warnings.simplefilter("error")
        with files.hidden_folder(tmp_path):
            pass
