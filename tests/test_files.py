"""Files and folders that are there whole, or not at all."""

import shutil
from pathlib import Path

import pytest

from lipwise import files


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
