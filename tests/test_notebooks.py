"""The notebooks: built from their sources and laid out as lessons; tests/notebooks runs them."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
SOURCES = sorted((NOTEBOOKS / "src").glob("*.py"))
LONGEST_CODE, LONGEST_TEXT = 15, 80  # lines of a cell without a title, words of a markdown cell


def load_tool(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ADDRESS = PROJECT["urls"]["Repository"].removeprefix("https://github.com/")
builder = load_tool("build_notebooks")
each_notebook = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def built(source: Path) -> dict:
    return json.loads(builder.target_of(source).read_text(encoding="utf-8"))


def text(cell: dict) -> str:
    return "".join(cell["source"])


def markdown(book: dict) -> str:
    return "\n\n".join(text(cell) for cell in book["cells"] if cell["cell_type"] == "markdown")


# --- built from the sources ---


def test_there_is_a_notebook_for_every_source_and_no_other():
    assert sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")) == [path.stem for path in SOURCES] != []


@each_notebook
def test_a_notebook_equals_its_source(source):
    assert builder.target_of(source).read_text(encoding="utf-8") == builder.text_of(source), (
        "out of date: run python tools/build_notebooks.py"
    )


@each_notebook
def test_a_notebook_holds_no_outputs_and_only_known_metadata(source):
    book = built(source)
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 4)
    assert set(book["metadata"]) <= {"accelerator", "colab", "kernelspec"}
    assert set(book["metadata"]["colab"]) <= {"gpuType", "toc_visible"}
    for cell in book["cells"]:
        assert set(cell) <= {"cell_type", "metadata", "source", "outputs", "execution_count"}
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert set(cell["metadata"]) <= {"cellView", "jupyter", "tags"}


def test_solutions_are_only_in_the_source(tmp_path):
    source = tmp_path / "lesson.py"
    exercise = '# %% tags=["exercise"]\n# Write your code here.\nx = None\n# --- solution ---\nx = 2\n'
    source.write_text(exercise + "\n# %%\n# --- solution ---\ny = 1\n", encoding="utf-8")
    assert [cell.source for cell in builder.build(source).cells] == [
        "# Write your code here.\nx = None",
        "# --- solution ---\ny = 1",  # only cells with the tag are exercises
    ]
    assert builder.build(source, solved=True).cells[0].source == "# Write your code here.\nx = None\nx = 2"


# --- laid out as a lesson ---


@each_notebook
def test_a_lesson_begins_and_ends_as_all_do(source):
    book, path = built(source), f"notebooks/{source.stem}.ipynb"
    words = markdown(book)
    headings = re.findall(r"^#+ .+$", words, re.MULTILINE)
    first = text(book["cells"][0])
    assert first.startswith("[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]")
    assert f"(https://colab.research.google.com/github/{ADDRESS}/blob/main/{path})" in first
    assert [line for line in headings if line.startswith("# ")] == headings[:1]
    assert headings[-1] == "## Next steps"
    assert [*headings].index("## If something goes wrong") == len(headings) - 2
    for part in ("**You will**", "**Consent.**", "**Try it.**", "## Exercise", "## What you did"):
        assert words.count(part) == 1, part
    assert words.count("**What to look at**") == words.count("Failure looks like this") >= 1


@each_notebook
def test_cells_are_few_and_short(source):
    book = built(source)
    assert 20 <= len(book["cells"]) <= 40
    for cell in book["cells"]:
        lines = text(cell).splitlines()
        if cell["cell_type"] == "code":
            assert lines[0].startswith("# @title") or len(lines) <= LONGEST_CODE, text(cell)
        else:
            prose = re.sub(r"\]\([^)]*\)", "]", text(cell))  # addresses are not words
            assert len(re.findall(r"\w[\w'.-]*", prose)) < LONGEST_TEXT, text(cell)


@each_notebook
def test_headings_are_in_sentence_case(source):
    for line in re.findall(r"^#+ (.+)$", markdown(built(source)), re.MULTILINE):
        later = line.split()[1:]
        assert not [word for word in later if word[0].isupper() and word.lower() != word and not word.isupper()], line


@each_notebook
def test_pictures_and_files_that_a_lesson_links_to_are_there(source):
    for link in re.findall(r"\]\(([^)]+)\)", markdown(built(source))):
        if not link.startswith("https://"):
            assert (NOTEBOOKS / link).is_file(), link


@each_notebook
def test_set_up_is_folded_and_the_form_only_assigns(source):
    titled = {text(cell).splitlines()[0]: cell for cell in built(source)["cells"] if text(cell).startswith("# @title")}
    folded = titled["# @title Set up"]["metadata"]
    assert folded == {"cellView": "form", "jupyter": {"source_hidden": True}}
    form = text(titled["# @title Your choices"]).splitlines()[1:]
    assert all(re.fullmatch(r"\w+ = \S+  # @param .+", line) for line in form), form


@each_notebook
def test_an_exercise_is_unsolved_and_has_a_solution(source):
    exercises = [cell for cell in built(source)["cells"] if "exercise" in cell["metadata"].get("tags", ())]
    assert len(exercises) == 1
    assert text(exercises[0]).startswith("# Write your code here.\n")
    assert builder.SOLUTION not in json.dumps(built(source))
    assert builder.SOLUTION in source.read_text(encoding="utf-8")


@each_notebook
def test_set_up_refuses_to_clone_the_placeholder(source, tmp_path):
    cell = next(text(cell) for cell in built(source)["cells"] if text(cell).startswith("# @title Set up"))
    # -I -S: a Python that sees no installed package, in a folder without a copy of the project.
    asked = subprocess.run(
        [sys.executable, "-I", "-S", "-c", cell], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert asked.returncode == 1
    assert "Set REPOSITORY in this cell" in asked.stderr
    assert not list(tmp_path.iterdir())


# --- where the project lives ---


@each_notebook
def test_set_up_clones_the_version_that_the_notebook_is_of(source):
    cell = next(text(cell) for cell in built(source)["cells"] if text(cell).startswith("# @title Set up"))
    assert f'REPOSITORY, TAG = "https://github.com/{ADDRESS}", "v{PROJECT["version"]}"' in cell


def test_readme_is_of_the_same_address():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme == builder.readdressed(readme, PROJECT["urls"]["Repository"])


@pytest.fixture
def copied(tmp_path) -> Path:
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("notebooks", "tools"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "images"))
    return tmp_path


def test_one_command_moves_the_project_to_another_address(copied):
    command = [sys.executable, copied / "tools" / "build_notebooks.py"]
    subprocess.run([*command, "--repository", "https://github.com/some-one/lip.wise"], check=True, capture_output=True)
    for path in (copied / "README.md", copied / "pyproject.toml", *copied.glob("notebooks/*.ipynb")):
        content = path.read_text(encoding="utf-8")
        assert "OWNER/lipwise" not in content, path
        assert "github/some-one/lip.wise/blob" in content or "github.com/some-one/lip.wise" in content, path
    assert subprocess.run([*command, "--check"], check=False).returncode == 0


@pytest.mark.parametrize(
    "address", ["lipwise", "https://example.org/a/b", "https://github.com/a", "http://github.com/a/b"]
)
def test_an_address_that_is_none_changes_nothing(copied, address):
    before = (copied / "pyproject.toml").read_bytes()
    command = [sys.executable, copied / "tools" / "build_notebooks.py", "--repository", address]
    said = subprocess.run(command, check=False, capture_output=True, text=True)
    assert said.returncode == 1
    assert address in said.stderr
    assert (copied / "pyproject.toml").read_bytes() == before


# --- its picture ---


@each_notebook
def test_the_picture_of_a_lesson_fits_a_page(source):
    first = text(built(source)["cells"][0])
    pictures = re.findall(r"!\[[^\]]+\]\((images/[^)]+\.png)\)", first)
    assert len(pictures) == 1
    content = (NOTEBOOKS / pictures[0]).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert int.from_bytes(content[16:20], "big") == 1200
    assert len(content) < 700_000
