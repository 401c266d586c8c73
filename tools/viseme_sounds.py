"""Mel windows of single sounds for the tests: python tools/viseme_sounds.py --out tests/golden/viseme_sounds.npz

Said by espeak-ng, so that the tests have speech whose mouth is known on machines without it.
"""

import argparse
from pathlib import Path

import numpy as np
from viseme_espeak import Espeak
from viseme_speech import SAMPLE_RATE, resample, segments_from_marks

from lipwise.media.audio import mel_spectrogram
from lipwise.models.viseme_net import CENTRE_STEP, MEL_FRAMES_PER_SECOND, WINDOW_STEPS

VOICES = ("en-us", "en-us+f3", "en-us+m3", "en-us+klatt2")
# name -> (what is said, the letter of the sound meant)
SOUNDS = {
    "ah": ("a large palm", "ɑ"),
    "ee": ("a sheet of tea", "i"),
    "oo": ("a hoop too soon", "u"),
    "mm": ("a hummer", "m"),
    "nn": ("a sunny tunnel", "n"),
}


def window_of(espeak: Espeak, voice: str, text: str, letter: str) -> np.ndarray:
    """(80, 16) float16: the window round the middle of the first such sound."""
    waveform, marks = espeak.speak(text, voice, words_per_minute=140)
    segments = segments_from_marks(marks, len(waveform) / espeak.sample_rate)
    sound = next(s for s in segments if s.phone.startswith(letter))
    waveform = resample(waveform, espeak.sample_rate)
    waveform = np.pad(waveform * 0.1 / np.sqrt(np.mean(waveform**2)), SAMPLE_RATE)  # a usual level, silence round it
    first = round((1 + (sound.start_s + sound.end_s) / 2) * MEL_FRAMES_PER_SECOND) - CENTRE_STEP
    return mel_spectrogram(waveform.astype(np.float32))[:, first : first + WINDOW_STEPS].astype(np.float16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the .npz to write")
    options = parser.parse_args()
    espeak = Espeak()
    windows = {
        name: np.stack([window_of(espeak, voice, text, letter) for voice in VOICES])
        for name, (text, letter) in SOUNDS.items()
    }
    np.savez_compressed(options.out, **windows)  # pyright: ignore[reportArgumentType] -- numpy's stub


if __name__ == "__main__":
    main()
