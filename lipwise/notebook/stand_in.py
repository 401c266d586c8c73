"""What the enhancing lesson uses where no weights are: sharpening by a formula, in a restorer's and a network's place.

It brings no detail. It is there so that cutting, aligning, masking, pasting and tiling can be seen without a download.
"""

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from lipwise.stages.enhancers import RESTORERS, load_restorer
from lipwise.weights import find_weights

if TYPE_CHECKING:  # at run time it would bring torch along
    from lipwise.models.restorers import Restorer

AUTO, UNSHARP = "auto", "unsharp"
SIGMA_PX, AMOUNT = 4.0, 1.2  # of an aligned face: plain to see, and unmistakably not a restorer's work
TILE_SIGMA_PX, TILE_AMOUNT = 2.0, 1.0


class Unsharp:
    """Stands in for a restorer: unsharp masking, which adds the difference between a picture and its blurred copy.

    Attributes: see `lipwise.models.restorers.Restorer`.
    """

    name, engine, needs_weights = UNSHARP, "OpenCV", False
    note = "A stand-in: it sharpens what is there and restores nothing. No weights, no licence to heed."

    def restore(self, faces: np.ndarray) -> np.ndarray:
        """Faces (N, S, S, 3) uint8 to the same, sharpened."""
        return np.stack([unsharp(face, SIGMA_PX, AMOUNT) for face in faces]) if len(faces) else faces.copy()

    def remarks(self) -> list[str]:
        """What a report has to say of it."""
        return ["unsharp stood in for a restorer: faces are sharper, and show nothing that was not there."]


def unsharp(picture: np.ndarray, sigma: float, amount: float) -> np.ndarray:
    """A picture (H, W, 3) uint8 plus `amount` times what a Gaussian of `sigma` pixels takes from it."""
    soft = cv2.GaussianBlur(picture, (0, 0), sigma)
    return cv2.addWeighted(picture, 1 + amount, soft, -amount, 0)


class UnsharpNetwork:
    """Stands in for an upscaling network where tiles are explained: twice as large, then sharpened.

    As in a network, what lies beyond the border of a tile is black to it; so it draws differently near a cut.

    Attributes:
        name, batch_size: as `lipwise.models.device.BatchRunner` has them.
        scale: how many times larger the output is.
        reach: pixels of the input from which on a cut cannot be seen.
    """

    name, batch_size, scale = UNSHARP, 1, 2
    reach = int(np.ceil(3 * TILE_SIGMA_PX)) + 2  # the Gaussian's, and cubic interpolation's

    def __call__(self, tiles: Any) -> Any:
        """Tiles, a tensor (N, 3, h, w) in 0-1, to (N, 3, 2h, 2w)."""
        made = [self._enlarged(np.ascontiguousarray(tile.transpose(1, 2, 0))) for tile in tiles.numpy()]
        return tiles.new_tensor(np.stack(made).transpose(0, 3, 1, 2))

    def _enlarged(self, tile: np.ndarray) -> np.ndarray:
        """(h, w, 3) float32 to (2h, 2w, 3)."""
        large = cv2.resize(tile, None, fx=self.scale, fy=self.scale, interpolation=cv2.INTER_CUBIC)
        soft = cv2.GaussianBlur(large, (0, 0), self.scale * TILE_SIGMA_PX, borderType=cv2.BORDER_CONSTANT)
        return large + TILE_AMOUNT * (large - soft)


def best_restorer(name: str = AUTO, *, device: str | None = None) -> "Restorer":
    """A restorer by name; "auto" is the first of `lipwise.RESTORERS` whose weights are kept, or else the stand-in.

    Raises:
        LipwiseError: as `lipwise.load_restorer`, where one is named.
    """
    kept = [one for one in RESTORERS if name == AUTO and find_weights(one) is not None]
    chosen = kept[0] if kept else name
    return Unsharp() if chosen in (AUTO, UNSHARP) else load_restorer(chosen, device=device)
