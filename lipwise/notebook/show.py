"""Figures and players for notebooks. Each function draws what the library computed and computes nothing itself."""

from fractions import Fraction
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Video
from matplotlib.figure import Figure

from lipwise.faces.track import FaceTrack
from lipwise.landmarks import FACE_OVAL, INNER_LOWER_LIP, INNER_UPPER_LIP, OUTER_LIPS
from lipwise.media.audio import MEL_FRAMES_PER_SECOND, WINDOW_STEPS
from lipwise.media.read import read_frames
from lipwise.media.write import write_video
from lipwise.stages.lipsync import LipsyncStep
from lipwise.stages.speech import Speech

PREVIEW_SIDE = 480  # pixels of a preview's longer side; a large embedded video disconnects a hosted page
PREVIEW_FRAMES = 500


def play(path: str | Path) -> Video:
    """A player for a video, embedded so that it plays on a hosted page too.

    A video over 4 MB is shown as a smaller, silent preview of its first frames.
    """
    path = Path(path)
    if path.stat().st_size > 4_000_000:
        path = _preview(path)
    return Video(str(path), embed=True, html_attributes="controls loop")


def _preview(path: Path) -> Path:
    from lipwise.media.probe import probe

    video = probe(path)
    scale = min(1.0, PREVIEW_SIDE / max(video.size_wh))
    size_wh = [max(2, round(side * scale / 2) * 2) for side in video.size_wh]
    frames = read_frames(video, range(min(video.frame_count, PREVIEW_FRAMES)))
    small = (cv2.resize(frame, size_wh, interpolation=cv2.INTER_AREA) for frame in frames)
    return write_video(path.with_name(f"{path.stem}.preview.mp4"), small, fps=video.fps, quality=28)


def face(frame: np.ndarray, track: FaceTrack, index: int) -> Figure:
    """One frame (H, W, 3) with its box, five points and mesh, and the mouth enlarged."""
    figure, (whole, near) = plt.subplots(1, 2, figsize=(10, 5), layout="constrained")
    mesh = track.mesh_xy[index]
    for axes in (whole, near):
        axes.imshow(frame)
        axes.plot(*mesh.T, ".", ms=1.5, color="deepskyblue")
        axes.plot(*mesh[FACE_OVAL].T, lw=1, color="white")
        axes.plot(*mesh[np.r_[OUTER_LIPS, OUTER_LIPS[:1]]].T, lw=1, color="orange")
        for contour in (INNER_UPPER_LIP, INNER_LOWER_LIP):
            axes.plot(*mesh[contour].T, lw=1.5, color="lime")
        axes.axis("off")
    x0, y0, x1, y1 = track.boxes_xyxy[index]
    whole.add_patch(plt.Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, color="yellow"))
    whole.plot(*track.landmarks_xy[index].T, "o", ms=4, color="red")
    low, high = mesh[OUTER_LIPS].min(0), mesh[OUTER_LIPS].max(0)
    reach = 0.6 * (high[0] - low[0])
    near.set_xlim(low[0] - reach / 2, high[0] + reach / 2)
    near.set_ylim(high[1] + reach, low[1] - reach)
    whole.set_title("box, five points, mesh")
    near.set_title("inner lips")
    return figure


def mel(speech: Speech, fps: Fraction, *, frame: int) -> Figure:
    """The mel spectrogram with the window of one output frame marked, and that window alone."""
    figure, (whole, window) = plt.subplots(1, 2, figsize=(11, 3), width_ratios=(5, 1), layout="constrained")
    end_s = speech.mel.shape[1] / MEL_FRAMES_PER_SECOND
    whole.imshow(speech.mel, origin="lower", aspect="auto", extent=(0, end_s, 0, 80), vmin=-4, vmax=4, cmap="magma")
    time_s, long_s = float(frame / fps), WINDOW_STEPS / MEL_FRAMES_PER_SECOND
    whole.add_patch(plt.Rectangle((time_s, 0), long_s, 80, fill=False, color="cyan", lw=2))
    whole.set(xlabel="seconds", ylabel="mel band", title="what is said")
    only = speech.windows(fps, first=frame, count=1)[0]
    window.imshow(only, origin="lower", aspect="auto", vmin=-4, vmax=4, cmap="magma")
    window.set(xlabel="step", title=f"frame {frame} hears")
    return figure


def step(made: LipsyncStep) -> Figure:
    """Every picture between a frame and its lip-synced version."""
    box = made.box
    pictures = {
        "crop": made.crop,
        "generated": made.generated,
        "mask": made.mask,
        "before": box.of(made.frame),
        "after": box.of(made.result),
        "changed": np.abs(box.of(made.result).astype(int) - box.of(made.frame)).max(-1),
    }
    figure, axes = plt.subplots(1, len(pictures), figsize=(14, 3), layout="constrained")
    for place, (title, picture) in zip(axes, pictures.items(), strict=True):
        place.imshow(picture, cmap="gray")
        place.set_title(title)
        place.axis("off")
    return figure


def sheet(frames: list[np.ndarray], *, columns: int = 6, titles: list[str] | None = None) -> Figure:
    """A contact sheet of frames (H, W, 3)."""
    rows = -(-len(frames) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(2.3 * columns, 2.4 * rows), layout="constrained", squeeze=False)
    for place in axes.flat:
        place.axis("off")
    for number, (place, frame) in enumerate(zip(axes.flat, frames, strict=False)):
        place.imshow(frame)
        place.set_title(titles[number] if titles else str(number), fontsize=9)
    return figure
