"""Figures and players for notebooks. Each function draws what the library computed and computes nothing itself.

Every figure is returned and closed, so that a notebook shows it once when it is the last line of a cell.
"""

import base64
import html
import tempfile
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle

from lipwise.faces.crop import clip_box
from lipwise.faces.track import FaceTrack
from lipwise.landmarks import (
    FACE_OVAL,
    INNER_LOWER_LIP,
    INNER_UPPER_LIP,
    MOUTH_CORNERS,
    OUTER_LIPS,
    eye_distance,
)
from lipwise.media.audio import MEL_BANDS, MEL_FLOOR, MEL_FRAMES_PER_SECOND, WINDOW_STEPS, window_starts
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames
from lipwise.media.sound import read_sound
from lipwise.media.write import write_video
from lipwise.stages.lipsync import LipsyncStep
from lipwise.stages.speech import Speech
from lipwise.timeline import Timeline

EMBED_BYTES = 2_000_000  # a larger embedded video slows a hosted page down or disconnects it
PREVIEW_SIDE = 480  # pixels of a preview's longer side
PREVIEW_S = 20
PREVIEW_QUALITY = 28  # x264's scale; see lipwise.media.write
FACE_REACH = 1.15  # how far a picture of the lower face goes from the mouth, in eye distances
PAGE_IN = 10.0  # width of a figure in inches: as wide as a notebook's page
MEL_COLOURS = {"origin": "lower", "aspect": "auto", "cmap": "magma", "vmin": MEL_FLOOR, "vmax": -MEL_FLOOR}


def play(path: str | Path, *, width_px: int = PREVIEW_SIDE) -> HTML:
    """A player with the video inside the page, so that it plays on a hosted page too.

    A video that is large, or that not every browser plays, is shown as a small H.264 preview of its beginning, with
    sound; the line below the player says so.

    Args:
        path: the video.
        width_px: of the player, at most; it is never wider than the page.

    Raises:
        MediaError: the file cannot be read.
    """
    video = probe(path)
    caption = f"{video.path}: {video.size_wh[0]} x {video.size_wh[1]}, {video.duration_s:.1f} s"
    if video.path.stat().st_size <= EMBED_BYTES and (video.codec, video.pixel_format) == ("h264", "yuv420p"):
        content = video.path.read_bytes()
    else:
        content = _preview(video)
        caption += f" (here a preview of at most {PREVIEW_SIDE} pixels and {PREVIEW_S} s)"
    return player(content, caption, width_px=width_px)


def player(content: bytes, caption: str, *, width_px: int = PREVIEW_SIDE) -> HTML:
    """A player with an MP4 file inside the page, at most so many pixels wide, and a line below it."""
    source = f"data:video/mp4;base64,{base64.b64encode(content).decode()}"
    return HTML(
        f'<figure style="margin:0"><video controls loop playsinline style="max-width:min(100%, {width_px}px)">'
        f'<source src="{source}" type="video/mp4"></video><figcaption>{html.escape(caption)}</figcaption></figure>'
    )


def _preview(video: VideoInfo) -> bytes:
    """The beginning of a video as a small H.264 file."""
    scale = min(1.0, PREVIEW_SIDE / max(video.size_wh))
    size_wh = [max(2, round(side * scale / 2) * 2) for side in video.size_wh]
    shown = range(min(video.frame_count, int(PREVIEW_S * video.fps)))
    frames = (cv2.resize(frame, size_wh, interpolation=cv2.INTER_AREA) for frame in read_frames(video, shown))
    sound = read_sound(video.path, end_s=len(shown) / float(video.fps)) if video.has_audio else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "preview.mp4"
        return write_video(path, frames, fps=video.fps, sound=sound, quality=PREVIEW_QUALITY).read_bytes()


def face(frame: np.ndarray, track: FaceTrack, index: int) -> Figure:
    """One frame (H, W, 3) with its box, five points and mesh, and the mouth enlarged."""
    figure, (whole, near) = plt.subplots(1, 2, figsize=(PAGE_IN, PAGE_IN / 2), layout="constrained")
    for axes in (whole, near):
        axes.imshow(frame)
        axes.axis("off")
    if track.has_face[index]:
        mesh = track.mesh_xy[index]
        _draw_mesh(whole, mesh, dot=1.5)
        _draw_mesh(near, mesh, dot=5)
        x0, y0, x1, y1 = track.boxes_xyxy[index]
        whole.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, color="yellow", lw=2))
        whole.plot(*track.landmarks_xy[index].T, "o", ms=6, color="red", mec="white")
        low, high = mesh[OUTER_LIPS].min(0), mesh[OUTER_LIPS].max(0)
        reach = 0.3 * (high[0] - low[0])
        near.set_xlim(low[0] - reach, high[0] + reach)
        near.set_ylim(high[1] + 2 * reach, low[1] - 2 * reach)
        whole.set_title("box (yellow), five points (red), mesh (blue)")
        near.set_title("lips: outer (orange), inner (green)")
    else:
        whole.set_title("no face was found in this frame")
    plt.close(figure)
    return figure


def _draw_mesh(axes: Axes, mesh_xy: np.ndarray, *, dot: float) -> None:
    axes.plot(*mesh_xy.T, ".", ms=dot, color="deepskyblue")
    axes.plot(*mesh_xy[np.append(FACE_OVAL, FACE_OVAL[0])].T, lw=1, color="white")
    axes.plot(*mesh_xy[np.append(OUTER_LIPS, OUTER_LIPS[0])].T, lw=1.5, color="orange")
    for contour in (INNER_UPPER_LIP, INNER_LOWER_LIP):
        axes.plot(*mesh_xy[contour].T, lw=2, color="lime")


