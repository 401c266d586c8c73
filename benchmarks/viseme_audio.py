"""Does the predicted mouth move as the mouth of real speakers does?

    python benchmarks/viseme_audio.py FOLDER_OF_CLIPS [--curves tests/golden/mediapipe_mouth.npz] [--other net.npz ...]

For each clip with sound, the network's opening and width are correlated with the measured ones (tools/viseme_measure.py
made them). Files carry their own offset between sound and picture, so each clip is read at its own best lag, one for
both curves; shifted speech gets the same search, so that chance is shown beside every number. "asked gap" and "asked
width" are the same for what the generator makes of the four numbers (`mouth_targets`). `--other` puts another
network's numbers beside ours: weights of the same network (.npz), or a .py file that defines
`predict_mouth(mel_windows)` and `WINDOW_SHIFT_S`.
"""

import argparse
import runpy
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from lipwise.media.audio import load_audio, mel_spectrogram
from lipwise.models import viseme_net
from lipwise.models.mouth_shape import mouth_targets

CURVES = Path(__file__).parent.parent / "tests" / "golden" / "mediapipe_mouth.npz"
RATE = viseme_net.MEL_FRAMES_PER_SECOND
LAGS = np.arange(-24, 25)  # mel frames: 0.3 s either way
SHIFTS = 12
SHUT = 0.03  # inner lips nearer than this, in eye distances, are shut
NEAR_S = 0.04  # a closure is found when one is predicted this near
LONGEST_CLOSURE_S = 0.4  # what is shut for longer is a pause, not a sound
PAD = 64  # mel frames of silence either side


@dataclass(frozen=True)
class Predictor:
    """A network by name: windows (N, 80, 16) to mouth (N, 4), and where a frame's window begins."""

    name: str
    predict: Callable[[np.ndarray], np.ndarray]
    window_shift_s: float


@dataclass(frozen=True)
class ClipScore:
    """One clip, one network; correlations at the clip's lag (positive: the picture is behind the prediction)."""

    clip: str
    lag_s: float
    opening: float
    width: float
    asked_gap: float
    asked_width: float
    best_of_shifts: float
    shut_share: float
    closures: int
    found: float
    found_by_chance: float

    @property
    def beats_shifts(self) -> bool:
        return self.opening + self.width > self.best_of_shifts


def shipped() -> Predictor:
    return Predictor("shipped", viseme_net.predict_mouth, viseme_net.WINDOW_SHIFT_S)


def load_predictor(path: Path) -> Predictor:
    """Another network, see the module's docstring."""
    if path.suffix == ".py":
        names = runpy.run_path(str(path))
        return Predictor(path.stem, names["predict_mouth"], names["WINDOW_SHIFT_S"])
    net = viseme_net.load_viseme_net(path)
    return Predictor(path.stem, partial(viseme_net.predict_mouth, net=net), viseme_net.WINDOW_SHIFT_S)


def read_curves(path: Path) -> dict[str, dict[str, np.ndarray]]:
    """Clip's stem -> {"time_s", "gap", "width"}, all (T,)."""
    with np.load(path) as stored:
        clips = sorted({name.rsplit(".", 1)[0] for name in stored.files})
        return {clip: {what: stored[f"{clip}.{what}"] for what in ("time_s", "gap", "width")} for clip in clips}


def mouth_at_every_step(predictor: Predictor, mel: np.ndarray) -> np.ndarray:
    """(PAD + M, 4): row PAD + j is the mouth of the window that begins at mel frame j."""
    padded = np.pad(mel, ((0, 0), (PAD, viseme_net.WINDOW_STEPS)), constant_values=-4.0)
    windows = np.lib.stride_tricks.sliding_window_view(padded, viseme_net.WINDOW_STEPS, axis=1)
    return predictor.predict(windows.transpose(1, 0, 2)[: PAD + mel.shape[1]])


def _correlations(mouth: np.ndarray, start: np.ndarray, measured: dict[str, np.ndarray], roll: int) -> np.ndarray:
    """(lags, 2): opening and width against the measured curves, with the speech turned round by `roll` mel frames."""
    seen = np.isfinite(measured["gap"])
    result = np.zeros((len(LAGS), 2))
    turned = np.concatenate([mouth[:PAD], np.roll(mouth[PAD:], roll, axis=0)])
    for i, lag in enumerate(LAGS):
        rows = turned[np.clip(start - lag + PAD, 0, len(mouth) - 1)]
        for k, curve in enumerate(("gap", "width")):
            result[i, k] = np.corrcoef(rows[seen, k], measured[curve][seen])[0, 1]
    return np.nan_to_num(result)


def _at_lag(rows: np.ndarray, measured: dict[str, np.ndarray]) -> tuple[float, float]:
    seen = np.isfinite(measured["gap"])
    pairs = zip(rows.T, (measured["gap"], measured["width"]), strict=False)
    gap, width = (float(np.corrcoef(row[seen], curve[seen])[0, 1]) for row, curve in pairs)
    return gap, width


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _closures_found(shut: np.ndarray, time_s: np.ndarray, closures: list[tuple[int, int]]) -> float:
    near = [
        shut[(time_s >= time_s[a] - NEAR_S - 1e-6) & (time_s <= time_s[b - 1] + NEAR_S + 1e-6)].any()
        for a, b in closures
    ]
    return float(np.mean(near)) if near else float("nan")


