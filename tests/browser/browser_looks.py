"""Pictures of a page's outputs, and whether they still look about as they did.

What is kept of an output is a grey thumbnail of it, all of one lesson in one PNG. `LIPWISE_NEW_LOOKS=1` in front of the
tests' command writes the PNGs anew; look at them before they are kept.
"""

import os
from pathlib import Path

import cv2
import numpy as np
from browser_checks import LEAST_SPREAD, TALL_PX
from browser_notebooks import NotebookPage
from browser_page import SIZE

LOOKS = Path(__file__).parent / "looks"
TILE_WH, COLUMNS = (96, 64), 8  # of the thumbnails, and how many stand in a row
COARSE_WH = (12, 8)  # what is compared: other figures and other letters do not show, another picture does
MOST_APART = 110  # levels of 0 to 255 by which a place may be lighter or darker; other lines of text reach 70
LEAST_HEIGHT = 10  # px; a lower output shows nothing


def take(notebook: NotebookPage, folder: Path, name: str) -> list[np.ndarray]:
    """Pictures (H, W, 3) of each output of a page, kept in a folder too, beside those of the page from top to end."""
    folder.mkdir(parents=True, exist_ok=True)
    notebook.page.set_viewport_size(SIZE | {"height": TALL_PX})
    for number in range(notebook.scroll_to(0)):
        notebook.scroll_to(number)
        notebook.page.screenshot(path=folder / f"{name}_page_{number:02d}.png")
    pictures = []
    for number, output in enumerate(notebook.outputs):
        size = output.element.bounding_box()
        if size and size["height"] > LEAST_HEIGHT:
            pictures.append(output.screenshot(folder / f"{name}_{number:02d}.png"))
    notebook.page.set_viewport_size(SIZE)
    return pictures


def empty(pictures: list[np.ndarray]) -> list[int]:
    """Which of the outputs show nothing."""
    return [number for number, picture in enumerate(pictures) if picture.std() < LEAST_SPREAD]


def sheet(pictures: list[np.ndarray]) -> np.ndarray:
    """Their thumbnails in rows, (H, W) uint8."""
    tiles = [_small(_tall(cv2.cvtColor(one, cv2.COLOR_BGR2GRAY)), TILE_WH) for one in pictures]
    tiles += [np.zeros(TILE_WH[::-1], np.uint8)] * (-len(tiles) % COLUMNS)
    return np.vstack([np.hstack(tiles[at : at + COLUMNS]) for at in range(0, len(tiles), COLUMNS)])


def unlike(made: np.ndarray, kept: np.ndarray) -> list[str]:
    """Which thumbnails of two sheets show something else."""
    if made.shape != kept.shape:
        return [f"the outputs fill a sheet of {made.shape}, and one of {kept.shape} was kept"]
    pairs = zip(_tiles(made), _tiles(kept), strict=True)
    apart = [int(np.abs(_small(one, COARSE_WH).astype(int) - _small(other, COARSE_WH)).max()) for one, other in pairs]
    return [f"output {number}: {levels} levels" for number, levels in enumerate(apart) if levels > MOST_APART]


def _tiles(whole: np.ndarray) -> list[np.ndarray]:
    """The thumbnails of a sheet."""
    width, height = TILE_WH
    rows = whole.reshape(-1, height, COLUMNS, width).swapaxes(1, 2)
    return list(rows.reshape(-1, height, width))


def _tall(picture: np.ndarray) -> np.ndarray:
    """A low picture (H, W) with more of its ground below, so that a line of words is not stretched."""
    least = picture.shape[1] * TILE_WH[1] // TILE_WH[0]
    return np.pad(picture, ((0, max(0, least - len(picture))), (0, 0)), mode="edge")


def _small(picture: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    return cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA)


def against_kept(pictures: list[np.ndarray], name: str, folder: Path) -> list[str] | None:
    """What looks otherwise than it did; None where nothing of the name was kept.

    Args:
        folder: where the sheet of today is written, to be looked at.
    """
    made, kept = sheet(pictures), LOOKS / f"{name}.png"
    cv2.imwrite(str(folder / "looks.png"), made)
    if os.environ.get("LIPWISE_NEW_LOOKS"):
        LOOKS.mkdir(exist_ok=True)
        cv2.imwrite(str(kept), made)
    return unlike(made, cv2.imread(str(kept), cv2.IMREAD_GRAYSCALE)) if kept.exists() else None
