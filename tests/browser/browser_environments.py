"""The environments that only the browser tests need: JupyterLab with a driver, and the classic notebook that Colab has.

    python tests/browser/browser_environments.py          build both, in a cache folder, and say where they are

Each is built once per machine and list of versions. LIPWISE_BROWSER_TESTS names another cache folder.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

from filelock import FileLock

HERE = Path(__file__).resolve().parent
LAB, CLASSIC = HERE / "jupyterlab.txt", HERE / "notebook-6.5.txt"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OURS = "tests.pth"  # adds the packages of the Python that runs the tests, after the environment's own


@cache
def find_chromium() -> Path | None:
    """The machine's Chromium, or None; LIPWISE_CHROMIUM names another."""
    named = os.environ.get("LIPWISE_CHROMIUM")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, BROWSERS)), None)
    return Path(found) if found else None


class Environment:
    """One built environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        self.share = folder / "share" / "jupyter"

    @property
    def packages(self) -> Path:
        """Its site-packages."""
        return next((self.folder / "lib").glob("python3.*/site-packages"))


def cache_folder(recipe: Path) -> Path:
    """Where the environment of this list and this Python lies."""
    cached = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "lipwise-browser"
    home = Path(os.environ.get("LIPWISE_BROWSER_TESTS") or cached).expanduser()
    key = hashlib.sha256(recipe.read_bytes() + f"{sys.version}{sys.prefix}".encode()).hexdigest()[:12]
    return home / f"{recipe.stem}-{key}"


def build(recipe: Path, *, with_ours: bool = False) -> Environment:
    """The environment of a list of versions, built where it is not there yet (a minute or two).

    Args:
        recipe: a pip requirements file.
        with_ours: whether what the running Python has can be imported too, wherever the list does not name it.

    Raises:
        subprocess.CalledProcessError: pip could not install the list.
    """
    folder = cache_folder(recipe)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "complete").exists():
            _install(recipe, folder)
    made = Environment(folder)
    if with_ours:
        (made.packages / OURS).write_text("\n".join(our_packages()) + "\n", encoding="utf-8")
    return made


def _install(recipe: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    sys.stderr.write(f"building {folder} from {recipe.name}\n")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", recipe], check=True)
    (folder / "complete").write_text("the list is installed\n", encoding="utf-8")


def our_packages() -> list[str]:
    """Where the Python that runs the tests finds its packages."""
    names = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return sorted(names | {place for place in sys.path if place.endswith(("site-packages", "dist-packages"))})


if __name__ == "__main__":
    sys.stdout.write(f"{build(LAB).folder}\n{build(CLASSIC, with_ours=True).folder}\n")
