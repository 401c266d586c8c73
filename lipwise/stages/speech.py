"""A recording made ready for a generator: loaded, checked, gated in its pauses, turned into mel windows."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from lipwise.media import audio
from lipwise.media.gate import gate_mel, silence_gate


@dataclass(frozen=True, eq=False)
class Speech:
    """What lips have to say.

    Attributes:
        path, start_s, end_s: the part of the file that is used; None is its end.
        duration_s: exact length in seconds.
        mel: (80, M) float32 in [-4, 4], with its pauses at the floor when the silence gate is on.
        gate: (M,) float32, 1 where there is speech, 0 in pauses; all 1 when the gate is off.
        gain: what the recording's samples were multiplied by; 1 unless they were far beyond full scale.
    """

    path: Path
    start_s: float
    end_s: float | None
    duration_s: Fraction
    mel: np.ndarray
    gate: np.ndarray
    gain: float = 1.0

    def frame_count(self, fps: Fraction) -> int:
        """How many frames the recording lasts at a frame rate."""
        return audio.window_count(self.duration_s, fps)

    def windows(self, fps: Fraction, *, first: int, count: int, offset_s: float = 0.0) -> np.ndarray:
        """Mel windows (count, 80, 16) of the output frames first .. first + count - 1.

        Args:
            fps: frames a second of the result.
            first, count: which output frames.
            offset_s: how much later than its frame each window begins.
        """
        return audio.mel_windows(self.mel, fps, count=count, first=first, audio_offset_s=offset_s)


def load_speech(
    path: str | Path, *, start_s: float = 0.0, end_s: float | None = None, gate_silence: bool = True
) -> Speech:
    """Load a recording, or the sound of a video, as speech.

    Args:
        path: any file with sound that FFmpeg decodes.
        start_s, end_s: the part to use in seconds; None is the end.
        gate_silence: close the mouth in pauses.

    Raises:
        MediaError: the file cannot be read or has no sound.
        SpeechError: there is no sound in the part, or nothing but silence.
    """
    path = Path(path)
    waveform, _, gain = audio.load_speech(path, start_s=start_s, end_s=end_s)
    mel = audio.mel_spectrogram(waveform)
    gate = silence_gate(waveform) if gate_silence else np.ones(mel.shape[1], np.float32)
    if gate_silence:
        mel = gate_mel(mel, gate)
    return Speech(path, start_s, end_s, Fraction(len(waveform), audio.SAMPLE_RATE), mel, gate, gain)
