"""Each notebook, with its solution, run to its end in a real kernel; once, however many tests and workers look at it.

A new notebook is run without a word here. One that must be started in a way of its own gets a line in STARTS.
"""

import base64
import importlib.util
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType

import nbclient
import nbformat
import pytest
from filelock import FileLock

from lipwise.weights import find_weights

ROOT = Path(__file__).resolve().parent.parent.parent
NOWHERE = "http://127.0.0.1:9"  # nothing listens there
CELL_S = 300


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lessons are a slow leg: each takes a minute or more."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here:
            item.add_marker(pytest.mark.slow)


@dataclass(frozen=True)
class Start:
    """How a notebook is started: further environment variables, and values of its form."""

    env: dict[str, str] = field(default_factory=dict)
    form: dict[str, object] = field(default_factory=dict)


def start_setup(folder: Path, face_mesh: Path) -> Start:
    """An empty cache, a mirror folder that holds the face mesh, and no network.

    The script runs only where it has run before: a test installs nothing.
    """
    mirror = folder / "mirror"
    mirror.mkdir()
    shutil.copy(face_mesh, mirror)
    places = {"LIPWISE_HOME": str(folder / "home"), "LIPWISE_MIRROR": str(mirror)}
    no_network = {"PIP_NO_INDEX": "1", "https_proxy": NOWHERE, "http_proxy": NOWHERE, "no_proxy": ""}
    return Start(env=places | no_network, form={"run_script": is_set_up(folder / "plan")})


def is_set_up(folder: Path) -> bool:
    """Whether the set-up script has nothing to install here."""
    folder.mkdir()
    subprocess.run([sys.executable, ROOT / "tools" / "setup_packages.py", "plan", folder], check=True)
    lacks = any((folder / kind).read_text().strip() for kind in ("missing", "engines"))
    current = [sys.executable, ROOT / "tools" / "setup_packages.py", "current"]
    return not lacks and subprocess.run(current, check=False).returncode == 0


def start_enhance(folder: Path, face_mesh: Path) -> Start:
    """A cache that holds what finding faces needs and no weights that enhance."""
    home = folder / "home"
    home.mkdir()
    for path in (face_mesh, find_weights("yunet_2023mar")):
        if path is not None:
            shutil.copy(path, home)
    return Start(env={"LIPWISE_HOME": str(home)})


STARTS: dict[str, Callable[[Path, Path], Start]] = {"01_setup": start_setup, "04_enhance": start_enhance}


@dataclass(frozen=True)
class Ran:
    """A notebook after its run, how it was started and in which folder, and its unsolved exercise's check."""

    book: nbformat.NotebookNode
    start: Start
    folder: Path
    unsolved: nbformat.NotebookNode

    @property
    def outputs(self) -> list[nbformat.NotebookNode]:
        return [output for cell in self.book.cells for output in cell.get("outputs", ())]

    def of_type(self, kind: str) -> list[str]:
        return [output.data[kind] for output in self.outputs if "data" in output and kind in output.data]

    @property
    def pictures(self) -> list[bytes]:
        return [base64.b64decode(picture) for picture in self.of_type("image/png")]

    @property
    def printed(self) -> str:
        return "".join(output.text for output in self.outputs if output.output_type == "stream")


@pytest.fixture(scope="session")
def builder():
    spec = importlib.util.spec_from_file_location("build_notebooks", ROOT / "tools" / "build_notebooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def source_of(stem: str) -> Path:
    return ROOT / "notebooks" / "src" / f"{stem}.py"


def is_exercise(cell: nbformat.NotebookNode) -> bool:
    return "exercise" in cell.metadata.get("tags", ())


def execute(book: nbformat.NotebookNode, folder: Path, env: dict[str, str] | None = None) -> None:
    client = nbclient.NotebookClient(
        book, timeout=CELL_S, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=os.environ | (env or {}))


def fill_form(book: nbformat.NotebookNode, values: dict[str, object]) -> None:
    """Choose otherwise than the form does, as its reader would."""
    form = next(cell for cell in book.cells if cell.source.startswith("# @title Your choices"))
    lines = {line.split(" = ")[0]: number for number, line in enumerate(form.source.splitlines())}
    chosen = form.source.splitlines()
    for name, value in values.items():
        chosen[lines[name]] = f"{name} = {value!r}"
    form.source = "\n".join(chosen)


def run_once(stem: str, builder: ModuleType, factory: pytest.TempPathFactory, face_mesh: Path) -> Ran:
    """Run a notebook. Its exercise is checked before it is solved, too, in the same kernel."""
    folder = factory.mktemp(stem)
    start = STARTS[stem](factory.mktemp(f"{stem}_start"), face_mesh) if stem in STARTS else Start()
    book, unsolved = builder.build(source_of(stem), solved=True), builder.build(source_of(stem))
    fill_form(book, start.form)
    exercise = next(number for number, cell in enumerate(book.cells) if is_exercise(cell))
    left_open, its_check = unsolved.cells[exercise : exercise + 2]
    its_check.metadata["tags"] = ["raises-exception"]
    book.cells[exercise:exercise] = [left_open, its_check]
    execute(book, folder, start.env)
    del book.cells[exercise : exercise + 2]
    return Ran(book, start, folder, its_check)


@pytest.fixture(scope="session")
def ran(builder, tmp_path_factory, face_mesh) -> Callable[[str], Ran]:
    """A notebook by its stem, after its run. The first worker that asks runs it; the others wait and read."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    @cache
    def run(stem: str) -> Ran:
        kept = shared / f"{stem}.ran"
        with FileLock(f"{kept}.lock"):
            if not kept.exists():
                it = run_once(stem, builder, tmp_path_factory, face_mesh)
                kept.write_bytes(pickle.dumps((it.book, it.start.env, it.start.form, it.folder, it.unsolved)))
            book, env, form, folder, unsolved = pickle.loads(kept.read_bytes())
        return Ran(book, Start(env, form), folder, unsolved)

    return run


@pytest.fixture
def answered(builder, tmp_path) -> Callable[..., None]:
    """Check an answer to a notebook's exercise in a kernel in which `before` stands for the cells before it."""

    def check(stem: str, answer: str, *, before: str) -> None:
        cells = builder.build(source_of(stem)).cells
        exercise = next(number for number, cell in enumerate(cells) if is_exercise(cell))
        book = nbformat.from_dict(
            {"cells": cells[exercise : exercise + 2], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
        )
        book.cells[0].source = f"{before}\n{book.cells[0].source}\n{answer}"
        execute(book, tmp_path)

    return check
