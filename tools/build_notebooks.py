"""notebooks/src/*.py (jupytext's percent format) -> notebooks/*.ipynb.

    python tools/build_notebooks.py            write the notebooks that changed
    python tools/build_notebooks.py --check    write nothing; status 1 when one of them is out of date

People edit and review the sources. A built notebook holds no outputs, no execution counts, no cell ids (format 4.4 has
none) and only the metadata listed below, so that building twice changes nothing.

Exercises: a source holds the solution, so that the whole lesson can be run. In a code cell tagged `exercise`, the line

    # --- solution ---

and everything after it stay out of the notebook; what comes before is the learner's starting point. The solution runs
after the starting point and overrides what that left open.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import jupytext
import nbformat

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
SOLUTION = "# --- solution ---"
NOTEBOOK_METADATA = {"accelerator": True, "colab": {"gpuType", "toc_visible"}, "kernelspec": True}
CELL_METADATA = ("cellView", "jupyter", "tags")  # form view on Colab, hidden source in Jupyter, exercises


def build(source: Path, *, solved: bool = False) -> nbformat.NotebookNode:
    """The notebook of a source; with `solved` the exercises hold their solutions."""
    read = jupytext.read(source, fmt="py:percent")
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 when a notebook is out of date")
    only_check = parser.parse_args().check
    stale = 0
    for source in sources():
        target, text = target_of(source), text_of(source)
        if target.exists() and target.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        sys.stdout.write(f"{target.relative_to(ROOT)} {'is out of date' if only_check else 'written'}\n")
        if not only_check:
            target.write_text(text, encoding="utf-8")
    return 1 if only_check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
