"""What the set-up lesson shows, fetches and refuses; it runs with an empty cache, a mirror folder and no network."""

import re
from pathlib import Path

import pytest
from nbclient.exceptions import CellExecutionError


@pytest.fixture(scope="module")
def lesson(ran):
    return ran("01_setup")


def test_only_the_verified_file_lies_in_the_cache(lesson, face_mesh):
    home = Path(lesson.start.env["LIPWISE_HOME"])
    assert str(home) in lesson.printed  # what weights_folder() said
    assert (home / face_mesh.name).read_bytes() == face_mesh.read_bytes()
    assert [path.name for path in home.iterdir() if path.is_file()] == [face_mesh.name]


def test_the_script_ran_again_and_installed_nothing(lesson):
    if "setup:" not in lesson.printed:
        pytest.skip("setup_colab.sh has not prepared this environment, and a test installs nothing")
    assert "setup: ready" in lesson.printed
    assert "installing" not in lesson.printed


def test_tables_show_the_machine_and_what_is_kept(lesson):
    machine, kept = lesson.of_type("text/html")
    assert "torch" in machine
    assert "PyAV" in machine
    assert re.search(r"1 of \d+ files are kept in /", kept)
    assert "non-commercial" in kept
    assert not re.search(r"(?<!border-)(color|background): ?(black|white|#0|#f)", kept)  # legible on a dark page, too


def test_one_flipped_bit_is_told_in_the_loader_s_own_words(lesson):
    assert re.search(r"damaged\.safetensors: -?\d\.\d+e\+3\d", lesson.printed)  # the number that the bit belongs to
    refused = lesson.printed[lesson.printed.index("lesson (viseme.safetensors)") :]
    assert "SHA-256" in refused
    assert "next:" in refused


def test_the_lesson_shows_two_figures(lesson):
    assert len(lesson.pictures) == 2


# What the cells before the exercise leave behind: two right files and a damaged copy of the second.
FILES = """
import hashlib
from pathlib import Path
from types import SimpleNamespace
files = {"mesh": b"face mesh", "good": b"good", "damaged": b"gooe"}
for name, content in files.items():
    Path(name).write_bytes(content)
mesh, good, damaged = map(Path, files)
folder = Path("lesson")
(folder / "mirror").mkdir(parents=True, exist_ok=True)
(folder / "mirror" / good.name).write_bytes(damaged.read_bytes())
sha256 = lambda path: hashlib.sha256(path.read_bytes()).hexdigest()
about = lambda path: SimpleNamespace(file=path.name, bytes=path.stat().st_size, sha256=sha256(path))
lw = SimpleNamespace(weights_entries=lambda: {"face_mesh": about(mesh), "lesson": about(good)})
"""
WRONG = {
    "never": ("False", r"you say \[False, False\]"),
    "always": ("True", "other entry"),
    "the size only": ("path.stat().st_size == entry.bytes", "damaged copy passed"),
    "the name only": ("path.name == entry.file", "damaged copy passed"),
}


@pytest.mark.parametrize(("answer", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_why(answered, answer, said):
    with pytest.raises(CellExecutionError, match=said):
        answered("01_setup", f"def is_right(path, entry):\n    return {answer}", before=FILES)
