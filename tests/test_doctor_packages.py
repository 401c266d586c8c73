"""The doctor's rows about packages that are not there, or cannot be imported."""

import sys

from lipwise import doctor


def test_a_package_that_is_not_installed_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "spandrel", None)
    monkeypatch.setattr(doctor, "_version", lambda name: None)
    row = doctor._package("spandrel")
    assert (row.status, row.found) == ("missing", "not installed")


def test_without_numba_neither_it_nor_librosa_is_of_use(monkeypatch, tmp_path):
    """librosa itself imports nothing: what is wanted of it does."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("numba", "librosa")]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "numba.py").write_text("raise ImportError('Numba needs NumPy 2.4 or less. Got NumPy 2.5.')")
    monkeypatch.syspath_prepend(str(tmp_path))
    table = doctor.environment()
    rows = {row.what: row for row in table.rows if row.what in ("numba", "librosa")}
    assert {row.status for row in rows.values()} == {"missing"}
    assert all("cannot be imported: ImportError: Numba needs NumPy 2.4 or less" in row.found for row in rows.values())
    assert 'pip install --upgrade "numba' in rows["numba"].next_step
    assert "librosa" in table.lacks
    assert "numba" not in table.lacks


def test_codeformers_network_is_an_extra_that_nobody_has_to_have(monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: None)
    row = doctor._codeformer()
    assert row.status == "ok"
    assert "not installed" in row.found
    assert "non-commercial" in row.found


def test_a_codeformer_network_that_cannot_be_imported_is_told(monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: "0.2.0")
    monkeypatch.setitem(sys.modules, "spandrel_extra_arches", None)
    row = doctor._codeformer()
    assert row.status == "missing"
    assert "cannot be imported" in row.found
