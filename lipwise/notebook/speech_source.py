"""Where the speech of a run comes from: a file, the sound of a video, the microphone, typed text, or the sample."""

from dataclasses import dataclass
from pathlib import Path

from lipwise.errors import SettingsError
from lipwise.notebook.recorder import record
from lipwise.notebook.typed_speech import is_synthetic, speak
from lipwise.sample import SPEECH, Sample


@dataclass(frozen=True)
class SpeechSource:
    """Speech, and what is known of whose voice it is.

    Attributes:
        path: a file with sound.
        words: what it is, for a person to read.
        synthetic: whether no human voice is heard in it, as far as the file tells.
    """

    path: Path
    words: str
    synthetic: bool

    def __str__(self) -> str:
        return f"{self.words}: {self.path}"


def source_of(path: str | Path, *, sample: str | Path = SPEECH) -> SpeechSource:
    """What is known of the voice in a file."""
    path = Path(path)
    if path == Path(sample):
        return SpeechSource(path, "the sample's synthetic voice", True)
    synthetic = is_synthetic(path)
    return SpeechSource(path, "a synthetic voice, as the file says" if synthetic else "your file", synthetic)


def needs_consent(face: str | Path, speech: str | Path, sample: Sample) -> bool:
    """Whether somebody has to agree: not to the sample's face, nor to a voice that says it is synthetic."""
    return Path(face) != sample.face or not source_of(speech, sample=sample.speech).synthetic


def choose_speech(
    file: str | Path = "", *, sample: str | Path, say: str = "", record_s: float = 0, voice: str = "en"
) -> SpeechSource:
    """One of the ways to come by speech; with none of them chosen, the sample's.

    Args:
        file: a recording, or a video whose sound is used.
        sample: what is said otherwise.
        say: text for a synthetic voice, kept in typed_speech.wav.
        record_s: seconds to record in the browser, kept in recording.wav.
        voice: espeak-ng's, for `say`.

    Raises:
        SettingsError: more than one way was chosen, or this machine cannot go it.
        MediaError: nothing was recorded.
    """
    ways = {"speech": str(file), "say": say.strip(), "record_s": record_s}
    chosen = [name for name, value in ways.items() if value]
    if len(chosen) > 1:
        cause = f"{' and '.join(chosen)} are both filled in"
        raise SettingsError("Two voices at once", cause=cause, next_step="leave only one of them")
    if say.strip():
        return SpeechSource(speak(say, voice=voice), "a synthetic voice by espeak-ng, from your text", True)
    if record_s:
        return SpeechSource(record(record_s), "your recording", False)
    return source_of(file or sample, sample=sample)
