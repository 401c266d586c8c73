"""Red squares that are taken for faces, so that a test knows the truth to the pixel."""

import cv2
import numpy as np

from lipwise.faces.detect import Faces
from lipwise.faces.track import track_faces

FPS = 25
GREY = 90


class SquareDetector:
    """Finds pure red squares and takes them for faces."""

    name = "squares"

    def __init__(self):
        self.calls = 0

    def detect(self, frame):
        self.calls += 1
        red = ((frame[..., 0] == 255) & (frame[..., 1] == 0)).astype(np.uint8)
        areas = cv2.connectedComponentsWithStats(red)[2][1:]
        boxes = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in areas], np.float32).reshape(-1, 4)
        spots = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)], np.float32)
        landmarks = boxes[:, None, :2] + spots * (boxes[:, None, 2:] - boxes[:, None, :2])
        return Faces(boxes, landmarks, np.full(len(boxes), 0.9, np.float32))


def picture(*squares_xyside, ground=GREY, hidden=()):
    """Squares on plain ground; the detector misses those that are `hidden`, though the eye sees no difference."""
    frame = np.full((180, 320, 3), ground, np.uint8)
    for index, (x, y, side) in enumerate(squares_xyside):
        frame[y : y + side, x : x + side] = (255, 1 if index in hidden else 0, 0)
    return frame


def follow(frames, **how):
    return track_faces(frames, SquareDetector(), fps=FPS, **how)


def centres_x(track):
    return track.boxes_xyxy[:, [0, 2]].mean(axis=1)
