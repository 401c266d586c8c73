"""Mouth against speech: both over time, the agreement at every shift, and a slider that shifts the sound by hand."""

import html
from collections.abc import Mapping
from fractions import Fraction
from io import BytesIO

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lipwise.landmarks import mouth_gap
from lipwise.media.audio import MEL_FRAMES_PER_SECOND, SAMPLE_RATE, mel_spectrogram
from lipwise.notebook.show import PAGE_IN
from lipwise.stages.evaluation import Evaluation
from lipwise.stages.offset import OffsetEstimate, estimate_offset, heard_mouth

REACH_FRAMES = 12  # how far the slider moves the sound, each way
SECRET_FRAMES = (4, 8)  # how far an exercise moves it: seen by the eye, and twice as far is still measured
DPI = 80  # of the slider's picture: quick to draw


def delayed(waveform: np.ndarray, late_s: float) -> np.ndarray:
    """A sound (n,) at 16 kHz that comes `late_s` seconds later, below 0 earlier; silence fills the end laid bare."""
    samples = round(late_s * SAMPLE_RATE)
    silence = np.zeros(min(abs(samples), len(waveform)), waveform.dtype)
    if samples >= 0:
        return np.concatenate([silence, waveform])[: len(waveform)]
    return np.concatenate([waveform[-samples:], silence])


def secretly_moved(waveform: np.ndarray, fps: Fraction, *, seed: int = 0) -> np.ndarray:
    """A sound moved by a number of frames that nobody is told, so that it has to be measured."""
    rng = np.random.default_rng(seed)
    frames = int(rng.integers(*SECRET_FRAMES)) * int(rng.choice((-1, 1)))
    return delayed(waveform, frames / float(fps))


def mouth(evaluation: Evaluation, waveform: np.ndarray) -> Figure:
    """The sound, and the mouth that is seen and the one that is heard, on one time axis.

    Args:
        evaluation: with curves of the mouth; a LipwiseError says why there are none.
        waveform: (n,) at 16 kHz, what is heard with the result.
    """
    opening, width = evaluation["mouth_opening"], evaluation["mouth_width"]
    curves, seconds = evaluation.curves, np.arange(evaluation.frames) / evaluation.fps
    figure, rows = plt.subplots(3, 1, figsize=(PAGE_IN, 5), sharex=True, height_ratios=(1, 2, 2), layout="constrained")
    _draw_sound(rows[0], waveform, float(seconds[-1]))
    change = curves["width"] - np.nanmedian(curves["width"])
    pairs = {
        f"opening (r = {opening:+.2f})": (curves["gap"], curves["heard_gap"]),
        f"width (r = {width:+.2f})": (change, curves["heard_width_change"]),
    }
    for axes, (name, (seen, heard)) in zip(rows[1:], pairs.items(), strict=True):
        axes.plot(seconds, seen, lw=2, label="seen in the result")
        axes.plot(seconds, heard, lw=2, ls="--", label="heard in its sound")
        axes.set_ylabel(name)
    rows[1].legend(loc="upper left", bbox_to_anchor=(1, 1), title="in eye distances")
    rows[-1].set_xlabel("seconds")
    plt.close(figure)
    return figure


def _draw_sound(axes: Axes, waveform: np.ndarray, end_s: float) -> None:
    axes.plot(np.arange(len(waveform)) / SAMPLE_RATE, waveform, lw=0.4, color="grey")
    axes.set(ylabel="sound", yticks=[], xlim=(0, end_s))


def shifts(found: Mapping[float, OffsetEstimate]) -> Figure:
    """On the left, the agreement at every lag for some of the shifts made; on the right, all shifts against theirs.

    Args:
        found: by how many seconds the sound was made late, below 0 early -> what was estimated then.
    """
    made = sorted(found)
    figure, (curves, line) = plt.subplots(1, 2, figsize=(PAGE_IN, 3.8), width_ratios=(3, 2), layout="constrained")
    for late_s in sorted({made[0], min(made, key=abs), made[-1]}):
        one = found[late_s]
        (drawn,) = curves.plot(one.lags_s, one.curve, lw=2, label=_in_words(late_s))
        curves.plot(one.offset_s, one.agreement, "o", color=drawn.get_color())
    curves.set(xlabel="lag tried (s); above 0: sound early", ylabel="agreement of lips and sound")
    curves.set_ylim(top=1.45 * max(one.agreement for one in found.values()))
    curves.legend(loc="upper center", ncols=3, fontsize=9)
    offsets = [found[late_s].offset_s for late_s in made]
    line.plot(made, [-late_s for late_s in made], color="black", ls="--", lw=1, label="right")
    dots = line.scatter(made, offsets, c=[found[late_s].confidence for late_s in made], vmin=0, vmax=1, zorder=2)
    line.set(xlabel="sound made late by (s)", ylabel="offset found (s)")
    line.legend(loc="upper right")
    figure.colorbar(dots, ax=line, label="confidence")
    plt.close(figure)
    return figure


