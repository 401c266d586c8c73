"""The rules that every lesson keeps, read from the built notebooks.

    python tools/lint_notebooks.py             this project's notebooks; status 1 when one of them breaks a rule
    python tools/lint_notebooks.py NOTEBOOK…   these

A rule is a function in RULES: it is given a lesson and yields what is wrong with it. `--list` prints them.
"""

import argparse
import importlib.util
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FEWEST_CELLS, MOST_CELLS = 20, 40
LONGEST_CODE, LONGEST_TEXT, LONGEST_ANSWER = 15, 80, 40  # lines without a title, words of a text, of a hidden answer
GOALS = 3
FEWEST_WORDS_LINKED = 5  # to the glossary
PICTURE_WIDTH, PICTURE_BYTES = 1200, 700_000
NOTEBOOK_METADATA, COLAB_METADATA = {"accelerator", "colab", "kernelspec"}, {"gpuType", "toc_visible"}
CELL_KEYS = {"cell_type", "metadata", "source", "outputs", "execution_count"}
CELL_METADATA = {"cellView", "jupyter", "tags"}
GLOSSARY = "docs/glossary.md"
REGISTRY = re.compile(r"\b(?:test\.)?pypi\b|python-?hosted|\bnpm-?js\b|\bdeb(?:ian)?\.(?:org|net)", re.IGNORECASE)
CHECK = re.compile(r"^ *# Check\b.+?^ *assert ", re.DOTALL | re.MULTILINE)
ANSWER = re.compile(r"<details><summary>Answer</summary>(.+?)</details>", re.DOTALL)


spec = importlib.util.spec_from_file_location("lesson", ROOT / "tools" / "lesson.py")
assert spec is not None
assert spec.loader is not None
lessons = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lessons)
Lesson, anchors, count_words, text_of = lessons.Lesson, lessons.anchors, lessons.count_words, lessons.text_of
fault_of_field = lessons.fault_of_field

# --- the rules ---


def the_badge_opens_this_file(lesson: Lesson) -> Iterator[str]:
    if not lesson.prose or not lesson.prose[0].startswith(lesson.badge_of(lesson.path.stem)):
        yield "the first cell does not begin with the badge of this file"


def there_is_one_title(lesson: Lesson) -> Iterator[str]:
    titles = [line for line in lesson.headings if line.startswith("# ")]
    if titles != lesson.headings[:1]:
        yield f"one H1, the first heading, is wanted; there are {titles}"


def every_part_is_there_once(lesson: Lesson) -> Iterator[str]:
    words = "\n\n".join(lesson.prose)
    parts = ("**Time:**", "**Runtime:**", "**You will**", "**Consent.**", "**Try it.**", "## Exercise")
    yield from (f"{part!r} stands there {words.count(part)} times" for part in parts if words.count(part) != 1)
    looks, failures = words.count("**What to look at**"), words.count("Failure looks like this")
    if not 1 <= looks == failures:
        yield f"{looks} times what to look at, and {failures} times how failure looks"


def every_step_is_checked(lesson: Lesson) -> Iterator[str]:
    """A comment says what is checked, and an assert below it can fail. Where the form stands, nothing is taught yet."""
    for heading, cells in lesson.steps.items():
        if cells and not any(text.startswith("# @title Your choices") or CHECK.search(text) for text in cells):
            yield f"nothing is checked below {heading!r}"


def it_ends_with_next_steps(lesson: Lesson) -> Iterator[str]:
    wanted = ["## What you did", "## If something goes wrong", "## Next steps"]
    if lesson.headings[-3:] != wanted:
        yield f"the last headings are {lesson.headings[-3:]}, not {wanted}"
    stems = sorted(path.stem for path in lesson.path.parent.glob("*.ipynb"))
    following = stems[(stems.index(lesson.path.stem) + 1) % len(stems)]
    if lesson.badge_of(following) not in lesson.section("## Next steps"):
        yield f"the next steps lack the badge of {following}"


