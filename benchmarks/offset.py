"""How often is a known shift of the sound found, without a checkpoint?

    python benchmarks/offset.py FOLDER_OF_CLIPS [--window 5] [--every 1] [--fit]

Every clip with real speech is cut into windows of 5 s, one beginning at each frame (a shorter clip is one window).
Its sound is moved by -8 to 8 whole frames, silence coming in at the end that is laid bare, and the offset between
window and sound is estimated. Files carry an offset of their own, so a shift is found when the estimate, less the
clip's own offset, lies within one frame of it. The clip's own offset is measured once on the whole clip and with
another mesh, MediaPipe's (tests/golden/mediapipe_mouth.npz), so that the estimate is not compared with itself;
beside it stands the count against our own mesh's whole-clip estimate.

Then the figure against the confidence: in which share of the windows whose confidence lies between two numbers the
shift was found. The confidence is calibrated where every second window has somebody else's speech (nothing can be found
there), so that table counts those in, with the same weight; for it, windows are of several lengths. `--fit` fits the
numbers of `lipwise/stages/offset.py` anew, and once for each clip on the other clips alone.
"""

import argparse
import sys
import warnings
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from lipwise.errors import LipwiseError, LipwiseWarning
from lipwise.landmarks import mouth_gap, mouth_width
from lipwise.media.audio import SAMPLE_RATE, load_audio, mel_spectrogram
from lipwise.media.probe import probe
from lipwise.stages import offset
from lipwise.stages.clean import examine

CURVES = Path(__file__).parent.parent / "tests" / "golden" / "mediapipe_mouth.npz"
SHIFTS = range(-8, 9)  # frames; above 0 the sound is delayed
SILENT = 1e-4  # a sound that never passes this is digital silence
CONFIDENCE_WINDOWS_S = (1.5, 2, 3, 4, 5, 8)
BINS = (0, 0.1, 0.3, 0.5, 0.7, 0.9, 1)
write = sys.stdout.write


@dataclass(frozen=True, eq=False)
class Clip:
    """Curves of the mouth (T,), what is heard at each shift {frames: (M, 4)}, and the clip's own offset."""

    name: str
    fps: Fraction
    gap: np.ndarray
    width: np.ndarray
    heard: dict[int, np.ndarray]
    own_s: float
    by_own_mesh_s: float


@dataclass(frozen=True)
class Trial:
    """One window: how far off the estimate was, in frames; infinite with somebody else's speech."""

    clip: str
    error: float
    error_by_own_mesh: float
    confidence: float
    evidence: tuple[float, float]
    cell: tuple[str, float, bool]

    @property
    def found(self) -> bool:
        return abs(self.error) <= 1


def moved(waveform: np.ndarray, samples: int) -> np.ndarray:
    """The waveform as much later, of the same length."""
    silence = np.zeros(abs(samples), np.float32)
    if samples >= 0:
        return np.concatenate([silence, waveform])[: len(waveform)]
    return np.concatenate([waveform[-samples:], silence])


def load_clip(path: Path) -> Clip | None:
    """Mesh and heard mouth of a clip; None where it does not speak or MediaPipe has not measured it."""
    with np.load(CURVES) as stored:
        curves = {what: stored.get(f"{path.stem}.{what}") for what in ("time_s", "gap", "width")}
    video = probe(path)
    waveform = load_audio(path) if video.has_audio else np.zeros(1, np.float32)
    if curves["gap"] is None or np.abs(waveform).max() < SILENT:
        return None
    mesh_xy = examine(video, mesh=True).track.mesh_xy
    heard = {
        shift: offset.heard_mouth(mel_spectrogram(moved(waveform, round(shift / video.fps * SAMPLE_RATE))))
        for shift in SHIFTS
    }
    gap, width = mouth_gap(mesh_xy), mouth_width(mesh_xy)
    times_s, seen = np.arange(len(gap)) / float(video.fps), np.isfinite(curves["gap"])
    other = [np.interp(times_s, curves["time_s"][seen], curves[what][seen]) for what in ("gap", "width")]
    own_s = offset.offset_of_curves(*other, heard[0], fps=video.fps).offset_s
    by_own_mesh_s = offset.offset_of_curves(gap, width, heard[0], fps=video.fps).offset_s
    return Clip(path.stem, video.fps, gap, width, heard, own_s, by_own_mesh_s)


def windows_of(clip: Clip, window_s: float, every: int) -> list[slice]:
    """Windows of this length, one beginning at every so many frames; the whole of a shorter clip."""
    length = min(len(clip.gap), round(window_s * clip.fps))
    return [slice(first, first + length) for first in range(0, len(clip.gap) - length + 1, every)]


def try_window(clip: Clip, window: slice, heard: np.ndarray, shift: int | None, cell: tuple[str, float, bool]) -> Trial:
    """Estimate one window's offset; `shift` None says that the speech is somebody else's."""
    try:
        found = offset.offset_of_curves(
            clip.gap[window], clip.width[window], heard, fps=clip.fps, start_s=float(window.start / clip.fps)
        )
    except LipwiseError:  # nothing is heard there: no estimate, so nothing found
        return Trial(clip.name, np.inf, np.inf, 0.0, (0.0, 0.0), cell)
    evidence = offset._evidence(found.agreement, found.margin, found.seconds)
    errors = [np.inf, np.inf]
    if shift is not None:
        late_s = float(shift / clip.fps)
        errors = [(found.offset_s - own_s + late_s) * float(clip.fps) for own_s in (clip.own_s, clip.by_own_mesh_s)]
    return Trial(clip.name, *errors, found.confidence, (float(evidence[0]), float(evidence[1])), cell)


