"""A notebook's page shows the library's warnings as their message, and others as ever."""

import warnings

import nbclient
import nbformat
import pytest

from lipwise.errors import LipwiseWarning
from lipwise.notebook import warn


@pytest.fixture(autouse=True)
def as_before():
    usual = warnings.formatwarning
    with warnings.catch_warnings():
        yield
    warnings.formatwarning = usual


def shown(category: type[Warning]) -> str:
    return warnings.formatwarning("one frame was repaired", category, "stages/clean.py", 132, "video, _ = look(video)")


def test_only_the_message_is_shown():
    warn.plainly()
    assert shown(LipwiseWarning) == "Note: one frame was repaired\n"


def test_other_warnings_stay_as_they_were_however_often_it_is_called():
    before = shown(RuntimeWarning)
    for _ in range(3):
        warn.plainly()
    assert shown(RuntimeWarning) == before
    assert warnings.formatwarning.args[0] is not warnings.formatwarning


def test_a_warning_is_given_each_time():
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("once")
        warn.plainly()
        for _ in range(2):
            warnings.warn("soft", LipwiseWarning, stacklevel=1)
    assert len(given) == 2


CELLS = ("from lipwise.notebook import warn; warn.plainly(); import lipwise", "lipwise.probe('gone.mp4')", "1 / 0")


def test_an_error_of_ours_is_its_three_lines_and_the_cell_has_failed(tmp_path):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    client = nbclient.NotebookClient(book, allow_errors=True, kernel_name="python3", timeout=120)
    client.execute(cwd=tmp_path)
    (ours,), (other,) = (cell.outputs for cell in book.cells[1:])
    assert (ours.output_type, ours.ename) == ("error", "MediaError")
    assert len("\n".join(ours.traceback).splitlines()) <= 4
    assert "gone.mp4" in ours.traceback[0]
    assert any("ZeroDivisionError" in line for line in other.traceback[:2])
    with pytest.raises(nbclient.exceptions.CellExecutionError):
        nbclient.NotebookClient(book, kernel_name="python3", timeout=120).execute(cwd=tmp_path)
