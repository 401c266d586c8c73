"""Takes the flicker off what a network draws: each picture is blended with the one before, moved along.

A network that restores or enlarges draws its detail anew in every frame, a little differently each time: Real-ESRGAN's
make a face flicker about twice as much as it did. Motion is found in the frames *before* the network, where nothing
trembles, and is trusted only where the moved frame looks like the present one; elsewhere, at cuts and behind moving
lips, the picture stays as the network drew it. What the network left alone stays as it is, too.
Flow: Kroeger et al., "Fast Optical Flow using Dense Inverse Search", 2016, in OpenCV.
"""

import cv2
import numpy as np

# Grey levels by which the moved frame may miss the present one: at that much a share of exp(-1) is left.
TRUST = 10.0
# Grey levels of change from which on a pixel counts as drawn by the network.
DRAWN = 0.7
NEAR_PX = 1.5  # sigma of the Gaussian over both, in pixels of the frame before the network
# Frames after which the first one, which had none to be blended with, is forgotten (0.8 ** 12 is 0.07).
SETTLED_FRAMES = 12


class MotionFilter:
    """A recursive filter along the motion of a clip.

    Args:
        strength: share of the picture before in each picture, 0 to under 1; 0 changes nothing.
    """

    def __init__(self, strength: float) -> None:
        if not 0 <= strength < 1:
            raise ValueError(f"expected a strength from 0 to under 1, got {strength}")
        self.strength = strength
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._last: tuple[np.ndarray, np.ndarray] | None = None  # frame before the network, float32 result
        self._scene = 0

    def restart(self) -> None:
        """The next picture follows on none."""
        self._last = None

    def __call__(self, source: np.ndarray, drawn: np.ndarray, *, scene: int = 0) -> np.ndarray:
        """The next picture, steadied.

        Args:
            source: (h, w, 3) uint8, the frame that the network was shown.
            drawn: (H, W, 3) uint8, what it made of it.
            scene: pictures of two scenes are not blended.

        Returns:
            (H, W, 3) uint8.
        """
        if not self.strength:
            return drawn
        if scene != self._scene or (self._last is not None and self._last[1].shape != drawn.shape):
            self._last = None
        self._scene = scene
        result = drawn.astype(np.float32)
        if self._last is not None:
            flow = self._motion(source, self._last[0])
            share = self._share(source, self._last[0], drawn, flow)
            size_wh = (drawn.shape[1], drawn.shape[0])
            result += (_moved(self._last[1], _enlarged_flow(flow, size_wh)) - result) * share[..., None]
        self._last = source, result
        return np.rint(result).clip(0, 255).astype(np.uint8)

    def _motion(self, source: np.ndarray, last: np.ndarray) -> np.ndarray:
        """(h, w, 2): from each pixel to where it was in the frame before."""
        grey, last_grey = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (source, last))
        if min(grey.shape) < 16:  # too small for the method's patches
            return np.zeros((*grey.shape, 2), np.float32)
        return self._flow.calc(grey, last_grey, np.zeros((*grey.shape, 2), np.float32))

    def _share(self, source: np.ndarray, last: np.ndarray, drawn: np.ndarray, flow: np.ndarray) -> np.ndarray:
        """(H, W) float32: how much of the picture before is taken."""
        height, width = source.shape[:2]
        small = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA)
        missed = np.abs(source - _moved(last.astype(np.float32), flow)).mean(-1)
        changed = np.abs(source.astype(np.float32) - small).mean(-1)
        missed, changed = (cv2.GaussianBlur(one, (0, 0), NEAR_PX) for one in (missed, changed))
        share = self.strength * np.exp(-np.square(missed / TRUST)) * (1 - np.exp(-np.square(changed / DRAWN)))
        return cv2.resize(share.astype(np.float32), (drawn.shape[1], drawn.shape[0]))


class Steadier:
    """What takes the flicker off the faces and the pictures of one clip."""

    def __init__(self, strength: float) -> None:
        self.faces, self.pictures = MotionFilter(strength), MotionFilter(strength)


def _moved(picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """A picture as it would look had every pixel come from where the flow points."""
    height, width = flow.shape[:2]
    across = flow[..., 0] + np.arange(width, dtype=np.float32)
    down = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return cv2.remap(picture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _enlarged_flow(flow: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """The same motion in the pixels of a picture of another size."""
    height, width = flow.shape[:2]
    if (width, height) == size_wh:
        return flow
    return cv2.resize(flow, size_wh) * np.array([size_wh[0] / width, size_wh[1] / height], np.float32)
