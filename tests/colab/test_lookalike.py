"""LipWise in the lookalike of a hosted runtime: nothing of it is replaced, and everything runs.

`python -m pytest -m colab` (needs Python 3.13 and gigabytes of disk; builds the lookalike once per machine).
"""

import importlib.util
import shutil
import subprocess
import time
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python")
PROTECTED = ("torch", "torchvision", "numpy", "scipy", *OPENCV, "protobuf", "ipywidgets", "ipython", "ipykernel")
ENGINES = ("basicsr", "facexlib", "gfpgan", "realesrgan")
ADDRESS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]
TOOLS = ("psutil", "trustme", "pytest-xdist", "execnet")  # which the runtime lacks and the tests want
CORE = ("tests/faces", "tests/media", "tests/models", "tests/stages", "tests/pipeline", "tests/notebook")

spec = importlib.util.spec_from_file_location("lookalike", Path(__file__).with_name("lookalike.py"))
lookalike = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lookalike)

pytestmark = [
    pytest.mark.colab,
    pytest.mark.skipif(lookalike.find_python() is None, reason="there is no Python 3.13 on this machine"),
]


@pytest.fixture(scope="module")
def copy():
    made = lookalike.fresh_copy("setup")
    yield made
    shutil.rmtree(made.folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of what git would commit, as a stranger has it."""
    folder = tmp_path_factory.mktemp("content") / "lipwise"
    listed = subprocess.check_output(
        ["git", "ls-files", "-z", "-c", "-o", "--exclude-standard"], cwd=ROOT, text=True
    ).split("\0")
    for name in filter(None, listed):
        if (ROOT / name).exists():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target, follow_symlinks=False)
    return folder


@pytest.fixture(scope="module")
def versions(copy):
    """What pip lists before set-up and after it."""
    return {"before": copy.versions()}


@pytest.fixture(scope="module")
def set_up(copy, project, versions):
    """The output of two runs of the script."""
    texts = []
    for number in ("first", "second"):
        began = time.perf_counter()
        done = copy.run("bash", project / "setup_colab.sh", cwd=project.parent)
        seconds = time.perf_counter() - began
        assert done.returncode == 0, done.stdout + done.stderr
        texts.append(f"{number} run, {seconds:.0f} s\n{done.stdout}")
    versions["after"] = copy.versions()
    return texts


def test_the_lookalike_holds_the_list(versions):
    found = versions["before"]
    wanted = lookalike.wanted()
    assert {name: found.get(name, "").split("+")[0] for name in wanted} == wanted


def test_the_opencv_that_was_installed_last_wins(copy):
    assert copy.imported()["cv2"] == "4.14.0"


def test_set_up_replaces_nothing_that_is_protected(set_up, versions, copy, capsys):
    with capsys.disabled():
        print("\n".join(set_up))
        changed = {
            name: f"{versions['before'].get(name, 'new')} -> {version}"
            for name, version in versions["after"].items()
            if versions["before"].get(name) != version
        }
        print("changed or new:", ", ".join(f"{name} {how}" for name, how in sorted(changed.items())))
    assert {name: versions["after"].get(name) for name in PROTECTED} == {
        name: versions["before"][name] for name in PROTECTED
    }
    assert set(versions["before"]) <= set(versions["after"])
    assert copy.imported()["cv2"] == "4.14.0"


def test_the_second_run_installs_nothing(set_up):
    assert "installing" not in set_up[1]


def test_the_engines_import(set_up, copy, project):
    code = f"from lipwise.models.engines import import_engine\nfor name in {ENGINES}: import_engine(name)"
    done = copy.run(copy.python, "-W", "ignore", "-c", code, cwd=project)
    assert done.returncode == 0, done.stderr


def test_the_doctor_finds_nothing_missing(set_up, copy, project, capsys):
    done = copy.run(copy.python, "-m", "lipwise", "doctor", cwd=project.parent)
    with capsys.disabled():
        print(f"\n{done.stdout}")
    assert done.returncode == 0, done.stderr
    for fact in ("2.11.0", "0.26.0", "4.14.0", "7.7.1"):
        assert fact in done.stdout


def test_the_core_of_the_suite(set_up, copy, project):
    copy.run(copy.python, "-m", "pip", "install", "--quiet", "--no-deps", *TOOLS, cwd=project)
    tests = [copy.python, "-m", "pytest", "-n", "auto", "--dist", "loadfile", *CORE]
    done = copy.run(*tests, cwd=project, PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]


RUN = """
import sys
from pathlib import Path
import nbclient, nbformat
sys.path.insert(0, sys.argv[1] + "/tools")
import build_notebooks as builder

book = builder.build(Path(sys.argv[1]) / "notebooks/src/00_quickstart.py", solved=True)
for cell in book.cells:
    cell.source = cell.source.replace(sys.argv[2], sys.argv[3])
nbclient.NotebookClient(book, timeout=600, kernel_name="python3", resources={"metadata": {"path": "."}}).execute()
"""


def tagged_copy(folder: Path) -> Path:
    """A repository with the tag that notebooks clone."""
    subprocess.run(["git", "clone", "--quiet", "--bare", ROOT, folder / "released"], check=True)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    subprocess.run(["git", "tag", "--force", f"v{version}"], cwd=folder / "released", check=True)
    return folder / "released"


def test_one_click_on_a_fresh_runtime(tmp_path):
    """The quickstart's own set-up cell clones and installs; every cell runs in the kernel that was there before."""
    fresh = lookalike.fresh_copy("oneclick")
    try:
        released = tagged_copy(tmp_path)
        done = fresh.run(fresh.python, "-c", RUN, ROOT, ADDRESS, released.as_uri(), cwd=tmp_path)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-5000:]
        assert (tmp_path / "result.mp4").stat().st_size > 50_000
        assert (tmp_path / "lipwise" / "setup_colab.sh").is_file()
    finally:
        shutil.rmtree(fresh.folder)
