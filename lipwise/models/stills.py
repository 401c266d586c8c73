"""What a picture may be besides RGB in 8 bits: grey, with alpha, in 16 bits; and its size after upscaling."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from lipwise.errors import LipwiseError, SettingsError

DEPTHS = (np.uint8, np.uint16)


@dataclass(frozen=True)
class OutputSize:
    """How large pictures become.

    Args:
        scale: times as large; None goes by `height`, or keeps what the network gives.
        height: px of the output; the width follows.

    Raises:
        SettingsError: both are given, the scale is not a number above 0, the height is under 1.
    """

    scale: float | None = None
    height: int | None = None

    def __post_init__(self) -> None:
        if self.scale is not None and self.height is not None:
            raise _no_size(f"scale {self.scale} and height {self.height}", "each of them says how large it becomes")
        if self.scale is not None and not (math.isfinite(self.scale) and self.scale > 0):
            raise _no_size(f"scale {self.scale}", "it is not a number above 0")
        if self.height is not None and self.height < 1:
            raise _no_size(f"height {self.height}", "it is under 1 px")

    def of(self, size_wh: tuple[int, int], *, own_scale: float) -> tuple[int, int]:
        """Width and height of the output for those of the input; `own_scale` where nothing else was asked for."""
        width, height = size_wh
        scale = own_scale if self.scale is None else self.scale
        if self.height is not None:
            return max(round(width * self.height / height), 1), self.height
        return max(round(width * scale), 1), max(round(height * scale), 1)


def _no_size(what: str, cause: str) -> SettingsError:
    return SettingsError(what, cause=cause, next_step="Give a scale such as 2, or a height such as 1080, or neither.")


def check_picture(picture: np.ndarray) -> None:
    """Raises:
    SettingsError: the picture is not (H, W), (H, W, 3) or (H, W, 4) in uint8 or uint16, or has no pixels.
    """
    fits = picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] in (3, 4))
    if not fits or not picture.size:
        raise SettingsError(
            "the picture has the wrong form",
            cause=f"expected (H, W), (H, W, 3) RGB or (H, W, 4) RGBA, got {picture.shape}",
            next_step="Give one picture with pixels, its channels last.",
        )
    if picture.dtype not in DEPTHS:
        raise SettingsError(
            f"a picture of {picture.dtype}",
            cause="only uint8 and uint16 say where white is",
            next_step="Tone-map a picture of high dynamic range, then give it as uint8 or uint16.",
        )


def split_picture(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """The colours (H, W, 3) of a checked picture, grey three times, and its alpha (H, W) or None."""
    if picture.ndim == 2:
        return np.repeat(picture[:, :, None], 3, axis=2), None
    return picture[:, :, :3], picture[:, :, 3] if picture.shape[2] == 4 else None


def join_picture(colours: np.ndarray, alpha: np.ndarray | None, *, grey: bool) -> np.ndarray:
    """The reverse of `split_picture`; `alpha` is brought to the size of the colours."""
    if grey:
        return cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
    if alpha is None:
        return colours
    return np.dstack((colours, resized(alpha, (colours.shape[1], colours.shape[0]))))


def resized(picture: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """Another size of a picture: the mean of the area for a smaller one, Lanczos (8 x 8 px) for a larger one.

    Raises:
        LipwiseError: OpenCV cannot make it so large, or it does not fit into memory.
    """
    height, width = picture.shape[:2]
    if (width, height) == size_wh:
        return picture
    smaller = size_wh[0] <= width and size_wh[1] <= height
    method = cv2.INTER_AREA if smaller else cv2.INTER_LANCZOS4
    try:
        return cv2.resize(np.ascontiguousarray(picture), size_wh, interpolation=method)
    except (cv2.error, MemoryError) as error:
        raise too_large((width, height), size_wh, error) from error


def too_large(size_wh: tuple[int, int], larger_wh: tuple[int, int], error: Exception) -> LipwiseError:
    """What to say when a picture cannot be made that large."""
    return LipwiseError(
        f"A picture of {size_wh[0]} x {size_wh[1]} px cannot be brought to {larger_wh[0]} x {larger_wh[1]} px",
        cause=str(error).strip() or "it does not fit into memory",
        next_step="use a smaller scale or height",
    )
