"""How much a face flickers: what changes from frame to frame and is not motion.

The figure is the mean absolute difference between a frame and the one before it, moved along by the optical flow,
inside the face, after enhancement in relation to before. Both are moved by the flow of the frames before enhancement,
so that a trembling that enhancement adds is not taken for motion. 1 means no more flicker than the clip itself has.
Flow: Kroeger et al., "Fast Optical Flow using Dense Inverse Search", 2016, in OpenCV.
"""

import cv2
import numpy as np

# Grey levels that are added to both sides of the ratio. Below them nothing is seen, and a still has no flicker at all.
FLOOR = 0.1


class FlickerMeter:
    """Adds up the flicker of a clip, frame by frame.

    Attributes:
        pairs: how many pairs of frames were compared.
    """

    def __init__(self) -> None:
        self.pairs = 0
        self._sums = np.zeros(2)
        self._scene = 0
        self._last: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)

    def restart(self) -> None:
        """The next frame follows on none: a cut, or a frame without a face."""
        self._last = None

    def add(self, before: np.ndarray, after: np.ndarray, mask: np.ndarray, *, scene: int = 0) -> None:
        """Take the next frame.

        Args:
            before, after: (S, S, 3) uint8, the aligned face before and after enhancement, at the same place.
            mask: (S, S) float32, 1 inside the face.
            scene: frames of two scenes are not compared.
        """
        if scene != self._scene:
            self._last, self._scene = None, scene
        grey = cv2.cvtColor(before, cv2.COLOR_RGB2GRAY)
        if self._last is not None:
            last_grey, last_before, last_after = self._last
            across, down = self._sources(grey, last_grey)
            weight = mask / max(float(mask.sum()), 1.0)
            for index, (now, last) in enumerate(((before, last_before), (after, last_after))):
                moved = cv2.remap(last, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
                self._sums[index] += float((cv2.absdiff(now, moved).mean(-1) * weight).sum())
            self.pairs += 1
        self._last = grey, before, after

    def _sources(self, grey: np.ndarray, last_grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where each pixel was in the last frame: columns and rows, each (S, S) float32."""
        height, width = grey.shape
        flow = self._flow.calc(grey, last_grey, np.zeros((height, width, 2), np.float32))
        across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        return flow[..., 0] + across, flow[..., 1] + down

    @property
    def before(self) -> float:
        """Grey levels by which the face before enhancement flickers, on average."""
        return float(self._sums[0] / max(self.pairs, 1))

    @property
    def after(self) -> float:
        """The same after enhancement."""
        return float(self._sums[1] / max(self.pairs, 1))

    @property
    def ratio(self) -> float | None:
        """After in relation to before; None when not one pair was compared."""
        return (self.after + FLOOR) / (self.before + FLOOR) if self.pairs else None
