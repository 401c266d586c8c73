"""Scene cuts, found from tiny pictures of the frames while they stream by.

A cut is one step that stands out of the frames beside it. Light that comes on, a quick turn of the camera and a zoom
are many steps in a row, and no cut; a short blend of one scene into another is one cut, in its middle.
"""

from fractions import Fraction

import cv2
import numpy as np

from lipwise.faces.smooth import find_runs

# Measured on seven clips of talking people: inside a shot the difference stays under 0.02 and under 4 times its
# surroundings, and the colours change by less than 0.02; between clips 0.16 and 0.22 are the least.
CUT_DIFFERENCE, CUT_COLOURS, CUT_CONTRAST = 0.08, 0.10, 2.5
# A jump inside one scene keeps the colours, but stands far out of its surroundings.
JUMP_DIFFERENCE, JUMP_CONTRAST = 0.015, 6.0
LEAST_SURROUNDINGS = 0.002  # differences below this are noise and repeated frames
SURROUNDINGS_S = 0.4
# A cut is so many times as large as each of the two differences before and after it.
BESIDE_FRAMES, BESIDE_CONTRAST = 2, 2.0
BESIDE_REACH = (
    4  # frames: repeated ones are left out, but what lies further away is not beside, as among still pictures
)
# Frames between two scenes are a blend of both: so much may be left over of them, in parts of the whole change. Other
# light on one scene is no blend of two: the first and the last picture of a blend are less alike than this.
BLEND_REST, BLEND_CORRELATION = 0.35, 0.8
# A flash goes away again: what was before it comes back within so many frames, at less than this part of the change.
FLASH_FRAMES, FLASH_RETURN = 3, 0.4

_PICTURE_PX, _MEMORY_PX, _COLOUR_BINS = 48, 16, 16


class ShotFinder:
    """Collects a few numbers for each frame, then says which shot each belongs to. 270 bytes a frame."""

    def __init__(self) -> None:
        self._difference: list[float] = []  # mean absolute difference to the frame before, 0-1
        self._colours: list[float] = []  # part of the colour histogram that changed, 0-1
        self._memory: list[np.ndarray] = []  # (16, 16) uint8
        self._picture: np.ndarray | None = None
        self._histogram: np.ndarray | None = None

    def add(self, frame: np.ndarray) -> None:
        """Look at the next frame, (H, W, 3) uint8 RGB."""
        picture = cv2.resize(frame, (_PICTURE_PX, _PICTURE_PX), interpolation=cv2.INTER_AREA)
        histogram = _colour_histogram(picture)
        if self._picture is None or self._histogram is None:
            difference = colours = 0.0
        else:
            difference = float(cv2.absdiff(picture, self._picture).mean()) / 255
            colours = float(np.abs(histogram - self._histogram).sum()) / 2
        self._difference.append(difference)
        self._colours.append(colours)
        self._memory.append(
            cv2.resize(
                cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (_MEMORY_PX, _MEMORY_PX), interpolation=cv2.INTER_AREA
            )
        )
        self._picture, self._histogram = picture, histogram

    def shots(self, fps: Fraction | float) -> np.ndarray:
        """(T,) int32, the number of the shot of each frame added, from 0 on."""
        reach = max(4, round(SURROUNDINGS_S * float(fps)))
        differences = np.array(self._difference)
        moving = np.flatnonzero(differences > LEAST_SURROUNDINGS / 10)  # repeated frames are beside nothing
        steep = np.array([self._is_steep(int(index), reach) for index in moving], bool)
        alone = steep & (differences[moving] >= BESIDE_CONTRAST * _largest_beside(differences[moving], moving))
        cuts = [int(index) for index in moving[alone]]
        cuts += [self._middle_of_blend(moving[run]) for run in find_runs(steep & ~alone, np.zeros(len(steep)))]
        first_frames = np.zeros(len(differences), np.int32)
        first_frames[[cut for cut in cuts if cut]] = 1
        return np.cumsum(first_frames, dtype=np.int32)

    def _is_steep(self, index: int, reach: int) -> bool:
        """Whether a frame differs from the one before as at a cut; every frame of a ramp may."""
        difference, colours = self._difference[index], self._colours[index]
        if difference < JUMP_DIFFERENCE:
            return False
        contrast = difference / self._surroundings(index, reach)
        is_cut = difference >= CUT_DIFFERENCE and colours >= CUT_COLOURS and contrast >= CUT_CONTRAST
        return (is_cut or contrast >= JUMP_CONTRAST) and not self._is_flash(index)

    def _middle_of_blend(self, steps: np.ndarray) -> int:
        """The first frame that shows more of the later one of two scenes that blend in these steps; 0 for no blend."""
        before, *between = (self._memory[index].astype(np.float64).ravel() for index in (steps[0] - 1, *steps))
        change = between[-1] - before
        if before.std() * between[-1].std() > 0 and np.corrcoef(before, between[-1])[0, 1] >= BLEND_CORRELATION:
            return 0
        shares = np.array([picture - before for picture in between]) @ change / max(float(change @ change), 1e-9)
        rest = np.linalg.norm(between - before - shares[:, None] * change, axis=1)
        is_blend = (np.diff(shares, prepend=0) > 0).all() and rest.max() < BLEND_REST * np.linalg.norm(change)
        return int(steps[np.argmax(shares >= 0.5)]) if is_blend else 0

    def _surroundings(self, index: int, reach: int) -> float:
        """Median difference of the frames about, repeated frames left out."""
        about = np.array(
            self._difference[max(1, index - reach) : index] + self._difference[index + 1 : index + 1 + reach]
        )
        about = about[about > LEAST_SURROUNDINGS / 10]
        return max(float(np.median(about)) if len(about) else 0.0, LEAST_SURROUNDINGS)

    def _is_flash(self, index: int) -> bool:
        """Whether the change at `index` is undone soon after, or undoes one just before."""
        change = self._memory_difference(index - 1, index)
        later = range(index + 1, min(index + 1 + FLASH_FRAMES, len(self._memory)))
        earlier = range(max(0, index - 1 - FLASH_FRAMES), index - 1)
        back = [self._memory_difference(index - 1, other) for other in later]
        back += [self._memory_difference(index, other) for other in earlier]
        return bool(back) and min(back) < FLASH_RETURN * change

    def _memory_difference(self, one: int, other: int) -> float:
        return float(cv2.absdiff(self._memory[one], self._memory[other]).mean())


def _largest_beside(differences: np.ndarray, index: np.ndarray) -> np.ndarray:
    """(n,) the largest of the differences beside each, itself left out; `index` (n,): their frames."""
    padded, frames = np.pad(differences, BESIDE_FRAMES), np.pad(index, BESIDE_FRAMES)
    beside = []
    for start in (start for start in range(2 * BESIDE_FRAMES + 1) if start != BESIDE_FRAMES):
        reached = np.abs(frames[start : start + len(index)] - index) <= BESIDE_REACH
        beside.append(np.where(reached, padded[start : start + len(index)], 0))
    return np.max(beside, axis=0)


def _colour_histogram(picture: np.ndarray) -> np.ndarray:
    """(3, 16) shares of each channel's values, softened so that a value at the edge of a bin does not count double."""
    counts = np.stack(
        [np.bincount((picture[..., channel] >> 4).ravel(), minlength=_COLOUR_BINS) for channel in range(3)]
    ).astype(np.float64)
    edged = np.pad(counts, ((0, 0), (1, 1)), mode="edge")
    soft = edged[:, :-2] + 2 * edged[:, 1:-1] + edged[:, 2:]
    return soft / soft.sum()
