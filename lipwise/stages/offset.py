"""By how much the sound of a clip is early or late, without a checkpoint: mesh of the lips against the heard mouth.

The viseme network of the built-in generator says how the mouth stands at every moment of the sound; the face mesh says
how it stands in the picture. Five pairs of curves (`TERMS`) are correlated at every lag, and the lag with the highest
mean is the offset. Real files carry an offset of their own of up to 0.12 s, so the source clip's belongs beside it.

The sign is that of SyncNet's AV offset (`lipwise.stages.lse`): **above 0 the sound comes early**, before the lips that
say it. Delaying the sound by as much mends it; so does adding it to `LipsyncSettings.audio_offset_s` and making the
lips anew.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from lipwise.errors import FaceError, SpeechError
from lipwise.landmarks import mouth_gap, mouth_width
from lipwise.media.audio import MEL_FLOOR, MEL_FRAMES_PER_SECOND, WINDOW_STEPS

SEARCH_S = 0.6  # offsets of up to so much are looked for, each way; SyncNet looks as far
STEP_S = 1 / MEL_FRAMES_PER_SECOND
TERMS = ("opening", "width", "closing", "change of the opening", "change of the width")
LEAST_S = 1.0  # of seen mouth; shorter clips hold too few sounds to line up
LEAST_MOTION = 0.004  # standard deviation of the gap in eye distances; the mesh of a still face trembles by less
LEAST_HEARD = 0.02  # standard deviation of the heard opening, 0-1; a hum has less
NARROW_GAP = 0.1  # a closing is told from gaps under this, in eye distances
ROUND_SHARE = 0.5  # how much rounding takes from the width
SMOOTHED_STEPS = 1.6  # sigma in mel frames: the network's numbers tremble from window to window, mouths do not
RIVAL_S = 0.12  # a peak within this of the highest one is the same peak

# Confidence: logistic regression of "found within one frame" on the two numbers of `_evidence`, fitted on the six
# speaking clips of benchmarks/offset.py cut into windows of 1.5 to 10 s, moved by known shifts, and as often laid under
# another clip's speech, where nothing can be found. Its --fit prints these again, and how they do on a clip left out.
INTERCEPT, PER_MARGIN, PER_PEAK = -6.0, 5.0, 10.4


@dataclass(frozen=True, eq=False)
class OffsetEstimate:
    """An offset between sound and lips, and what speaks for it.

    Attributes:
        offset_s: seconds; above 0 the sound comes early, before the lips that say it.
        confidence: 0-1, how often an estimate that looks like this lies within one frame, where every second clip
            has somebody else's speech; see benchmarks/offset.py.
        agreement: mean correlation of the five pairs of curves at the offset, -1 to 1.
        margin: by how much that is above every lag further than 0.12 s from it.
        lags_s, curve: (L,) every lag that was tried, and the mean correlation there.
        seconds: of seen mouth that went into it.
    """

    offset_s: float
    confidence: float
    agreement: float
    margin: float
    lags_s: np.ndarray
    curve: np.ndarray
    seconds: float

    def frames(self, fps: Fraction) -> float:
        """The offset in frames."""
        return self.offset_s * float(fps)

    def __str__(self) -> str:
        size = f"sound {abs(self.offset_s):.2f} s {'early' if self.offset_s > 0 else 'late'}"
        return f"{size if abs(self.offset_s) >= STEP_S else 'sound in time'}, confidence {self.confidence:.2f}"


def estimate_offset(
    mesh_xy: np.ndarray, mel: np.ndarray, *, fps: Fraction, start_s: float = 0.0, search_s: float = SEARCH_S
) -> OffsetEstimate:
    """Find by how much the sound of a clip is early or late.

    Args:
        mesh_xy: (T, 468, 2) mesh of consecutive frames, NaN rows where no face is seen.
        mel: (80, M) of the sound, see `lipwise.media.audio.mel_spectrogram`.
        fps: frames a second.
        start_s: when the first frame is shown, from the beginning of the sound.
        search_s: how far to look, each way.

    Raises:
        FaceError: too little of a mouth is seen, or it does not move.
        SpeechError: nothing that lips could say is heard in that time.
    """
    return offset_of_curves(
        mouth_gap(mesh_xy), mouth_width(mesh_xy), heard_mouth(mel), fps=fps, start_s=start_s, search_s=search_s
    )


def heard_mouth(mel: np.ndarray) -> np.ndarray:
    """(M, 4) float32: open, wide, round, closed at every mel frame j, as seen in a picture at j / 80 s.

    Args:
        mel: (80, M); before and after it there is silence.
    """
    from lipwise.models.viseme_net import WINDOW_SHIFT_S, predict_mouth

    before = round(-WINDOW_SHIFT_S * MEL_FRAMES_PER_SECOND)  # a frame's window begins so many mel frames earlier
    padded = np.pad(mel, ((0, 0), (before, WINDOW_STEPS - 1 - before)), constant_values=MEL_FLOOR)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_STEPS, axis=1)  # (80, M, 16)
    return predict_mouth(windows.transpose(1, 0, 2))


def offset_of_curves(
    gap: np.ndarray,
    width: np.ndarray,
    heard: np.ndarray,
    *,
    fps: Fraction,
    start_s: float = 0.0,
    search_s: float = SEARCH_S,
) -> OffsetEstimate:
    """The same from curves.

    Args:
        gap, width: (T,) of the mouth in eye distances, NaN where it is not seen.
        heard: (M, 4), see `heard_mouth`.
    """
    seen = np.isfinite(gap)
    seconds = float(np.count_nonzero(seen)) / float(fps)
    _check_seen(gap, seen, seconds)
    rate = float(fps)
    lip_rows = _lip_rows(gap, width, seen)
    smooth = _smoothed(heard)
    times_s = start_s + np.arange(len(gap)) / rate
    _check_heard(smooth, times_s[seen])
    reach = round(search_s / STEP_S)
    lags_s = np.arange(-reach, reach + 1) * STEP_S
    curve = np.array([_agreement(lip_rows, _heard_rows(smooth, times_s - lag), seen) for lag in lags_s])
    best = int(curve.argmax())
    rivals = np.abs(lags_s - lags_s[best]) > RIVAL_S
    margin = float(curve[best] - curve[rivals].max()) if rivals.any() else 0.0
    return OffsetEstimate(
        offset_s=float(lags_s[best] + STEP_S * _between(curve, best)),
        confidence=_confidence(float(curve[best]), margin, seconds),
        agreement=float(curve[best]),
        margin=margin,
        lags_s=lags_s,
        curve=curve,
        seconds=seconds,
    )


def _check_seen(gap: np.ndarray, seen: np.ndarray, seconds: float) -> None:
    if seconds < LEAST_S:
        raise FaceError(
            "Too little of a mouth is seen to tell whether sound and lips agree",
            cause=f"it is seen for {seconds:.2f} s and {LEAST_S:g} s are needed",
            next_step="choose a longer part of the clip, in which the face is seen",
        )
    if float(gap[seen].std()) < LEAST_MOTION:
        raise FaceError(
            "The mouth does not move",
            cause=f"its opening changes by {float(gap[seen].std()):.4f} eye distances, which is the mesh's trembling",
            next_step="choose a part of the clip in which somebody speaks",
        )


def _check_heard(smooth: np.ndarray, times_s: np.ndarray) -> None:
    if float(_heard_rows(smooth, times_s)[0].std()) < LEAST_HEARD:
        raise SpeechError(
            "Nothing that lips could say is heard while the mouth is seen",
            cause="the sound is silence or never changes there",
            next_step="choose a part of the clip in which somebody speaks",
        )


def _smoothed(heard: np.ndarray) -> np.ndarray:
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(np.asarray(heard, np.float64), SMOOTHED_STEPS, axis=0, mode="nearest"))


def _lip_rows(gap: np.ndarray, width: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(5, T) of what is seen, one row for each of `TERMS`."""
    frames = np.arange(len(gap))
    gap, width = (np.interp(frames, frames[seen], curve[seen]) for curve in (gap, width))
    opening = np.sqrt(np.maximum(gap, 0))  # so that a few wide openings do not decide alone
    return np.stack([opening, width, -np.minimum(gap, NARROW_GAP), np.gradient(opening), np.gradient(width)])


