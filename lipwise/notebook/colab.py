"""What only Colab has: its Python modules, which reach the page that the reader looks at."""

from importlib import import_module
from types import ModuleType


def colab_module(name: str) -> ModuleType | None:
    """`google.colab.NAME`, such as "files" or "output"; None on every other machine."""
    try:
        return import_module(f"google.colab.{name}")
    except ImportError:
        return None