def goals_are_restated_as_questions(lesson: Lesson) -> Iterator[str]:
    goals = re.findall(r"^\d\. ", lesson.section("**You will**"), re.MULTILINE)
    done = re.split(r"^\d\. ", lesson.section("## What you did"), flags=re.MULTILINE)[1:]
    if not len(goals) == len(done) == GOALS:
        yield f"{len(goals)} goals, and {len(done)} are looked back at; {GOALS} each are wanted"
    for item in done:
        answers = ANSWER.findall(item)
        if "?" not in ANSWER.sub("", item) or len(answers) != 1:
            yield f"no question with one hidden answer: {item.strip()!r}"
        yield from (f"an answer of more than {LONGEST_ANSWER} words: {answer!r}" for answer in answers
                    if count_words(answer) > LONGEST_ANSWER)  # fmt: skip


def cells_are_few_and_short(lesson: Lesson) -> Iterator[str]:
    if not FEWEST_CELLS <= len(lesson.book["cells"]) <= MOST_CELLS:
        yield f"{len(lesson.book['cells'])} cells, and {FEWEST_CELLS} to {MOST_CELLS} are wanted"
    for text in lesson.code:
        if not text.startswith("# @title") and len(text.splitlines()) > LONGEST_CODE:
            yield f"{len(text.splitlines())} lines of code in one cell: {text[:60]!r}"
    for text in lesson.prose:
        if (words := count_words(ANSWER.sub("", text))) >= LONGEST_TEXT:
            yield f"{words} words in one cell: {text[:60]!r}"


def headings_are_in_sentence_case(lesson: Lesson) -> Iterator[str]:
    for line in lesson.headings:
        capital = [word for word in line.lstrip("# ").split()[1:] if word[0].isupper() and not word.isupper()]
        yield from (f"{word!r} in {line!r}" for word in capital)


def set_up_is_folded(lesson: Lesson) -> Iterator[str]:
    cells = [cell for cell in lesson.book["cells"] if text_of(cell).startswith("# @title Set up")]
    folded = {"cellView": "form", "jupyter": {"source_hidden": True}}
    if [cell["metadata"] for cell in cells] != [folded]:
        yield "one folded cell '# @title Set up' is wanted"


def forms(lesson: Lesson) -> list[str]:
    return [text for text in lesson.code if "@param" in text or text.startswith("# @title Your choices")]


def the_form_only_assigns(lesson: Lesson) -> Iterator[str]:
    if [text.splitlines()[0] for text in forms(lesson)] != ["# @title Your choices"]:
        yield "one form, '# @title Your choices', is wanted, and no @param elsewhere"
    for line in (line for text in forms(lesson) for line in text.splitlines()):
        if not line.startswith(("# @title ", "# @markdown ")) and (fault := fault_of_field(line)):
            yield f"{fault}: {line}"


def every_choice_has_help(lesson: Lesson) -> Iterator[str]:
    """Help is a line `# @markdown …` above the field: Colab shows it beside the field, others show the comment."""
    for text in forms(lesson):
        lines = text.splitlines()
        for above, line in zip(["", *lines], lines, strict=False):
            helps = above.startswith("# @markdown ") and count_words(above) >= 5  # three besides "@markdown" and a name
            if "# @param" in line and not helps:
                yield f"no line '# @markdown …' above, saying what it does: {line}"


def metadata_is_known(lesson: Lesson) -> Iterator[str]:
    book = lesson.book
    if (book["nbformat"], book["nbformat_minor"]) != (4, 4):
        yield f"format {book['nbformat']}.{book['nbformat_minor']}; 4.4 is wanted, which has no cell ids"
    strange = set(book["metadata"]) - NOTEBOOK_METADATA | set(book["metadata"].get("colab", {})) - COLAB_METADATA
    for cell in book["cells"]:
        strange |= set(cell) - CELL_KEYS | set(cell["metadata"]) - CELL_METADATA
    yield from (f"{name!r} is not on the list" for name in sorted(strange))


def nothing_is_left_of_a_run(lesson: Lesson) -> Iterator[str]:
    for cell in lesson.book["cells"]:
        if cell.get("outputs") or cell.get("execution_count") is not None:
            yield f"outputs or a count: {text_of(cell)[:60]!r}"


