"""What a mouth does while a sequence of phones is said: (open, wide, round, closed), each 0-1, 80 times a second.

Every phone asks for a mouth shape. Shapes run into each other by dominance blending (M. M. Cohen and D. W. Massaro,
"Modeling coarticulation in synthetic visual speech", 1993): the mouth at any time is the mean of all shapes, weighted
by how strongly each phone insists and how near it is. Lips must meet for m, b and p, whereas h does not care.
"""

import unicodedata
from dataclasses import dataclass

import numpy as np

FRAMES_PER_SECOND = 80
SILENCE = ""


@dataclass(frozen=True)
class Segment:
    """One phone: its time, and its IPA letters (SILENCE for a pause).

    m, b and p must run from where the lips meet to where they part.
    """

    start_s: float
    end_s: float
    phone: str


@dataclass(frozen=True)
class Shape:
    """What a phone asks of the mouth, and how strongly each of the four insists (0 does not care)."""

    mouth: tuple[float, float, float, float]
    insists: tuple[float, float, float, float]


# How far each vowel parts the lips (close to open in the IPA chart), and which spread or round them. The steps are
# small: real mouths differ less from vowel to vowel than charts suggest, and most between any sound and closed lips.
_OPEN = {
    letter: value
    for letters, value in (
        ("iyɨʉɯu", 0.30), ("ɪʏʊᵻ", 0.40), ("əɚ", 0.44), ("eøɘɵɤo", 0.48), ("ɛœɜɝɞʌɔ", 0.60), ("æɐ", 0.70),
        ("aɑɒɶ", 0.78),
    )
    for letter in letters
}  # fmt: skip
_ROUND = {
    letter: value for letters, value in (("uyʉ", 1.0), ("oʊøʏ", 0.8), ("ɔœɒɵ", 0.5), ("ɚɝ", 0.3)) for letter in letters
}
_WIDE = {letter: value for letters, value in (("ie", 0.9), ("ɪɛæ", 0.7), ("aəɐʌɑɚ", 0.5)) for letter in letters}
_WIDE_OTHER = 0.3
_CONSONANTS = {
    letter: Shape(mouth, insists)
    for letters, mouth, insists in (
        ("mbpɓɱ", (0.00, 0.45, 0.10, 1.0), (4.0, 1.5, 0.6, 3.0)),
        ("fvʋ", (0.10, 0.45, 0.10, 0.3), (2.5, 1.5, 0.6, 2.5)),
        ("βɸ", (0.08, 0.40, 0.20, 0.6), (2.5, 1.5, 0.6, 2.5)),
        ("wɥʍ", (0.18, 0.10, 1.00, 0.0), (2.5, 1.5, 2.5, 2.5)),
        ("ʃʒɕʑʂʐ", (0.26, 0.30, 0.60, 0.0), (1.6, 1.5, 1.6, 1.6)),
        ("ɹɻ", (0.32, 0.30, 0.50, 0.0), (1.0, 1.0, 1.0, 1.0)),
        ("sz", (0.25, 0.60, 0.10, 0.0), (1.6, 1.5, 0.6, 1.6)),
        ("θð", (0.33, 0.50, 0.10, 0.0), (1.0, 1.0, 0.6, 1.0)),
        ("jʝ", (0.30, 0.75, 0.05, 0.0), (0.9, 0.9, 0.5, 0.9)),
        ("tdnlɾrɫʈɖɳɭ", (0.36, 0.50, 0.10, 0.0), (0.8, 0.8, 0.3, 0.8)),
        ("kɡgŋxɣqχʁʀɲcɟçʎ", (0.40, 0.50, 0.15, 0.0), (0.5, 0.5, 0.2, 0.8)),
        ("hʔɦħʕ", (0.44, 0.50, 0.15, 0.0), (0.2, 0.2, 0.1, 0.8)),
    )
    for letter in letters
}
# A resting mouth is shut but not pressed together: that is what tells a pause from m, b and p.
REST = (0.0, 0.45, 0.10, 0.0)
_REST_INSISTS = 1.2
_SHORT_PAUSE_S, _LONG_PAUSE_S = 0.10, 0.30  # a mouth does not shut for a short pause
# How long before and after itself a phone is felt; closing and opening is quick, spreading and rounding slow.
_REACH_S = np.array([0.045, 0.080, 0.080, 0.022])
_REACH_OF_CONSONANT_S = np.array([0.032, 0.080, 0.080, 0.022])
_CORE = 0.6  # share of a phone over which it insists fully
_FALL = 1.6  # exponent of the falling off
_FULL_VOWEL_S = 0.09  # shorter vowels open less


