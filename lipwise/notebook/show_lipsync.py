"""Figures about the inside of lip-sync: what a frame hears, what a network is given, what it makes of it.

Each draws what the library computed and computes nothing itself; see also `show_lipsync_failures` and
`show_lipsync_offset`.
"""

from collections.abc import Mapping
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lipwise.media.audio import MEL_BANDS, MEL_FRAMES_PER_SECOND, SAMPLE_RATE, WINDOW_STEPS, window_starts
from lipwise.notebook.show import MEL_COLOURS, PAGE_IN
from lipwise.notebook.show_lipsync_offset import heard_opening
from lipwise.stages.lipsync import LipsyncStep
from lipwise.stages.speech import Speech

LONGEST_S = 8.0  # of a recording that is shown whole; of a longer one, this much round the frame
CURSOR, SOUND = "tab:red", "tab:blue"
CHANNELS = ("blue", "green", "red")  # the order of the network


def heard(waveform: np.ndarray, speech: Speech, fps: Fraction, *, frame: int, offset_s: float = 0.0) -> Figure:
    """Waveform and mel with the window of one frame marked, and both inside that window.

    Args:
        waveform: (n,) at 16 kHz, as `lipwise.load_audio` gives it.
        speech: the same recording, as `lipwise.load_speech` gives it.
        fps: frames a second of the result.
        frame: an output frame; the red line is its time.
        offset_s: how much later than its frame a window begins, as in `Speech.windows`.
    """
    at_s = float(frame / fps)
    start_s = float(window_starts(fps, count=1, first=frame, audio_offset_s=offset_s)[0]) / MEL_FRAMES_PER_SECOND
    end_s = start_s + WINDOW_STEPS / MEL_FRAMES_PER_SECOND
    figure, axes = plt.subplots(2, 2, figsize=(PAGE_IN, 4.6), width_ratios=(4, 1.3), layout="constrained")
    (wave, wave_near), (mel, mel_near) = axes
    low_s, high_s = _shown(len(waveform) / SAMPLE_RATE, at_s)
    for place, left, right in ((wave, low_s, high_s), (wave_near, start_s, end_s)):
        _draw_wave(place, waveform, left, right)
    mel.imshow(speech.mel, extent=(0, speech.mel.shape[1] / MEL_FRAMES_PER_SECOND, 0, MEL_BANDS), **MEL_COLOURS)
    only = speech.windows(fps, first=frame, count=1, offset_s=offset_s)[0]
    mel_near.imshow(only, extent=(start_s, end_s, 0, MEL_BANDS), interpolation="nearest", **MEL_COLOURS)
    for place, top, bottom in ((wave, 1, -1), (mel, MEL_BANDS, 0)):
        box = Rectangle((start_s, bottom), end_s - start_s, top - bottom, color="cyan", lw=2)
        box.set(fill=place is wave, alpha=0.5 if place is wave else 1)
        place.add_patch(box)
        place.set_xlim(low_s, high_s)
    for place in (wave, mel, wave_near, mel_near):
        if place in (wave, mel) or start_s <= at_s <= end_s:
            place.axvline(at_s, color=CURSOR, lw=1.5)
    wave.set(ylabel="waveform", xticks=[], title=f"frame {frame} is shown at {at_s:.2f} s (red)")
    wave_near.set(xticks=[], yticks=[], title=f"it hears {start_s:.2f} to {end_s:.2f} s")
    mel.set(xlabel="seconds", ylabel="mel band, low to high")
    mel_near.set(xlabel=f"{only.shape[1]} steps", yticks=[])
    mel_near.set_xticks(np.linspace(start_s, end_s, WINDOW_STEPS + 1), labels=[])
    plt.close(figure)
    return figure


def _shown(length_s: float, at_s: float) -> tuple[float, float]:
    """The part of a recording to draw."""
    low_s = min(max(0.0, at_s - LONGEST_S / 2), max(0.0, length_s - LONGEST_S))
    return low_s, min(length_s, low_s + LONGEST_S)


def _draw_wave(axes: Axes, waveform: np.ndarray, left_s: float, right_s: float) -> None:
    first, stop = (round(np.clip(edge * SAMPLE_RATE, 0, len(waveform))) for edge in (left_s, right_s))
    axes.plot(np.arange(first, stop) / SAMPLE_RATE, waveform[first:stop], color=SOUND, lw=0.5)
    most = max(float(np.abs(waveform).max()), 1e-3)
    axes.set(xlim=(left_s, right_s), ylim=(-1.1 * most, 1.1 * most))


