"""Modules that the tests of faces share: drawn squares beside this file, drawn heads among the benchmarks."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "benchmarks")]  # neither is a package
