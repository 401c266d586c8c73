"""Each rule for lessons fails when a lesson breaks it: one that keeps them all is spoiled in one place at a time."""

import copy
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GOOD = ROOT / "notebooks" / "02_clean_faces.ipynb"

spec = importlib.util.spec_from_file_location("lint_notebooks", ROOT / "tools" / "lint_notebooks.py")
assert spec is not None
assert spec.loader is not None
linter = importlib.util.module_from_spec(spec)
spec.loader.exec_module(linter)

Spoil = Callable[[dict], None]


def cell_of(book: dict, start: str) -> dict:
    """The first cell that begins so; "" gives the first."""
    return next(cell for cell in book["cells"] if "".join(cell["source"]).startswith(start))


def replace(start: str, pattern: str, by: str) -> Spoil:
    """Replace what a pattern finds first in the cell that begins so."""

    def spoil(book: dict) -> None:
        cell = cell_of(book, start)
        text, count = re.subn(pattern, lambda _: by, "".join(cell["source"]), count=1, flags=re.DOTALL)
        assert count == 1, "nothing was spoiled"
        cell["source"] = text

    return spoil


def add(start: str, text: str) -> Spoil:
    """Add text to the cell that begins so."""

    def spoil(book: dict) -> None:
        cell = cell_of(book, start)
        cell["source"] = "".join(cell["source"]) + text

    return spoil


def give(start: str, **values: object) -> Spoil:
    """Set keys of the cell that begins so."""
    return lambda book: cell_of(book, start).update(values)


def more_cells(book: dict) -> None:
    book["cells"] += [{"cell_type": "code", "metadata": {}, "source": "x = 1"}] * 40


def no_check(book: dict) -> None:
    for cell in book["cells"]:
        cell["source"] = "".join(cell["source"]).replace("# Check", "#")


def another_step(book: dict) -> None:
    """A step before the exercise that only shows something, in a folded cell."""
    at = book["cells"].index(cell_of(book, "## Exercise"))
    text = {"cell_type": "markdown", "metadata": {}, "source": "## One step more\n\nAnd a text."}
    code = {"cell_type": "code", "metadata": {}, "source": "# @title A figure\nshow_clean.curves(report)"}
    book["cells"][at:at] = [text, code]


def without_exercise(book: dict) -> None:
    cell_of(book, "# Write your code here.")["metadata"] = {}


