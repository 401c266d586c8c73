"""Silence gate: when somebody speaks, so that lips rest where nobody does."""

import numpy as np

from lipwise.errors import SettingsError
from lipwise.media.audio import HOP_LENGTH, MEL_FLOOR, MEL_FRAMES_PER_SECOND

QUIETEST_DB = -90.0  # levels below, digital silence among them, count as this
SILENT_DB = -75.0  # a recording never louder than this holds no speech
NOISE_PERCENTILE = 10  # of the levels: in speech with pauses this lies in the pauses
LEAST_ACTIVE_S = 0.1  # with less sound above the noise than this, nothing tells speech from noise
NEVER_GATED_DB = 10.0  # sound this near to the speech level stays, whatever the noise


def silence_gate(
    waveform: np.ndarray,
    *,
    below_speech_db: float = 30.0,
    above_noise_db: float = 6.0,
    attack_s: float = 0.05,
    hold_s: float = 0.1,
    release_s: float = 0.1,
) -> np.ndarray:
    """1 while somebody speaks, 0 in silence, with slopes between; one value for each mel frame.

    The level that counts as speech follows the recording, not full scale: it lies above the recording's own noise
    (the 10th percentile of its levels) and not too far below the mean level of what rises out of the noise, so that
    a quiet voice is kept and a loud room is not. A recording whose level never changes counts as speech throughout.

    Args:
        waveform: (n,) float32 at 16 kHz, [-1, 1].
        below_speech_db: sound further below the speech level than this is silence.
        above_noise_db: sound must be this far above the noise.
        attack_s: the gate opens over this time *before* speech begins, so that no first sound is cut.
        hold_s: it stays open this long after speech; shorter pauses do not close it.
        release_s: then it closes over this time.

    Returns:
        gate, (1 + n // 200,) float32 in [0, 1].
    """
    if min(below_speech_db, above_noise_db, attack_s, hold_s, release_s) < 0:
        raise SettingsError(
            "A setting of the silence gate is below 0",
            cause=f"{below_speech_db=:g}, {above_noise_db=:g}, {attack_s=:g}, {hold_s=:g}, {release_s=:g}",
            next_step="give decibels and seconds of 0 or more",
        )
    level_db = levels_db(waveform)
    speaks = level_db > speech_threshold_db(level_db, below_speech_db=below_speech_db, above_noise_db=above_noise_db)
    until, since = _frames_to_speech(speaks)
    rise = 1 - until / (attack_s * MEL_FRAMES_PER_SECOND + 1)
    fall = 1 - (since - hold_s * MEL_FRAMES_PER_SECOND) / (release_s * MEL_FRAMES_PER_SECOND + 1)
    return np.clip(np.maximum(rise, fall), 0, 1).astype(np.float32)


def gate_mel(mel: np.ndarray, gate: np.ndarray) -> np.ndarray:
    """Mel (80, M) lowered towards silence where the gate (M,) closes: 1 keeps it, 0 makes it the floor."""
    if gate.shape != mel.shape[1:]:
        raise ValueError(f"expected a gate ({mel.shape[1]},) for a mel {mel.shape}, got {gate.shape}")
    return (MEL_FLOOR + (mel - MEL_FLOOR) * gate).astype(np.float32)


def levels_db(waveform: np.ndarray) -> np.ndarray:
    """(M,) level of the 25 ms around each mel frame in decibels below full scale, offset and rumble taken out."""
    whole = len(waveform) // HOP_LENGTH
    hops = waveform[: whole * HOP_LENGTH].reshape(whole, HOP_LENGTH)
    rest = waveform[whole * HOP_LENGTH :]
    power = np.einsum("ij,ij->i", hops, hops, dtype=np.float64) / HOP_LENGTH - hops.mean(axis=1, dtype=np.float64) ** 2
    power = np.append(power, rest.var(dtype=np.float64) if len(rest) else 0.0)
    around = (power + np.concatenate([power[:1], power[:-1]])) / 2
    return 10 * np.log10(np.maximum(around, 10 ** (QUIETEST_DB / 10)))


def speech_threshold_db(level_db: np.ndarray, *, below_speech_db: float, above_noise_db: float) -> float:
    """The level (M,) must pass to count as speech; -inf lets all pass, +inf nothing."""
    if level_db.max() < SILENT_DB:
        return np.inf
    noise_db = float(np.percentile(level_db, NOISE_PERCENTILE))
    active = level_db[level_db > noise_db + above_noise_db]
    if len(active) < LEAST_ACTIVE_S * MEL_FRAMES_PER_SECOND:
        return -np.inf
    speech_db = 10 * np.log10(np.mean(10 ** (active / 10)))
    return min(max(speech_db - below_speech_db, noise_db + above_noise_db), speech_db - NEVER_GATED_DB)


def _frames_to_speech(speaks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(M,) float each: frames until the next speech, and since the last; infinite where there is none."""
    frame = np.arange(len(speaks), dtype=np.float64)
    last = np.maximum.accumulate(np.where(speaks, frame, -np.inf))
    following = np.minimum.accumulate(np.where(speaks, frame, np.inf)[::-1])[::-1]
    return following - frame, frame - last
