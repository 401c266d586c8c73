"""A Python environment that holds the versions a hosted notebook runtime ships, to try LipWise in.

    python tests/colab/lookalike.py          build it once, in a cache folder, and say where it is

The versions stand in colab-2026-08.txt. LIPWISE_LOOKALIKE names another cache folder.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

LIST = Path(__file__).with_name("colab-2026-08.txt")
PYTHON = "3.13"
# Three distributions write the folder cv2; on Colab this one came last.
LAST_OPENCV = "opencv-contrib-python"
MODULES_SEEN = ("torch", "torchvision", "cv2", "numpy", "ipywidgets", "IPython")


class Lookalike:
    """One environment: run things in it as a hosted notebook would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"

    def variables(self, **more: str) -> dict[str, str]:
        """What a hosted runtime has set: no virtual environment is active, its Python comes first."""
        kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "CONDA_PREFIX")}
        return {
            **kept,
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{kept['PATH']}",
            "COLAB_RELEASE_TAG": "lookalike",
            "PYTHONDONTWRITEBYTECODE": "1",
            **more,
        }

    def run(self, *command: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command there; its output is kept and its status left to the caller."""
        return subprocess.run(command, cwd=cwd, env=self.variables(**more), capture_output=True, text=True, check=False)

    def versions(self) -> dict[str, str]:
        """Every distribution's version, as pip sees it."""
        listed = subprocess.check_output(
            [self.python, "-m", "pip", "list", "--format", "json"], stderr=subprocess.DEVNULL
        )
        return {one["name"].lower().replace("_", "-"): one["version"] for one in json.loads(listed)}

    def imported(self) -> dict[str, str]:
        """The versions that the modules themselves tell once imported."""
        code = (
            f"from json import dumps\nprint(dumps({{name: __import__(name).__version__ for name in {MODULES_SEEN}}}))"
        )
        return json.loads(subprocess.check_output([self.python, "-c", code]))


def wanted() -> dict[str, str]:
    """Names and versions of the list."""
    lines = [line.split("#")[0].strip() for line in LIST.read_text(encoding="utf-8").splitlines()]
    pairs = [line.split("==") for line in lines if line]
    return {name.lower().replace("_", "-"): version for name, version in pairs}


@cache
def find_python() -> Path | None:
    """The newest Python 3.13 at hand, or None."""
    known = sorted((Path.home() / ".pyenv" / "versions").glob(f"{PYTHON}*/bin/python{PYTHON}"))
    found = shutil.which(f"python{PYTHON}")
    return known[-1] if known else Path(found) if found else None


def cache_folder() -> Path:
    """Where the environment of this list and this Python lies."""
    home = (
        os.environ.get("LIPWISE_LOOKALIKE")
        or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "lipwise-lookalike"
    )
    key = hashlib.sha256(LIST.read_bytes() + str(find_python()).encode()).hexdigest()[:12]
    return Path(home).expanduser() / key


def build() -> Lookalike:
    """The environment, built where it is not there yet (gigabytes, so minutes).

    Raises:
        RuntimeError: there is no Python 3.13.
        subprocess.CalledProcessError: pip could not install the list.
    """
    folder, python = cache_folder(), find_python()
    if python is None:
        raise RuntimeError(f"there is no Python {PYTHON} on this machine")
    done = folder / "complete"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        version = subprocess.check_output([python, "--version"], text=True).strip()
        sys.stderr.write(f"building the lookalike in {folder} with {version}, the nearest to 3.13.15 that is here\n")
        subprocess.run([python, "-m", "venv", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", LIST], check=True)
        last = f"{LAST_OPENCV}=={wanted()[LAST_OPENCV]}"
        subprocess.run([*pip, "--no-deps", "--force-reinstall", last], check=True)
        done.write_text("the list is installed\n", encoding="utf-8")
    return Lookalike(folder)


def fresh_copy(name: str) -> Lookalike:
    """A copy of the built environment to install into: of hard links, as pip replaces files and never rewrites them."""
    built = build().folder
    target = built.with_name(f"{built.name}-{name}")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(built, target, symlinks=True, copy_function=os.link)
    for script in (target / "bin").iterdir():
        _point_at(script, built, target)
    return Lookalike(target)


def _point_at(script: Path, built: Path, target: Path) -> None:
    """Make a script's first line name the copy's Python."""
    if script.is_symlink() or not script.is_file():
        return
    content = script.read_bytes()
    if content.startswith(b"#!") and str(built).encode() in content:
        script.unlink()
        script.write_bytes(content.replace(str(built).encode(), str(target).encode()))
        script.chmod(0o755)


if __name__ == "__main__":
    sys.stdout.write(f"{build().folder}\n")
