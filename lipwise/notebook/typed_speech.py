"""Text to speech by espeak-ng, a program of its own, marked as synthetic."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError

from lipwise.errors import SettingsError
from lipwise.files import unwritable, written_whole

PROGRAM = "espeak-ng"
MARK = "synthetic speech, made from text by espeak-ng"  # in the file's comment, where players show it
WORDS_A_MINUTE = 150  # a little slower than espeak-ng's own 175: lips are easier to follow
LIMIT_S = 120  # for text of any sensible length it needs well under a second
INSTALL = "install it (Debian, Ubuntu and Colab: apt-get install -y espeak-ng; macOS: brew install espeak-ng)"


def speak(
    text: str, out: str | Path = "typed_speech.wav", *, voice: str = "en", words_a_minute: int = WORDS_A_MINUTE
) -> Path:
    """Let a synthetic voice say a text, and keep it as a WAV file whose comment says that it is synthetic.

    Args:
        text: what is said, in the voice's language.
        out: the file, which appears under its name only when it is complete.
        voice: as `espeak-ng --voices` lists them: "en", "en-us", "de", "fr" ...
        words_a_minute: 80 to 450.

    Raises:
        SettingsError: nothing to say, espeak-ng is not installed, or it knows no such voice.
        MediaError: the file cannot be written.
    """
    if not text.strip():
        step = "type a sentence, or choose a recording"
        raise SettingsError("There is nothing to say", cause="the text is empty", next_step=step)
    if not 80 <= words_a_minute <= 450:
        cause = "espeak-ng speaks 80 to 450 words a minute"
        raise SettingsError(f"{words_a_minute} words a minute", cause=cause, next_step=f"use {WORDS_A_MINUTE}, say")
    program = shutil.which(PROGRAM)
    if program is None:
        raise SettingsError(
            f"The text {_short(text)!r} cannot be spoken",
            cause=f"{PROGRAM} is not installed on this machine",
            next_step=f"{INSTALL}, or choose a recording",
        )
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.wav"
        # The text comes through the standard input, where a dash in front of it is no option.
        _run([program, "-b", "1", "-v", voice, "-s", str(words_a_minute), "--stdin", "-w", str(plain)], text, plain)
        return _marked(plain, Path(out))


def is_synthetic(path: str | Path) -> bool:
    """Whether a file says of itself that `speak` made it. A voice without the mark may be synthetic all the same."""
    try:
        with av.open(str(path)) as container:
            return container.metadata.get("comment") == MARK
    except (FFmpegError, OSError):
        return False


def _run(command: list[str], text: str, made: Path) -> None:
    try:
        said = subprocess.run(command, input=text.encode(), capture_output=True, timeout=LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        step = "try a shorter text, or choose a recording"
        raise SettingsError(f"{PROGRAM} could not be run", cause=str(error), next_step=step) from error
    if said.returncode or not made.exists():
        raise SettingsError(
            f"{PROGRAM} did not speak {_short(text)!r}",
            cause=said.stderr.decode(errors="replace").strip() or f"it ended with status {said.returncode}",
            next_step=f"choose a voice from the list of `{PROGRAM} --voices`, such as en, de or fr",
        )


def _marked(plain: Path, out: Path) -> Path:
    """The same sound in a file that tells what it is."""
    try:
        with written_whole(out) as part, av.open(str(plain)) as given, av.open(str(part), "w", format="wav") as made:
            made.metadata["comment"] = MARK
            _copy_sound(given, made)
    except FFmpegError as error:  # what the system refuses is told by written_whole
        raise unwritable(out, error) from error
    return out


def _copy_sound(given: InputContainer, made: OutputContainer) -> None:
    stream = made.add_stream_from_template(given.streams.audio[0])
    for packet in given.demux(audio=0):
        if packet.dts is not None:  # the one that ends the file holds nothing
            packet.stream = stream
            made.mux(packet)


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 40 else f"{words[:37]}..."