FORM, DONE, EXERCISE = "# @title Your choices", "## What you did", "# Write your code here."
GLOSSARY = f"https://github.com/{linter.lessons.place()}/blob/main/docs/glossary.md"
SPOILED: list[tuple[str, Spoil, str]] = [
    ("the_badge_opens_this_file", replace("", "02_clean_faces", "01_setup"), "badge of this file"),
    ("the_badge_opens_this_file", replace("", "/blob/main/", "/blob/draft/"), "badge of this file"),
    ("there_is_one_title", add("**You will**", "\n\n# Another title"), "Another title"),
    ("there_is_one_title", replace("", "\n# ", "\n## "), r"there are \[\]"),
    ("every_part_is_there_once", replace("**You will**", r"\*\*Consent", "**Beware"), r"'\*\*Consent.*0 times"),
    ("every_part_is_there_once", add("", "\n\n**Time:** an hour"), r"'\*\*Time:\*\*' stands there 2 times"),
    ("every_part_is_there_once", replace("**What to look at**", "Failure looks", "It looks"), "how failure looks"),
    ("every_step_is_checked", no_check, "nothing is checked below '## Read the timeline'"),
    ("every_step_is_checked", replace("# Check: only drop", "# Check:", "#"), "below '## Decide by a policy'"),
    ("every_step_is_checked", replace("# Check: only drop", "\nassert ", "\n"), "below '## Decide by a policy'"),
    ("every_step_is_checked", replace("# Check: only drop", "# Check:.+", "x = 1"), "below '## Decide by a policy'"),
    ("every_step_is_checked", another_step, "below '## One step more'"),
    ("every_step_is_checked", replace("# Check your", "\n *assert .+", "\n    print(fault)"), "below '## Exercise'"),
    ("it_ends_with_next_steps", add("## Next steps", "\n\n## More"), "the last headings"),
    ("it_ends_with_next_steps", replace("## Next steps", "03_lipsync", "04_enhance"), "lack the badge of 03_lipsync"),
    ("goals_are_restated_as_questions", add(DONE, "\n4. You did more. Did you?"), "3 goals, and 4"),
    ("goals_are_restated_as_questions", replace("**You will**", "\n2. ", "\n- "), "2 goals, and 3"),
    ("goals_are_restated_as_questions", replace(DONE, "<details>.+?</details>", ""), "no question with one hidden"),
    ("goals_are_restated_as_questions", replace(DONE, r"\?", "."), "no question with one hidden"),
    ("goals_are_restated_as_questions", replace(DONE, "</summary>", "</summary>" + "word " * 40), "more than 40 words"),
    ("cells_are_few_and_short", more_cells, "cells, and 20 to 40"),
    ("cells_are_few_and_short", lambda book: book.update(cells=book["cells"][:19]), "19 cells"),
    ("cells_are_few_and_short", add("import cv2", "\nx = 1" * 12), "lines of code"),
    ("cells_are_few_and_short", add(DONE, " word" * 60), "words in one cell"),
    ("headings_are_in_sentence_case", replace("## Read the timeline", "timeline", "Timeline"), "'Timeline'"),
    ("set_up_is_folded", give("# @title Set up", metadata={}), "folded"),
    ("the_form_only_assigns", add(FORM, "\nprint(face)"), "not one assignment.*print"),
    ("the_form_only_assigns", add(FORM, '\nhome = Path("x")  # @param {type:"string"}'), "plain value.*home"),
    ("the_form_only_assigns", add(FORM, "\nsize = 3"), "@param that Colab knows: size"),
    ("the_form_only_assigns", replace(FORM, '"string"', '"text"'), "@param that Colab knows: face"),
    ("the_form_only_assigns", replace(FORM, 'policy = "drop"', 'policy = "skip"'), "none of its choices: policy"),
    ("the_form_only_assigns", add("import cv2", '\nx = ""  # @param {type:"string"}'), "no @param elsewhere"),
    ("every_choice_has_help", replace(FORM, "# @markdown A clip[^\n]*\n", ""), "saying what it does: face"),
    ("every_choice_has_help", replace(FORM, "# @markdown A clip[^\n]*\n", "# @markdown The face.\n"), "does: face"),
    ("every_choice_has_help", replace(FORM, "# @markdown A clip", "# A clip"), "saying what it does: face"),
    ("metadata_is_known", give("import cv2", id="8d7f"), "'id'"),
    ("metadata_is_known", give("import cv2", metadata={"colab": {}}), "'colab'"),
    ("metadata_is_known", lambda book: book["metadata"].update(widgets={}), "'widgets'"),
    ("metadata_is_known", lambda book: book["metadata"]["colab"].update(provenance=[]), "'provenance'"),
    ("metadata_is_known", lambda book: book.update(nbformat_minor=5), "format 4.5"),
    ("nothing_is_left_of_a_run", give("import cv2", execution_count=3), "import cv2"),
    ("nothing_is_left_of_a_run", give("import cv2", outputs=[{"output_type": "stream"}]), "import cv2"),
    ("every_link_leads_somewhere", replace("", "images/", "pictures/"), "no file: pictures/"),
    ("every_link_leads_somewhere", add(DONE, "\n[08_more](08_more.ipynb)"), "no file: 08_more"),
    ("every_link_leads_somewhere", add(DONE, "\n[words](../docs/words.md)"), r"no file: \.\./docs/words"),
    ("every_link_leads_somewhere", add(DONE, f"\n[policy]({GLOSSARY}#polity)"), "no such place.*#polity"),
    ("every_link_leads_somewhere", replace("## Next steps", "notebooks/03", "books/03"), "no file: .*books/03_lipsync"),
    ("words_are_linked_to_the_glossary_once", add(DONE, f"\n[box]({GLOSSARY}#box)"), "'box' is linked more than once"),
    ("its_picture_fits_a_page", replace("", r"!\[Six[^\]]+", "!["), r"there are \[\]"),
    ("its_picture_fits_a_page", add("", "\n![Hash](images/setup.png)"), "one picture"),
    ("the_exercise_is_open", replace(EXERCISE, "return None", "return None\n# --- solution ---\nx = 2"), "solution"),
    ("the_exercise_is_open", replace(EXERCISE, "# Write your code here.", "# Go on."), "does not begin with"),
    ("the_exercise_is_open", replace("# Check your answer", "# Check", "# Look at"), "does not check it"),
    ("the_exercise_is_open", without_exercise, "there are 0"),
    ("no_registry_is_named", add(DONE, "\nGet it from Py" + "PI."), "package registry"),
    ("no_registry_is_named", add("import cv2", "\n# files.python" + "hosted.org"), "package registry"),
]  # fmt: skip