def letters_of(phone: str) -> list[str]:
    """The letters of an IPA phone that shape the mouth, at most two (diphthongs, affricates)."""
    return [c for c in unicodedata.normalize("NFD", phone) if c in _OPEN or c in _CONSONANTS][:2]


def _shape(letter: str, length_s: float) -> Shape:
    if letter in _CONSONANTS:
        return _CONSONANTS[letter]
    fullness = float(np.clip(0.7 + 0.3 * length_s / _FULL_VOWEL_S, 0.7, 1.05))
    rounding = _ROUND.get(letter, 0.0)
    mouth = (min(1.0, _OPEN[letter] * fullness), _WIDE.get(letter, _WIDE_OTHER), rounding, 0.0)
    return Shape(mouth, (1.0, 1.0, 1.0 if rounding > 0.3 else 0.6, 1.0))


def _pause(segment: Segment) -> tuple[Segment, Shape]:
    """A pause: the longer, the more it shuts the mouth, and it begins and ends with the neighbours' shapes."""
    length = segment.end_s - segment.start_s
    long = float(np.clip((length - _SHORT_PAUSE_S) / (_LONG_PAUSE_S - _SHORT_PAUSE_S), 0, 1))
    mouth = (0.15 * (1 - long), *REST[1:])
    insists = 0.3 + (_REST_INSISTS - 0.3) * long
    edge = 0.05 * long
    return Segment(segment.start_s + edge, segment.end_s - edge, SILENCE), Shape(
        mouth, (insists, insists, insists, insists)
    )


def _parts(segment: Segment) -> list[tuple[Segment, Shape]]:
    """A segment as pieces of one shape each."""
    letters = letters_of(segment.phone)
    if not letters:
        return [_pause(segment)] if segment.end_s - segment.start_s > 0.02 else []
    edges = np.linspace(segment.start_s, segment.end_s, len(letters) + 1)
    pieces = [Segment(float(a), float(b), c) for a, b, c in zip(edges, edges[1:], letters, strict=False)]
    return [(piece, _shape(piece.phone, piece.end_s - piece.start_s)) for piece in pieces]


def mouth_curve(segments: list[Segment], frames: int) -> np.ndarray:
    """The mouth at the times 0, 1/80, 2/80 ... seconds.

    Args:
        segments: phones in order of time, with pauses.
        frames: how many values to make.

    Returns:
        (frames, 4) float32: open, wide, round, closed, 0-1.
    """
    time_s = np.arange(frames)[:, None] / FRAMES_PER_SECOND  # (frames, 1)
    total = np.full((frames, 4), 1e-6) * np.array(REST)
    weight = np.full((frames, 4), 1e-6)
    for segment in segments:
        for piece, shape in _parts(segment):
            reach = _REACH_OF_CONSONANT_S if piece.phone in _CONSONANTS else _REACH_S
            half_core = max(0.0, piece.end_s - piece.start_s) / 2 * _CORE
            away_s = np.maximum(0, np.abs(time_s - (piece.start_s + piece.end_s) / 2) - half_core)
            felt = np.array(shape.insists) * np.exp(-((away_s / reach) ** _FALL))  # (frames, 4)
            total += felt * np.array(shape.mouth)
            weight += felt
    return (total / weight).astype(np.float32)


def pause_mask(segments: list[Segment], frames: int) -> np.ndarray:
    """(frames,) bool: inside a pause of at least 0.1 s."""
    time_s = np.arange(frames) / FRAMES_PER_SECOND
    mask = np.zeros(frames, bool)
    for segment in segments:
        if not letters_of(segment.phone) and segment.end_s - segment.start_s >= _SHORT_PAUSE_S:
            mask |= (time_s >= segment.start_s) & (time_s < segment.end_s)
    return mask
