"""Clips built from a real face, for the tests of cleaning."""

import importlib.util
from pathlib import Path

import pytest

BUILDERS = Path(__file__).resolve().parents[2] / "benchmarks" / "built_clips.py"


@pytest.fixture(scope="session")
def built_clips():
    """The module of the builders."""
    spec = importlib.util.spec_from_file_location("built_clips", BUILDERS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def build(built_clips, tmp_path_factory):
    """Builds a clip by name, once."""
    folder, made = tmp_path_factory.mktemp("built"), {}

    def get(name: str):
        if name not in made:
            made[name] = built_clips.BUILDERS[name](folder)
        return made[name]

    return get


@pytest.fixture(scope="session")
def examined(build, face_mesh):
    """Track and report of a built clip, found once."""
    from lipwise.stages.clean import examine

    made = {}

    def get(name: str):
        if name not in made:
            made[name] = examine(build(name).path, cache=False)
        return made[name]

    return get


@pytest.fixture
def own_cache(tmp_path, monkeypatch, face_mesh):
    """A cache of the test's own, with the weights in it."""
    home = tmp_path / "home"
    home.mkdir()
    (home / face_mesh.name).write_bytes(face_mesh.read_bytes())
    monkeypatch.setenv("LIPWISE_HOME", str(home))
    return home
