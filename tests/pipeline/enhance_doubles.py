"""A restorer and an upscaler that stand in for networks."""

import cv2
import numpy as np

from lipwise.models.lanczos import Lanczos


class Inverting:
    """Turns bright to dark, which nobody overlooks."""

    name, engine, note = "inverting", "test", "Nothing to keep."
    needs_weights = False

    def restore(self, faces):
        return 255 - faces

    def remarks(self):
        return ["it inverts"]


class Drawing(Lanczos):
    """An upscaler that draws noise of its own in each frame, as a network does, and counts its frames."""

    name, needs_weights = "drawing", True

    def __init__(self, **size):
        super().__init__(**size)
        self.rng, self.frames = np.random.default_rng(0), 0

    def upscale(self, frame):
        self.frames += 1
        larger = super().upscale(frame)
        detail = cv2.GaussianBlur(self.rng.normal(0, 60, larger.shape[:2]).astype(np.float32), (0, 0), 3)
        return np.clip(larger + detail[..., None], 0, 255).astype(np.uint8)


def face_change(made: np.ndarray, source: np.ndarray) -> tuple[float, float]:
    """How much the forehead and the lower part of the portrait changed."""
    change = np.abs(made.astype(int) - source)
    return change[100:150, 200:250].mean(), change[400:].mean()
