"""Stage 1: sentences become synthetic speech with the time of every phone (espeak-ng and flite)."""

import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from viseme_espeak import Espeak, Mark
from viseme_mouth import SILENCE, Segment, letters_of
from viseme_sentences import ENGLISH, sentence

SAMPLE_RATE = 16000
SHORTEST_S = 0.4
# Voice and the language of its sentences; English twice over, because its accents differ most between voices.
_ESPEAK_VOICES = (
    ("en-us", "en"), ("en-us", "en"), ("en-gb-x-gbclan", "en"), ("en-gb-scotland", "en"), ("en-gb-x-rp", "en"),
    ("de", "de"), ("fr", "fr"), ("es", "es"), ("it", "it"), ("pt-br", "pt"), ("nl", "nl"), ("pl", "pl"), ("tr", "tr"),
)  # fmt: skip
_ESPEAK_VARIANTS = (
    "", "", "+f1", "+f2", "+f3", "+f4", "+f5", "+m1", "+m2", "+m3", "+m4", "+m6", "+m7", "+m8", "+klatt", "+klatt2",
    "+klatt3", "+Andrea", "+Diogo", "+Gene", "+Henrique", "+linda", "+Mario", "+Michel", "+Pablo", "+steph2", "+travis",
)  # fmt: skip
# flite's recorded voices and their usual pitch in Hz
_FLITE_VOICES = {"slt": 170, "rms": 100, "awb": 120, "kal16": 105}
FLITE_SHARE = 0.5
# flite's phones (the CMU set) in IPA
_CMU_TO_IPA = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "axr": "ɚ", "ay": "aɪ", "eh": "ɛ", "er": "ɝ",
    "ey": "eɪ", "ih": "ɪ", "iy": "i", "ow": "oʊ", "oy": "ɔɪ", "uh": "ʊ", "uw": "u", "b": "b", "ch": "tʃ", "d": "d",
    "dh": "ð", "dx": "ɾ", "el": "əl", "em": "m", "en": "n", "f": "f", "g": "g", "hh": "h", "jh": "dʒ", "k": "k",
    "l": "l", "m": "m", "n": "n", "ng": "ŋ", "p": "p", "pau": SILENCE, "r": "ɹ", "s": "s", "sh": "ʃ", "t": "t",
    "th": "θ", "v": "v", "w": "w", "y": "j", "z": "z", "zh": "ʒ",
}  # fmt: skip
_VOICELESS_STOPS, _VOICED_STOPS = set("pt"), set("bd")
# espeak-ng marks p, t, k at the burst, with about this much silence before it; lips part by so much after the burst.
_SILENT_CLOSURE_S, _BURST_S = 0.045, 0.015
_PAUSE_BETWEEN_WORDS_S = 0.10  # a longer gap at a word's start is a pause, a shorter one a closure


@dataclass(frozen=True)
class Utterance:
    """Speech with its phones; waveform (n,) float32 at 16 kHz in [-1, 1]."""

    waveform: np.ndarray
    segments: list[Segment]
    voice: str


def segments_from_marks(marks: list[Mark], end_s: float) -> list[Segment]:
    """espeak-ng's marks as segments in which stops run from closure to burst.

    A word's mark lies before the silence of a stop that begins the word; inside a word that silence is part of the
    phone before. (Seen in the energy of "abba, appa": b is marked where the lips meet, p where they part.)
    """
    segments: list[Segment] = []
    word_s = None
    for mark, after in zip(marks, [*marks[1:], Mark(end_s, SILENCE)], strict=True):
        if mark.phone is None:
            word_s = mark.start_s
            continue
        start, end = mark.start_s, after.start_s
        gap = start - word_s if word_s is not None else 0.0
        first = mark.phone[:1]
        if gap > _PAUSE_BETWEEN_WORDS_S:
            segments.append(Segment(start - gap, start - _SILENT_CLOSURE_S, SILENCE))
        if first in _VOICELESS_STOPS and start > _SILENT_CLOSURE_S:
            start, end = start - max(_SILENT_CLOSURE_S, min(gap, 0.08)), start + _BURST_S
        elif first in _VOICED_STOPS:
            start, end = start - min(gap, 0.08), max(end - _BURST_S, start + _BURST_S)
        if len(mark.phone) > 1 and letters_of(mark.phone) and first in _VOICELESS_STOPS:
            end = after.start_s  # an affricate such as tʃ goes on after its burst
        word_s = None
        if end > start:
            segments.append(Segment(start, end, mark.phone))
    return segments