def _in_words(late_s: float) -> str:
    if abs(late_s) < 1 / SAMPLE_RATE:
        return "not moved"
    return f"{abs(late_s):.2f} s {'late' if late_s > 0 else 'early'}"


class SoundShift(ipywidgets.VBox):
    """Move a sound against the mouth that should say it, and see by how much they agree.

    A thin view of `agreement`. `shifts` draws a figure that reads without a kernel. Only what ipywidgets 7.7 and 8
    have in common is used.

    Args:
        mesh_xy: (T, 468, 2) of the result.
        waveform: (n,) at 16 kHz, its sound.
        fps: frames a second of the result.
    """

    def __init__(self, mesh_xy: np.ndarray, waveform: np.ndarray, *, fps: Fraction) -> None:
        self.fps = fps
        mel = mel_spectrogram(waveform)
        self._gap, self._heard = mouth_gap(mesh_xy), heard_mouth(mel)[:, 0]
        self.estimate = estimate_offset(mesh_xy, mel, fps=fps, search_s=REACH_FRAMES / float(fps))
        self.slider = ipywidgets.IntSlider(
            value=0,
            min=-REACH_FRAMES,
            max=REACH_FRAMES,
            description="frames late",
            continuous_update=False,
            layout=ipywidgets.Layout(width="95%"),
        )
        self.picture = ipywidgets.Image(format="png", layout=ipywidgets.Layout(max_width="100%"))
        self.caption = ipywidgets.HTML()
        super().__init__([self.slider, self.picture, self.caption])
        self.slider.observe(self._moved, names="value")
        self.show(0)

    def agreement(self, frames: int) -> float:
        """Mean correlation of lips and sound when the sound comes so many frames later, -1 to 1."""
        return float(np.interp(frames / float(self.fps), self.estimate.lags_s, self.estimate.curve))

    def code(self, frames: int) -> str:
        """The line that measures the offset of the sound moved so."""
        moved = f"show_evaluate.delayed(waveform, {frames / float(self.fps):g})"
        return f"lw.estimate_offset(made.mesh_xy, lw.mel_spectrogram({moved}), fps=video.fps)"

    def show(self, frames: int) -> None:
        """Draw mouth and moved sound, and the line of code that measures the same."""
        self.picture.value = _as_png(self._drawn(frames))
        self.caption.value = f"<code>{html.escape(self.code(frames))}</code>"

    def _drawn(self, frames: int) -> Figure:
        seconds = np.arange(len(self._gap)) / float(self.fps)
        figure, axes = plt.subplots(figsize=(PAGE_IN, 2.8), layout="constrained")
        axes.plot(seconds, self._gap, lw=2, label="seen: gap (eye distances)")
        heard_s = np.arange(len(self._heard)) / MEL_FRAMES_PER_SECOND + frames / float(self.fps)
        beside = axes.twinx()
        beside.plot(heard_s, self._heard, lw=2, ls="--", color="tab:orange", label="heard: opening (0 to 1)")
        axes.set(xlim=(0, seconds[-1]), xlabel="seconds", ylim=(0, None))
        beside.set_ylim(0, None)
        figure.suptitle(f"{_in_words(frames / float(self.fps))}: agreement {self.agreement(frames):.2f}")
        figure.legend(loc="outside right upper")
        plt.close(figure)
        return figure

    def __repr__(self) -> str:
        """What a page without a kernel shows in the widget's place."""
        return "a slider that moves the sound; it needs a kernel, show_evaluate.shifts draws a figure without"

    def _moved(self, change: dict) -> None:
        self.show(change["new"])


def _as_png(figure: Figure) -> bytes:
    drawn = BytesIO()
    figure.savefig(drawn, dpi=DPI)
    return drawn.getvalue()
