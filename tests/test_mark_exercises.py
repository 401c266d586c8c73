"""Marking a class's exercises by the lesson's own check."""

import importlib.util
import shutil
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
spec = importlib.util.spec_from_file_location("mark_exercises", ROOT / "tools" / "mark_exercises.py")
marking = importlib.util.module_from_spec(spec)
spec.loader.exec_module(marking)

LESSON = """
# %%
wanted = 4

# %% tags=["exercise"]
# Write your code here.
def double(x): return None
# --- solution ---
def double(x): return 2 * x

# %%
assert double(2) == wanted, "Not solved yet: twice two is four"

# %%
raise RuntimeError("cells after the exercise are not run")
"""


@pytest.fixture
def lesson(tmp_path) -> Path:
    source = tmp_path / "09_doubling.py"
    source.write_text(LESSON, encoding="utf-8")
    return source


@pytest.fixture
def hand_in(tmp_path, lesson):
    """Write a learner's notebook: the lesson with some answer, and whatever else was changed."""

    def write(name: str, answer: str | None = None, *, tags: bool = True, check: str | None = None) -> Path:
        book = marking.builder.build(lesson)
        place = next(number for number, cell in enumerate(book.cells) if marking.is_exercise(cell))
        if answer is not None:
            book.cells[place].source = f"# Write your code here.\n{answer}"
        if not tags:
            book.cells[place].metadata = nbformat.from_dict({})
        if check is not None:
            book.cells[place + 1].source = check
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(book, path, version=nbformat.NO_CONVERT)
        return path

    return write


ANSWERS = {
    "right": ("def double(x): return x + x", "solved", ""),
    "untouched": (None, "unsolved", "AssertionError: Not solved yet: twice two is four"),
    "wrong": ("def double(x): return x ** 3", "unsolved", "Not solved yet"),
    "no Python": ("def double(x: return", "unsolved", "SyntaxError"),
    "ends the kernel": ("import os; os._exit(1)", "broken", "the kernel ended"),
}


@pytest.mark.parametrize(("answer", "wanted", "said"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_marked(hand_in, lesson, answer, wanted, said):
    found = marking.mark(hand_in("ada/09_doubling.ipynb", answer), lesson)
    assert (found.mark, found.lesson) == (wanted, "09_doubling")
    assert said in found.said


def test_kernels_say_nothing_among_the_marks(hand_in, lesson, capfd):
    loud = "import os; os.write(2, b'noise'); double = lambda x: 2 * x"
    assert marking.mark(hand_in("09_doubling.ipynb", loud), lesson).mark == "solved"
    assert capfd.readouterr().err == ""


def test_a_check_that_was_changed_changes_nothing(hand_in, lesson):
    assert marking.mark(hand_in("09_doubling.ipynb", check="pass"), lesson).mark == "unsolved"


def test_an_answer_is_found_where_the_tags_were_lost(hand_in, lesson):
    assert marking.mark(hand_in("09_doubling.ipynb", "double = lambda x: 4", tags=False), lesson).mark == "solved"


def test_a_file_that_is_no_notebook_is_told(tmp_path, lesson):
    (tmp_path / "09_doubling.ipynb").write_text("not a notebook")
    found = marking.mark(tmp_path / "09_doubling.ipynb", lesson)
    assert (found.mark, found.said.split(":")[0]) == ("broken", "cannot be read as a notebook")


def test_a_folder_is_marked_whatever_the_copies_are_called(hand_in, lesson, tmp_path):
    hand_in("ada/Copy_of_09_doubling (1).ipynb", "double = lambda x: 4")
    hand_in("bob/09_doubling.ipynb")
    shutil.copy(hand_in("eve/09_doubling.ipynb"), tmp_path / "class" / "unrelated.ipynb")
    found = list(marking.mark_all(tmp_path / "class", [lesson]))
    assert [(one.file.parent.name, one.mark) for one in found] == [
        ("ada", "solved"), ("bob", "unsolved"), ("eve", "unsolved"),
    ]  # fmt: skip
