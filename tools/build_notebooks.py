"""notebooks/src/*.py (jupytext's percent format) -> notebooks/*.ipynb.

    python tools/build_notebooks.py            write the notebooks that changed
    python tools/build_notebooks.py --check    write nothing; status 1 when one of them is out of date
    python tools/build_notebooks.py --repository https://github.com/YOU/lipwise
                                               the project moves there: pyproject.toml, README.md and all notebooks

People edit and review the sources. A built notebook holds no outputs, no execution counts, no cell ids (format 4.4 has
none) and only the metadata listed below, so that building twice changes nothing.

Where the project lives and its version stand in pyproject.toml alone. In a source, `{badge}` is the notebook's own
badge, `{badge:00_quickstart}` that of another, `{glossary}` the glossary's full address (a relative one leads nowhere
in a copy on Colab), and `# {set_up}` the cell of parts/set_up.py, which clones the repository at the version's tag.
README.md's badges and its `git clone` are rewritten along with the notebooks.

Exercises: a source holds the solution, so that the whole lesson can be run. In a code cell tagged `exercise`, the line

    # --- solution ---

and everything after it stay out of the notebook; what comes before is the learner's starting point. The solution runs
after the starting point and overrides what that left open.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import jupytext
import nbformat

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
README, PROJECT = ROOT / "README.md", ROOT / "pyproject.toml"
SET_UP = NOTEBOOKS / "src" / "parts" / "set_up.py"
GITHUB = r"https://github\.com/[\w.-]+/[\w.-]+"
BADGE = r"\{badge(?::(\w+))?\}"
GLOSSARY = "blob/main/docs/glossary.md"
SOLUTION = "# --- solution ---"
NOTEBOOK_METADATA = {"accelerator": True, "colab": {"gpuType", "toc_visible"}, "kernelspec": True}
CELL_METADATA = ("cellView", "jupyter", "tags")  # form view on Colab, hidden source in Jupyter, exercises


def repository() -> str:
    """The project's address, such as https://github.com/OWNER/lipwise."""
    return tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["urls"]["Repository"]


def tag() -> str:
    """The tag that notebooks clone: the project's version."""
    return "v" + tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"]


def badge(stem: str, address: str) -> str:
    """Markdown of the badge that opens a notebook of the repository on Colab."""
    place = f"{address.removeprefix('https://github.com/')}/blob/main/notebooks/{stem}.ipynb"
    colab = "https://colab.research.google.com"
    return f"[![Open in Colab]({colab}/assets/colab-badge.svg)]({colab}/github/{place})"


def readdressed(text: str, address: str) -> str:
    """README's text with the address in its badges and behind its `git clone`."""
    place = address.removeprefix("https://github.com/")
    text = re.sub(r"(colab\.research\.google\.com/github/)[\w.-]+/[\w.-]+(/blob/)", rf"\g<1>{place}\g<2>", text)
    return re.sub(rf"(git clone (?:--\S+ )*){GITHUB}", rf"\g<1>{address}", text)


def build(source: Path, *, solved: bool = False) -> nbformat.NotebookNode:
    """The notebook of a source; with `solved` the exercises hold their solutions."""
    read = jupytext.read(source, fmt="py:percent")
    set_up = SET_UP.read_text(encoding="utf-8").rstrip()
    set_up = set_up.replace("{repository}", repository()).replace("{tag}", tag())
    for cell in read.cells:
        cell.source = re.sub(BADGE, lambda asked: badge(asked[1] or source.stem, repository()), cell.source)
        cell.source = cell.source.replace("# {set_up}", set_up).replace("{glossary}", f"{repository()}/{GLOSSARY}")
    cells = [_cell(cell, solved=solved) for cell in read.cells]
    book = {"cells": cells, "metadata": _metadata(read.metadata), "nbformat": 4, "nbformat_minor": 4}
    nbformat.validate(book)
    return nbformat.from_dict(book)


def _metadata(given: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, parts in NOTEBOOK_METADATA.items():
        if name in given:
            value = given[name]
            kept[name] = value if parts is True else {part: value[part] for part in sorted(parts) if part in value}
    return kept


def _cell(cell: nbformat.NotebookNode, *, solved: bool) -> dict[str, Any]:
    metadata = {name: cell.metadata[name] for name in CELL_METADATA if name in cell.metadata}
    text = cell.source
    if cell.cell_type != "code":
        return {"cell_type": cell.cell_type, "metadata": metadata, "source": text}
    if "exercise" in metadata.get("tags", ()):
        lines = text.splitlines()
        cut = lines.index(SOLUTION)  # an exercise without a solution cannot be tested
        text = "\n".join(lines[:cut] + (lines[cut + 1 :] if solved else [])).rstrip()
    return {"cell_type": "code", "metadata": metadata, "source": text, "execution_count": None, "outputs": []}


def text_of(source: Path) -> str:
    """What the built notebook's file holds."""
    return nbformat.writes(build(source), version=nbformat.NO_CONVERT) + "\n"


def sources() -> list[Path]:
    return sorted((NOTEBOOKS / "src").glob("*.py"))


def target_of(source: Path) -> Path:
    return NOTEBOOKS / f"{source.stem}.ipynb"


def move(address: str) -> None:
    """Write a new address into pyproject.toml."""
    if not re.fullmatch(GITHUB, address):
        sys.exit(f"{address!r} is no repository's address; expected one such as https://github.com/YOU/lipwise")
    text = PROJECT.read_text(encoding="utf-8")
    PROJECT.write_text(text.replace(f'Repository = "{repository()}"', f'Repository = "{address}"'), encoding="utf-8")


def texts() -> dict[Path, str]:
    """What each file that is made here should hold."""
    made = {target_of(source): text_of(source) for source in sources()}
    return made | {README: readdressed(README.read_text(encoding="utf-8"), repository())}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 when a file is out of date")
    parser.add_argument("--repository", metavar="URL", help="where the project lives from now on")
    asked = parser.parse_args()
    if asked.repository:
        move(asked.repository)
    made = texts()
    stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        sys.stdout.write(f"{path.relative_to(ROOT)} {'is out of date' if asked.check else 'written'}\n")
        if not asked.check:
            path.write_text(made[path], encoding="utf-8")
    return 1 if asked.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