def _heard_rows(smooth: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """(5, T) of what is heard at some times; the mouth rests before the sound and after it."""
    at = np.clip(times_s * MEL_FRAMES_PER_SECOND, 0, len(smooth) - 1)
    opened, wide, rounded, closed = (np.interp(at, np.arange(len(smooth)), row) for row in smooth.T)
    width = wide - ROUND_SHARE * rounded
    return np.stack([opened, width, closed, np.gradient(opened), np.gradient(width)])


def _agreement(lips: np.ndarray, heard: np.ndarray, seen: np.ndarray) -> float:
    """Mean correlation of the rows over the frames seen; a row that never changes counts as 0."""
    lips, heard = lips[:, seen], heard[:, seen]
    lips, heard = lips - lips.mean(axis=1, keepdims=True), heard - heard.mean(axis=1, keepdims=True)
    size = np.linalg.norm(lips, axis=1) * np.linalg.norm(heard, axis=1)
    return float(((lips * heard).sum(axis=1) / np.maximum(size, 1e-9)).mean())


def _between(curve: np.ndarray, best: int) -> float:
    """Where the peak lies between its neighbours, -0.5 to 0.5 steps: the top of a parabola."""
    if not 0 < best < len(curve) - 1:
        return 0.0
    before, top, after = curve[best - 1 : best + 2]
    bend = before - 2 * top + after
    return float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0


def _confidence(agreement: float, margin: float, seconds: float) -> float:
    evidence = INTERCEPT + _evidence(agreement, margin, seconds) @ (PER_MARGIN, PER_PEAK)
    return float(1 / (1 + np.exp(-np.clip(evidence, -50, 50))))


def _evidence(agreement: float, margin: float, seconds: float) -> np.ndarray:
    """(2,) margin and peak; what chance gives falls with the root of the time."""
    return np.array([margin, agreement]) * np.sqrt(seconds)
