"""gfpgan, Real-ESRGAN and what they stand on, made importable beside a current torchvision.

basicsr 1.4.2 imports `rgb_to_grayscale` from `torchvision.transforms.functional_tensor`, which torchvision dropped in
0.17; the same function lives on in `torchvision.transforms.functional`. A module that holds it stands in under the old
name, and only once an engine is asked for.
"""

import importlib
import importlib.util
import sys
from types import ModuleType

from lipwise.errors import LipwiseError, SettingsError

ENGINES = ("gfpgan", "realesrgan", "basicsr", "facexlib")
OLD_NAME = "torchvision.transforms.functional_tensor"


def import_engine(name: str) -> ModuleType:
    """An engine, imported.

    Args:
        name: one of ENGINES.

    Raises:
        SettingsError: it is none of them.
        LipwiseError: it is not installed, or importing it fails.
    """
    if name not in ENGINES:
        raise SettingsError(
            f"There is no engine {name!r}", cause=f"the engines are {', '.join(ENGINES)}", next_step="Name one of them."
        )
    if name not in sys.modules and importlib.util.find_spec(name) is None:
        raise LipwiseError(
            f"{name} cannot be used",
            cause="it is not installed",
            next_step="Run setup_colab.sh, or load the same weights file with spandrel.",
        )
    try:
        _stand_in_for_functional_tensor()
        return importlib.import_module(name)
    except Exception as error:  # what foreign code raises while it is imported is not known beforehand
        raise LipwiseError(
            f"{name} cannot be used",
            cause=f"importing it fails: {type(error).__name__}: {error}",
            next_step="Run setup_colab.sh again, or load the same weights file with spandrel.",
        ) from error


def engine_problem(name: str) -> str | None:
    """Why an engine cannot be imported, in one line; None when it can.

    Raises:
        SettingsError: there is no such engine.
    """
    try:
        import_engine(name)
    except SettingsError:
        raise
    except LipwiseError as error:
        return " ".join(error.cause.split())
    return None


def _stand_in_for_functional_tensor() -> None:
    """Put the stand-in where the engines look, if torchvision has no such module of its own."""
    if OLD_NAME in sys.modules or importlib.util.find_spec(OLD_NAME) is not None:
        return
    functional = importlib.import_module("torchvision.transforms.functional")
    module = ModuleType(OLD_NAME, "Stands in for the module that torchvision dropped in 0.17; set by lipwise.")
    module.__dict__["rgb_to_grayscale"] = functional.rgb_to_grayscale
    sys.modules[OLD_NAME] = module
