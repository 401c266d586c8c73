"""A restorer that shows what it was given, what it may make of it, and tracks made from meshes."""

import cv2
import numpy as np

import lipwise as lw
from lipwise.faces.track import DETECTED, NONE, FaceTrack


class Restorer:
    """Applies a function to each face and remembers how many came at once."""

    name = engine = note = "test"
    needs_weights = False

    def __init__(self, change=lambda face: face):
        self.change, self.batches, self.faces = change, [], []

    def restore(self, faces):
        assert faces.shape[1:] == (512, 512, 3)
        assert faces.dtype == np.uint8
        self.batches.append(len(faces))
        self.faces += list(faces)
        return np.stack([self.change(face) for face in faces])

    def remarks(self):
        return []


def inverted(face):
    return 255 - face


def blurred(face):
    return cv2.GaussianBlur(face, (0, 0), 6)


def sharpened(face):
    return np.clip(1.6 * face.astype(float) - 0.6 * cv2.GaussianBlur(face, (0, 0), 3), 0, 255).astype(np.uint8)


def track_of(meshes: np.ndarray, size_wh=(512, 512), shot=None) -> FaceTrack:
    meshes = np.asarray(meshes, np.float32)
    count = len(meshes)
    low, high = meshes.min(1), meshes.max(1)
    seen = np.isfinite(meshes[:, 0, 0])
    return FaceTrack(
        boxes_xyxy=np.concatenate([low, high], 1),
        landmarks_xy=meshes[:, [33, 263, 1, 61, 291]],
        score=np.ones(count, np.float32),
        origin=np.where(seen, DETECTED, NONE).astype(np.uint8),
        shot=np.zeros(count, np.int32) if shot is None else shot,
        people=np.ones(1, np.int32),
        size_wh=size_wh,
        mesh_xy=meshes,
    )


def enhanced(frames, track, timeline=None, **arguments) -> list[np.ndarray]:
    return list(lw.enhance_frames(frames, track, timeline, **arguments))
