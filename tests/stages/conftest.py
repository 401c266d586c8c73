"""Clips built from a real face, for the tests of cleaning."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "benchmarks")]  # neither is a package


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """Builds a clip by name, once."""
    from built_clips import BUILDERS

    folder, made = tmp_path_factory.mktemp("built"), {}

    def get(name: str):
        if name not in made:
            made[name] = BUILDERS[name](folder)
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
