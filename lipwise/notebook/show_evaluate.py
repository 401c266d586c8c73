"""Everything that shows an evaluation: its table, where it looked, mouth against speech, shifts, faults."""

from lipwise.notebook.show_evaluate_faults import Stretch, Trial, faults
from lipwise.notebook.show_evaluate_mouth import SoundShift, delayed, mouth, secretly_moved, shifts
from lipwise.notebook.show_evaluate_picture import apart, over_time, regions, side_by_side, tinted
from lipwise.notebook.show_evaluate_table import LIMITS, good_is, sync, table, verdict

__all__ = [
    "LIMITS",
    "SoundShift",
    "Stretch",
    "Trial",
    "apart",
    "delayed",
    "faults",
    "good_is",
    "mouth",
    "over_time",
    "regions",
    "secretly_moved",
    "shifts",
    "side_by_side",
    "sync",
    "table",
    "tinted",
    "verdict",
]
