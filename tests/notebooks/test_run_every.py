"""Every notebook runs from top to bottom, shows something, and checks its exercise."""

from pathlib import Path

import pytest

SOURCES = sorted((Path(__file__).resolve().parent.parent.parent / "notebooks" / "src").glob("*.py"))
each_notebook = pytest.mark.parametrize("stem", [source.stem for source in SOURCES])
WIDGET = "application/vnd.jupyter.widget-view+json"


@each_notebook
def test_a_notebook_runs_and_every_check_passes(ran, stem):
    assert not [output for output in ran(stem).outputs if output.output_type == "error"]
    assert all(cell.execution_count for cell in ran(stem).book.cells if cell.cell_type == "code")


@each_notebook
def test_a_notebook_shows_figures_and_a_widget(ran, stem):
    assert ran(stem).pictures
    assert all(len(picture) > 10_000 for picture in ran(stem).pictures)
    assert ran(stem).of_type(WIDGET)


@each_notebook
def test_the_unsolved_exercise_fails_its_check(ran, stem):
    (said,) = [output for output in ran(stem).unsolved.outputs if output.output_type == "error"]
    assert said.ename == "AssertionError"
    assert said.evalue.startswith("Not solved yet")
