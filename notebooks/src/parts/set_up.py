import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

REPOSITORY, TAG = "{repository}", "{tag}"
parts = [find_spec(name) for name in ("lipwise", "av", "torch", "ipywidgets", "matplotlib")]
ready = all(part and part.origin for part in parts)
here = Path.cwd()
installed = [Path(parts[0].origin).parents[1]] if parts[0] and parts[0].origin else []
places = (*installed, here, *here.parents, here / "lipwise")
root = next((place for place in places if (place / "setup_colab.sh").exists()), None)
if root is None and not ready:
    if "/OWNER/" in REPOSITORY:
        raise RuntimeError("Set REPOSITORY in this cell to the address of your copy of LipWise; run it again.")
    root = here / "lipwise"
    subprocess.run(["git", "clone", "--depth", "1", "--branch", TAG, REPOSITORY, str(root)], check=True)
kernel = [] if "COLAB_RELEASE_TAG" in os.environ else ["--venv", sys.prefix]
set_up = ["bash", str(root / "setup_colab.sh"), *kernel] if root else []
if not ready:
    subprocess.run(set_up, check=True)
    sys.path.insert(0, str(root))
