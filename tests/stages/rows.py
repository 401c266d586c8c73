"""Rows of measures in which nothing, or one thing, is wrong."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from lipwise.faces.track import DETECTED
from lipwise.stages.measures import FrameMeasures
from lipwise.stages.usability import UsabilityReport


def good_rows(count: int = 40) -> FrameMeasures:
    """Rows in which nothing is wrong."""
    usual = {"score": 0.93, "eyes_px": 60.0, "yaw_deg": 3.0, "mouth_margin": 1.5, "sharpness": 0.2, "blur": 0.03}
    usual |= {"bright": 200.0, "dark": 70.0, "clipped": 0.0, "mouth_change": 0.3, "step": 0.01}
    columns = {name: np.full(count, value, np.float32) for name, value in usual.items()}
    return FrameMeasures(
        faces=np.ones(count, np.int32),
        origin=np.full(count, DETECTED, np.uint8),
        shot=np.zeros(count, np.int32),
        elsewhere=np.zeros(count, bool),
        **columns,
    )


def changed(column: str, value: float, frames: slice = slice(12, 19)) -> FrameMeasures:
    values = getattr(good_rows(), column).copy()
    values[frames] = value
    return replace(good_rows(), **{column: values})


def report_of(measures: FrameMeasures | None = None) -> UsabilityReport:
    return UsabilityReport.of(measures or good_rows(), fps=Fraction(25))
