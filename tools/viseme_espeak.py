"""Speech with phone times from espeak-ng, through its library's events (the command line tells no times)."""

import ctypes
from ctypes import c_char, c_char_p, c_int, c_short, c_size_t, c_uint, c_void_p
from dataclasses import dataclass

import numpy as np

# From espeak-ng's speak_lib.h
_RETURN_EVENTS_AT_ONCE = 2  # AUDIO_OUTPUT_SYNCHRONOUS: the callback has run when espeak_Synth returns
_PHONEME_EVENTS, _PHONEME_IPA = 0x0001, 0x0002
_EVENT_LIST_END, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7
_RATE, _PITCH, _PITCH_RANGE = 1, 3, 4
_CHARS_UTF8 = 1


class _EventId(ctypes.Union):
    _fields_ = (("number", c_int), ("name", c_char_p), ("string", c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", c_int),
        ("unique_identifier", c_uint),
        ("text_position", c_int),
        ("length", c_int),
        ("audio_position_ms", c_int),
        ("sample", c_int),
        ("user_data", c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(c_int, ctypes.POINTER(c_short), c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Mark:
    """One event: where it begins and the phone's IPA letters; "" is silence, None the start of a word."""

    start_s: float
    phone: str | None


class Espeak:
    """One running espeak-ng. Only one may exist in a process: the library keeps its state in globals."""

    def __init__(self, library: str = "libespeak-ng.so.1") -> None:
        """Raises OSError when the library is not installed."""
        self._library = ctypes.CDLL(library)
        rate = self._library.espeak_Initialize(_RETURN_EVENTS_AT_ONCE, 0, None, _PHONEME_EVENTS | _PHONEME_IPA)
        if rate <= 0:
            raise OSError(f"espeak_Initialize of {library} failed with {rate}: is espeak-ng-data installed?")
        self.sample_rate = int(rate)
        self._library.espeak_SetVoiceByName.argtypes = [c_char_p]
        self._library.espeak_Synth.argtypes = [
            c_char_p, c_size_t, c_uint, c_int, c_uint, c_uint, c_void_p, c_void_p,
        ]  # fmt: skip
        self._pieces: list[np.ndarray] = []
        self._marks: list[Mark] = []
        self._callback = _Callback(self._receive)  # kept, or the C side would call freed memory
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples, count: int, events) -> int:
        if samples and count > 0:
            self._pieces.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        at = 0
        while events[at].type != _EVENT_LIST_END:
            event = events[at]
            if event.type == _EVENT_WORD:
                self._marks.append(Mark(event.sample / self.sample_rate, None))
            elif event.type == _EVENT_PHONEME:
                # the union's array ends at its first zero; espeak-ng reuses it without clearing the rest
                letters = bytes(event.id.string).split(b"\0")[0].decode("utf-8", "ignore")
                self._marks.append(Mark(event.sample / self.sample_rate, letters))
            at += 1
        return 0

    def speak(
        self, text: str, voice: str, *, words_per_minute: int = 175, pitch: int = 50, pitch_range: int = 50
    ) -> tuple[np.ndarray, list[Mark]]:
        """Synthesise.

        Args:
            text: a sentence; `[[...]]` holds phone mnemonics.
            voice: a voice with an optional variant, such as "en-us+f3".
            words_per_minute, pitch, pitch_range: 80-450, 0-99 and 0-100.

        Returns:
            waveform (n,) float32 at `sample_rate` in [-1, 1], and the marks in order of time.

        Raises:
            LookupError: espeak-ng has no such voice.
        """
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise LookupError(f"espeak-ng has no voice {voice!r}")
        for parameter, value in ((_RATE, words_per_minute), (_PITCH, pitch), (_PITCH_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._pieces, self._marks = [], []
        encoded = text.encode()
        self._library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _CHARS_UTF8, None, None)
        self._library.espeak_Synchronize()
        samples = np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.int16)
        return samples.astype(np.float32) / 32768, self._marks
