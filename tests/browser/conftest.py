"""A real browser on real notebook servers; all of it on this machine, all of it skipped where there is no Chromium."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE)]  # no package

import browser_environments as environments  # noqa: E402
import browser_notebooks as notebooks  # noqa: E402
import browser_page  # noqa: E402
import browser_servers as servers  # noqa: E402

SOURCES = sorted((ROOT / "notebooks" / "src").glob("*.py"))
STEMS = [source.stem for source in SOURCES]
SMALL = ("all_widgets", "all_faults")


def load(path: Path, name: str):
    """A module by its path; the tests are no package."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def builder():
    return load(ROOT / "tools" / "build_notebooks.py", "build_notebooks")


@pytest.fixture(scope="session")
def starts():
    """How each notebook is started: what tests/notebooks knows."""
    return load(ROOT / "tests" / "notebooks" / "conftest.py", "browser_starts")


@pytest.fixture(scope="session")
def lab_environment():
    """JupyterLab, and the driver, which is imported from there."""
    if environments.find_chromium() is None:
        pytest.skip("there is no Chromium on this machine (LIPWISE_CHROMIUM names one; Debian has a package)")
    made = build_or_skip(environments.LAB)
    sys.path.append(str(made.packages))
    return made


def build_or_skip(recipe: Path, *, with_ours: bool = False) -> environments.Environment:
    try:
        return environments.build(recipe, with_ours=with_ours)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"the environment of {recipe.name} could not be built: {error}")


@pytest.fixture(scope="session")
def opened_browser(lab_environment):
    reason = browser_page.why_no_driver()
    if reason:
        pytest.skip(f"the driver of the browser does not start: {reason}")
    with browser_page.browser(environments.find_chromium()) as opened:
        yield opened


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory) -> Path:
    """Where pictures of the pages are kept: LIPWISE_SCREENSHOTS, or the run's own folder."""
    named = os.environ.get("LIPWISE_SCREENSHOTS")
    return Path(named).absolute() if named else tmp_path_factory.mktemp("screenshots")


def write_book(book: nbformat.NotebookNode, path: Path, kernel: str) -> None:
    """A notebook as a file in a folder of its own, beside the pictures that its texts show."""
    path.parent.mkdir(parents=True)
    shutil.copytree(ROOT / "notebooks" / "images", path.parent / "images")
    book.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
    nbformat.write(book, path)


def place_of(server: servers.Server, stem: str) -> Path:
    return server.folder / stem / f"{stem}.ipynb"


@pytest.fixture(scope="session")
def lesson_starts(starts, tmp_path_factory, face_mesh):
    """The start of each lesson by its name; without a line of its own: no weights but those that set-up fetches."""
    ways = {stem: starts.STARTS.get(stem, starts.start_enhance) for stem in STEMS}
    return {stem: way(tmp_path_factory.mktemp(f"{stem}_start"), face_mesh) for stem, way in ways.items()}


@pytest.fixture(scope="session")
def lab(lab_environment, builder, starts, lesson_starts, tmp_path_factory):
    """JupyterLab on a folder with every notebook, solved."""
    folder, kernels = tmp_path_factory.mktemp("lab") / "served", {name: {} for name in SMALL}
    for source in (*SOURCES, *(HERE / f"{name}.py" for name in SMALL)):
        book, stem = builder.build(source, solved=True), source.stem
        if stem not in SMALL:
            starts.fill_form(book, lesson_starts[stem].form)
            kernels[stem] = lesson_starts[stem].env
        write_book(book, folder / stem / f"{stem}.ipynb", stem)
    with servers.lab_server(lab_environment, folder, kernels=kernels) as server:
        yield server


@pytest.fixture(scope="session")
def classic(lab_environment, builder, tmp_path_factory):
    """The classic notebook with ipywidgets 7.7.1, on a folder with the small notebook of every widget."""
    environment = build_or_skip(environments.CLASSIC, with_ours=True)
    folder = tmp_path_factory.mktemp("classic") / "served"
    write_book(builder.build(HERE / "all_widgets.py"), folder / "all_widgets" / "all_widgets.ipynb", "all_widgets")
    with servers.classic_server(environment, folder, kernels={"all_widgets": {}}) as server:
        yield server


@pytest.fixture(scope="session")
def open_page(opened_browser):
    """Open a notebook of a server and run all its cells."""

    def opened(kind: type[notebooks.NotebookPage], server: servers.Server, stem: str) -> notebooks.NotebookPage:
        page = kind(opened_browser, server, place_of(server, stem))
        page.run_all()
        return page

    return opened


@pytest.fixture(scope="module", params=STEMS)
def lesson(request, lab, open_page):
    """A notebook in JupyterLab after its run; all tests of one look at the same page, in the order of the file."""
    page = open_page(notebooks.LabPage, lab, request.param)
    yield page
    page.close()
