"""How much a result's face flickers and trembles beside its source's.

Two figures, because new lips move otherwise than the old ones did. *Flicker* is what changes from frame to frame when
each clip is moved along by its own motion: light, colour and texture that come and go, over the whole face. *Trembling*
is measured by the source's motion (`lipwise.faces.flicker`), and only where the lips' mask does not reach: there a face
has no reason to move otherwise than in the source, and a restorer that redraws it a little elsewhere in each frame
shows.
"""

import numpy as np

from lipwise.faces.flicker import FLOOR, FlickerMeter

LEAST_REST = 0.02  # of the face outside the lips' mask; with less there is nothing to see trembling on


class FaceFlicker:
    """Adds up flicker and trembling of a clip, frame by frame."""

    def __init__(self) -> None:
        self._source, self._result, self._rest = FlickerMeter(), FlickerMeter(), FlickerMeter()

    def restart(self) -> None:
        """The next frame follows on none: a cut, a jump, or a frame without a face."""
        for meter in (self._source, self._result, self._rest):
            meter.restart()

    def add(self, before: np.ndarray, after: np.ndarray, face: np.ndarray, rest: np.ndarray, *, scene: int = 0) -> None:
        """Take the next frame.

        Args:
            before, after: (S, S, 3) uint8, the aligned face in the source and in the result.
            face: (S, S) float32, 1 inside the face. rest: the same without everything that new lips may move.
            scene: frames of two scenes are not compared.
        """
        self._source.add(before, before, face, scene=scene)
        self._result.add(after, after, face, scene=scene)
        if float(rest.sum()) < LEAST_REST * float(face.sum()):
            self._rest.restart()
        else:
            self._rest.add(before, after, rest, scene=scene)

    @property
    def flicker(self) -> float:
        """Of the result in relation to the source, each by its own motion; NaN where no two frames were compared."""
        if not self._result.pairs:
            return float("nan")
        return (self._result.after + FLOOR) / (self._source.before + FLOOR)

    @property
    def trembling(self) -> float:
        """Of the face round the lips' mask, by the source's motion; NaN where no two frames were compared."""
        return float("nan") if self._rest.ratio is None else self._rest.ratio
