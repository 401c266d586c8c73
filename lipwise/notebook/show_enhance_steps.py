"""Figures about enhancing: every picture on the way, choices beside each other, before and after."""

from collections.abc import Sequence

import cv2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lipwise.faces.align import ALIGNED_PX, for_larger_frame
from lipwise.faces.crop import Box, clip_box
from lipwise.faces.track import FaceTrack
from lipwise.landmarks import FACE_OVAL
from lipwise.media.probe import VideoInfo
from lipwise.media.read import read_frames
from lipwise.notebook.show import PAGE_IN
from lipwise.stages.aligned import EnhanceSettings, aligned_mask
from lipwise.stages.enhance import EnhanceStep, paste_face

REGIONS = ("face", "lower_face", "mouth")
FIDELITIES = (0.0, 0.5, 1.0)
CLOSE_SIDE = 0.56  # of the aligned face's side: from the brows to below the chin
CLOSE_MIDDLE = (0.5, 0.63)  # of that, in shares of the aligned face


def pasted(step: EnhanceStep, mesh_xy: np.ndarray, settings: EnhanceSettings) -> EnhanceStep:
    """The same restored face pasted with other settings; no network runs again.

    Args:
        step: one with a restored face.
        mesh_xy: (468, 2) of its frame.
        settings: region, fidelity, feather and dilation are heeded.
    """
    if step.to_aligned is None or step.aligned is None or step.restored is None:
        raise ValueError("expected a step with a restored face")
    mask = aligned_mask(mesh_xy, step.to_aligned, settings)
    return paste_face(step.frame, step.enlarged, step.to_aligned, step.aligned, step.restored, mask, settings)


def close_up(step: EnhanceStep, picture: np.ndarray) -> Box:
    """The part of a picture (the step's frame at any size) that shows the face from the brows to below the chin."""
    if step.to_aligned is None:
        return Box(0, 0, picture.shape[1], picture.shape[0])
    there = for_larger_frame(step.to_aligned, step.frame.shape[1::-1], picture.shape[1::-1])
    back = cv2.invertAffineTransform(there)
    x, y = back[:, :2] @ (np.array(CLOSE_MIDDLE) * ALIGNED_PX) + back[:, 2]
    reach = CLOSE_SIDE / 2 * ALIGNED_PX * float(np.hypot(back[0, 0], back[1, 0]))
    return clip_box((x - reach, y - reach, x + reach, y + reach), (picture.shape[1], picture.shape[0]))


def step(made: EnhanceStep, *, by: str = "the restorer") -> Figure:
    """Every picture between a frame and its enhanced version; from 5 on, the face from near.

    Args:
        made: one with a restored face.
        by: what restored it.
    """
    if made.to_aligned is None or made.aligned is None or made.restored is None or made.mask is None:
        raise ValueError("expected a step with a restored face: this frame has none")
    own_size = paste_face(
        made.frame, made.frame, made.to_aligned, made.aligned, made.restored, made.mask, EnhanceSettings()
    ).result
    changed = np.abs(made.result.astype(np.int16) - made.enlarged).max(-1)
    pictures = {
        "1. frame; white: what is cut out": made.frame,
        f"2. aligned face, {ALIGNED_PX} px": made.aligned,
        f"3. made of it by {by}": made.restored,
        "4. mask: white is taken": made.mask,
        "5. frame, from near": _near(made, made.frame),
        "6. 3 pasted into it": _near(made, own_size),
        "7. frame upscaled": _near(made, made.enlarged),
        "8. 3 pasted into that: the result": _near(made, made.result),
        "9. what the pasting changed (bright)": _near(made, changed),
    }
    figure, axes = plt.subplots(3, 3, figsize=(PAGE_IN, 10.6), layout="constrained")
    for place, (title, picture) in zip(axes.flat, pictures.items(), strict=True):
        place.imshow(picture, cmap="gray", interpolation="nearest")
        place.set_title(title, fontsize=10)
        place.axis("off")
    _draw_square(axes[0, 0], made.to_aligned)
    plt.close(figure)
    return figure


def _near(made: EnhanceStep, picture: np.ndarray) -> np.ndarray:
    return close_up(made, picture).of(picture)


