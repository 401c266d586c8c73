"""A figure about flicker: what changes in a face from one frame to the next and is not motion."""

from collections.abc import Mapping, Sequence

import cv2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from lipwise.faces.align import ALIGNED_PX, align_face, for_larger_frame
from lipwise.faces.flicker import FlickerMeter
from lipwise.faces.track import FaceTrack
from lipwise.notebook.show import PAGE_IN
from lipwise.stages.aligned import WHOLE_FACE, align_track, aligned_mask, measure_flicker

BRIGHTEST = 99.5  # percentile of the changes that is drawn brightest


def flicker(clips: Mapping[str, Sequence[np.ndarray]], track: FaceTrack) -> Figure:
    """The aligned face of each clip; what flickers is bright.

    Above each but the first stands its flicker in relation to the first, as `lipwise.FlickerMeter` gives it.

    Args:
        clips: name -> frames (H, W, 3) uint8 of one stretch of time, the clip itself first; sizes may differ.
        track: of these frames.
    """
    original = next(iter(clips.values()))
    maps = {name: changes(original, frames, track) for name, frames in clips.items()}
    top = max(1.0, *(float(np.percentile(one, BRIGHTEST)) for one in maps.values()))
    figure, axes = plt.subplots(1, len(maps), figsize=(PAGE_IN, 3.7), layout="constrained", squeeze=False)
    for place, (name, drawn) in zip(axes[0], maps.items(), strict=True):
        place.imshow(drawn, cmap="inferno", vmin=0, vmax=top)
        ratio = flicker_ratio(original, clips[name], track)
        told = "" if ratio is None or clips[name] is original else f"\nflickers {ratio:.2f} times as much as the clip"
        place.set_title(f"{name}{told}", fontsize=10)
        place.axis("off")
    figure.colorbar(axes[0, 0].images[0], ax=axes[0].tolist(), label="change from frame to frame (of 255)", shrink=0.8)
    plt.close(figure)
    return figure


def flicker_ratio(before: Sequence[np.ndarray], after: Sequence[np.ndarray], track: FaceTrack) -> float | None:
    """Flicker inside the face of frames (H, W, 3) uint8, in relation to the same frames before; None of one frame."""
    meter, aligned = FlickerMeter(), align_track(track)
    for row, (old, new) in enumerate(zip(before, after, strict=True)):
        measure_flicker(meter, old, new, row, track=track, aligned=aligned)
    return meter.ratio


def changes(before: Sequence[np.ndarray], after: Sequence[np.ndarray], track: FaceTrack) -> np.ndarray:
    """(512, 512) float32: how much each place of a face flickers, on average, in grey levels.

    The difference between a frame and the one before it, moved along by the optical flow of `before`, as in
    `lipwise.faces.flicker`, but kept apart for each pixel of the aligned face.

    Args:
        before: frames (H, W, 3) uint8 of the clip.
        after: the same frames enhanced, or `before` itself.
    """
    aligned, flow = align_track(track), cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    total, pairs = np.zeros((ALIGNED_PX, ALIGNED_PX), np.float32), 0
    last: tuple[np.ndarray, np.ndarray] | None = None
    for row, (old, new) in enumerate(zip(before, after, strict=True)):
        if not aligned.has_face[row]:
            last = None
            continue
        to_aligned = aligned.to_aligned[row]
        there = for_larger_frame(to_aligned, old.shape[1::-1], new.shape[1::-1])
        grey = cv2.cvtColor(align_face(old, to_aligned), cv2.COLOR_RGB2GRAY)
        face = align_face(new, there)
        if last is not None and track.shot[row] == track.shot[row - 1]:
            mask = aligned_mask(track.mesh_xy[row], to_aligned, WHOLE_FACE)
            total += cv2.absdiff(face, _moved(last[1], flow.calc(grey, last[0], _still()))).mean(-1) * mask
            pairs += 1
        last = grey, face
    return total / max(pairs, 1)


def _still() -> np.ndarray:
    return np.zeros((ALIGNED_PX, ALIGNED_PX, 2), np.float32)


def _moved(face: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """A face as it would look had every pixel come from where the flow points."""
    along = np.arange(ALIGNED_PX, dtype=np.float32)
    across, down = flow[..., 0] + along, flow[..., 1] + along[:, None]
    return cv2.remap(face, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