def segments_from_durations(listing: str) -> list[Segment]:
    """flite's "-psdur" listing, "pau:0.22 m:0.26 ...", each with its end; p and b part their lips before it."""
    segments, start = [], 0.0
    for name, end_text in re.findall(r"(\S+):([\d.]+)", listing):
        end, phone = float(end_text), _CMU_TO_IPA.get(name, SILENCE)
        parted = start + 0.6 * (end - start) if phone == "p" else end - _BURST_S if phone == "b" else end
        if parted > start:
            segments.append(Segment(start, parted, phone))
        start = end
    return segments


def resample(waveform: np.ndarray, rate: int) -> np.ndarray:
    """A waveform at `rate` as one at SAMPLE_RATE."""
    from scipy.signal import resample_poly

    if rate == SAMPLE_RATE:
        return waveform
    divisor = int(np.gcd(SAMPLE_RATE, rate))
    return resample_poly(waveform, SAMPLE_RATE // divisor, rate // divisor).astype(np.float32)


def _speak_espeak(espeak: Espeak, random_: random.Random) -> Utterance:
    voice, language = random_.choice(_ESPEAK_VOICES)
    voice += random_.choice(_ESPEAK_VARIANTS)
    waveform, marks = espeak.speak(
        sentence(random_, language),
        voice,
        words_per_minute=random_.randint(125, 235),
        pitch=random_.randint(15, 90),
        pitch_range=random_.randint(30, 90),
    )
    segments = segments_from_marks(marks, len(waveform) / espeak.sample_rate)
    return Utterance(resample(waveform, espeak.sample_rate), segments, f"espeak-ng {voice}")


def _speak_flite(program: str, random_: random.Random) -> Utterance:
    from scipy.io import wavfile

    voice = random_.choice(list(_FLITE_VOICES))
    stretch, pitch = random_.uniform(0.75, 1.3), _FLITE_VOICES[voice] * random_.uniform(0.8, 1.25)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = [program, "-psdur", "-voice", voice, "--setf", f"duration_stretch={stretch:.2f}"]
        command += ["--setf", f"int_f0_target_mean={pitch:.0f}", "-t", sentence(random_, ENGLISH), "-o", str(path)]
        listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rate, samples = wavfile.read(path)
    waveform = resample(samples.astype(np.float32) / 32768, rate)
    return Utterance(waveform, segments_from_durations(listing), f"flite {voice}")


def synthesise(count: int, seed: int) -> Iterator[Utterance]:
    """`count` utterances, always the same for the same seed and the same versions of espeak-ng and flite.

    Raises:
        SystemExit: espeak-ng or flite is not installed; says how to install them.
    """
    program = shutil.which("flite")
    try:
        espeak = Espeak()
    except OSError as error:
        raise SystemExit(
            f"espeak-ng's library cannot be used ({error}).\nDebian, Ubuntu: apt-get install espeak-ng"
        ) from error
    if program is None:
        raise SystemExit("The program flite is not installed.\nDebian, Ubuntu: apt-get install flite")
    random_ = random.Random(seed)
    made = 0
    while made < count:
        flite_turn = random_.random() < FLITE_SHARE
        utterance = _speak_flite(program, random_) if flite_turn else _speak_espeak(espeak, random_)
        if len(utterance.waveform) >= SHORTEST_S * SAMPLE_RATE and utterance.segments:
            made += 1
            yield utterance