def every_link_leads_somewhere(lesson: Lesson) -> Iterator[str]:
    hosts = ("https://github.com/", "https://colab.research.google.com/github/")
    ours = tuple(f"{host}{lesson.place}/blob/main/" for host in hosts)
    for link in lesson.links:
        home = next((start for start in ours if link.startswith(start)), None)
        if home is None and link.startswith("https://"):
            continue
        name, _, anchor = link.removeprefix(home or "").partition("#")
        path = (lesson.root if home else lesson.path.parent) / name
        if not path.is_file():
            yield f"no file: {link}"
        elif anchor and anchor not in anchors(path):
            yield f"no such place in {name}: {link}"


def words_are_linked_to_the_glossary_once(lesson: Lesson) -> Iterator[str]:
    """With a full address: a relative one leads nowhere in a copy on Colab, and `docs` is no notebook's folder."""
    start = f"https://github.com/{lesson.place}/blob/main/{GLOSSARY}#"
    named = [link.removeprefix(start) for link in lesson.links if link.startswith(start)]
    yield from (f"{name!r} is linked more than once" for name in sorted(set(named)) if named.count(name) > 1)
    if len(set(named)) < FEWEST_WORDS_LINKED:
        yield f"{len(set(named))} words are linked to the glossary; {FEWEST_WORDS_LINKED} are wanted"


def its_picture_fits_a_page(lesson: Lesson) -> Iterator[str]:
    pictures = re.findall(r"!\[[^\]]+\]\((images/[^)]+\.png)\)", lesson.prose[0])
    files = [lesson.path.parent / picture for picture in pictures]
    content = [file.read_bytes() for file in files if file.is_file()]
    if len(pictures) != 1 or len(content) != 1:
        yield f"one picture with words for those who cannot see it is wanted in the first cell; there are {pictures}"
    for one in content:
        width = int.from_bytes(one[16:20], "big")
        if not one.startswith(b"\x89PNG") or width != PICTURE_WIDTH or len(one) >= PICTURE_BYTES:
            yield f"a PNG of {PICTURE_WIDTH} px and less than {PICTURE_BYTES} bytes is wanted: {width}, {len(one)}"


def the_exercise_is_open(lesson: Lesson) -> Iterator[str]:
    cells = lesson.book["cells"]
    places = [number for number, cell in enumerate(cells) if "exercise" in cell["metadata"].get("tags", ())]
    if len(places) != 1:
        yield f"one cell tagged 'exercise' is wanted; there are {len(places)}"
    for place in places:
        if not text_of(cells[place]).startswith("# Write your code here.\n"):
            yield "the exercise does not begin with '# Write your code here.'"
        check = text_of(cells[place + 1]) if place + 1 < len(cells) else ""
        if not check.startswith("# Check your answer"):
            yield "the cell after the exercise does not check it"
    if "# --- solution ---" in json.dumps(lesson.book):
        yield "it holds a solution"


def no_registry_is_named(lesson: Lesson) -> Iterator[str]:
    for text in (text_of(cell) for cell in lesson.book["cells"]):
        yield from (f"names a package registry, {found!r}" for found in REGISTRY.findall(text))


RULES: tuple[Callable[[Lesson], Iterator[str]], ...] = (
    the_badge_opens_this_file, there_is_one_title, every_part_is_there_once, every_step_is_checked,
    it_ends_with_next_steps, goals_are_restated_as_questions, cells_are_few_and_short, headings_are_in_sentence_case,
    set_up_is_folded, the_form_only_assigns, every_choice_has_help, metadata_is_known, nothing_is_left_of_a_run,
    every_link_leads_somewhere, words_are_linked_to_the_glossary_once, its_picture_fits_a_page, the_exercise_is_open,
    no_registry_is_named,
)  # fmt: skip


def faults(lesson: Lesson) -> list[str]:
    """What is wrong, each with the rule's name."""
    return [f"{rule.__name__}: {said}" for rule in RULES for said in rule(lesson)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, default=sorted((ROOT / "notebooks").glob("*.ipynb")))
    parser.add_argument("--list", action="store_true", help="print the rules")
    asked = parser.parse_args()
    if asked.list:
        sys.stdout.write("".join(f"{rule.__name__.replace('_', ' ')}\n" for rule in RULES))
        return 0
    said = [f"{path}: {fault}\n" for path in asked.notebooks for fault in faults(lessons.read(path))]
    sys.stdout.write("".join(said))
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
