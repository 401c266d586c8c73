"""The API reference, one page of everything `lipwise` offers, made from the docstrings by pdoc.

    python tools/build_reference.py FOLDER   writes lipwise.html there; status 1 when something it refers to is missing

A reference is a link inside the page, or a full name in backticks such as `lipwise.recipe.Recipe` in a docstring.
"""

import argparse
import ast
import re
import sys
from importlib import import_module
from pathlib import Path

import pdoc

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "lipwise"
FULL_NAME = re.compile(r"`(lipwise(?:\.\w+)+)(?:\([^`]*\))?`")


def build(folder: Path) -> Path:
    """Write the page and give its path."""
    pdoc.render.configure(docformat="google", show_source=False, search=False)
    pdoc.pdoc("lipwise", output_directory=folder)
    return folder / "lipwise.html"


def dead_links(page: str) -> list[str]:
    """Anchors that the page's links name and the page does not have."""
    there = set(re.findall(r'\bid="([^"]+)"', page))
    return sorted({name for name in re.findall(r'href="#([^"]+)"', page) if name not in there})


def docstrings(path: Path) -> list[str]:
    """All docstrings of a module's file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, documented)]


def exists(name: str) -> bool:
    """Whether a full name is a module's, or an attribute's in one."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            fields = getattr(found, "__annotations__", {})  # a field without a default is no attribute of its class
            if part in fields:
                return True
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def dead_names(package: Path = PACKAGE) -> list[str]:
    """Full names in docstrings that nothing has, each with the file that has it."""
    dead = []
    for path in sorted(package.rglob("*.py")):
        names = {name for text in docstrings(path) for name in FULL_NAME.findall(text)}
        dead += [f"{path.relative_to(package.parent)}: {name}" for name in sorted(names) if not exists(name)]
    return dead


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    page = build(parser.parse_args().folder)
    dead = dead_links(page.read_text(encoding="utf-8")) + dead_names()
    sys.stdout.write("".join(f"refers to what is not there: {name}\n" for name in dead) + f"{page}\n")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