def gate(waveform: np.ndarray, gated: Speech, ungated: Speech, fps: Fraction) -> Figure:
    """When the silence gate is open, and the mouth that the built-in network hears with and without it.

    Args:
        waveform: (n,) at 16 kHz of the recording.
        gated, ungated: it, loaded with and without the gate.
    """
    figure, (sound, mouth) = plt.subplots(2, 1, figsize=(PAGE_IN, 4.4), sharex=True, layout="constrained")
    length_s = len(waveform) / SAMPLE_RATE
    _draw_wave(sound, waveform, 0, length_s)
    times_s = np.arange(len(gated.gate)) / MEL_FRAMES_PER_SECOND
    top = sound.get_ylim()[1]
    sound.fill_between(
        times_s, -top, top, where=gated.gate < 0.5, color="0.85", label="the gate is more than half shut"
    )
    drawn = (2 * gated.gate - 1) * 0.95 * top
    sound.plot(times_s, drawn, color="tab:orange", lw=2, label="the gate: below shut,\nabove open")
    for speech, name, style in ((ungated, "without the gate", "--"), (gated, "with the gate", "-")):
        gap = heard_opening(speech, fps)
        mouth.plot(np.arange(len(gap)) / float(fps), gap, style, lw=2, label=name)
    mouth.set(xlabel="seconds", ylabel="lips apart\n(eye distances)", xlim=(0, length_s), ylim=(0, None))
    sound.set(ylabel="sound", yticks=[])
    for place in (sound, mouth):
        place.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=9)
    plt.close(figure)
    return figure


def network_input(faces: np.ndarray, mel_window: np.ndarray, output: np.ndarray, *, trained: bool) -> Figure:
    """All that Wav2Lip is given, and what it gives back, before anything is pasted.

    Args:
        faces: (6, 96, 96) float in 0-1, BGR: the masked crop, then the reference crop.
        mel_window: (80, 16).
        output: (3, 96, 96) float in 0-1, BGR.
        trained: whether its weights are.
    """
    figure, axes = plt.subplots(2, 5, figsize=(PAGE_IN, 4.5), layout="constrained")
    rows = {"masked: what to fill": faces[:3], "reference: who it is": faces[3:]}
    for number, (row, (name, picture)) in enumerate(zip(axes, rows.items(), strict=True)):
        for place, channel, colour in zip(row, picture, CHANNELS, strict=False):
            place.imshow(channel, cmap="gray", vmin=0, vmax=1)
            place.set_title(f"in {3 * number + CHANNELS.index(colour)}: {colour}", fontsize=10)
        row[3].imshow(_as_rgb(picture))
        row[3].set_title(name, fontsize=10)
    axes[0, 4].imshow(mel_window, interpolation="nearest", **MEL_COLOURS)
    axes[0, 4].set_title("in: the window", fontsize=10)
    axes[1, 4].imshow(_as_rgb(output))
    axes[1, 4].set_title("out" if trained else "out (untrained: noise)", fontsize=10)
    for place in axes.flat:
        place.set(xticks=[], yticks=[])
    for place in axes[:, 0]:
        place.set_yticks([0, 48, 95])
    plt.close(figure)
    return figure


def _as_rgb(picture: np.ndarray) -> np.ndarray:
    """(3, H, W) BGR to (H, W, 3) RGB."""
    return picture[::-1].transpose(1, 2, 0)


def beside(steps: Mapping[str, LipsyncStep]) -> Figure:
    """Generators below one another: the crop each is shown, what it makes, the mask, and the paste."""
    figure, axes = plt.subplots(len(steps), 4, figsize=(PAGE_IN, 2.9 * len(steps)), layout="constrained", squeeze=False)
    titles = ("crop it is shown", "crop it makes, at the box's size", "mask: white is taken", "pasted")
    for row, (name, step) in zip(axes, steps.items(), strict=True):
        pictures = (step.crop, step.generated, step.mask, step.box.of(step.result))
        for place, picture, title in zip(row, pictures, titles, strict=True):
            place.imshow(picture, cmap="gray", vmin=0, vmax=1)
            place.set(xticks=[], yticks=[])
            place.set_title(title, fontsize=9)
        row[0].set_title(f"{titles[0]}: {step.crop.shape[1]} x {step.crop.shape[0]}", fontsize=9)
        row[0].set_ylabel(name, fontsize=11)
    plt.close(figure)
    return figure