def mel(speech: Speech, fps: Fraction, *, frame: int, offset_s: float = 0.0) -> Figure:
    """The mel spectrogram with the window of one output frame marked, and that window alone.

    Args:
        speech: what is said.
        fps: frames a second of the result.
        frame: an output frame.
        offset_s: how much later than its frame a window begins, as in `Speech.windows`.
    """
    figure, (whole, window) = plt.subplots(
        1, 2, figsize=(PAGE_IN, 3.2), width_ratios=(4, 1), layout="constrained", sharey=True
    )
    length_s = speech.mel.shape[1] / MEL_FRAMES_PER_SECOND
    picture = whole.imshow(speech.mel, extent=(0, length_s, 0, MEL_BANDS), **MEL_COLOURS)
    start_s = window_starts(fps, count=1, first=frame, audio_offset_s=offset_s)[0] / MEL_FRAMES_PER_SECOND
    end_s = start_s + WINDOW_STEPS / MEL_FRAMES_PER_SECOND
    whole.add_patch(Rectangle((start_s, 0), end_s - start_s, MEL_BANDS, fill=False, color="cyan", lw=2))
    whole.set(xlabel="seconds", ylabel="mel band, low to high", title="the whole recording")
    only = speech.windows(fps, first=frame, count=1, offset_s=offset_s)[0]
    window.imshow(only, extent=(start_s, end_s, 0, MEL_BANDS), **MEL_COLOURS)
    window.set(xlabel="seconds", title=f"what frame {frame} hears")
    window.locator_params(axis="x", nbins=3)
    figure.colorbar(picture, ax=window, label="loudness", ticks=[MEL_FLOOR, 0, -MEL_FLOOR])
    plt.close(figure)
    return figure


def step(made: LipsyncStep) -> Figure:
    """Every picture between a frame and its lip-synced version."""
    before, after = made.box.of(made.frame), made.box.of(made.result)
    changed = np.abs(after.astype(np.int16) - before).max(-1)
    pictures = {
        "1. crop the generator sees": made.crop,
        "2. crop it makes": made.generated,
        "3. mask: white is taken": made.mask,
        "4. before": before,
        "5. after": after,
        "6. what changed (bright)": changed,
    }
    figure, axes = plt.subplots(2, 3, figsize=(PAGE_IN, 7.4), layout="constrained")
    for place, (title, picture) in zip(axes.flat, pictures.items(), strict=True):
        place.imshow(picture, cmap="gray")
        place.set_title(title)
        place.axis("off")
    plt.close(figure)
    return figure


def before_after(
    before: VideoInfo | str | Path,
    after: VideoInfo | str | Path,
    timeline: Timeline,
    *,
    numbers: Sequence[int] | None = None,
    track: FaceTrack | None = None,
) -> Figure:
    """A contact sheet: frames of the clip above, the frames made from them below.

    Args:
        before, after: the clip and the result.
        timeline: which frame of the clip fed each frame of the result.
        numbers: frames of the result; None takes six, evenly spaced.
        track: the clip's; each picture is cut from the eyes to below the chin. None shows whole frames.
    """
    shown = np.linspace(0, len(timeline) - 1, 6).round().astype(int) if numbers is None else np.asarray(numbers)
    sources = timeline.source_index[shown]
    rows = {"before": read_frames(before, sources), "after": read_frames(after, shown)}
    size = (PAGE_IN, 2 * PAGE_IN / len(shown) + 0.3)
    close = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    figure, axes = plt.subplots(2, len(shown), figsize=size, layout=close, squeeze=False)
    for (name, frames), row in zip(rows.items(), axes, strict=True):
        for place, frame, source in zip(row, frames, sources, strict=True):
            place.imshow(_lower_face(frame, track, source))
            place.set(xticks=[], yticks=[])
        row[0].set_ylabel(name, fontsize=12)
    for place, number in zip(axes[0], shown, strict=True):
        place.set_title(f"{float(number / timeline.fps):.2f} s", fontsize=11)
    plt.close(figure)
    return figure


def _lower_face(frame: np.ndarray, track: FaceTrack | None, source: int) -> np.ndarray:
    """The frame from the eyes to below the chin; whole where there is no face."""
    if track is None or not track.has_face[source]:
        return frame
    mesh = track.mesh_xy[source] * (frame.shape[1] / track.size_wh[0])  # results may be enlarged
    (x, y), reach = mesh[MOUTH_CORNERS].mean(0), FACE_REACH * float(eye_distance(mesh))
    return clip_box((x - reach, y - reach, x + reach, y + reach), (frame.shape[1], frame.shape[0])).of(frame)


def opening(gaps: Mapping[str, np.ndarray], fps: Fraction, *, marked: int | None = None) -> Figure:
    """How far mouths are open over time.

    Args:
        gaps: name -> (T,) inner-lip gap in eye distances, as `lipwise.mouth_gap` gives it.
        fps: frames a second.
        marked: a frame to point at.
    """
    figure, axes = plt.subplots(figsize=(PAGE_IN, 3), layout="constrained")
    for name, gap in gaps.items():
        axes.plot(np.arange(len(gap)) / float(fps), gap, label=name, lw=2)
    if marked is not None:
        axes.axvline(marked / float(fps), color="black", ls="--", label=f"frame {marked}")
    axes.set(xlabel="seconds", ylabel="gap between the lips\n(eye distances)", ylim=(0, None))
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    plt.close(figure)
    return figure
