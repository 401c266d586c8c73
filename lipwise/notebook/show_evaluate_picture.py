"""Where a result was touched and how near it is to its source; both beside each other as a video."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML
from matplotlib.figure import Figure

from lipwise.faces.crop import Box, clip_box
from lipwise.faces.track import FaceTrack
from lipwise.media.probe import probe
from lipwise.media.read import read_frames
from lipwise.media.sound import read_sound
from lipwise.media.write import write_video
from lipwise.notebook.show import PAGE_IN, play
from lipwise.pipeline.evaluate import pasted_by
from lipwise.pipeline.plan import Plan
from lipwise.stages.compare import like_source
from lipwise.stages.evaluation import Evaluation
from lipwise.stages.fidelity import TOUCHED, FidelityMeter

AMPLIFIED = 6  # times by which a difference is drawn larger than it is
PANEL_PX = 320  # height of a picture of the side-by-side video
INSIDE_RGB, BORDER_RGB = (255, 140, 0), (90, 160, 255)
ROOM = 0.15  # of a face's size, kept round it


def regions(plan: Plan, result: str | Path, number: int) -> Figure:
    """What counts as inside and as outside in one frame of a result, and what differs there from the source.

    Args:
        plan: of the run that made the result, see `lipwise.pipeline.plan.load_plan`.
        result: its video.
        number: of a frame of it that got new lips.

    Raises:
        ValueError: this frame has no new lips.
    """
    row = int(plan.timeline.source_index[number])
    if not (plan.timeline.synth[number] and plan.track.has_face[row]):
        raise ValueError(f"expected a frame with new lips, and frame {number} was left as it was")
    before = next(read_frames(plan.video, [row]))
    after = like_source(next(read_frames(result, [number])), before)
    mask = pasted_by(plan.recipe).mask(plan.track, row, (before.shape[1], before.shape[0]))
    outside, inside = FidelityMeter().add(after, before, mask)
    pictures = {
        "the clip": before,
        "the result": after,
        "inside (orange), border (blue),\noutside (as it is)": tinted(before, mask),
        f"difference, times {AMPLIFIED}: {outside.psnr_db:.1f} dB\noutside, {inside.psnr_db:.1f} dB inside": apart(
            before, after
        ),
    }
    figure, axes = plt.subplots(1, 4, figsize=(PAGE_IN, 3.1), layout="constrained")
    for place, (title, picture) in zip(axes, pictures.items(), strict=True):
        place.imshow(picture)
        place.set_title(title, fontsize=10)
        place.axis("off")
    plt.close(figure)
    return figure


def tinted(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A frame (H, W, 3) with the pixels coloured that count as inside, and those that count as neither."""
    drawn = frame.astype(np.float32)
    for where, colour in ((mask >= TOUCHED, INSIDE_RGB), ((mask > 0) & (mask < TOUCHED), BORDER_RGB)):
        drawn[where] = 0.4 * drawn[where] + 0.6 * np.array(colour, np.float32)
    return drawn.astype(np.uint8)


def apart(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: by how much two frames differ, `AMPLIFIED` times; black is no difference."""
    return cv2.convertScaleAbs(cv2.absdiff(before, after), alpha=AMPLIFIED)


def over_time(evaluation: Evaluation) -> Figure:
    """PSNR inside and outside the mask, and the seam, for each frame of a result.

    Raises:
        LipwiseError: the pictures could not be compared.
    """
    outside_db, inside_db = evaluation["psnr_outside_db"], evaluation["psnr_inside_db"]
    curves, seconds = evaluation.curves, np.arange(evaluation.frames) / evaluation.fps
    figure, (near, seam) = plt.subplots(2, 1, figsize=(PAGE_IN, 4), sharex=True, layout="constrained")
    near.plot(
        seconds, curves["psnr_outside_db"], lw=2, color="tab:blue", label=f"outside the mask: {outside_db:.1f} dB"
    )
    near.plot(seconds, curves["psnr_inside_db"], lw=2, color="tab:orange", label=f"inside: {inside_db:.1f} dB")
    near.set(ylabel="PSNR (dB)")
    seam.plot(seconds, curves["seam"], lw=2, color="tab:green", label="gradient at the\nborder, by the source's")
    seam.axhline(1, color="black", ls="--", label="no seam")
    seam.set(xlabel="seconds", ylabel="seam", ylim=(0, max(1.5, 1.1 * float(np.nanmax(curves["seam"])))))
    for axes in (near, seam):
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    plt.close(figure)
    return figure


def side_by_side(plan: Plan, result: str | Path, out: str | Path) -> HTML:
    """Write clip, result and their difference beside each other, with the result's sound, and play it.

    Args:
        plan: of the run that made the result.
        result: its video. out: the video to write.
    """
    video = probe(result)
    box = face_place(plan.track)
    pairs = zip(read_frames(plan.video, plan.timeline.source_index), read_frames(video), strict=True)
    frames = _three_panels(pairs, box)
    sound = read_sound(video.path) if video.has_audio else None
    return play(write_video(out, frames, fps=video.fps, sound=sound), width_px=3 * PANEL_PX)


def _three_panels(pairs: Iterator[tuple[np.ndarray, np.ndarray]], box: Box) -> Iterator[np.ndarray]:
    for before, after in pairs:
        there = like_source(after, before)
        panels = (box.of(before), box.of(there), box.of(apart(before, there)))
        width = 2 * max(1, round(PANEL_PX * panels[0].shape[1] / panels[0].shape[0] / 2))
        yield np.hstack([cv2.resize(one, (width, PANEL_PX), interpolation=cv2.INTER_AREA) for one in panels])


def face_place(track: FaceTrack, *, room: float = ROOM) -> Box:
    """A square that holds the face in every frame, with room round it, cut where the picture ends."""
    boxes = track.boxes_xyxy[track.has_face]
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    reach = (0.5 + room) * float((high - low).max())
    x, y = (low + high) / 2
    return clip_box((x - reach, y - reach, x + reach, y + reach), track.size_wh)
