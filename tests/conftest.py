"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("LIPWISE_SHARED", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def golden() -> Path:
    """Numbers of the public reference implementations."""
    return ROOT / "tests" / "golden"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Clips and weights that may not be part of the project."""
    if not SHARED.is_dir():
        pytest.skip("no folder of shared clips and weights (LIPWISE_SHARED names another place)")
    return SHARED


@pytest.fixture(scope="session")
def shared_clip(shared: Path):
    def find(name: str) -> Path:
        path = shared / "media" / name
        if not path.is_file():
            pytest.skip(f"the shared clip {name} is not there")
        return path

    return find


@pytest.fixture(scope="session")
def shared_weights(shared: Path) -> Path:
    path = shared / "weights"
    if not path.is_dir():
        pytest.skip("no folder of shared weights")
    return path


@pytest.fixture(scope="session")
def face_mesh() -> Path:
    """The face mesh's verified file; set-up has fetched it into the cache."""
    from lipwise.weights import fetch_weights

    return fetch_weights("face_mesh")[0]
