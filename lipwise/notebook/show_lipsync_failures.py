"""Figures of lip-sync gone wrong on purpose: a box without a chin, wrong windows, wrong colours."""

from collections.abc import Mapping, Sequence

import cv2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from lipwise.faces.crop import clip_box
from lipwise.landmarks import MOUTH_CORNERS, OUTER_LIPS, eye_distance
from lipwise.notebook.show import PAGE_IN
from lipwise.stages.lipsync import LipsyncStep

MOVES = 0.01  # a change of the lips' gap from one frame to the next that is seen, in eye distances
FACE_REACH, MOUTH_REACH = 1.3, 0.75  # how far pictures reach from the mouth, in eye distances
MOUTH_PX = 96


def near_mouth(frame: np.ndarray, mesh_xy: np.ndarray, *, reach: float = FACE_REACH) -> np.ndarray:
    """The square of a frame (H, W, 3) round the mouth of a mesh (468, 2); the whole frame where the mesh is NaN.

    Args:
        reach: from the middle of the mouth to each side, in eye distances.
    """
    if not np.isfinite(mesh_xy).all():
        return frame
    (x, y), far = mesh_xy[MOUTH_CORNERS].mean(0), reach * float(eye_distance(mesh_xy))
    return clip_box((x - far, y - far, x + far, y + far), (frame.shape[1], frame.shape[0])).of(frame)


def mouth_in_crop(step: LipsyncStep, mesh_xy: np.ndarray) -> tuple[float, float]:
    """How well a crop serves Wav2Lip.

    Args:
        mesh_xy: (468, 2) of the frame.

    Returns:
        hidden: share of the old mouth's height that lies in the crop's lower half, which the network does not see.
        taken: how much of the new mouth the mask lets through on its mean, 0-1.
    """
    lips = mesh_xy[OUTER_LIPS]
    top, bottom = float(lips[:, 1].min()), float(lips[:, 1].max())
    half = (step.box.y0 + step.box.y1) / 2
    hidden = float(np.clip((bottom - half) / max(bottom - top, 1e-6), 0, 1))
    whole = np.zeros(step.frame.shape[:2], np.float32)
    step.box.of(whole)[...] = step.mask
    inside = cv2.fillConvexPoly(np.zeros_like(whole), cv2.convexHull(np.round(lips).astype(np.int32)), 1.0) > 0
    return hidden, float(whole[inside].mean())


def boxes(steps: Mapping[str, LipsyncStep], mesh_xy: np.ndarray, *, side: int = 96) -> Figure:
    """One frame through different boxes: what the network sees of it, and what comes out.

    Args:
        steps: name -> step.
        mesh_xy: (468, 2) of the frame.
        side: of the network's picture in pixels.
    """
    figure, axes = plt.subplots(2, len(steps), figsize=(PAGE_IN, 7), layout="constrained", squeeze=False)
    for (above, below), (name, step) in zip(axes.T, steps.items(), strict=True):
        masked = cv2.resize(step.crop, (side, side), interpolation=cv2.INTER_AREA)
        masked[side // 2 :] = 0
        hidden, taken = mouth_in_crop(step, mesh_xy)
        above.imshow(masked)
        above.set_title(f"{name}\n{hidden:.0%} of the mouth is hidden", fontsize=10)
        below.imshow(near_mouth(step.result, mesh_xy))
        below.set_title(f"{taken:.0%} of the new mouth is taken", fontsize=10)
        for place in (above, below):
            place.set(xticks=[], yticks=[])
    axes[0, 0].set_ylabel("what the network sees", fontsize=11)
    axes[1, 0].set_ylabel("what the frame gets", fontsize=11)
    plt.close(figure)
    return figure


def says(opening: np.ndarray, right: np.ndarray) -> str:
    """In how many frames an opening (T,) moves, and how it agrees with the right one, in words."""
    moves = f"moves in {float((np.abs(np.diff(opening)) > MOVES).mean()):.0%} of the frames"
    if opening is right:
        return moves
    varies = opening.std() > 0 and right.std() > 0
    agrees = float(np.corrcoef(opening, right)[0, 1]) if varies else 0.0
    return f"{moves}, agrees by {agrees:.2f} with the right one (1 is the same)"


def mouths(
    tries: Mapping[str, tuple[np.ndarray, Sequence[np.ndarray]]], meshes_xy: np.ndarray, *, first: int
) -> Figure:
    """Mouths of consecutive frames, a row for each try; the first try is the right one.

    Args:
        tries: name -> ((T,) opening of the whole clip, N frames (H, W, 3)).
        meshes_xy: (N, 468, 2) of the frames.
        first: number of the first frame.
    """
    right = next(iter(tries.values()))[0]
    row_in = 0.3 + 0.75 * PAGE_IN / len(meshes_xy)  # a title, and mouths cut to three quarters of their width
    size = (PAGE_IN, 0.4 + row_in * len(tries))
    figure, axes = plt.subplots(len(tries), 1, figsize=size, layout="constrained", squeeze=False)
    for place, (name, (opening, frames)) in zip(axes[:, 0], tries.items(), strict=True):
        pairs = zip(frames, meshes_xy, strict=True)
        near = [near_mouth(frame, mesh, reach=MOUTH_REACH) for frame, mesh in pairs]
        near = [cv2.resize(picture, (MOUTH_PX, MOUTH_PX), interpolation=cv2.INTER_AREA) for picture in near]
        place.imshow(np.hstack([picture[MOUTH_PX // 8 : -MOUTH_PX // 8] for picture in near]))
        place.set_title(f"{name}: {says(opening, right)}", fontsize=10, loc="left")
        place.set(xticks=[], yticks=[])
    centres = (np.arange(len(meshes_xy)) + 0.5) * MOUTH_PX
    axes[-1, 0].set_xticks(centres, labels=[str(first + number) for number in range(len(meshes_xy))])
    axes[-1, 0].set_xlabel("frame")
    plt.close(figure)
    return figure


def colours(steps: Mapping[str, LipsyncStep], mesh_xy: np.ndarray) -> Figure:
    """Results beside each other, with the mean red and blue of the mouth in each.

    Args:
        mesh_xy: (468, 2) of the frame.
    """
    figure, axes = plt.subplots(1, len(steps), figsize=(PAGE_IN, 4), layout="constrained", squeeze=False)
    for place, (name, step) in zip(axes[0], steps.items(), strict=True):
        place.imshow(near_mouth(step.result, mesh_xy))
        red, _, blue = near_mouth(step.result, mesh_xy, reach=MOUTH_REACH / 2).reshape(-1, 3).mean(0)
        place.set_title(f"{name}\nmouth: red {red:.0f}, blue {blue:.0f}", fontsize=10)
        place.set(xticks=[], yticks=[])
    plt.close(figure)
    return figure