def faults_of(rule: str, book: dict, path: Path = GOOD) -> list[str]:
    return [said for said in linter.faults(linter.lessons.Lesson(path, book, linter.lessons.place()))
            if said.startswith(f"{rule}: ")]  # fmt: skip


@pytest.fixture
def good() -> dict:
    return copy.deepcopy(json.loads(GOOD.read_text(encoding="utf-8")))


@pytest.mark.parametrize(("rule", "spoil", "said"), SPOILED, ids=[f"{rule}-{said}" for rule, _, said in SPOILED])
def test_a_spoiled_lesson_breaks_the_rule(good, rule, spoil, said):
    assert faults_of(rule, good) == []
    spoil(good)
    assert any(re.search(said, fault) for fault in faults_of(rule, good))


def test_every_rule_is_seen_to_fail():
    seen = {rule for rule, _, _ in SPOILED}
    assert seen == {rule.__name__ for rule in linter.RULES}


def test_a_lesson_without_words_in_the_glossary_is_told(good):
    for cell in good["cells"]:
        cell["source"] = re.sub(r"\]\([^)]*#[^)]*\)", "]", "".join(cell["source"]))
    assert "0 words" in faults_of("words_are_linked_to_the_glossary_once", good)[0]


def test_text_alone_needs_no_check(good):
    good["cells"].append({"cell_type": "markdown", "metadata": {}, "source": "## To read\n\nNothing runs here."})
    assert faults_of("every_step_is_checked", good) == []


PNG = b"\x89PNG"
PICTURES = {
    "another kind": b"GIF89a",
    "too narrow": PNG + bytes(40),
    "too heavy": PNG + bytes(14) + b"\x04\xb0" + bytes(700_000),
}


@pytest.mark.parametrize("content", PICTURES.values(), ids=PICTURES)
def test_a_picture_that_does_not_fit_is_told(good, tmp_path, content):
    path = tmp_path / "notebooks" / GOOD.name
    (path.parent / "images").mkdir(parents=True)
    shutil.copy(GOOD, path)
    picture = path.parent / "images" / "clean_faces.png"
    shutil.copy(GOOD.parent / "images" / picture.name, picture)
    assert faults_of("its_picture_fits_a_page", good, path) == []
    picture.write_bytes(content)
    assert "is wanted" in faults_of("its_picture_fits_a_page", good, path)[0]


def test_the_linter_runs_from_a_terminal(good, tmp_path):
    def lint(*asked: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, ROOT / "tools" / "lint_notebooks.py", *map(str, asked)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert (lint(GOOD).returncode, lint(GOOD).stdout) == (0, "")
    good["metadata"]["widgets"] = {}
    spoiled = tmp_path / GOOD.name
    spoiled.write_text(json.dumps(good), encoding="utf-8")
    found = lint(spoiled)
    assert found.returncode == 1
    assert f"{spoiled}: metadata_is_known: 'widgets' is not on the list" in found.stdout
    assert len(lint("--list").stdout.splitlines()) == len(linter.RULES)
