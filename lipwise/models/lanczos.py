"""Larger pictures without weights: what every network is compared with. Nothing here needs torch."""

import numpy as np

from lipwise.models.stills import OutputSize, check_picture, resized

LANCZOS_SCALE = 2.0


class Lanczos:
    """The baseline: each new pixel is a weighted mean of 8 x 8 old ones.

    Args:
        scale: times as large; None goes by `height`, and is 2 without one.
        height: px of the output instead.

    Raises:
        SettingsError: see `lipwise.models.stills.OutputSize`.
    """

    name = "lanczos"
    needs_weights = False
    note = "No network: smooth, adds no detail. The baseline for all others."

    def __init__(self, *, scale: float | None = None, height: int | None = None) -> None:
        self._size = OutputSize(scale=scale, height=height)

    @property
    def scale(self) -> float | None:
        """See `lipwise.models.upscalers.Upscaler`."""
        return None if self._size.height is not None else self._size.scale or LANCZOS_SCALE

    def size_for(self, size_wh: tuple[int, int]) -> tuple[int, int]:
        """See `lipwise.models.upscalers.Upscaler`."""
        return self._size.of(size_wh, own_scale=LANCZOS_SCALE)

    def upscale(self, frame: np.ndarray) -> np.ndarray:
        """See `lipwise.models.upscalers.Upscaler`."""
        check_picture(frame)
        return resized(frame, self.size_for((frame.shape[1], frame.shape[0])))

    __call__ = upscale

    def remarks(self) -> list[str]:
        """Nothing can go wrong."""
        return []
