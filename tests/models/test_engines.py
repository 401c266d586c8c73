"""gfpgan, Real-ESRGAN, basicsr and facexlib imported beside a torchvision that dropped a module they ask for."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lipwise.errors import LipwiseError, SettingsError
from lipwise.models.engines import ENGINES, OLD_NAME, engine_problem, import_engine

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Puts an engine of our own making before the real one, and takes it away afterwards."""

    def write(name: str, code: str) -> None:
        (tmp_path / f"{name}.py").write_text(code)
        monkeypatch.syspath_prepend(str(tmp_path))

    for name in list(sys.modules):
        if name.split(".")[0] in ENGINES or name == OLD_NAME:
            monkeypatch.delitem(sys.modules, name)
    yield write
    for name in ENGINES:
        sys.modules.pop(name, None)
    sys.modules.pop(OLD_NAME, None)


def run_python(code: str) -> str:
    """What a fresh interpreter writes."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def test_importing_lipwise_leaves_torchvision_alone():
    code = f"import sys, lipwise, lipwise.models.engines; print({OLD_NAME!r} in sys.modules, 'torch' in sys.modules)"
    assert run_python(code).split() == ["False", "False"]


@pytest.mark.skipif(importlib.util.find_spec("gfpgan") is None, reason="the engines are not installed")
def test_the_engines_import_and_find_the_function_they_ask_for():
    code = f"""
import json
from lipwise.models.engines import ENGINES, engine_problem, import_engine
problems = {{name: engine_problem(name) for name in ENGINES}}
from basicsr.archs.rrdbnet_arch import RRDBNet
from gfpgan.archs.gfpganv1_clean_arch import GFPGANv1Clean
import torch
from {OLD_NAME} import rgb_to_grayscale
red = torch.tensor([1.0, 0.0, 0.0]).reshape(3, 1, 1)
print(json.dumps([problems, rgb_to_grayscale(red).item()]))
"""
    problems, grey_of_red = json.loads(run_python(code).splitlines()[-1])
    assert problems == dict.fromkeys(ENGINES)
    assert grey_of_red == pytest.approx(0.299, abs=1e-3)  # ITU-R BT.601


def test_a_function_imported_under_the_old_name_is_torchvisions_own(package):
    package("basicsr", f"from {OLD_NAME} import rgb_to_grayscale")
    from torchvision.transforms.functional import rgb_to_grayscale

    assert import_engine("basicsr").rgb_to_grayscale is rgb_to_grayscale


def test_a_torchvision_that_still_has_the_module_keeps_it(package, monkeypatch):
    package("its_own", "")
    its_own = importlib.import_module("its_own")
    monkeypatch.setitem(sys.modules, OLD_NAME, its_own)
    package("basicsr", f"import sys; found = sys.modules[{OLD_NAME!r}]")
    assert import_engine("basicsr").found is its_own


def test_an_engine_that_is_not_installed_is_named_with_the_next_step(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    for name in [name for name in sys.modules if name.split(".")[0] == "gfpgan"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(LipwiseError, match=r"gfpgan cannot be used[\s\S]*not installed[\s\S]*spandrel"):
        import_engine("gfpgan")
    assert engine_problem("gfpgan") == "it is not installed"


@pytest.mark.parametrize("code", ["import there_is_no_such_module", "1 / 0", "raise SystemError('broken\\nbuild')"])
def test_an_engine_that_fails_to_import_says_what_it_said(package, code):
    package("realesrgan", code)
    with pytest.raises(LipwiseError, match="importing it fails") as raised:
        import_engine("realesrgan")
    assert raised.value.__cause__ is not None
    problem = engine_problem("realesrgan")
    assert problem is not None
    assert type(raised.value.__cause__).__name__ in problem
    assert "\n" not in problem


@pytest.mark.parametrize("ask", [import_engine, engine_problem])
def test_an_unknown_engine_is_refused(ask):
    with pytest.raises(SettingsError, match="gfpgan, realesrgan"):
        ask("stylegan")
