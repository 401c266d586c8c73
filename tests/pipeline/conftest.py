"""The sample, and a short clip of it."""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import lipwise as lw

sys.path.insert(0, str(Path(__file__).parent))  # it is no package


@pytest.fixture(scope="session")
def sample(tmp_path_factory, face_mesh) -> lw.Sample:
    return lw.make_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def clip(sample, tmp_path_factory):
    """Twelve frames with sound."""
    tone = 0.3 * np.sin(np.arange(24_000) / 20).astype(np.float32)
    frames = list(lw.read_frames(sample.face, range(12)))
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return lw.write_video(path, frames, fps=Fraction(25), sound=[np.stack([tone, tone], 1)])