def known_shifts(clip: Clip, window_s: float, every: int) -> list[Trial]:
    """Every window with every shift."""
    cell = (clip.name, window_s, True)
    windows = windows_of(clip, window_s, every)
    return [try_window(clip, window, clip.heard[shift], shift, cell) for window in windows for shift in SHIFTS]


def strangers(clip: Clip, clips: list[Clip], window_s: float, every: int) -> list[Trial]:
    """Every window with every other clip's speech, as far as that lasts."""
    cell = (clip.name, window_s, False)
    return [
        try_window(clip, window, other.heard[0], None, cell)
        for other in clips
        if other is not clip
        for window in windows_of(clip, window_s, every)
        if window.stop / clip.fps <= len(other.heard[0]) * offset.STEP_S
    ]


def weights(trials: list[Trial]) -> np.ndarray:
    """(N,): every clip, length and kind of speech counts the same, however many windows it has."""
    counts = Counter(trial.cell for trial in trials)
    return np.array([1 / counts[trial.cell] for trial in trials])


def fit(trials: list[Trial]) -> np.ndarray:
    """(3,) intercept, per margin, per peak of the logistic regression of "found"."""
    from scipy.optimize import minimize

    evidence = np.array([(1.0, *trial.evidence) for trial in trials])
    found, weight = np.array([trial.found for trial in trials]), weights(trials)

    def loss(numbers: np.ndarray) -> float:
        logit = evidence @ numbers
        return float((weight * (np.logaddexp(0, logit) - found * logit)).sum() / weight.sum())

    return minimize(loss, np.zeros(3)).x


def print_bins(title: str, trials: list[Trial], confidence: np.ndarray) -> None:
    """Share found where the confidence lies between two numbers."""
    found, weight = np.array([trial.found for trial in trials]), weights(trials)
    write(f"\n{title}\nconfidence    windows  mean confidence  share found\n")
    for low, high in pairwise(BINS):
        inside = (confidence >= low) & ((confidence < high) | (high == 1))
        if inside.any():
            mean, share = (np.average(values[inside], weights=weight[inside]) for values in (confidence, found))
            write(f"{low:.1f} to {high:.1f}   {np.count_nonzero(inside):8d}  {mean:15.2f}  {share:11.2f}\n")


def print_shifts(clips: list[Clip], window_s: float, every: int) -> None:
    """found / total for each clip and altogether."""
    write(f"windows of {window_s:g} s, one every {every} frames, shifts of {SHIFTS[0]} to {SHIFTS[-1]} frames\n")
    write(f"{'clip':26s} own offset   found/total      by our own mesh's offset\n")
    everything: list[Trial] = []
    for clip in clips:
        trials = known_shifts(clip, window_s, every)
        everything += trials
        write(f"{clip.name:26s} {clip.own_s * 1000:+7.0f} ms   {_counted(trials)}\n")
    write(f"{'all windows':26s} {'':10s}   {_counted(everything)}\n")
    shares = [np.mean([trial.found for trial in everything if trial.clip == clip.name]) for clip in clips]
    write(f"mean of the clips' shares: {np.mean(shares):.3f}; median error {_median_error(everything):.2f} frames\n")


def _median_error(trials: list[Trial]) -> float:
    return float(np.median([abs(trial.error) for trial in trials]))


def _counted(trials: list[Trial]) -> str:
    found = sum(trial.found for trial in trials)
    by_own = sum(abs(trial.error_by_own_mesh) <= 1 for trial in trials)
    return f"{found:5d}/{len(trials):5d} {found / len(trials):.3f}   {by_own:5d} {by_own / len(trials):.3f}"


def print_confidence(clips: list[Clip], *, fit_anew: bool) -> None:
    """The figure against the confidence; with `fit_anew` the numbers fitted again, and on clips left out."""
    trials: list[Trial] = []
    for clip in clips:
        for window_s in CONFIDENCE_WINDOWS_S:
            every = max(5, round(clip.fps / 3))
            trials += known_shifts(clip, window_s, every) + strangers(clip, clips, window_s, every)
    print_bins("as shipped", trials, np.array([trial.confidence for trial in trials]))
    if not fit_anew:
        return
    write("\nfitted on all clips: INTERCEPT, PER_MARGIN, PER_PEAK = {:.2f}, {:.2f}, {:.2f}\n".format(*fit(trials)))
    left_out = np.zeros(len(trials))
    for clip in clips:
        numbers = fit([trial for trial in trials if trial.clip != clip.name])
        write("without {:26s} {:.2f}, {:.2f}, {:.2f}\n".format(clip.name, *numbers))
        for index, trial in enumerate(trials):
            if trial.clip == clip.name:
                left_out[index] = 1 / (1 + np.exp(-(numbers[0] + numbers[1:] @ trial.evidence)))
    print_bins("each clip by the numbers fitted on the others", trials, left_out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, help="folder of .mp4 files")
    parser.add_argument("--window", type=float, default=5.0, help="length of a window in seconds")
    parser.add_argument("--every", type=int, default=1, help="frames from the beginning of a window to the next")
    parser.add_argument("--fit", action="store_true", help="fit the numbers of the confidence anew")
    options = parser.parse_args()
    warnings.simplefilter("ignore", LipwiseWarning)
    loaded = (load_clip(path) for path in sorted(options.clips.glob("*.mp4")))
    clips = [clip for clip in loaded if clip is not None]
    print_shifts(clips, options.window, options.every)
    print_confidence(clips, fit_anew=options.fit)


if __name__ == "__main__":
    main()
