"""Everything that shows enhancing: steps, choices, what it will cost, seams, detail, flicker, before and after."""

from lipwise.notebook.show_enhance_cost import Estimate, MemoryWatch, estimate
from lipwise.notebook.show_enhance_detail import (
    beside,
    difference,
    middle,
    most_overlap,
    radial_power,
    seams,
    share_beyond,
    spectrum,
    tiled,
)
from lipwise.notebook.show_enhance_flicker import flicker, flicker_ratio
from lipwise.notebook.show_enhance_offers import Offers, offers
from lipwise.notebook.show_enhance_steps import before_after, choices, close_up, pasted, step

__all__ = [
    "Estimate",
    "MemoryWatch",
    "Offers",
    "before_after",
    "beside",
    "choices",
    "close_up",
    "difference",
    "estimate",
    "flicker",
    "flicker_ratio",
    "middle",
    "most_overlap",
    "offers",
    "pasted",
    "radial_power",
    "seams",
    "share_beyond",
    "spectrum",
    "step",
    "tiled",
]
