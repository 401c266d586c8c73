"""A clip as a coloured strip: its frames from left to right, in the colours of what speaks against each."""

from collections.abc import Mapping

import numpy as np

from lipwise.stages.judge import FAULTS, MARKS
from lipwise.stages.usability import UsabilityReport

RGB = tuple[int, int, int]

GOOD, BY_HAND, PAPER = (76, 160, 96), (40, 90, 190), (255, 255, 255)
# Told apart by lightness as well as by hue, so that a reader who sees few colours can follow.
COLOURS: dict[str, RGB] = {
    "no_face": (40, 40, 40),
    "too_small": (150, 110, 60),
    "turned": (190, 120, 200),
    "blurred": (120, 150, 210),
    "too_dark": (80, 60, 110),
    "too_bright": (235, 200, 60),
    "cut_off": (215, 100, 50),
    "doubtful": (230, 150, 150),
    "several": (60, 170, 190),
    "jump": (200, 40, 60),
    "scene_cut": (140, 140, 140),
}
USED, DROPPED = "can be used", "dropped by hand"
COLOUR_OF: dict[str, RGB] = {USED: GOOD, DROPPED: BY_HAND} | {
    name.replace("_", " "): colour for name, colour in COLOURS.items()
}


def kinds_of(report: UsabilityReport) -> dict[str, np.ndarray]:
    """What a strip shows of each frame: name -> (T,) bool, names of no frame left out.

    A frame has every fault that holds for it; one that a person kept or dropped has that decision alone.
    """
    edited = report.edited
    open_to_reasons = edited == 0
    kinds = {USED: report.usable, DROPPED: edited < 0}
    kinds |= {_words(name): report.has(name) & open_to_reasons for name in FAULTS}
    return {name: mask for name, mask in kinds.items() if mask.any()}


def marks_of(report: UsabilityReport) -> dict[str, np.ndarray]:
    """What is worth knowing of a frame and no fault: name -> (T,) bool, names of no frame left out."""
    marks = {_words(name): report.has(name) for name in MARKS}
    return {name: mask for name, mask in marks.items() if mask.any()}


def colours_of(report: UsabilityReport) -> np.ndarray:
    """(T, 3) uint8, the colour of each frame's first fault; of a person's decision where there is one."""
    colours = np.full((len(report), 3), GOOD, np.uint8)
    for name in reversed(FAULTS):
        colours[report.has(name)] = COLOURS[name]
    colours[report.edited > 0], colours[report.edited < 0] = GOOD, BY_HAND
    return colours


def draw_strip(masks: Mapping[str, np.ndarray], size_wh: tuple[int, int]) -> np.ndarray:
    """Draw what holds for each frame, one colour above the other where several do.

    A column of pixels shows every frame that falls into it: in a long clip, too, no single frame is lost.

    Args:
        masks: name -> (T,) bool, names of `COLOUR_OF`; see `kinds_of`.
        size_wh: of the strip in pixels.

    Returns:
        (H, W, 3) uint8 RGB, white where nothing holds.
    """
    width, height = size_wh
    strip = np.full((height, width, 3), PAPER, np.uint8)
    if not masks:
        return strip
    columns = np.array([_in_columns(mask, width) for mask in masks.values()])  # (K, W)
    colours = np.array([COLOUR_OF[name] for name in masks], np.uint8)  # (K, 3)
    rank, held = np.cumsum(columns, axis=0) - 1, columns.sum(axis=0)
    for row in range(height):
        shown = columns & (rank == row * held // height)
        strip[row, held > 0] = colours[shown.argmax(axis=0)][held > 0]
    return strip


def _in_columns(mask: np.ndarray, width: int) -> np.ndarray:
    """(W,) bool, whether any of the frames of each column of pixels is True."""
    edges = np.arange(width + 1) * len(mask) / width
    first = np.floor(edges[:-1]).astype(int)
    stop = np.maximum(np.ceil(edges[1:]).astype(int), first + 1)
    counted = np.r_[0, np.cumsum(mask)]
    return counted[np.minimum(stop, len(mask))] > counted[first]


def _words(name: str) -> str:
    return name.replace("_", " ")
