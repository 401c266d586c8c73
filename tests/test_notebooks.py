"""The notebooks: built from their sources, laid out as lessons, moved with the project; tests/notebooks runs them."""

import ast
import importlib.util
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
SOURCES = sorted((NOTEBOOKS / "src").glob("*.py"))


def load_tool(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ADDRESS = PROJECT["urls"]["Repository"].removeprefix("https://github.com/")
builder, linter = load_tool("build_notebooks"), load_tool("lint_notebooks")
each_notebook = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def built(source: Path) -> dict:
    return json.loads(builder.target_of(source).read_text(encoding="utf-8"))


def text(cell: dict) -> str:
    return "".join(cell["source"])


# --- built from the sources ---


def test_there_is_a_notebook_for_every_source_and_no_other():
    assert sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")) == [path.stem for path in SOURCES] != []


@each_notebook
def test_a_notebook_equals_its_source(source):
    assert builder.target_of(source).read_text(encoding="utf-8") == builder.text_of(source), (
        "out of date: run python tools/build_notebooks.py"
    )


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
def test_a_lesson_keeps_every_rule(source):
    """The rules and what breaks each of them: tools/lint_notebooks.py and test_notebook_rules.py."""
    assert linter.faults(linter.lessons.read(builder.target_of(source))) == []


@each_notebook
def test_code_cells_are_short_on_the_whole(source):
    """Some steps need ten lines to be seen; half of the cells hold six or fewer. Titled cells are folded."""
    cells = [text(cell) for cell in built(source)["cells"] if cell["cell_type"] == "code"]
    lines = [[line for line in cell.splitlines() if line.strip() and not line.lstrip().startswith("#")]
             for cell in cells if not cell.startswith("# @title")]  # fmt: skip
    assert median(map(len, lines)) <= 6


def hidden(code: str) -> list[str]:
    """Calls of the library whose arguments stand elsewhere, under one name: `lw.step(*chosen)`, `lw.step(**chain)`."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    calls = [call for call in calls if isinstance(call.func, ast.Attribute)]
    return [ast.unparse(call) for call in calls
            if any(isinstance(one, ast.Starred) and isinstance(one.value, ast.Name) for one in call.args)
            or any(word.arg is None and isinstance(word.value, ast.Name) for word in call.keywords)]  # fmt: skip


@each_notebook
def test_arguments_are_written_out(source):
    assert hidden(source.read_text(encoding="utf-8")) == []
    assert len(hidden("lw.step(*chosen)\nlw.step(a, **chain)\nlw.step(a, b=c, **dict(d))\nwindow_start(*asked)")) == 2


@each_notebook
def test_the_solution_stands_in_the_source(source):
    """tests/notebooks/test_run_every.py runs it, and sees the check fail without it."""
    assert source.read_text(encoding="utf-8").count(f"\n{builder.SOLUTION}\n") == 1


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