def _draw_square(axes: Axes, to_aligned: np.ndarray) -> None:
    """The border of the aligned face in the frame; the frame keeps its limits where that lies outside."""
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]) * ALIGNED_PX
    back = cv2.invertAffineTransform(to_aligned)
    places = corners @ back[:, :2].T + back[:, 2]
    limits = axes.get_xlim(), axes.get_ylim()
    for width, colour in ((3.5, "black"), (1.8, "white")):  # seen on every ground
        axes.plot(*places.T, color=colour, lw=width)
    axes.set(xlim=limits[0], ylim=limits[1])


def choices(
    made: EnhanceStep,
    mesh_xy: np.ndarray,
    *,
    regions: Sequence[str] = REGIONS,
    fidelities: Sequence[float] = FIDELITIES,
) -> Figure:
    """One frame with every region (a row each) and fidelity (a column each), beside its mask.

    Args:
        made: a step of that frame with a restored face.
        mesh_xy: (468, 2) of the frame.
    """
    size = (PAGE_IN, PAGE_IN * len(regions) / (len(fidelities) + 1) + 0.4)
    figure, axes = plt.subplots(len(regions), len(fidelities) + 1, figsize=size, layout="constrained", squeeze=False)
    for row, region in zip(axes, regions, strict=True):
        row[0].set_ylabel(region, fontsize=11)
        for place, fidelity in zip(row[1:], fidelities, strict=True):
            one = pasted(made, mesh_xy, EnhanceSettings.model_validate({"region": region, "fidelity": fidelity}))
            place.imshow(_near(made, one.result))
        one = pasted(made, mesh_xy, EnhanceSettings.model_validate({"region": region}))
        if one.aligned is not None and one.mask is not None:  # so it is, but the type does not say it
            row[0].imshow(_masked(one.aligned, one.mask))
    for place, title in zip(axes[0], ["taken: bright", *(f"fidelity {one:g}" for one in fidelities)], strict=True):
        place.set_title(title, fontsize=11)
    for place in axes.flat:
        place.set(xticks=[], yticks=[])
        place.spines[:].set_visible(False)
    plt.close(figure)
    return figure


def _masked(aligned: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A face (S, S, 3) uint8, darkened where nothing is taken of the restored one."""
    return np.rint(aligned * (0.25 + 0.75 * mask[..., None])).astype(np.uint8)


def before_after(
    before: VideoInfo,
    after: VideoInfo,
    track: FaceTrack | None = None,
    *,
    numbers: Sequence[int] | None = None,
) -> Figure:
    """A sheet of frames of a clip, as they were above and enhanced below; the upper ones are enlarged smoothly.

    Args:
        track: the clip's; each picture shows the face. None shows whole frames.
        numbers: frames; None takes four, evenly spaced.
    """
    last = min(before.frame_count, after.frame_count) - 1
    shown = np.linspace(0, last, 4).round().astype(int) if numbers is None else np.asarray(numbers)
    size = (PAGE_IN, 2 * PAGE_IN / len(shown) + 0.5)
    figure, axes = plt.subplots(2, len(shown), figsize=size, layout="constrained", squeeze=False)
    for row, (name, video) in zip(axes, {"before": before, "after": after}.items(), strict=True):
        for place, frame, number in zip(row, read_frames(video, list(shown)), shown, strict=True):
            place.imshow(_face_of(frame, track, number), interpolation="bicubic")
            place.set(xticks=[], yticks=[])
        row[0].set_ylabel(f"{name}, {video.size_wh[0]} x {video.size_wh[1]}", fontsize=11)
    for place, number in zip(axes[0], shown, strict=True):
        place.set_title(f"{float(number / before.fps):.2f} s", fontsize=11)
    plt.close(figure)
    return figure


def _face_of(frame: np.ndarray, track: FaceTrack | None, number: int) -> np.ndarray:
    """The face in a frame of any size; the whole frame where there is none."""
    if track is None or not track.has_face[number]:
        return frame
    ratio = frame.shape[1] / track.size_wh[0]
    oval = track.mesh_xy[number][FACE_OVAL] * ratio
    middle, reach = (oval.min(0) + oval.max(0)) / 2, 0.56 * float(np.ptp(oval, axis=0).max())
    low, high = middle - reach, middle + reach
    return clip_box((low[0], low[1], high[0], high[1]), (frame.shape[1], frame.shape[0])).of(frame)
