"""Stage 2: utterances become mel frames with the mouth that belongs to each, laid end to end in one long strip."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from viseme_augment import augment
from viseme_mouth import REST, Segment, mouth_curve, pause_mask
from viseme_speech import SAMPLE_RATE, Utterance

from lipwise.media.audio import MEL_BANDS, MEL_FLOOR, mel_spectrogram

GAP_FRAMES = 32  # digital silence between two recordings: longer than a window, so none spans both
HELD_OUT_EACH = 12  # every twelfth utterance is never trained on


@dataclass(frozen=True)
class Strip:
    """Recordings end to end.

    Attributes:
        mel: (80, M) float16.
        mouth: (M, 4) float16, see viseme_mouth.
        pause: (M,) bool, True where nobody speaks.
    """

    mel: np.ndarray
    mouth: np.ndarray
    pause: np.ndarray

    def save(self, path: Path) -> None:
        np.savez(path, mel=self.mel, mouth=self.mouth, pause=self.pause)

    @classmethod
    def load(cls, path: Path) -> "Strip":
        with np.load(path) as stored:
            return cls(stored["mel"], stored["mouth"], stored["pause"])


def save_utterances(utterances: Sequence[Utterance], path: Path) -> None:
    """Waveforms as 16 bit, segments as columns."""
    rows = [(i, s.start_s, s.end_s, s.phone) for i, u in enumerate(utterances) for s in u.segments]
    np.savez_compressed(
        path,
        samples=np.concatenate([np.clip(u.waveform * 32767, -32768, 32767).astype(np.int16) for u in utterances]),
        lengths=np.array([len(u.waveform) for u in utterances]),
        voices=np.array([u.voice for u in utterances]),
        owner=np.array([row[0] for row in rows]),
        times=np.array([row[1:3] for row in rows]),
        phones=np.array([row[3] for row in rows]),
    )


def load_utterances(path: Path) -> list[Utterance]:
    """The inverse of `save_utterances`."""
    with np.load(path) as stored:
        ends = np.cumsum(stored["lengths"])
        waves = np.split(stored["samples"].astype(np.float32) / 32767, ends[:-1])
        segments: list[list[Segment]] = [[] for _ in waves]
        for owner, (start, end), phone in zip(stored["owner"], stored["times"], stored["phones"], strict=True):
            segments[owner].append(Segment(float(start), float(end), str(phone)))
        return [Utterance(*parts) for parts in zip(waves, segments, stored["voices"].tolist(), strict=True)]


def make_strip(utterances: Sequence[Utterance], copies: int, seed: int, *, held_out: bool) -> Strip:
    """`copies` random recordings of each utterance, of the held-out or of the other ones."""
    mels, mouths, pauses = [], [], []
    gap = (
        np.full((MEL_BANDS, GAP_FRAMES), MEL_FLOOR, np.float16),
        np.tile(np.array(REST, np.float16), (GAP_FRAMES, 1)),
        np.ones(GAP_FRAMES, bool),
    )
    for i, utterance in enumerate(utterances):
        if (i % HELD_OUT_EACH == 0) != held_out:
            continue
        for copy in range(copies):
            rng = np.random.default_rng((seed, i, copy))
            recording = augment(utterance, rng, utterances[int(rng.integers(len(utterances)))].waveform)
            mel = mel_spectrogram(recording.waveform)
            frames = min(mel.shape[1], int(len(recording.waveform) / SAMPLE_RATE * 80) + 1)
            mels += [gap[0], mel[:, :frames].astype(np.float16)]
            mouths += [gap[1], mouth_curve(recording.segments, frames).astype(np.float16)]
            pauses += [gap[2], pause_mask(recording.segments, frames)]
    return Strip(np.concatenate(mels, axis=1), np.concatenate(mouths), np.concatenate(pauses))