def score(predictor: Predictor, clip: str, mel: np.ndarray, measured: dict[str, np.ndarray]) -> ClipScore:
    """Correlations at the clip's best lag, closures found, and the same for shifted speech."""
    mouth = mouth_at_every_step(predictor, mel)
    time_s = measured["time_s"]
    start = np.floor((time_s + predictor.window_shift_s) * RATE + 1e-6).astype(int)
    table = _correlations(mouth, start, measured, 0)
    best = int(table.sum(1).argmax())
    rolls = [mel.shape[1] * k // (SHIFTS + 1) for k in range(1, SHIFTS + 1)]
    shifted = max(_correlations(mouth, start, measured, roll).sum(1).max() for roll in rolls)
    gap, width = mouth_targets(mouth[np.clip(start - LAGS[best] + PAD, 0, len(mouth) - 1)])
    asked = _at_lag(np.stack([gap, width], 1), measured)
    step = float(np.median(np.diff(time_s)))
    closures = [(a, b) for a, b in _runs(measured["gap"] < SHUT) if (b - a) * step <= LONGEST_CLOSURE_S]
    turns = [np.roll(gap < SHUT, len(gap) * k // (SHIFTS + 1)) for k in range(1, SHIFTS + 1)]
    return ClipScore(
        clip, LAGS[best] / RATE, table[best, 0], table[best, 1], *asked, shifted, float(np.mean(gap < SHUT)),
        len(closures),
        _closures_found(gap < SHUT, time_s, closures),
        float(np.mean([_closures_found(turn, time_s, closures) for turn in turns])),
    )  # fmt: skip


def score_clips(predictor: Predictor, folder: Path, curves: dict[str, dict[str, np.ndarray]]) -> list[ClipScore]:
    """Scores of the clips of `curves` that lie in the folder and have sound that is not silence."""
    scores = []
    for clip, measured in curves.items():
        path = folder / f"{clip}.mp4"
        waveform = load_audio(path) if path.is_file() else np.zeros(1, np.float32)
        if np.abs(waveform).max() > 1e-4:
            scores.append(score(predictor, clip, mel_spectrogram(waveform), measured))
    return scores


def means(scores: list[ClipScore]) -> dict[str, float]:
    """Mean over the clips; closures weighted by how many a clip has."""
    weights = np.array([s.closures for s in scores], float)
    return {
        "opening": float(np.mean([s.opening for s in scores])),
        "width": float(np.mean([s.width for s in scores])),
        "asked_gap": float(np.mean([s.asked_gap for s in scores])),
        "asked_width": float(np.mean([s.asked_width for s in scores])),
        "lag_s": float(np.median([s.lag_s for s in scores])),
        "beats_shifts": sum(s.beats_shifts for s in scores),
        "shut_share": float(np.mean([s.shut_share for s in scores])),
        "found": float(np.nansum(weights * [s.found for s in scores]) / weights.sum()),
        "found_by_chance": float(np.nansum(weights * [s.found_by_chance for s in scores]) / weights.sum()),
    }


COLUMNS = (
    ("lag ms", "{:.0f}"), ("opening", "{:.3f}"), ("width", "{:.3f}"), ("asked gap", "{:.3f}"),
    ("asked width", "{:.3f}"), ("beats shifts", "{:.0f}"), ("share shut", "{:.2f}"), ("closures found", "{:.2f}"),
    ("by chance", "{:.2f}"),
)  # fmt: skip


def _row(name: str, m: dict[str, float]) -> str:
    values = (
        m["lag_s"] * 1000, m["opening"], m["width"], m["asked_gap"], m["asked_width"], m["beats_shifts"],
        m["shut_share"], m["found"], m["found_by_chance"],
    )  # fmt: skip
    cells = [form.format(value).rjust(len(title)) for (title, form), value in zip(COLUMNS, values, strict=True)]
    return f"{name:26} " + "  ".join(cells) + "\n"


def print_scores(predictor: Predictor, scores: list[ClipScore]) -> None:
    """A table with one line for each clip, and what the network says of silence."""
    write = sys.stdout.write
    write(f"\n{predictor.name:26} " + "  ".join(title for title, _ in COLUMNS) + "\n")
    for s in scores:
        write(_row(s.clip, means([s])))
    write(_row(f"mean of {len(scores)} (lag: median)", means(scores)))
    write(f"closures in these clips: {sum(s.closures for s in scores)}; in silence: ")
    silence = predictor.predict(np.full((1, 80, 16), -4.0, np.float32))[0]
    write("  ".join(f"{n} {v:.3f}" for n, v in zip(viseme_net.MOUTH, silence, strict=True)) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, help="folder of .mp4 files")
    parser.add_argument("--curves", type=Path, default=CURVES, help="measured mouths (.npz)")
    parser.add_argument("--other", type=Path, nargs="*", default=[], help="networks to compare with (.npz or .py)")
    options = parser.parse_args()
    curves = read_curves(options.curves)
    for predictor in [shipped(), *map(load_predictor, options.other)]:
        print_scores(predictor, score_clips(predictor, options.clips, curves))


if __name__ == "__main__":
    main()
