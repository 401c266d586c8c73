"""Which way up a clip is, found by trying: detectors know upright faces, and score others lower."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from lipwise.faces.detect import FaceDetector

TURNS = (0, 90, 180, 270)
LOOKED_AT, FIRST = 9, 3  # frames of a clip, spread over it; where the first ones are certain, no more are needed
# Mean scores of the best face on seven clips of talking people and a portrait: upright 0.91-0.94, lying or upside down
# 0.40-0.89, and 0.82 for a cat that stands on its head.
CERTAIN = 0.92  # a clip that scores so much as it is is not tried otherwise
LEAST_SCORE, LEAST_GAIN = 0.85, 0.04  # another turn must score so much, and so much more than none
# A turn is tried on every third frame first, and on all only where it comes as near to none as this there: most
# clips that are not certain stand upright all the same, and frames without a face are looked at twice.
EVERY, LEAST_HOPE = 3, 0.02


@dataclass(frozen=True)
class Rotation:
    """What trying gave.

    Attributes:
        degrees: clockwise, by which frames must be turned for upright faces; 0 where nothing speaks for a turn.
        scores: for each turn tried on all frames, the mean score of the best face, over the frames in which any of
            them shows one.
        frames: how many frames showed a face.
    """

    degrees: int
    scores: dict[int, float]
    frames: int

    def __str__(self) -> str:
        if not self.frames:
            return "no face was found in any direction"
        tried = ", ".join(f"{turn}: {score:.2f}" for turn, score in self.scores.items())
        what = f"turned by {self.degrees} degrees clockwise" if self.degrees else "left as it is"
        return f"{what} (mean scores by turn: {tried})"


def turn_frame(frame: np.ndarray, degrees: int) -> np.ndarray:
    """A frame (H, W, C) turned clockwise by 0, 90, 180 or 270 degrees, with its own memory."""
    return np.ascontiguousarray(np.rot90(frame, -degrees // 90))


def find_rotation(frames: Iterable[np.ndarray], detector: FaceDetector) -> Rotation:
    """Try quarter turns on a few frames of a clip.

    Args:
        frames: RGB frames (H, W, 3) uint8, about `LOOKED_AT` of them, spread over the clip. Where the first `FIRST`
            surely show upright faces, no more are taken from the iterable, which saves decoding most of the clip.
        detector: see `lipwise.faces.detect.load_detector`.
    """
    coming = iter(frames)
    frames = list(islice(coming, FIRST))
    if not frames:
        return Rotation(0, {}, 0)
    scores = {0: _best_scores(frames, 0, detector)}
    if scores[0].min() == 0 or scores[0].mean() < CERTAIN:
        more = list(coming)
        frames, scores = frames + more, {0: np.concatenate([scores[0], _best_scores(more, 0, detector)])}
    seen = scores[0] > 0
    if seen.mean() < 0.5 or scores[0][seen].mean() < CERTAIN:
        few = scores[0][::EVERY].mean() - LEAST_HOPE
        hopeful = [turn for turn in TURNS[1:] if _best_scores(frames[::EVERY], turn, detector).mean() >= few]
        scores |= {turn: _best_scores(frames, turn, detector) for turn in hopeful}
        seen = np.any(list(scores.values()), axis=0)
    if not seen.any():
        return Rotation(0, dict.fromkeys(scores, 0.0), 0)
    means = {turn: float(best[seen].mean()) for turn, best in scores.items()}
    top = max(means, key=lambda turn: means[turn])
    turned = means[top] >= LEAST_SCORE and means[top] >= means[0] + LEAST_GAIN
    return Rotation(top if turned else 0, means, int(seen.sum()))


def _best_scores(frames: list[np.ndarray], turn: int, detector: FaceDetector) -> np.ndarray:
    """(n,) the score of each frame's best face, 0 where there is none."""
    return np.array([detector.detect(turn_frame(frame, turn)).score.max(initial=0) for frame in frames])
