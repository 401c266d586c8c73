"""The API reference is made from the docstrings, and refers to nothing that is not there."""

import importlib.util
import warnings
from pathlib import Path

import pytest

import lipwise as lw

ROOT = Path(__file__).resolve().parent.parent
pytest.importorskip("pdoc")

spec = importlib.util.spec_from_file_location("build_reference", ROOT / "tools" / "build_reference.py")
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about annotations of packages that are imported late
        return reference.build(tmp_path_factory.mktemp("reference")).read_text(encoding="utf-8")


def test_everything_public_is_on_the_page(page):
    assert [name for name in lw.__all__ if f'id="{name}"' not in page] == []


def test_no_link_of_the_page_is_dead(page):
    assert page.count('href="#') > 300
    assert reference.dead_links(page) == []
    assert reference.dead_links(page.replace('id="Recipe"', 'id="Recipes"')) == ["Recipe"]


def test_no_docstring_names_what_is_not_there():
    assert reference.dead_names() == []


def test_a_name_that_is_not_there_is_found(tmp_path):
    said = '"""See `lipwise.run`, `lipwise.recipe.Recipe.face` and `lipwise.nowhere.to_be_found(x)`."""\n'
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "one.py").write_text(f"def f():\n    {said}")
    assert reference.dead_names(tmp_path / "package") == ["package/one.py: lipwise.nowhere.to_be_found"]


def test_everything_public_says_what_it_is():
    assert [name for name in lw.__all__ if callable(getattr(lw, name)) and not getattr(lw, name).__doc__] == []
