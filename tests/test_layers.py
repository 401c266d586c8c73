"""The layers of the library: a module imports only from lower levels."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "lipwise"
LEVELS = (
    ("errors", "settings", "files", "timeline", "landmarks"),
    ("media", "faces", "models", "weights"),
    ("stages",),
    ("recipe", "pipeline", "sample", "doctor"),
    ("notebook", "commands", "__main__"),
)
# Modules that make up one room, called by the name of its door.
ONE_ROOM = dict.fromkeys(
    ("weights_list", "weights_yaml", "weights_cache", "weights_wheel", "mirrors", "download"), "weights"
)
LONGEST_MODULE = 250  # lines
LEVEL_OF = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room_of(path: Path) -> str:
    name = path.relative_to(PACKAGE).with_suffix("").parts[0]
    return ONE_ROOM.get(name, name)


def imported(path: Path) -> list[str]:
    """Full names of all modules a file imports, at any depth."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_lower_levels(path):
    here = room_of(path)
    for name in imported(path):
        top, _, rest = name.partition(".")
        there = rest.partition(".")[0]
        there = ONE_ROOM.get(there, there)
        if top != "lipwise" or there not in LEVEL_OF:
            continue
        same_level_apart = LEVEL_OF[there] == LEVEL_OF[here] and there != here and here in LEVELS[1]
        assert LEVEL_OF[there] <= LEVEL_OF[here], f"{here} imports {there}, which is above it"
        assert not same_level_apart, f"{here} and {there} should know nothing of each other"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_are_imported_where_they_live(path):
    homes = {"torch": {"models"}, "matplotlib": {"notebook"}, "ipywidgets": {"notebook"}, "IPython": {"notebook"}}
    for name in imported(path):
        top = name.split(".")[0]
        if top in homes:
            assert room_of(path) in homes[top], f"{top} is imported in {path.relative_to(PACKAGE)}"


def test_every_module_has_a_level():
    assert {room_of(path) for path in MODULES} <= set(LEVEL_OF)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_one_room(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE, "it asks to be two"
